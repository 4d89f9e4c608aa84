"""The settings in a real browser: posting times and their next free one, how times are shown, the limits."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from page_author import Arrive, Author
from playwright.sync_api import expect


class TestPostingTimes:
    def test_a_new_post_takes_the_next_free_posting_time(self, alice: Author) -> None:
        alice.sign_in()
        add_posting_time(alice, "Every day", "09:15")
        alice.show("posts")
        first = next_quarter_past_nine(alice.zone)

        alice.text.fill("takes the first one")
        expect(alice.when).to_have_value(f"{first:%Y-%m-%dT%H:%M}")
        alice.schedule_button.click()
        expect(alice.article("takes the first one")).to_be_visible()

        assert [datetime.fromisoformat(post["schedule_for"]) for post in alice.posts()] == [first]
        expect(alice.when).to_have_value(f"{first + timedelta(days=1):%Y-%m-%dT%H:%M}")

    def test_a_posting_time_is_removed(self, alice: Author) -> None:
        alice.sign_in()
        add_posting_time(alice, "Friday", "18:00")

        alice.page.get_by_role("button", name="Remove Friday 18:00").click()

        expect(alice.page.get_by_text("None yet. With posting times")).to_be_visible()


def add_posting_time(author: Author, days: str, time: str) -> None:
    settings = author.show("settings")
    settings.get_by_label("Days").select_option(days)
    settings.get_by_label("Time", exact=True).fill(time)
    settings.get_by_role("button", name="Add").click()
    expect(settings.get_by_role("button", name=re.compile(f"Remove .*{time}")).last).to_be_visible()


def next_quarter_past_nine(zone: ZoneInfo) -> datetime:
    now = datetime.now(zone)
    today = now.replace(hour=9, minute=15, second=0, microsecond=0)
    return today if today > now + timedelta(minutes=2) else today + timedelta(days=1)


class TestHowTimesAreShown:
    def test_times_are_shown_with_twelve_hours_to_who_wants_that(self, alice: Author) -> None:
        tomorrow = datetime.now(alice.zone).replace(hour=17, minute=30, second=0, microsecond=0) + timedelta(days=1)
        alice.create("at half past five", tomorrow)
        alice.sign_in()
        expect(alice.article("at half past five")).to_contain_text("17:30")

        alice.show("settings").get_by_label("Times of day").select_option("12 hours: 5:30 PM")

        alice.show("posts")
        expect(alice.article("at half past five")).to_contain_text(re.compile("5:30 pm", re.IGNORECASE))

    def test_all_times_are_those_of_the_zone_in_the_settings_whatever_the_device_has(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="Pacific/Auckland")
        new_york = ZoneInfo("America/New_York")
        next_week = datetime.now(new_york) + timedelta(days=7)
        times = [next_week.replace(month=month, year=next_week.year + 1, day=9, hour=17, minute=30) for month in (1, 7)]
        [soon, *_] = [time for time in times if time < datetime.now(new_york) + timedelta(days=365)]
        author.create("at half past five", soon.replace(second=0, microsecond=0))
        author.sign_in()
        expect(author.article("at half past five")).not_to_contain_text("17:30")

        author.show("settings").get_by_label("Time zone").select_option("America/New_York")
        add_posting_time(author, "Every day", "09:15")

        author.show("posts")
        expect(author.article("at half past five")).to_contain_text("17:30")
        first = next_quarter_past_nine(new_york)
        expect(author.when).to_have_value(f"{first:%Y-%m-%dT%H:%M}")
        expect(author.composer).to_contain_text("America/New_York")
        author.text.fill("takes the first one")
        author.schedule_button.click()
        expect(author.composer.get_by_text("Scheduled for")).to_contain_text("9:15")
        assert datetime.fromisoformat(author.posts()[-1]["schedule_for"]) == first
        author.page.reload()
        calendar = author.show("calendar")
        expect(calendar).to_contain_text("America/New_York")
        entry = calendar.get_by_role("button", name=re.compile("takes the first one"))
        if not entry.is_visible():  # today is the last day of a week
            calendar.get_by_role("button", name="Next").click()
        expect(entry).to_have_accessible_name(re.compile("09:15"))


def test_the_limits_are_shown_with_what_is_used_of_them(alice: Author) -> None:
    alice.sign_in()

    settings = alice.show("settings")

    expect(settings.get_by_role("region", name="Limits")).to_contain_text(re.compile(r"0 of \d+ pending posts"))
