"""The browser in which tests, pictures and measurements open the page: a Chromium of this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoChromium(Exception):
    """None is installed here; the message says what to do."""

    def __init__(self) -> None:
        super().__init__("No Chromium was found. `make browser` gets one; or set CHROMIUM to the path of yours.")


def is_installed() -> bool:
    """Whether a Chromium is found here."""
    with sync_playwright() as playwright:
        return _path(playwright) is not None


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium, which ends with the block. Raises NoChromium."""
    with sync_playwright() as playwright:
        path = _path(playwright)
        if path is None:
            raise NoChromium
        # Chromium refuses to run as root in its sandbox; containers run it as root.
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        with browser:
            yield browser


def _path(playwright: Playwright) -> str | None:
    """The one that CHROMIUM names, one in PATH, or Playwright's own."""
    for name in (os.environ.get("CHROMIUM"), *_NAMES):
        if name and (path := shutil.which(name)):
            return path
    own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None
