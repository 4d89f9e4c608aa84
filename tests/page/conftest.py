"""The page's fixtures: a browser, and authors in front of it.

Whatever goes wrong behind an author's back fails the test at its end: an error on the console, an exception nobody
caught, a breach of the Content-Security-Policy, a request to a server that the page has no business with. A test that
provokes one says so first, with `expect_complaint`.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from page_author import Arrive, Author
from playwright.sync_api import Browser, expect

from local import browser as chromium
from local.running_stack import RunningStack

PATIENCE_MILLISECONDS = 10_000
ZONE = "Europe/Vienna"


# For a module, not for all: Playwright keeps an event loop running, in which other modules' asyncio.run would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser. Without one the tests of the page are skipped on a person's machine, and fail in CI."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    try:
        with chromium.launched() as running:
            yield running
    except chromium.NoChromium as reason:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture
def arrive(browser: Browser, stack: RunningStack) -> Iterator[Arrive]:
    """Makes authors; see `Arrive`."""
    authors: list[Author] = []

    def arrive(**options: Any) -> Author:
        wishes = {"locale": "en-GB", "timezone_id": ZONE, "viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**wishes)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        authors.append(Author(stack, context, wishes["timezone_id"]))
        return authors[-1]

    yield arrive
    complaints = [complaint for author in authors for complaint in author.complaints()]
    for author in authors:
        author.context.close()
    assert complaints == []


@pytest.fixture
def alice(arrive: Arrive) -> Author:
    """An author who has not opened the page yet."""
    return arrive()
