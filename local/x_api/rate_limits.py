"""X's rate limits per user and endpoint, in windows of 15 minutes that begin with the first call.

Source: X's documentation, "Rate limits". The app's own limits (10,000 tweets a day) are not emulated.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from local.x_api.problems import too_many_requests

WINDOW_SECONDS = 15 * 60


class RateLimits:
    """Counts calls. `per_window` says how many a user may make to each endpoint; None lifts all limits."""

    def __init__(self, per_window: Mapping[str, int] | None, now: Callable[[], datetime]) -> None:
        self._per_window = per_window
        self._now = now
        self._used: dict[tuple[str, int], int] = {}
        self._resets_at: dict[tuple[str, int], int] = {}

    def spend(self, endpoint: str, user_id: int) -> None:
        """Counts a call. Raises X's 429 when the window has none left."""
        if self._per_window is None:
            return
        self._open_window(endpoint, user_id)
        if self._used[endpoint, user_id] >= self._per_window[endpoint]:
            raise too_many_requests()
        self._used[endpoint, user_id] += 1

    def headers(self, endpoint: str, user_id: int) -> dict[str, str]:
        """The headers about the window in every answer of X; none when the limits are lifted."""
        if self._per_window is None:
            return {}
        self._open_window(endpoint, user_id)
        limit = self._per_window[endpoint]
        return bucket_headers(
            "x-rate-limit", limit, limit - self._used[endpoint, user_id], self._resets_at[endpoint, user_id]
        )

    def clear(self) -> None:
        """Opens new windows for everybody."""
        self._used.clear()
        self._resets_at.clear()

    def _open_window(self, endpoint: str, user_id: int) -> None:
        now = self._now().timestamp()
        if now >= self._resets_at.get((endpoint, user_id), 0):
            self._used[endpoint, user_id] = 0
            self._resets_at[endpoint, user_id] = math.ceil(now) + WINDOW_SECONDS


def bucket_headers(prefix: str, limit: int, remaining: int, reset: int) -> dict[str, str]:
    """The three headers of a bucket; `reset` in Unix seconds."""
    return {f"{prefix}-limit": str(limit), f"{prefix}-remaining": str(remaining), f"{prefix}-reset": str(reset)}
