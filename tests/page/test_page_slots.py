"""The next free posting time, as the browser computes it: the clocks of a zone go forward and back."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

SUNDAY = 7
NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"


def next_time(page: Page, now: datetime, at: str, zone: str) -> datetime:
    """The next time of a slot on Sundays, without a pending post."""
    page.clock.set_fixed_time(now)
    slot: dict[str, Any] = {"id": 1, "account_id": None, "weekday": SUNDAY, "at": at, "time_zone": zone}
    time: str = page.evaluate(
        """async (slot) => {
          const { nextFreeSlot } = await import("/composer/slots.js");
          return nextFreeSlot([slot], [], null).toISOString();
        }""",
        slot,
    )
    return datetime.fromisoformat(time)


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, LORD_HOWE])
@pytest.mark.parametrize("month", [1, 7])
def test_a_posting_time_is_at_the_same_time_of_day_in_summer_and_in_winter(
    in_page: Page, zone: str, month: int
) -> None:
    now = datetime(2027, month, 1, tzinfo=UTC)

    time = next_time(in_page, now, "09:15:00", zone).astimezone(ZoneInfo(zone))

    assert (time.isoweekday(), time.hour, time.minute) == (SUNDAY, 9, 15)


@pytest.mark.parametrize(
    ("zone", "day", "at", "shown"),
    [
        (NEW_YORK, datetime(2027, 3, 14, tzinfo=UTC), "02:30:00", (3, 30)),
        (BERLIN, datetime(2027, 3, 28, tzinfo=UTC), "02:30:00", (3, 30)),
        (LORD_HOWE, datetime(2027, 10, 2, tzinfo=UTC), "02:15:00", (2, 45)),
    ],
)
def test_a_posting_time_that_the_clocks_skip_is_as_much_later_as_they_leap(
    in_page: Page, zone: str, day: datetime, at: str, shown: tuple[int, int]
) -> None:
    time = next_time(in_page, day, at, zone).astimezone(ZoneInfo(zone))

    assert (time.hour, time.minute) == shown
