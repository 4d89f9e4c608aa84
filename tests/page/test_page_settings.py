"""The settings in a real browser: posting times and their next free one, how times are shown, the limits."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from page_author import Arrive, Author, in_seconds
from playwright.sync_api import expect
from waiting import wait_until


class TestPostingTimes:
    def test_a_new_post_takes_the_next_free_posting_time(self, alice: Author) -> None:
        noon = tomorrow_noon(alice.zone)
        first = next_quarter_past_nine(noon)
        alice.stop_clock(noon)
        alice.sign_in()
        add_posting_time(alice, "Every day", "09:15")
        alice.show("posts")

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

    def test_the_same_time_of_another_zone_is_another_posting_time(self, alice: Author) -> None:
        alice.sign_in()
        add_posting_time(alice, "Monday", "09:00")

        alice.page.get_by_label("Time zone").select_option("America/New_York")
        expect(alice.page.get_by_role("button", name="Remove Monday 09:00, Europe/Vienna")).to_be_visible()
        add_posting_time(alice, "Monday", "09:00")

        expect(alice.page.get_by_role("button", name="Remove Monday 09:00", exact=True)).to_be_visible()

    def test_posting_times_follow_the_choice_of_twelve_hours(self, alice: Author) -> None:
        alice.sign_in()
        add_posting_time(alice, "Friday", "18:00")

        alice.page.get_by_label("Times of day").select_option("12 hours: 5:30 PM")

        expect(alice.page.get_by_role("button", name=re.compile("Remove Friday 6:00.pm"))).to_be_visible()

    def test_a_posting_time_that_is_there_is_said_to_be_so(self, alice: Author) -> None:
        alice.stop_clock()
        alice.sign_in()
        add_posting_time(alice, "Friday", "18:00")

        add_posting_time(alice, "Friday", "18:00")

        expect(alice.page.get_by_text("These times are there already.")).to_be_visible()
        expect(alice.page.get_by_role("button", name="Remove Friday")).to_have_count(1)


def add_posting_time(author: Author, days: str, time: str) -> None:
    settings = author.show("settings")
    settings.get_by_label("Days").select_option(days)
    settings.get_by_label("Time", exact=True).fill(time)
    settings.get_by_role("button", name="Add").click()
    expect(settings.get_by_role("button", name=re.compile(f"Remove .*{time}")).last).to_be_visible()


def tomorrow_noon(zone: ZoneInfo) -> datetime:
    today = datetime.now(zone).replace(hour=12, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def next_quarter_past_nine(noon: datetime) -> datetime:
    return noon.replace(hour=9, minute=15) + timedelta(days=1)


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
        noon = tomorrow_noon(new_york)
        times = [datetime(noon.year + years, month, 9, 17, 30, tzinfo=new_york) for years in (0, 1) for month in (1, 7)]
        soon = next(time for time in times if timedelta(days=1) < time - noon < timedelta(days=360))
        author.create("at half past five", soon)
        author.stop_clock(noon)
        author.sign_in()
        expect(author.article("at half past five")).not_to_contain_text("17:30")

        author.show("settings").get_by_label("Time zone").select_option("America/New_York")
        add_posting_time(author, "Every day", "09:15")

        author.show("posts")
        expect(author.article("at half past five")).to_contain_text("17:30")
        first = next_quarter_past_nine(noon)
        expect(author.when).to_have_value(f"{first:%Y-%m-%dT%H:%M}")
        expect(author.composer).to_contain_text("America/New_York")
        author.text.fill("takes the first one")
        author.schedule_button.click()
        expect(author.composer.get_by_text(re.compile("^Scheduled for"))).to_contain_text("9:15")
        assert datetime.fromisoformat(author.posts()[-1]["schedule_for"]) == first
        author.page.reload()
        calendar = author.show("calendar")
        expect(calendar).to_contain_text("America/New_York")
        entry = calendar.get_by_role("button", name=re.compile("takes the first one"))
        if not entry.is_visible():  # today is the last day of a week
            calendar.get_by_role("button", name="Next").click()
        expect(entry).to_have_accessible_name(re.compile("09:15"))

    def test_a_posting_time_that_is_added_while_a_zone_is_being_saved_is_in_that_zone(self, alice: Author) -> None:
        settings = alice.sign_in().show("settings")
        held = alice.waits_at("SetPreferences")
        settings.get_by_label("Time zone").select_option("America/New_York")
        alice.wait_until(lambda: held)
        settings.get_by_label("Days").select_option("Friday")
        settings.get_by_role("button", name="Add").click()

        held[0].continue_()

        expect(settings.get_by_role("button", name="Remove Friday 09:00", exact=True)).to_be_visible()
        assert alice.graphql("{ posting_slot { time_zone } }")["posting_slot"] == [{"time_zone": "America/New_York"}]

    def test_a_time_that_was_typed_stays_the_same_instant_when_the_zone_changes(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="Pacific/Auckland")
        author.sign_in()
        typed = (datetime.now(author.zone) + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)
        author.text.fill("for Auckland's breakfast")
        author.when.fill(f"{typed:%Y-%m-%dT%H:%M}")

        author.show("settings").get_by_label("Time zone").select_option("America/New_York")

        author.show("posts")
        in_new_york = typed.astimezone(ZoneInfo("America/New_York"))
        expect(author.when).to_have_value(f"{in_new_york:%Y-%m-%dT%H:%M}")
        author.schedule_button.click()
        expect(author.article("for Auckland's breakfast")).to_be_visible()
        assert [datetime.fromisoformat(post["schedule_for"]) for post in author.posts()] == [typed]

    def test_messages_name_times_in_the_zone_in_the_settings(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="Pacific/Auckland")
        new_york = ZoneInfo("America/New_York")
        in_two_days = datetime.now(new_york) + timedelta(days=2)
        author.create("at noon", in_two_days.replace(hour=12, minute=0, second=0, microsecond=0))
        author.stop_clock()
        author.sign_in()
        author.show("settings").get_by_label("Time zone").select_option("America/New_York")
        author.show("posts")
        expect(author.article("at noon")).to_contain_text("12:00")

        author.button("at noon", "Move").click()
        author.article("at noon").get_by_role("button", name="1 hour later").click()
        author.page.get_by_role("button", name="Save", exact=True).click()

        messages = author.page.get_by_role("status", name="Messages")
        expect(messages).to_contain_text(re.compile(r"Moved to .*13:00"))

    def test_a_week_of_the_calendar_begins_on_the_day_that_was_chosen(self, alice: Author) -> None:
        alice.sign_in()
        first_day = alice.show("calendar").get_by_role("columnheader").first
        expect(first_day).to_contain_text("Mon")

        alice.show("settings").get_by_label("A week begins on").select_option("Saturday")

        alice.show("calendar")
        expect(first_day).to_contain_text("Sat")
        alice.page.reload()
        expect(first_day).to_contain_text("Sat")

    @pytest.mark.parametrize(("locale", "shown"), [("ar-EG", r"5:30.pm"), ("ko-KR", r"5:30.pm"), ("ja-JP", "17:30")])
    def test_beside_english_words_times_are_english_with_the_hours_of_the_browsers_language(
        self, arrive: Arrive, locale: str, shown: str
    ) -> None:
        author = arrive(locale=locale)
        tomorrow = datetime.now(author.zone).replace(hour=17, minute=30, second=0, microsecond=0) + timedelta(days=1)
        author.create("at half past five", tomorrow)

        author.sign_in()

        expect(author.article("at half past five").locator("time")).to_have_text(re.compile(f"^{shown}$"))


class TestAChoice:
    def test_that_is_made_before_the_settings_are_loaded_is_kept(self, alice: Author) -> None:
        held = alice.holds_everything()
        alice.enter()
        alice.show("settings").get_by_label("Times of day").select_option("12 hours: 5:30 PM")
        alice.wait_until(lambda: held)

        held[0].continue_()

        alice.wait_until(lambda: preferences(alice)["hour_cycle"] == "h12")

    def test_leaves_what_was_chosen_in_another_tab(self, alice: Author) -> None:
        alice.sign_in()
        hours = alice.show("settings").get_by_label("Times of day")
        expect(alice.page.get_by_text(re.compile(r"0 of \d+ pending posts"))).to_be_visible()
        hours.focus()
        alice.graphql(CHOOSE_ZONE, id=preferences(alice)["id"], zone="America/New_York")

        hours.select_option("12 hours: 5:30 PM")

        chosen = wait_until(lambda: preferences(alice), lambda chosen: chosen["hour_cycle"] == "h12")
        assert chosen["time_zone"] == "America/New_York"


CHOOSE_ZONE = """mutation ($id: bigint!, $zone: String!) {
  update_user_by_pk(pk_columns: {id: $id}, _set: {time_zone: $zone}) { id }
}"""


def preferences(author: Author) -> dict[str, Any]:
    [user] = author.graphql("{ user { id hour_cycle time_zone } }")["user"]
    chosen: dict[str, Any] = user
    return chosen


class TestTheAccountOfNewPosts:
    def test_a_new_post_goes_out_from_the_account_that_was_chosen(self, alice: Author) -> None:
        second = f"{alice.name}2"
        [user] = alice.graphql("{ user { id } }")["user"]
        account_id = alice.link_account(user["id"], second)
        alice.sign_in()
        expect(alice.page.get_by_label("Account", exact=True)).to_have_value("")

        alice.show("settings").get_by_label("New posts go out from").select_option(f"@{second}")

        alice.show("posts")
        expect(alice.page.get_by_label("Account", exact=True)).to_have_value(str(account_id))
        alice.text.fill("from the second one")
        alice.schedule_button.click()
        expect(alice.article("from the second one")).to_contain_text(f"@{second}")
        assert [post["account_id"] for post in alice.posts()] == [account_id]

    def test_who_has_one_account_is_not_asked_for_it(self, alice: Author) -> None:
        alice.sign_in()

        settings = alice.show("settings")

        expect(settings.get_by_label("Time zone")).to_be_visible()
        expect(settings.get_by_label("New posts go out from")).to_be_hidden()


class Notifications:
    """A browser whose notifications are listed instead of shown; `answer` is what its user says when asked."""

    def __init__(self, author: Author, answer: str) -> None:
        self.author = author
        author.page.add_init_script(
            f"""
            window.notified = [];
            window.Notification = class {{
              static permission = sessionStorage.getItem("permission") ?? "default";
              static async requestPermission() {{
                sessionStorage.setItem("permission", "{answer}");
                return (Notification.permission = "{answer}");
              }}
              constructor(title, {{ body = "" }}) {{ window.notified.push(title + body); }}
            }};
            """
        )

    def switch_on(self) -> None:
        self.author.show("settings").get_by_label("Notify me when a post fails").click()

    def look_elsewhere(self) -> None:
        self.author.page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { get: () => true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )

    def shown(self) -> list[str]:
        texts: list[str] = self.author.page.evaluate("window.notified")
        return texts


class TestNotifications:
    def test_a_post_that_fails_while_nobody_looks_is_told_without_a_word_of_it(self, alice: Author) -> None:
        notifications = Notifications(alice, "granted")
        alice.sign_in()
        notifications.switch_on()
        expect(alice.page.get_by_label("Notify me when a post fails")).to_be_checked()
        alice.show("posts")
        notifications.look_elsewhere()

        alice.stack.fail("403", username=alice.name)
        alice.create("a secret plan", in_seconds(0))

        assert wait_until(notifications.shown, bool) == ["A post needs your attention."]

    def test_a_post_that_failed_before_is_not_told_again_after_a_reload(self, alice: Author) -> None:
        notifications = Notifications(alice, "granted")
        alice.stack.fail("403", username=alice.name)
        alice.create("old news", in_seconds(0))
        alice.post_once("old news", "failed")
        alice.sign_in()
        notifications.switch_on()
        alice.page.reload()
        expect(alice.page.get_by_label("Notify me when a post fails")).to_be_checked()
        expect(alice.live).to_be_visible()
        notifications.look_elsewhere()

        alice.stack.fail("403", username=alice.name)
        alice.create("news", in_seconds(0))

        assert wait_until(notifications.shown, bool) == ["A post needs your attention."]

    def test_nobody_is_notified_who_did_not_ask_for_it_or_looks_at_the_page(self, alice: Author) -> None:
        notifications = Notifications(alice, "granted")
        alice.sign_in()
        alice.stack.fail("403", username=alice.name)
        alice.create("seen at once", in_seconds(0))
        expect(alice.page).to_have_title("(1) Scheduled posts")
        notifications.look_elsewhere()
        alice.stack.fail("403", username=alice.name)

        alice.create("not asked for", in_seconds(0))

        expect(alice.page).to_have_title("(2) Scheduled posts")
        assert notifications.shown() == []

    def test_where_the_browser_has_none_for_pages_they_are_switched_off(self, alice: Author) -> None:
        notifications = Notifications(alice, "granted")
        alice.page.add_init_script(
            """
            const Shown = window.Notification;
            window.Notification = class extends Shown {
              constructor() { throw new TypeError("Illegal constructor."); }
            };
            """
        )
        alice.sign_in()
        notifications.switch_on()
        expect(alice.page.get_by_label("Notify me when a post fails")).to_be_checked()
        alice.show("posts")
        notifications.look_elsewhere()

        alice.stack.fail("403", username=alice.name)
        alice.create("refused", in_seconds(0))
        expect(alice.page).to_have_title("(1) Scheduled posts")

        alice.show("settings")
        expect(alice.page.get_by_label("Notify me when a post fails")).not_to_be_checked()

    def test_where_the_browser_does_not_allow_them_they_stay_off(self, alice: Author) -> None:
        notifications = Notifications(alice, "denied")
        alice.sign_in()

        notifications.switch_on()

        expect(alice.page.get_by_label("Notify me when a post fails")).not_to_be_checked()


def test_the_limits_are_shown_with_what_is_used_of_them(alice: Author) -> None:
    alice.sign_in()

    settings = alice.show("settings")

    expect(settings.get_by_role("region", name="Limits")).to_contain_text(re.compile(r"0 of \d+ pending posts"))
