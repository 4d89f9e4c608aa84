"""The settings in a real browser: posting times and their next free one, how times are shown, the limits."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from page_author import Author
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


def test_the_limits_are_shown_with_what_is_used_of_them(alice: Author) -> None:
    alice.sign_in()

    settings = alice.show("settings")

    expect(settings.get_by_role("region", name="Limits")).to_contain_text(re.compile(r"0 of \d+ pending posts"))
