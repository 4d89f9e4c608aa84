"""A pytest plugin: tests whose tool is not installed are not run, and one line at the end says so for each tool.

In CI this is a failure.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parent / "page"
NOT_RUN = pytest.StashKey[dict[str, int]]()
"""How many tests are not run, by what is missing."""


@dataclass(frozen=True)
class Tool:
    """What some tests need beside Python, and how to get it."""

    missing: str
    needed_by: Callable[[pytest.Item], bool]
    is_installed: Callable[[], bool]


def _browser_is_installed() -> bool:
    """The import is here because the unit tests run without the packages of the development stack."""
    from local import browser

    return browser.is_installed()


TOOLS = (
    Tool(
        "no browser was found; `make browser` gets one",
        lambda item: item.path.is_relative_to(PAGE),
        _browser_is_installed,
    ),
    Tool(
        "Node.js 20.10 or later was not found",
        lambda item: item.get_closest_marker("node") is not None,
        lambda: shutil.which("node") is not None,
    ),
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node: the test runs JavaScript with Node.js.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for tool in TOOLS:
        needing = [item for item in items if tool.needed_by(item)]
        if needing and not tool.is_installed():
            items[:] = [item for item in items if item not in needing]
            config.hook.pytest_deselected(items=needing)
            config.stash.setdefault(NOT_RUN, {})[tool.missing] = len(needing)


def pytest_sessionfinish(session: pytest.Session) -> None:
    not_run = session.config.stash.get(NOT_RUN, {})
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist; the controller reports
        session.config.workeroutput["not_run"] = not_run
    elif not_run and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[NOT_RUN] = node.workeroutput["not_run"]  # every worker collects all tests


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not_run := config.stash.get(NOT_RUN, {}):
        failed = " In CI this is a failure." if os.environ.get("CI") else ""
        terminalreporter.section("tests not run")
        for missing, count in not_run.items():
            terminalreporter.line(f"{count} tests: {missing}.{failed}")
