"""Runs the operator's commands against a stack, in this process: a new one for each would take most of the time."""

import importlib
import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from local.running_stack import RunningStack


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def nothing(_: str) -> str:
    """What an operator types whose input has ended."""
    return ""


def admin(
    stack: RunningStack, command: str, *options: str, typed: Callable[[str], str] = nothing, **settings: str
) -> Ended:
    """``python -m admin.<command> <options>`` with the settings of the stack and `settings` besides.

    Where the command asks the operator, `typed` gets what it has printed so far, and returns a line.
    """
    module = importlib.import_module(f"admin.{command}")
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), _warnings_to(err):
        patch.setattr(sys, "argv", [f"admin/{command}.py", *options])
        patch.setattr(sys, "stdin", _Operator(lambda: typed(out.getvalue())))
        for name, value in {**stack.settings, **settings}.items():
            patch.setenv(name, value)
        try:
            module.main()
        except SystemExit as exit_:
            status = exit_.code or 0
    if isinstance(status, int):
        return Ended(status, out.getvalue(), err.getvalue())
    return Ended(1, out.getvalue(), f"{err.getvalue()}{status}\n")  # what Python does with a text


class _Operator(io.TextIOBase):
    """Standard input, on which the next line is made when it is read."""

    def __init__(self, next_line: Callable[[], str]) -> None:
        self._next_line = next_line

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        return self._next_line()


@contextmanager
def _warnings_to(err: io.StringIO) -> Iterator[None]:
    """A process that configures no logging prints warnings on standard error."""
    handler = logging.StreamHandler(err)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def said(stack: RunningStack, command: str, *options: str) -> str:
    """What a command that succeeds prints, without the line about the settings."""
    ended = admin(stack, command, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.split("\n", 1)[1]
