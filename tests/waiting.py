"""Waiting for what another process does: poll with a deadline, and say what was seen last."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], is_there: Callable[[T], object], seconds: float = 15) -> T:
    """What `look` returns once `is_there` says so; an AssertionError with the last sight when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if is_there(seen):
            return seen
        assert time.monotonic() < deadline, f"after {seconds} s still: {seen}"
        time.sleep(0.05)
