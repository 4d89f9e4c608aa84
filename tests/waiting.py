"""Waits for what another process does: polls with a deadline that a busy machine does not miss."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(read: Callable[[], T], is_done: Callable[[T], object], seconds: float = 120) -> T:
    """What `read` returns once `is_done` accepts it; an AssertionError with the last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if is_done(value):
            return value
        assert time.monotonic() < deadline, f"after {seconds} s still: {value}"
        time.sleep(0.05)
