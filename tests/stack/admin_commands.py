"""Runs the operator's commands against a stack, in this process: a new one for each would take most of the time."""

import importlib
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from local.running_stack import RunningStack


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def admin(stack: RunningStack, command: str, *options: str) -> Ended:
    """``python -m admin.<command> <options>`` with the settings of the stack."""
    module = importlib.import_module(f"admin.{command}")
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", [f"admin/{command}.py", *options])
        for name, value in stack.settings.items():
            patch.setenv(name, value)
        try:
            module.main()
        except SystemExit as exit_:
            status = exit_.code or 0
    if isinstance(status, int):
        return Ended(status, out.getvalue(), err.getvalue())
    return Ended(1, out.getvalue(), f"{err.getvalue()}{status}\n")  # what Python does with a text


def said(stack: RunningStack, command: str, *options: str) -> str:
    """What a command that succeeds prints, without the line about the settings."""
    ended = admin(stack, command, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.split("\n", 1)[1]
