"""Every module that is run by ``python -m`` tells how to use it, and does nothing else when asked for that."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("local", "admin", "doctor", "chaos", "benchmarks", "scripts")


def commands() -> list[str]:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    runnable = [file for file in files if '__name__ == "__main__"' in file.read_text() or file.name == "__main__.py"]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__") for file in runnable]


@pytest.mark.parametrize("command", commands())
def test_a_command_explains_itself_when_asked_for_help(command: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("usage: ")
    assert command in ran.stdout.split("\n\n")[0]
