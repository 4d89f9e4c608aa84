"""The browser in which tests, pictures and measurements open the page: a Chromium of this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the shell is twice as fast


class NoChromium(Exception):
    """None is installed here; the message says what to do."""

    def __init__(self) -> None:
        super().__init__("No Chromium was found. `make browser` gets one; or set CHROMIUM to the path of yours.")


def is_installed() -> bool:
    """Whether a Chromium is found here."""
    if _in_path():
        return True
    with sync_playwright() as playwright:
        return _has_its_own(playwright)


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium, which ends with the block. Raises NoChromium."""
    with sync_playwright() as playwright:
        path = _in_path()
        if not path and not _has_its_own(playwright):
            raise NoChromium
        # Chromium refuses to run as root in its sandbox; containers run it as root.
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        with browser:
            yield browser


def _in_path() -> str | None:
    """The one that CHROMIUM names, or one in PATH."""
    names = (os.environ.get("CHROMIUM"), *_NAMES)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def _has_its_own(playwright: Playwright) -> bool:
    return Path(playwright.chromium.executable_path).exists()
