"""Runs the operator's commands against a stack, as ``make`` does: each is a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from local.running_stack import RunningStack

ROOT = Path(__file__).parents[2]


def admin(stack: RunningStack, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """``python -m admin.<command> <options>`` with the settings of the stack."""
    return subprocess.run(
        [sys.executable, "-m", f"admin.{command}", *options],
        cwd=ROOT,
        env={**os.environ, **stack.settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def said(stack: RunningStack, command: str, *options: str) -> str:
    """What a command that succeeds prints, without the line about the settings."""
    done = admin(stack, command, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split("\n", 1)[1]
