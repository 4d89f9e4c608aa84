"""The browser in which tests, pictures and measurements look at the page: the Chromium of this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoChromium(Exception):
    """None is installed here; the message says what to do."""


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium, which ends with the block. Raises NoChromium."""
    path = _path()
    with sync_playwright() as playwright:
        # Chromium refuses to run as root in its sandbox; that is how containers run it.
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        with browser:
            yield browser


def _path() -> str:
    for name in (os.environ.get("CHROMIUM"), *_NAMES):
        if name and (path := shutil.which(name)):
            return path
    raise NoChromium(f"There is no {', '.join(_NAMES)} in PATH: install Chromium, or say in CHROMIUM where it is.")
