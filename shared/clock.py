"""The real clock. The core is given it, so that its tests can bring their own."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's time, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, pause: timedelta) -> None:
        time.sleep(pause.total_seconds())
