"""Every module that is run by ``python -m`` tells how to use it, and does nothing else when asked for that."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("local", "admin", "doctor", "chaos", "soak", "benchmarks", "scripts")


def commands() -> list[str]:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    runnable = [file for file in files if '__name__ == "__main__"' in file.read_text() or file.name == "__main__.py"]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__") for file in runnable]


@pytest.mark.parametrize("command", commands())
def test_a_command_explains_itself_when_asked_for_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In this process: a new one for each would take most of the time."""
    monkeypatch.setattr(sys, "argv", [command, "--help"])
    loaded = [name for name in sys.modules if name == command or name.startswith(f"{command}.__main__")]
    for name in loaded:  # else runpy warns that it runs a module that was imported already
        monkeypatch.delitem(sys.modules, name)

    with pytest.raises(SystemExit) as ended:
        runpy.run_module(command, run_name="__main__", alter_sys=True)

    printed = capfd.readouterr()
    assert (ended.value.code, printed.err) == (0, "")
    assert printed.out.startswith("usage: ")
    assert command in printed.out.split("\n\n")[0]
