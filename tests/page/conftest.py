"""The page's fixtures: a browser, and authors in front of it.

Each unexpected error of the browser fails the test at its end: an error on the console, an uncaught exception, a breach
of the Content-Security-Policy, a request to a server that the page must not call. A test that provokes one says so
first, with `expect_complaint`.

Without a browser these tests are not run: see tests/without_tools.py.
"""

import functools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_author import PATIENCE_MILLISECONDS, Arrive, Author, arriving
from playwright.sync_api import Browser, Page, Route, expect

from local import REPOSITORY
from local import browser as chromium
from local.running_stack import RunningStack

WEB = REPOSITORY / "web"
A_PAGE = "http://page.test/"

_running = ExitStack()
_browsers: list[Browser] = []


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Runs until a test of another directory follows: in Playwright's event loop, asyncio.run of others would fail."""
    if not _browsers:
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        _browsers.append(_running.enter_context(chromium.launched()))
    return _browsers[0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    if nextitem is None or nextitem.path.parent != Path(__file__).parent:
        _browsers.clear()
        _running.close()


@pytest.fixture(scope="module")
def in_page(browser: Browser) -> Iterator[Page]:
    """An empty page that can import the modules of `web/`."""
    with browser.new_context() as context, context.new_page() as page:
        page.route(f"{A_PAGE}**", _answer)
        page.goto(A_PAGE)
        yield page


def _answer(route: Route) -> None:
    path = WEB / urlsplit(route.request.url).path.lstrip("/")
    if path == WEB:
        route.fulfill(body="<!doctype html><title>A page</title>", content_type="text/html")
    elif path.is_file():
        route.fulfill(path=path, content_type="text/javascript")
    else:  # or the page would wait for ever
        route.fulfill(status=404)


@pytest.fixture
def arrive(browser: Browser, stack: RunningStack) -> Iterator[Arrive]:
    """Makes authors; see `Arrive`."""
    with arriving(browser, functools.partial(Author, stack)) as arrive:
        yield arrive


@pytest.fixture
def alice(arrive: Arrive) -> Author:
    """An author who has not opened the page yet."""
    return arrive()
