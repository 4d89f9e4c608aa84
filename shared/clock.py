"""The time: the port that the core takes it from, so that its tests can bring their own, and the real clock."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def sleep(self, pause: timedelta) -> None:
        """Returns after that time."""


class SystemClock:
    """The machine's time, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, pause: timedelta) -> None:
        time.sleep(pause.total_seconds())
