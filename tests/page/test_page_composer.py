"""The composer in a real browser: writing a post, choosing its time, and one post for however many clicks."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from page_author import Arrive, Author, in_minutes, in_seconds
from playwright.sync_api import Route, expect

DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"
TO_UNDO = timedelta(seconds=5)
UNLINK_ACCOUNT = "mutation ($id: bigint!) { delete_account_user(where: {account_id: {_eq: $id}}) { affected_rows } }"


class TestTheText:
    def test_a_text_is_counted_as_x_counts(self, alice: Author) -> None:
        alice.sign_in()
        left = {
            "Hello": 275,
            "see https://example.com/a/rather/long/path?with=a&query=too": 280 - 4 - 23,
            "👨‍👩‍👧‍👦🇦🇹": 280 - 4,
            "日本": 280 - 4,
            "x" * 281: -1,
        }

        shown = {text: alice.left_after(text) for text in left}

        assert shown == left

    def test_of_a_single_character_that_is_left_a_screen_reader_reads_no_plural(self, alice: Author) -> None:
        alice.sign_in()

        alice.text.fill("x" * 279)

        expect(alice.text).to_have_accessible_description("1 character left")

    def test_a_text_that_is_too_long_is_an_error_at_its_field_and_nothing_is_sent(self, alice: Author) -> None:
        alice.sign_in()
        alice.write("x" * 281, in_minutes(60))

        alice.schedule_button.click()

        expect(alice.text).to_have_attribute("aria-invalid", "true")
        expect(alice.text).to_be_focused()
        assert alice.posts() == []

    def test_an_empty_text_is_an_error_at_its_field(self, alice: Author) -> None:
        alice.sign_in()

        alice.schedule_button.click()

        expect(alice.text).to_have_attribute("aria-invalid", "true")
        assert alice.posts() == []

    def test_a_text_is_written_from_right_to_left_where_its_language_is(self, alice: Author) -> None:
        alice.sign_in()

        alice.text.fill("שלום עולם")

        assert alice.text.evaluate("field => getComputedStyle(field).direction") == "rtl"

    def test_links_and_mentions_are_marked_and_what_is_too_long(self, alice: Author) -> None:
        alice.sign_in()

        alice.text.fill("@ida see https://example.com " + "x" * 300)

        preview = alice.composer.locator(".text-preview")
        expect(preview.locator(".link")).to_have_text(["@ida", "https://example.com"])
        expect(preview.locator(".too-long")).to_have_text("x" * (300 - (280 - len("@ida see ") - 23 - 1)))


class TestTheTime:
    def test_a_time_of_this_minute_means_now_and_the_post_is_not_late(self, alice: Author) -> None:
        alice.set_clock(in_seconds(0))
        alice.sign_in()
        alice.page.clock.pause_at(pressed := in_seconds(10))
        alice.write("this very minute", pressed - timedelta(seconds=30))
        expect(alice.composer.locator("#when-words")).to_have_text("Now")

        alice.schedule_button.click()

        expect(alice.article("this very minute", region="Published")).to_be_visible()
        assert [datetime.fromisoformat(post["schedule_for"]) for post in alice.posts()] == [pressed]

    def test_the_proposed_time_is_not_that_of_another_pending_post(self, alice: Author) -> None:
        alice.sign_in()
        expect(alice.region("Pending")).to_contain_text("No post is pending")
        first = alice.when.input_value()
        alice.text.fill("takes the first time")
        alice.schedule_button.click()
        expect(alice.article("takes the first time")).to_be_visible()

        expect(alice.when).not_to_have_value(first)

    def test_a_time_is_in_the_zone_of_the_author(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="America/New_York").sign_in()
        when = in_minutes(25 * 60).replace(microsecond=0)

        author.schedule("from afar", when)

        [post] = author.posts()
        assert datetime.fromisoformat(post["schedule_for"]) == when

    def test_the_composer_names_the_zone_and_the_time_in_utc(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="Asia/Kolkata").sign_in()

        author.write("from afar", datetime(2031, 5, 4, 12, 30, tzinfo=ZoneInfo("Asia/Kolkata")))

        expect(author.composer).to_contain_text(re.compile("Asia/(Kolkata|Calcutta)"))
        expect(author.composer).to_contain_text(re.compile("07:00.*UTC"))

    def test_a_time_that_the_clocks_skip_is_an_error_at_its_field(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="America/New_York").sign_in()
        author.text.fill("spring forward")
        author.when.fill(f"{next_spring_forward():%Y-%m-%d}T02:30")

        author.schedule_button.click()

        expect(author.when).to_have_accessible_description(re.compile("does not exist"))
        assert author.posts() == []

    def test_of_a_time_that_comes_twice_the_later_one_can_be_chosen(self, alice: Author) -> None:
        later = next_hour_that_comes_twice()
        alice.sign_in()
        alice.text.fill("when the clocks go back")
        alice.when.fill(alice.field_value(later))
        expect(alice.composer).to_contain_text("the earlier of two such times")

        alice.composer.get_by_role("button", name="Take the later one").click()
        alice.schedule_button.click()

        expect(alice.article("when the clocks go back")).to_be_visible()
        assert [datetime.fromisoformat(post["schedule_for"]) for post in alice.posts()] == [later]

    def test_a_time_that_comes_twice_stays_the_same_until_it_is_changed(self, alice: Author) -> None:
        later = next_hour_that_comes_twice()
        alice.create("in the later hour", later)
        alice.sign_in()
        alice.button("in the later hour", "Move").click()
        expect(alice.article("in the later hour")).to_contain_text("the later of two such times")

        alice.page.get_by_role("button", name="Save", exact=True).click()

        expect(alice.button("in the later hour", "Move")).to_be_focused()
        assert [datetime.fromisoformat(post["schedule_for"]) for post in alice.posts()] == [later]

    def test_one_press_picks_a_frequent_time(self, alice: Author) -> None:
        now = datetime.now(alice.zone)
        alice.stop_clock(now)
        alice.sign_in()

        alice.page.get_by_role("button", name="Tomorrow 9:00").click()

        tomorrow = now + timedelta(days=1)
        expect(alice.when).to_have_value(re.compile(f"{tomorrow:%Y-%m-%d}T09:00"))


def next_spring_forward() -> datetime:
    """The day on which New York's clocks next leap from 2 to 3: the second Sunday of a March."""
    now = datetime.now(UTC)
    days = (datetime(year, 3, day) for year in (now.year, now.year + 1) for day in range(8, 15))
    return next(day for day in days if day.weekday() == 6 and day.replace(tzinfo=UTC) > now)


def next_hour_that_comes_twice() -> datetime:
    """In it, the second time: Vienna's clocks go back from 3 to 2 at 1:00 UTC, on the last Sunday of October."""
    now = datetime.now(UTC)
    days = (
        datetime(year, 10, day, 1, 29, 59, tzinfo=UTC) for year in (now.year, now.year + 1) for day in range(25, 32)
    )
    later = next(day for day in days if day.weekday() == 6 and day > now + timedelta(minutes=5))
    if later > now + timedelta(days=365):  # in a few days of 2031, when the next one is 53 weeks away
        pytest.skip("Vienna's clocks do not go back within the year for which a post may be scheduled.")
    return later


class TestOneDraft:
    def test_a_double_click_makes_one_post(self, alice: Author) -> None:
        alice.sign_in()
        alice.write("clicked twice", in_minutes(60))

        alice.schedule_button.dblclick()

        expect(alice.article("clicked twice")).to_have_count(1)
        expect(alice.text).to_have_value("")
        assert len(alice.posts()) == 1

    def test_a_draft_sent_again_after_a_lost_answer_makes_one_post(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource")
        alice.sign_in()
        alice.page.route("**/v1/graphql", lambda route: route.abort())
        alice.page.route("**/api/createPost", lose_the_answer, times=1)
        alice.write("answered twice", in_minutes(60))
        alice.schedule_button.click()
        expect(alice.composer.get_by_role("alert")).to_contain_text("Schedule it again")

        alice.schedule_button.click()

        expect(alice.text).to_have_value("")
        assert len(alice.posts()) == 1

    def test_a_draft_sent_again_after_a_lost_answer_and_a_refusal_makes_one_post(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource")
        alice.sign_in()
        alice.page.route("**/v1/graphql", lambda route: route.abort())
        alice.page.route("**/api/createPost", refuse_the_token, times=1)
        alice.page.route("**/api/createPost", lose_the_answer, times=1)
        alice.write("lost, refused, sent", in_minutes(60))
        alice.schedule_button.click()
        expect(alice.composer.get_by_role("alert")).to_contain_text("Schedule it again")
        alice.schedule_button.click()
        expect(alice.composer.get_by_role("alert")).to_contain_text("Sign in again")

        alice.schedule_button.click()

        expect(alice.text).to_have_value("")
        assert len(alice.posts()) == 1

    def test_a_draft_counts_as_scheduled_if_the_list_shows_it_before_the_answer_is_lost(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource")
        alice.sign_in()
        held: list[Route] = []

        def hold(route: Route) -> None:
            route.fetch()
            held.append(route)

        alice.page.route("**/api/createPost", hold)
        alice.write("seen before it failed", in_minutes(60))
        alice.schedule_button.click()
        expect(alice.article("seen before it failed")).to_be_visible()

        alice.wait_until(lambda: held)  # the list may show the post before the answer has come here
        held[0].abort("connectionreset")

        expect(alice.text).to_have_value("")
        expect(alice.composer).to_contain_text("The answer was lost, but it is scheduled for")

    def test_each_window_has_its_own_draft(self, alice: Author) -> None:
        alice.sign_in()
        alice.text.fill("in the first window")
        first, alice.page = alice.page, alice.context.new_page()
        alice.sign_in()
        expect(alice.text).to_have_value("in the first window")
        alice.text.fill("in the second window")

        first.reload()

        expect(first.get_by_role("textbox", name="Post", exact=True)).to_have_value("in the first window")

    def test_a_draft_that_another_window_scheduled_is_reported_as_such(self, alice: Author) -> None:
        alice.sign_in()
        alice.write("from the second window", in_minutes(60))
        first, alice.page = alice.page, alice.context.new_page()
        alice.sign_in()

        alice.schedule_button.click()

        expect(first.get_by_text("Scheduled in another window")).to_be_visible()
        expect(first.get_by_role("textbox", name="Post", exact=True)).to_have_value("")

    def test_a_text_that_was_changed_here_does_not_stand_under_the_report_of_another_window(
        self, alice: Author
    ) -> None:
        alice.sign_in()
        alice.write("as both have it", in_minutes(60))
        first, alice.page = alice.page, alice.context.new_page()
        alice.sign_in()
        expect(alice.text).to_have_value("as both have it")
        here = first.get_by_role("textbox", name="Post", exact=True)
        here.fill("half a new thou")

        alice.schedule_button.click()

        expect(first.get_by_role("article").filter(has_text="as both have it")).to_be_visible()
        expect(here).to_have_value("half a new thou")
        expect(first.get_by_text("Scheduled in another window")).to_have_count(0)

    def test_a_draft_counts_as_scheduled_if_the_list_shows_it_after_the_answer_is_lost(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource")
        alice.sign_in()
        alice.page.route("**/api/createPost", lose_the_answer, times=1)
        alice.write("arrived after all", in_minutes(60))

        alice.schedule_button.click()

        expect(alice.article("arrived after all", region="Pending")).to_be_visible()
        expect(alice.text).to_have_value("")
        assert len(alice.posts()) == 1

    def test_a_draft_survives_a_reload(self, alice: Author) -> None:
        alice.sign_in()
        alice.write("still thinking", in_minutes(120))
        time = alice.when.input_value()

        alice.page.reload()

        expect(alice.text).to_have_value("still thinking")
        expect(alice.when).to_have_value(time)

    def test_a_scheduled_draft_is_not_restored_after_a_reload(self, alice: Author) -> None:
        alice.sign_in()

        alice.schedule("done with", in_minutes(60))

        alice.page.reload()

        expect(alice.article("done with")).to_be_visible()
        expect(alice.text).to_have_value("")

    def test_a_refused_draft_stays_and_each_error_is_shown_at_its_field(self, alice: Author) -> None:
        alice.expect_complaint("status of 422")
        alice.sign_in()
        alice.page.route("**/api/createPost", refuse_text_and_time)
        alice.write("not like this", in_minutes(60))

        alice.schedule_button.click()

        expect(alice.text).to_have_accessible_description(re.compile("text is too rude"))
        expect(alice.when).to_have_accessible_description(re.compile("schedule_for is a holiday"))
        expect(alice.text).to_have_value("not like this")

    def test_a_draft_that_may_not_be_posted_now_is_scheduled_at_the_time_that_is_shown(self, alice: Author) -> None:
        alice.expect_complaint("status of 422")
        alice.sign_in()
        alice.page.route("**/api/createPost", refuse_text_and_time, times=1)
        shown = in_minutes(60).replace(microsecond=0)
        alice.write("not now", shown)
        alice.choose_instead_of_scheduling("Post now")
        expect(alice.text).to_have_accessible_description(re.compile("text is too rude"))

        alice.schedule_button.click()

        expect(alice.article("not now")).to_be_visible()
        assert [datetime.fromisoformat(post["schedule_for"]) for post in alice.posts()] == [shown]

    def test_a_time_at_which_a_draft_may_have_been_posted_is_shown(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource")
        pressed = in_seconds(0).replace(second=20)  # a field shows no seconds where they are 00
        alice.stop_clock(pressed)
        alice.sign_in()
        alice.page.route("**/api/createPost", lambda route: route.abort("connectionreset"), times=1)
        alice.write("now or never", in_minutes(60))

        alice.choose_instead_of_scheduling("Post now")

        expect(alice.composer.get_by_role("alert")).to_contain_text("Schedule it again")
        expect(alice.when).to_have_value(re.compile(alice.field_value(pressed + TO_UNDO)))

    @pytest.mark.parametrize("accounts", [1, 2])
    def test_no_button_moves_when_the_accounts_have_come(self, alice: Author, accounts: int) -> None:
        """Or a click that began before it would hit another thing."""
        if accounts == 2:
            link_second_account(alice)
        held = alice.holds_everything()
        alice.enter()
        alice.text.fill("quickly written")
        alice.wait_until(lambda: held)
        before = alice.schedule_button.bounding_box()

        held[0].continue_()

        account = alice.composer.get_by_role("paragraph").filter(has_text=f"@{alice.name}")
        expect(account.or_(alice.page.get_by_label("Account", exact=True)).filter(visible=True)).to_be_visible()
        assert alice.schedule_button.bounding_box() == before

    def test_a_draft_like_a_pending_post_causes_a_warning_and_can_be_sent(self, alice: Author) -> None:
        first = in_minutes(60)
        alice.create("said before", first)
        alice.sign_in()
        expect(alice.article("said before")).to_be_visible()

        same_text, same_minute = alice.composer.get_by_text("same text"), alice.composer.get_by_text("same minute")

        alice.write("something else", first)
        expect(same_minute).to_be_visible()
        expect(same_text).to_be_hidden()
        alice.write("said before", first + timedelta(minutes=30))
        expect(same_minute).to_be_hidden()
        expect(same_text).to_be_visible()
        alice.schedule_button.click()

        expect(alice.region("Pending").get_by_role("article")).to_have_count(2)


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort("connectionreset")


def refuse_the_token(route: Route) -> None:
    problem = {"type": "/problems/unauthorized", "status": 401, "detail": "The token is no longer valid."}
    refuse(route, problem)


def refuse_text_and_time(route: Route) -> None:
    """As createPost refuses a draft: tests/test_create_post.py."""
    faults = [("text", "text is too rude."), ("schedule_for", "schedule_for is a holiday.")]
    problem = {
        "type": "/problems/invalid-draft",
        "title": "Invalid draft",
        "status": 422,
        "detail": " ".join(detail for _, detail in faults),
        "request_id": "5f9c1a9e-0000-4000-8000-000000000001",
        "errors": [{"field": field, "detail": detail} for field, detail in faults],
    }
    refuse(route, problem)


def refuse(route: Route, problem: dict[str, Any]) -> None:
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/problem+json"}
    route.fulfill(status=problem["status"], headers=headers, body=json.dumps(problem))


class TestTheAccount:
    def test_an_author_with_one_account_is_not_asked_for_it(self, alice: Author) -> None:
        alice.sign_in()

        expect(alice.composer.get_by_role("paragraph").filter(has_text=f"@{alice.name}")).to_be_visible()
        expect(alice.page.get_by_label("Account")).to_be_hidden()

    def test_an_author_with_two_accounts_chooses_one(self, arrive: Arrive) -> None:
        author = arrive()
        account_id = link_second_account(author)
        author.sign_in()

        author.write("from the other one", in_minutes(60))
        author.page.get_by_label("Account").select_option(label=f"@{author.name}2")
        author.schedule_button.click()

        expect(author.article("from the other one")).to_contain_text(f"@{author.name}2")
        assert [post["account_id"] for post in author.posts()] == [account_id]

    def test_a_saved_draft_keeps_its_account_when_a_post_went_out_from_another_one_meanwhile(
        self, alice: Author
    ) -> None:
        second = link_second_account(alice)
        alice.sign_in()
        account = alice.page.get_by_label("Account", exact=True)
        account.select_option(label=f"@{alice.name}2")
        alice.save_draft("for the second account")
        account.select_option(label=f"@{alice.name}")
        alice.schedule("from the first account", in_minutes(60))
        alice.tab("Drafts")

        alice.button("for the second account", "Edit").click()

        expect(alice.text).to_have_value("for the second account")
        expect(account).to_have_value(str(second))

    def test_an_account_that_was_unlinked_is_removed_from_the_draft(self, arrive: Arrive) -> None:
        author = arrive()
        account_id = link_second_account(author)
        author.sign_in()
        author.write("from the one that is left", in_minutes(60))
        author.page.get_by_label("Account").select_option(label=f"@{author.name}2")
        author.stack.graphql(UNLINK_ACCOUNT, {"id": account_id})
        author.page.reload()

        author.schedule_button.click()

        expect(author.article("from the one that is left")).to_be_visible()

    def test_a_post_that_is_sent_before_the_accounts_are_known_waits_for_them(self, arrive: Arrive) -> None:
        author = arrive()
        account_id = link_second_account(author)
        author.sign_in()
        author.write("from the one that is left", in_minutes(60))
        author.page.get_by_label("Account").select_option(label=f"@{author.name}2")
        author.stack.graphql(UNLINK_ACCOUNT, {"id": account_id})
        held = author.holds_everything()
        author.page.reload()

        author.schedule_button.click()

        expect(author.composer.get_by_text("Sending…")).to_be_visible()
        author.wait_until(lambda: held)
        held[0].continue_()
        expect(author.article("from the one that is left")).to_be_visible()


def link_second_account(author: Author) -> int:
    [user] = author.graphql("{ user { id } }")["user"]
    return author.link_account(user["id"], author.name + "2")


class TestAPausedAccount:
    def test_the_composer_says_before_and_after_that_a_post_will_wait_for_the_end_of_a_pause(
        self, alice: Author
    ) -> None:
        alice.stack.fail("suspended", username=alice.name)
        alice.create("held up", in_seconds(0))
        alice.sign_in()
        expect(alice.page.get_by_role("button", name="I fixed it, go on")).to_be_visible()

        alice.write("another one", in_minutes(2))
        expect(alice.composer).to_contain_text("before that nothing goes out")
        alice.schedule_button.click()

        expect(alice.composer).to_contain_text(re.compile("Scheduled for .* is paused until"))


class TestDrafts:
    def test_a_draft_is_saved_and_scheduled_later_from_its_tab(self, alice: Author) -> None:
        alice.sign_in()
        alice.save_draft("half an idea")
        assert [post["state"] for post in alice.posts()] == ["draft"]

        alice.tab("Drafts")
        alice.button("half an idea", "Edit").click()
        alice.text.fill("a whole idea")
        alice.schedule_button.click()

        alice.tab("Queue")
        expect(alice.article("a whole idea", region="Pending")).to_be_visible()
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("a whole idea", "scheduled")]

    def test_a_draft_that_was_deleted_elsewhere_while_it_is_written_can_be_scheduled(self, alice: Author) -> None:
        alice.sign_in()
        alice.save_draft("half an idea")
        alice.tab("Drafts")
        alice.button("half an idea", "Edit").click()
        alice.text.fill("a whole idea")
        [draft] = alice.posts()
        alice.graphql(DELETE, id=draft["id"])
        expect(alice.article("half an idea")).to_have_count(0)

        alice.schedule_button.click()

        alice.tab("Queue")
        expect(alice.article("a whole idea", region="Pending")).to_be_visible()

    def test_a_draft_that_is_in_the_composer_already_keeps_what_was_written_there(self, alice: Author) -> None:
        alice.sign_in()
        alice.save_draft("half an idea")
        alice.tab("Drafts")
        alice.button("half an idea", "Edit").click()
        alice.text.fill("a whole idea")

        alice.button("half an idea", "Edit").click()

        expect(alice.text).to_be_focused()
        expect(alice.text).to_have_value("a whole idea")

    def test_a_draft_that_was_changed_elsewhere_while_another_was_saved_is_edited_as_it_is_now(
        self, alice: Author
    ) -> None:
        alice.stop_clock()
        alice.sign_in()
        alice.save_draft("half an idea")
        [draft] = alice.posts()
        alice.tab("Drafts")
        alice.text.fill("another idea")
        held = alice.waits_at("AddDraft")
        alice.button("half an idea", "Edit").click()
        alice.wait_until(lambda: held)
        alice.change(draft["id"], text="a whole idea")
        expect(alice.article("a whole idea")).to_be_visible()

        held[0].continue_()

        expect(alice.text).to_have_value("a whole idea")

    def test_what_is_written_while_the_draft_is_being_saved_is_saved_with_it(self, alice: Author) -> None:
        alice.stop_clock()
        alice.sign_in()
        held = alice.waits_at("AddDraft")
        alice.text.fill("half an")
        alice.choose_instead_of_scheduling("Save as draft")
        alice.wait_until(lambda: held)
        alice.text.fill("half an idea")

        held[0].continue_()

        expect(alice.text).to_have_value("")
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("half an idea", "draft")]

    def test_what_is_written_while_the_composer_is_cleared_for_another_draft_is_saved(self, alice: Author) -> None:
        alice.stop_clock()
        alice.sign_in()
        alice.save_draft("an earlier idea")
        alice.tab("Drafts")
        alice.text.fill("half an")
        held = alice.waits_at("AddDraft")
        alice.button("an earlier idea", "Edit").click()
        alice.wait_until(lambda: held)
        alice.text.fill("half an idea")

        held[0].continue_()

        expect(alice.text).to_have_value("an earlier idea")
        assert [post["text"] for post in alice.posts()] == ["an earlier idea", "half an idea"]

    def test_a_draft_that_is_opened_while_another_one_is_saved_is_not_saved_into_that_one(self, alice: Author) -> None:
        alice.stop_clock()
        alice.sign_in()
        alice.save_draft("an earlier idea")
        alice.tab("Drafts")
        held = alice.waits_at("AddDraft")
        alice.text.fill("half an idea")
        alice.choose_instead_of_scheduling("Save as draft")
        alice.wait_until(lambda: held)
        alice.text.fill("")
        alice.button("an earlier idea", "Edit").click()
        expect(alice.text).to_have_value("an earlier idea")
        alice.do_at_once()  # closes what was said of the earlier one

        held[0].continue_()

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("Saved as a draft.")
        expect(alice.text).to_have_value("an earlier idea")
        assert [post["text"] for post in alice.posts()] == ["an earlier idea", "half an idea"]

    @pytest.mark.parametrize(
        ("message", "code", "shown"),
        [
            ("At most 100 pending posts.", "permission-error", "At most 100 pending posts."),
            ("database query error", "unexpected", "The database could not do that just now. Try again in a moment."),
        ],
    )
    def test_a_refusal_to_schedule_a_saved_draft_is_shown_as_it_is(
        self, alice: Author, message: str, code: str, shown: str
    ) -> None:
        alice.sign_in()
        alice.save_draft("half an idea")
        alice.tab("Drafts")
        alice.button("half an idea", "Edit").click()
        alice.fill_time(alice.composer, alice.when, in_minutes(60))
        alice.is_refused_at("ScheduleDraft", message, code)

        alice.schedule_button.click()

        expect(alice.composer.get_by_role("alert")).to_have_text(shown)
        expect(alice.text).to_have_value("half an idea")

    def test_a_saved_draft_that_may_not_be_posted_now_is_scheduled_at_the_time_that_is_shown(
        self, alice: Author
    ) -> None:
        alice.sign_in()
        alice.save_draft("not now")
        alice.tab("Drafts")
        alice.button("not now", "Edit").click()
        shown = in_minutes(60).replace(microsecond=0)
        alice.fill_time(alice.composer, alice.when, shown)
        alice.is_refused_at("ScheduleDraft", "At most 30 changes in a minute.", "permission-error")
        alice.choose_instead_of_scheduling("Post now")
        expect(alice.composer.get_by_role("alert")).to_have_text("At most 30 changes in a minute.")
        alice.page.unroute("**/v1/graphql")

        alice.schedule_button.click()

        alice.tab("Queue")
        expect(alice.article("not now")).to_be_visible()
        assert [datetime.fromisoformat(post["schedule_for"]) for post in alice.posts()] == [shown]

    def test_a_scheduled_post_becomes_a_draft(self, alice: Author) -> None:
        alice.create("on second thoughts", in_minutes(60))
        alice.sign_in()

        alice.choose("on second thoughts", "Make it a draft")

        alice.tab("Drafts")
        expect(alice.article("on second thoughts", region="Drafts")).to_be_visible()
        assert [post["state"] for post in alice.posts()] == ["draft"]


@pytest.mark.parametrize(("width", "height"), [(1366, 620), (375, 667)])
def test_on_a_small_screen_the_button_and_the_confirmation_are_in_sight(
    arrive: Arrive, width: int, height: int
) -> None:
    author = arrive(viewport={"width": width, "height": height}).sign_in()

    author.write("Three lines of text\nthat somebody types\non a small screen", in_minutes(60))

    expect(author.schedule_button).to_be_in_viewport(ratio=1)
    author.schedule_button.click()
    expect(author.composer.get_by_text(re.compile("^Scheduled for"))).to_be_in_viewport(ratio=1)


def test_a_slow_answer_is_waited_for_in_sight(alice: Author) -> None:
    alice.stop_clock()
    alice.sign_in()
    held: list[Route] = []
    alice.page.route("**/api/createPost", lambda route: held.append(route))
    alice.write("on a slow line", in_minutes(60))

    alice.schedule_button.click()
    alice.wait_until(lambda: held)
    alice.page.clock.run_for(600)

    expect(alice.composer.get_by_text("Sending…")).to_be_visible()
    held[0].continue_()
    expect(alice.composer.get_by_text(re.compile("^Scheduled for"))).to_be_visible()


class TestInADialog:
    def test_a_draft_is_saved_from_the_menu(self, alice: Author) -> None:
        alice.sign_in().show("settings")
        alice.page.keyboard.press("n")

        alice.save_draft("an idea on the way")

        expect(alice.page.get_by_role("dialog")).to_be_hidden()
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("an idea on the way", "draft")]

    def test_the_menu_of_a_post_works_after_that_of_the_dialog(self, alice: Author) -> None:
        alice.create("on second thoughts", in_minutes(60))
        alice.sign_in().show("settings")
        alice.page.keyboard.press("n")
        alice.save_draft("an idea on the way")
        alice.show("posts")

        alice.choose("on second thoughts", "Make it a draft")

        alice.post_once("on second thoughts", "draft")

    def test_what_was_scheduled_is_confirmed_in_a_message(self, alice: Author) -> None:
        alice.stop_clock()
        alice.sign_in().show("settings")
        alice.page.keyboard.press("n")
        alice.write("from the settings", in_minutes(60))

        alice.schedule_button.click()

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("Scheduled for")
        expect(alice.page.get_by_role("dialog")).to_be_hidden()

    def test_a_post_that_is_taken_back_in_another_view_is_said_to_be_in_the_composer(self, alice: Author) -> None:
        alice.page.clock.install()
        alice.sign_in().show("settings")
        alice.page.clock.pause_at(in_minutes(5))  # from here on no message ends, and nothing goes out for minutes
        alice.page.keyboard.press("n")
        alice.text.fill("too fast")
        alice.choose_instead_of_scheduling("Post now")

        alice.undo_button.click()

        messages = alice.page.get_by_role("status", name="Messages")
        expect(messages).to_contain_text("It is not sent. Its text is in the composer.")
        alice.show("posts")
        expect(alice.text).to_have_value("too fast")

    def test_a_view_that_comes_late_does_not_close_it(self, alice: Author) -> None:
        alice.sign_in()
        held: list[Route] = []
        alice.page.route("**/calendar.js", lambda route: held.append(route))
        alice.page.get_by_role("link", name="Calendar").click()
        expect(alice.page.locator("#view-calendar")).to_have_text("Loading…")
        alice.page.keyboard.press("n")
        expect(alice.text).to_be_focused()
        alice.page.keyboard.type("half an ")
        alice.wait_until(lambda: held)

        held[0].continue_()

        expect(alice.page.locator("#view-calendar .calendar-bar")).to_have_count(1)
        alice.page.keyboard.type("idea")
        expect(alice.text).to_be_visible()
        expect(alice.text).to_have_value("half an idea")

    def test_another_view_closes_it(self, alice: Author) -> None:
        alice.sign_in().show("settings")
        alice.page.keyboard.press("n")
        alice.text.fill("half an idea")

        alice.page.go_back()

        expect(alice.page.get_by_role("dialog")).to_be_hidden()
        expect(alice.text).to_be_visible()
        expect(alice.text).to_have_value("half an idea")

    @pytest.mark.parametrize("key", ["n", "?"])
    def test_no_dialog_stays_open_over_the_sign_in_when_the_session_ends(self, alice: Author, key: str) -> None:
        alice.sign_in().show("settings")
        alice.page.keyboard.press(key)
        expect(alice.page.get_by_role("dialog")).to_be_visible()

        alice.meets_the_end_of_the_sign_in().fill(alice.name)
        alice.page.get_by_role("button", name="Sign in").click()

        expect(alice.page.get_by_role("heading", name="Settings")).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "en-GB"])
def test_on_a_phone_the_time_of_a_post_of_next_year_stays_in_its_chip(arrive: Arrive, locale: str) -> None:
    author = arrive(viewport={"width": 375, "height": 667}, locale=locale).sign_in()
    in_a_year = in_minutes(366 * 24 * 60).astimezone(author.zone)

    author.write("far away", in_a_year)

    words = author.composer.locator("#when-words")
    expect(words).to_contain_text(str(in_a_year.year))
    assert author.composer.evaluate("composer => composer.scrollWidth - composer.clientWidth") == 0
    assert words.evaluate("words => words.offsetWidth - words.parentElement.clientWidth") <= 0
