"""A pytest plugin: if no browser is found, the tests of the page are not run, and one line at the end says so.

In CI this is a failure.
"""

import os
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parent / "page"
NOT_RUN = pytest.StashKey[int]()
"""How many tests are not run."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    page = [item for item in items if item.path.is_relative_to(PAGE)]
    if page and not _browser_is_installed():
        items[:] = [item for item in items if not item.path.is_relative_to(PAGE)]
        config.hook.pytest_deselected(items=page)
        config.stash[NOT_RUN] = len(page)


def pytest_sessionfinish(session: pytest.Session) -> None:
    not_run = session.config.stash.get(NOT_RUN, 0)
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist; the controller reports
        session.config.workeroutput["not_run"] = not_run
    elif not_run and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[NOT_RUN] = node.workeroutput["not_run"]  # every worker collects all tests


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not_run := config.stash.get(NOT_RUN, 0):
        failed = " In CI this is a failure." if os.environ.get("CI") else ""
        terminalreporter.section("tests not run")
        terminalreporter.line(f"{not_run} tests in tests/page: no browser was found; `make browser` gets one.{failed}")


def _browser_is_installed() -> bool:
    """The import is here because the unit tests run without the packages of the development stack."""
    from local import browser

    return browser.is_installed()
