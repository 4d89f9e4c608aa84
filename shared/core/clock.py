"""The port through which the core learns the time."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the core takes the time from."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def sleep(self, pause: timedelta) -> None:
        """Returns after that time."""
