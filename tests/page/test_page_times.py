"""Times in the author's zone, as the browser computes them: whatever zone the device has, and over clock changes."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page
from waiting import wait_until

NEW_YORK, BERLIN, LORD_HOWE, KOLKATA = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"
PRESENT_ZONE = "Intl.DateTimeFormat().resolvedOptions().timeZone"
ASK = """async ([zone, what, ...given]) => {
  const { useZone } = await import("/lib/zone.js");
  const times = await import("/lib/times.js");
  const days = await import("/calendar/days.js");
  useZone(zone);
  const dates = given.map((one) => (typeof one === "string" && /Z$/.test(one) ? new Date(one) : one));
  return JSON.parse(JSON.stringify({ ...times, ...days }[what](...dates)));
}"""


def ask(page: Page, zone: str, what: str, *given: Any) -> Any:
    """What a function of the page answers to an author of a zone."""
    return page.evaluate(ASK, [zone, what, *given])


def instant(local: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)


def utc(time: datetime) -> str:
    return time.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, LORD_HOWE, KOLKATA, "UTC"])
@pytest.mark.parametrize("local", ["2027-01-15T17:30:00", "2027-07-15T00:00:00", "2027-12-31T23:59:59"])
def test_what_is_typed_is_the_instant_at_which_the_clocks_show_it_and_is_shown_again(
    in_page: Page, zone: str, local: str
) -> None:
    time = utc(instant(local, zone))

    assert ask(in_page, zone, "fromInputValue", local) == {"date": time, "isGap": False, "later": None}
    assert ask(in_page, zone, "toInputValue", time) == local


@pytest.mark.parametrize(
    ("zone", "local"),
    [(NEW_YORK, "2027-03-14T02:30:00"), (BERLIN, "2027-03-28T02:30:00"), (LORD_HOWE, "2027-10-03T02:15:00")],
)
def test_a_time_that_the_clocks_skip_is_a_gap(in_page: Page, zone: str, local: str) -> None:
    assert ask(in_page, zone, "fromInputValue", local)["isGap"] is True


@pytest.mark.parametrize(
    ("zone", "local"),
    [(NEW_YORK, "2027-11-07T01:30:00"), (BERLIN, "2027-10-31T02:30:00"), (LORD_HOWE, "2027-04-04T01:45:00")],
)
def test_of_a_time_that_comes_twice_the_earlier_one_is_meant_and_the_later_one_known(
    in_page: Page, zone: str, local: str
) -> None:
    typed = ask(in_page, zone, "fromInputValue", local)

    assert (typed["date"], typed["later"]) == (utc(instant(local, zone)), utc(instant(local, zone, fold=1)))


@pytest.mark.parametrize(
    ("zone", "local"),
    [(NEW_YORK, "2027-03-13T09:00:00"), (BERLIN, "2027-10-30T23:30:00"), (LORD_HOWE, "2027-04-03T09:00")],
)
def test_days_later_it_is_the_same_time_of_day(in_page: Page, zone: str, local: str) -> None:
    start = instant(local, zone)

    assert ask(in_page, zone, "addDays", utc(start), 7) == utc(start + timedelta(days=7))
    assert ask(in_page, zone, "startOfDay", utc(start)) == utc(start.replace(hour=0, minute=0))


def test_a_month_begins_in_the_zone_of_the_author(in_page: Page) -> None:
    time = utc(instant("2027-03-31T21:00:00", NEW_YORK))  # in UTC it is April

    assert ask(in_page, NEW_YORK, "startOfMonth", time) == utc(instant("2027-03-01T00:00:00", NEW_YORK))
    assert ask(in_page, NEW_YORK, "dayKey", time) == "2027-03-31"
    assert ask(in_page, NEW_YORK, "minutesOfDay", time) == 21 * 60


def test_a_zone_that_the_browser_does_not_know_is_that_of_the_device(in_page: Page) -> None:
    zone = in_page.evaluate(PRESENT_ZONE)

    assert ask(in_page, "Mars/Olympus", "toInputValue", "2027-01-15T12:00:00.000Z") == ask(
        in_page, zone, "toInputValue", "2027-01-15T12:00:00.000Z"
    )


def test_the_page_keeps_its_zone_where_the_device_wakes_in_another_one(in_page: Page) -> None:
    zone = in_page.evaluate(PRESENT_ZONE)
    noon = "2027-01-15T12:00:00.000Z"
    shown = ask(in_page, zone, "toInputValue", noon)
    device = in_page.context.new_cdp_session(in_page)
    try:
        device.send("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Auckland"})
        assert in_page.evaluate(PRESENT_ZONE) == "Pacific/Auckland"

        assert wait_until(lambda: ask(in_page, zone, "toInputValue", noon), lambda value: value == shown)
    finally:
        device.send("Emulation.setTimezoneOverride", {"timezoneId": ""})
        wait_until(lambda: in_page.evaluate(PRESENT_ZONE), lambda present: present == zone)
