"""The lists of posts in a real browser: what happens to a post, live, and what its author can do."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from page_author import Author, in_minutes, in_seconds
from playwright.sync_api import Locator, Request, Response, Route, WebSocketRoute, expect
from psycopg import sql
from waiting import wait_until

MORE_THAN_A_PAGE = 501
SUBSCRIPTIONS = 3
ANY_FILE = "icon.svg"
INSERT_POSTS = """
insert into scheduled_post (user_id, text, schedule_for)
select "user".id, 'number ' || number, now() + interval '1 day'
from "user", generate_series(1, %(posts)s) as number where username = %(author)s"""
OF_AUTHOR = """user_id = (select id from "user" where username = %(author)s)"""
EDIT_POSTS = f"""
update scheduled_post set
  text = text || ', edited',
  schedule_for = now() + make_interval(mins => 1000 - split_part(text, ' ', 2)::integer)
where {OF_AUTHOR}"""
DELETE_A_POST = f"delete from scheduled_post where id = (select min(id) from scheduled_post where {OF_AUTHOR})"
EDIT_THE_FIRST = f"""
update scheduled_post set text = text || ', seen second' where text = 'edited first' and {OF_AUTHOR}"""
BE_PUBLISHED_AFTER_A_SECOND = """
set local session_replication_role = replica;  -- a published post stays as it is: without triggers
update scheduled_post set schedule_for = {published}::timestamptz - interval '1 second' where id = {post}"""
DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"


class TestAPostThatIsDue:
    def test_a_post_goes_from_pending_to_published_without_a_reload(self, alice: Author) -> None:
        post_id = alice.create("Hello, world", in_minutes(60))
        alice.sign_in()
        expect(alice.article("Hello, world", region="Pending")).to_be_visible()

        alice.change(post_id, schedule_for=in_seconds(0).isoformat())

        expect(alice.article("Hello, world", region="Published")).to_be_visible()

        expect(alice.article("Hello, world", region="Pending")).to_have_count(0)
        assert alice.tweets() == ["Hello, world"]

    def test_a_published_post_says_to_the_millisecond_how_late_it_was(self, alice: Author) -> None:
        alice.create("on the dot", in_seconds(0))
        alice.sign_in()

        published = alice.article("on the dot", region="Published")

        expect(published).to_be_visible()
        [post], [tweet] = alice.posts(), alice.stack.tweets(alice.name)
        late = datetime.fromisoformat(tweet["created_at"]) - datetime.fromisoformat(post["schedule_for"])
        expect(published).to_contain_text(f"{late / timedelta(seconds=1):.3f} s")

    def test_a_post_that_was_published_within_a_second_was_on_time(self, alice: Author) -> None:
        post_id = alice.create("on the dot", in_seconds(0))
        alice.post_once("on the dot", "tweeted")
        [tweet] = alice.stack.tweets(alice.name)
        with psycopg.connect(alice.stack.settings["PG_DATABASE_URL"]) as database:
            database.execute(sql.SQL(BE_PUBLISHED_AFTER_A_SECOND).format(published=tweet["created_at"], post=post_id))

        alice.sign_in()

        expect(alice.article("on the dot", region="Published")).to_contain_text("On time")

    def test_a_published_post_offers_no_action(self, alice: Author) -> None:
        alice.create("final", in_seconds(0))
        alice.sign_in()

        published = alice.article("final", region="Published")

        expect(published).to_be_visible()
        for name in ("Edit", "Move", "Delete", "Publish now", "Try again"):
            expect(published.get_by_role("button", name=name, exact=True)).to_have_count(0)


class TestAPendingPost:
    def test_an_edited_post_is_published_with_its_new_text(self, alice: Author) -> None:
        alice.create("first thought", in_minutes(60))
        alice.sign_in()

        alice.edit("first thought", "second thought")

        expect(alice.article("second thought", region="Pending")).to_be_visible()
        expect(alice.article("first thought")).to_have_count(0)
        alice.publish_now("second thought")
        expect(alice.article("second thought", region="Published")).to_be_visible()
        assert alice.tweets() == ["second thought"]

    def test_a_pending_post_is_moved_to_another_time(self, alice: Author) -> None:
        alice.create("not yet", in_minutes(60))
        alice.sign_in()
        later = in_minutes(26 * 60).replace(microsecond=0)

        alice.move("not yet", later)

        expect(alice.article("not yet")).to_contain_text(later.astimezone(alice.zone).strftime("%H:%M"))
        wait_until(alice.posts, lambda posts: datetime.fromisoformat(posts[0]["schedule_for"]) == later)

    def test_a_form_in_which_a_post_is_moved_follows_the_zone_of_the_settings(self, alice: Author) -> None:
        tomorrow = in_minutes(26 * 60).replace(microsecond=0)
        alice.create("not yet", tomorrow)
        alice.sign_in()
        alice.button("not yet", "Move").click()

        alice.show("settings").get_by_label("Time zone").select_option("America/New_York")
        alice.show("posts")

        in_new_york = tomorrow.astimezone(ZoneInfo("America/New_York"))
        expect(alice.article("not yet").get_by_label("New time")).to_have_value(
            re.compile(f"{in_new_york:%Y-%m-%dT%H:%M}")
        )

    def test_publish_now_publishes_a_pending_post_at_once(self, alice: Author) -> None:
        alice.create("now, please", in_minutes(60))
        alice.sign_in()

        alice.publish_now("now, please")

        expect(alice.article("now, please", region="Published")).to_be_visible()
        assert alice.tweets() == ["now, please"]

    def test_a_deleted_post_disappears(self, alice: Author) -> None:
        alice.create("regretted", in_minutes(60))
        alice.create("kept", in_minutes(90))
        alice.sign_in()

        alice.delete("regretted")

        expect(alice.article("regretted")).to_have_count(0)
        expect(alice.article("kept")).to_be_visible()
        assert [post["text"] for post in alice.posts()] == ["kept"]

    def test_a_refused_edit_of_a_post_that_is_being_published_keeps_the_typed_text(self, alice: Author) -> None:
        post_id = alice.create("on its way", in_minutes(60))
        alice.sign_in()
        box = alice.start_to_edit("on its way")
        box.fill("too late, but carefully worded")
        alice.is_sent_before_the_next("EditText", post_id)

        with alice.page.expect_response(is_answer_to("EditText")):
            alice.page.get_by_role("button", name="Save", exact=True).click()
        expect(alice.article("on its way")).to_contain_text("Publishing")

        expect(alice.page.get_by_text("being published just now")).to_have_count(1)
        expect(box).to_have_value("too late, but carefully worded")
        assert alice.posts()[0]["text"] == "on its way"

    def test_a_post_of_a_paused_account_says_why_it_waits(self, alice: Author) -> None:
        alice.stack.fail("suspended", username=alice.name)
        alice.create("held up", in_seconds(0))

        alice.sign_in()

        expect(alice.article("held up", region="Pending")).to_contain_text("log in at x.com")

    def test_a_pause_is_a_banner_and_its_reason_is_written_once(self, alice: Author) -> None:
        alice.stack.fail("suspended", username=alice.name)
        alice.create("held up", in_seconds(0))

        alice.sign_in()

        expect(banner(alice)).to_contain_text(f"@{alice.name} is paused until")
        expect(alice.page.get_by_text("log in at x.com").filter(visible=True)).to_have_count(1)

    def test_a_post_that_a_pause_holds_counts_as_one_that_needs_attention(self, alice: Author) -> None:
        alice.stack.fail("suspended", username=alice.name)
        alice.create("held up", in_seconds(0))

        alice.sign_in()

        expect(alice.page.get_by_role("link", name="Needs attention 1")).to_be_visible()
        expect(alice.page).to_have_title("(1) Scheduled posts")

    def test_an_author_ends_the_pause_of_an_account_that_is_right_again(self, alice: Author) -> None:
        alice.stack.fail("suspended", username=alice.name)
        alice.create("held up", in_seconds(0))
        alice.sign_in()

        alice.page.get_by_role("button", name="I fixed it, go on").click()

        expect(banner(alice)).to_have_count(0)

    def test_a_post_that_waits_for_an_operator_says_why_and_names_no_day(self, alice: Author) -> None:
        alice.create("on hold", in_minutes(60))
        pause = {"paused_until": "8999-12-31T00:00:00Z", "paused_reason": "Back at noon."}
        set_app(alice, pause)
        try:
            alice.sign_in()

            expect(alice.article("on hold", region="Pending")).to_contain_text("All posts are paused. Back at noon.")
        finally:
            set_app(alice, {"paused_until": None, "paused_reason": None})


def banner(author: Author) -> Locator:
    """That the account is paused, above the lists."""
    return author.page.get_by_role("status").filter(has_text="I fixed it, go on")


def set_app(author: Author, columns: Mapping[str, str | None]) -> None:
    author.stack.graphql(
        "mutation ($columns: app_set_input!) { update_app(where: {}, _set: $columns) { affected_rows } }",
        {"columns": columns},
    )


def is_answer_to(operation: str) -> Callable[[Response], bool]:
    """Whether this is Hasura's answer to a mutation of this name."""

    def is_it(response: Response) -> bool:
        body = response.request.post_data or ""
        return f"mutation {operation}(" in body

    return is_it


class TestAPostThatFailed:
    def test_a_failed_post_says_why_and_is_published_when_it_is_tried_again(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        alice.create("second chance", in_seconds(0))
        alice.sign_in()
        expect(alice.article("second chance", region="Failed")).to_contain_text("X rejects this post")

        alice.try_again("second chance")

        expect(alice.article("second chance", region="Published")).to_be_visible()
        assert alice.tweets() == ["second chance"]

    def test_each_attempt_of_a_post_is_shown_with_the_answer_of_x(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        post_id = alice.create("second chance", in_seconds(0))
        alice.post_once("second chance", "failed")
        alice.change(post_id, schedule_for=in_seconds(0).isoformat())
        alice.sign_in()
        expect(alice.article("second chance", region="Published")).to_be_visible()

        attempts = alice.unfold_attempts("second chance")

        expect(attempts).to_contain_text([re.compile("Rejected.*403"), "Opened again", "X accepted it."])

    def test_a_missed_post_is_published_when_it_is_tried_again(self, alice: Author) -> None:
        post_id = alice.create("old news", in_minutes(60))
        alice.change(post_id, schedule_for=in_minutes(-7 * 60).isoformat())
        alice.sign_in()
        expect(alice.article("old news", region="Failed")).to_contain_text("360 minutes past its time")

        alice.try_again("old news")

        expect(alice.article("old news", region="Published")).to_be_visible()


class TestAPostOfUnknownOutcome:
    def test_an_unknown_outcome_is_reconciled_and_the_post_is_not_sent_again(self, alice: Author) -> None:
        alice.sign_in()
        alice.stack.fail("commit_then_503", username=alice.name)
        alice.create("out there?", in_seconds(0))
        unknown = alice.article("out there?", region="Pending")
        expect(unknown).to_contain_text("may or may not")
        expect(unknown.get_by_role("button", name="Try again")).to_have_count(0)

        alice.reconcile("out there?")

        expect(alice.article("out there?", region="Published")).to_be_visible()
        assert alice.tweets() == ["out there?"]


class TestWhatHappensElsewhere:
    def test_a_post_written_elsewhere_appears(self, alice: Author) -> None:
        alice.sign_in()

        alice.create("from my phone", in_minutes(60))

        expect(alice.article("from my phone", region="Pending")).to_be_visible()

    def test_a_change_made_elsewhere_appears(self, alice: Author) -> None:
        post_id = alice.create("before", in_minutes(60))
        alice.sign_in()
        expect(alice.article("before")).to_be_visible()

        alice.change(post_id, text="after")

        expect(alice.article("after")).to_be_visible()
        expect(alice.article("before")).to_have_count(0)

    def test_a_post_deleted_elsewhere_disappears(self, alice: Author) -> None:
        post_id = alice.create("gone soon", in_minutes(60))
        alice.sign_in()
        expect(alice.article("gone soon")).to_be_visible()

        alice.graphql(DELETE, id=post_id)

        expect(alice.article("gone soon")).to_have_count(0)

    def test_a_failed_post_disappears_at_once_when_it_is_deleted_here(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        alice.create("rejected", in_seconds(0))
        alice.sign_in()
        expect(alice.article("rejected", region="Failed")).to_be_visible()

        alice.delete("rejected")

        expect(alice.article("rejected")).to_have_count(0)

    def test_a_change_elsewhere_leaves_the_focus_and_the_text_of_who_is_editing(self, alice: Author) -> None:
        post_id = alice.create("being edited", in_minutes(60))
        alice.sign_in()
        box = alice.start_to_edit("being edited")
        box.fill("half a sent")
        box.press("ArrowLeft")

        alice.change(post_id, schedule_for=in_minutes(70).isoformat())
        alice.create("earlier than the other", in_minutes(30))
        expect(alice.article("earlier than the other")).to_be_visible()

        expect(box).to_be_focused()
        box.press_sequentially("ence")
        expect(box).to_have_value("half a senencet")

    def test_a_button_keeps_the_focus_when_its_post_changes_its_place(self, alice: Author) -> None:
        alice.create("first", in_minutes(30))
        post_id = alice.create("second", in_minutes(60))
        alice.sign_in()
        move = alice.button("second", "Move")
        move.focus()

        alice.change(post_id, schedule_for=in_minutes(10).isoformat())
        expect(alice.region("Pending").get_by_role("article")).to_contain_text(["second", "first"])

        expect(move).to_be_focused()


class TestTheFocusOfWhoUsesTheKeyboard:
    def test_the_focus_stays_with_a_post_that_goes_from_one_list_to_another(self, alice: Author) -> None:
        for text in ("first", "second"):
            alice.stack.fail("403", username=alice.name)
            alice.create(text, in_seconds(0))
            alice.post_once(text, "failed")
        alice.sign_in()
        alice.button("second", "Try again").focus()

        alice.page.keyboard.press("Enter")
        expect(alice.article("second")).to_be_focused()

        expect(alice.article("second", region="Published")).to_be_focused()


class TestAnEditedPostThatIsDeletedElsewhere:
    def test_a_post_deleted_elsewhere_while_it_is_edited_leaves_the_typed_text(self, alice: Author) -> None:
        post_id = alice.create("doomed", in_minutes(60))
        alice.sign_in()
        box = alice.start_to_edit("doomed")
        box.fill("carefully worded")

        alice.graphql(DELETE, id=post_id)

        expect(alice.page.get_by_text("This post was deleted. Copy your text")).to_be_visible()
        expect(box).to_be_focused()
        expect(box).to_have_value("carefully worded")

    def test_a_deleted_post_disappears_when_its_author_leaves_the_form(self, alice: Author) -> None:
        post_id = alice.create("doomed", in_minutes(60))
        alice.sign_in()
        alice.start_to_edit("doomed").fill("carefully worded")
        alice.graphql(DELETE, id=post_id)
        expect(alice.page.get_by_text("This post was deleted. Copy your text")).to_be_visible()

        alice.page.get_by_role("button", name="Cancel", exact=True).click()

        expect(alice.article("doomed")).to_have_count(0)


class TestAServerThatIsAwayForAWhile:
    def test_the_calendar_does_not_say_that_there_are_no_posts_before_it_knows_them(self, alice: Author) -> None:
        alice.create("there", in_minutes(5))
        alice.expect_complaint("Failed to load resource|WebSocket")
        alice.page.route("**/v1/graphql", lambda route: route.abort())
        alice.sign_in()
        expect(alice.page.get_by_text("Offline", exact=True)).to_be_visible()

        calendar = alice.show("calendar")

        expect(calendar).to_contain_text("Not known yet.")
        expect(calendar).not_to_contain_text("No posts here")
        expect(alice.page.get_by_role("link", name="Queue 0")).to_have_count(0)

    def test_a_message_that_the_server_cannot_be_reached_goes_when_it_is_back(self, alice: Author) -> None:
        alice.create("not saved at first", in_minutes(60))
        alice.expect_complaint("Failed to load resource|WebSocket")
        alice.sign_in()
        alice.start_to_edit("not saved at first").fill("typed on a bad line")
        alice.page.route("**/v1/graphql", lambda route: route.abort())
        alice.page.get_by_role("button", name="Save", exact=True).click()
        failure = alice.article("not saved at first").get_by_role("alert").filter(has_text="cannot be reached")
        expect(failure).to_be_visible()

        alice.page.unroute("**/v1/graphql")

        expect(failure).to_have_count(0)


class TestASubscription:
    def test_an_idle_page_asks_for_nothing_while_its_subscription_is_open(self, alice: Author) -> None:
        post_id = alice.create("before", in_minutes(60))
        answered: set[str] = set()

        def note(frame: str | bytes) -> None:
            message = json.loads(frame)
            if message["type"] == "next":
                answered.add(message["id"])

        alice.page.on("websocket", lambda socket: socket.on("framereceived", note))
        alice.stop_clock()
        asking = alice.asking()
        alice.sign_in()
        alice.wait_until(lambda: len(answered) == SUBSCRIPTIONS)
        alice.change(post_id, text="told by the subscription")
        expect(alice.article("told by the subscription")).to_be_visible()
        asked: list[str] = []
        alice.page.on("request", lambda request: asked.append(request.url))

        def is_idle() -> bool:
            asked.clear()
            pass_seconds(alice, 3, asking)  # without a subscription three polls
            return [url for url in asked if not url.endswith(ANY_FILE)] == []

        pass_seconds(alice, 9, asking)  # some seconds after a change it asks once more
        wait_until(is_idle, bool)
        assert is_idle()

    def test_a_page_that_gets_no_socket_polls(self, alice: Author) -> None:
        alice.gets_no_socket()
        alice.sign_in()

        alice.create("found by a poll", in_minutes(60))

        expect(alice.article("found by a poll")).to_be_visible()

    def test_a_page_polls_while_one_of_its_subscriptions_is_answered_with_an_error(self, alice: Author) -> None:
        alice.page.route_web_socket("**/v1/graphql", answer_the_latest_post_with_an_error)
        alice.sign_in()

        for text in ("maybe found by what the answers caused", "found by a poll"):
            alice.create(text, in_minutes(60))

            expect(alice.article(text)).to_be_visible()

    def test_a_socket_that_is_closed_without_an_error_is_opened_again_after_a_pause(self, alice: Author) -> None:
        opened: list[WebSocketRoute] = []

        def close(socket: WebSocketRoute) -> None:
            opened.append(socket)
            socket.close(code=1000)

        alice.page.route_web_socket("**/v1/graphql", close)
        alice.sign_in()

        alice.create("found by a poll", in_minutes(60))

        expect(alice.article("found by a poll")).to_be_visible()
        assert len(opened) < 10

    def test_a_change_that_becomes_visible_after_a_later_one_is_shown(self, alice: Author) -> None:
        alice.create("edited first", in_minutes(60))
        post_id = alice.create("edited second", in_minutes(90))
        alice.stop_clock()
        asking = alice.asking()
        alice.sign_in()

        with psycopg.connect(alice.stack.settings["PG_DATABASE_URL"]) as database:
            database.execute(EDIT_THE_FIRST, {"author": alice.name})
            alice.change(post_id, text="edited second, seen first")
            expect(alice.article("edited second, seen first")).to_be_visible()
            database.commit()
        pass_seconds(alice, 9, asking)

        expect(alice.article("edited first, seen second")).to_be_visible()


def pass_seconds(author: Author, seconds: int, asking: set[Request]) -> None:
    """Lets the page's stopped clock go on, second by second: each time, the page asks and takes the answer."""
    for _ in range(seconds):
        author.page.clock.run_for(1_000)
        author.page.evaluate(f"fetch('{ANY_FILE}')")  # when this is answered, what was asked before it is noted
        author.wait_until(lambda: not asking)


def answer_the_latest_post_with_an_error(socket: WebSocketRoute) -> None:
    """Answers as Hasura does; to the subscription to the latest post with an error after the first answer."""

    def answer(message: str | bytes) -> None:
        received = json.loads(message)
        if received["type"] == "connection_init":
            send(type="connection_ack")
        elif received["type"] == "ping":
            send(type="pong")
        elif received["type"] == "subscribe":
            send(id=received["id"], type="next", payload={"data": {}})
            if "LatestPost" in received["payload"]["query"]:
                errors = [{"message": "database query error", "extensions": {"code": "unexpected", "path": "$"}}]
                send(id=received["id"], type="next", payload={"errors": errors})

    def send(**message: Any) -> None:
        socket.send(json.dumps(message))

    socket.on_message(answer)


NOTE_WHAT_THE_PAGE_SAYS = """() => {
  const liveness = document.getElementById("liveness");
  window.said = [];
  const note = () => window.said.push(liveness.textContent);
  new MutationObserver(note).observe(liveness, { characterData: true, childList: true, subtree: true });
}"""


class TestPolling:
    def test_one_failed_poll_is_not_reported(self, alice: Author) -> None:
        alice.gets_no_socket()
        alice.stop_clock()  # no answer comes too late
        asking = alice.asking()
        alice.sign_in()
        alice.expect_complaint("Failed to load resource|WebSocket")
        alice.page.evaluate(NOTE_WHAT_THE_PAGE_SAYS)

        alice.page.route("**/v1/graphql", lambda route: route.abort(), times=1)
        with alice.page.expect_event("requestfailed"):
            pass_seconds(alice, 2, asking)
        alice.create("found by a later poll", in_minutes(60))

        def is_found() -> bool:
            pass_seconds(alice, 1, asking)
            return alice.article("found by a later poll").is_visible()

        wait_until(is_found, bool)
        assert alice.page.evaluate("window.said") == []

    def test_two_failed_polls_in_a_row_are_reported(self, alice: Author) -> None:
        alice.gets_no_socket()
        alice.sign_in()
        alice.expect_complaint("Failed to load resource|WebSocket")

        alice.page.route("**/v1/graphql", lambda route: route.abort())

        expect(alice.page.get_by_text("Offline", exact=True)).to_be_visible()

    def test_a_post_that_becomes_visible_after_later_changes_is_found(self, alice: Author) -> None:
        alice.create("there before", in_minutes(30))
        alice.sign_in()
        alice.hides_from_changes("slow to come")

        alice.create("slow to come", in_minutes(60))

        expect(alice.article("slow to come", region="Pending")).to_be_visible()


class TestAnAuthorOfMorePostsThanHasuraGivesAtOnce:
    def test_sees_all_of_them_and_what_changes(self, alice: Author) -> None:
        alice.stop_clock()  # no answer comes too late
        alice.sign_in()

        with psycopg.connect(alice.stack.settings["PG_DATABASE_URL"], autocommit=True) as database:
            database.execute(INSERT_POSTS, {"author": alice.name, "posts": MORE_THAN_A_PAGE})
            expect(alice.page.get_by_role("button", name="Show 30 more of 471")).to_be_visible()

            alice.page.reload()
            expect(alice.page.get_by_role("button", name="Show 30 more of 471")).to_be_visible()

            database.execute(EDIT_POSTS, {"author": alice.name})
            expect(alice.article("number 501, edited")).to_be_visible()

            database.execute(DELETE_A_POST, {"author": alice.name})
            expect(alice.page.get_by_role("button", name="Show 30 more of 470")).to_be_visible()


class TestADeviceWhoseClockIsWrong:
    def test_a_device_whose_clock_is_behind_shows_the_times_of_the_servers_clock(self, alice: Author) -> None:
        alice.page.clock.install(time=in_minutes(-5))
        alice.create("in half an hour", in_minutes(30))

        alice.sign_in()

        expect(alice.page.get_by_text("This device's clock is 5 min behind.")).to_be_visible()
        expect(alice.article("in half an hour")).to_contain_text(re.compile(r"in (2[6-9]|30) min"))

    def test_a_device_whose_clock_is_ahead_shows_the_times_of_the_servers_clock(self, alice: Author) -> None:
        alice.page.clock.install(time=in_minutes(5))
        alice.create("in half an hour", in_minutes(30))

        alice.sign_in()

        expect(alice.page.get_by_text("This device's clock is 5 min ahead.")).to_be_visible()
        expect(alice.article("in half an hour")).to_contain_text(re.compile(r"in (2[6-9]|30) min"))

    def test_a_clock_that_is_right_is_not_mentioned(self, alice: Author) -> None:
        alice.create("in half an hour", in_minutes(30))

        alice.sign_in()

        expect(alice.article("in half an hour")).to_contain_text(re.compile(r"in (2[6-9]|30) min"))
        expect(alice.page.get_by_text("This device's clock")).to_have_count(0)


def test_a_text_of_very_many_lines_is_one_line_until_it_is_opened(alice: Author) -> None:
    alice.create("\n".join(str(line) for line in range(60)), in_minutes(60))
    alice.sign_in()
    article = alice.region("Pending").get_by_role("article")
    folded = height_of(article)

    article.get_by_role("button", name="Details").click()

    assert folded < 60 < 1000 < height_of(article)


def height_of(article: Locator) -> float:
    box = article.bounding_box()
    assert box
    return box["height"]


MARKUP = [
    '<img src=x onerror="window.ran = true">',
    "<script>window.ran = true</script>",
    "</textarea><svg onload='window.ran = true'>",
    "&lt;b&gt; &amp; <b>bold</b> javascript:alert(1) ${1+1} {{1+1}}",
]


def test_the_text_of_a_post_is_never_markup(alice: Author) -> None:
    for text in MARKUP:
        alice.create(text, in_minutes(60))
    alice.sign_in()

    for text in MARKUP:
        expect(alice.article(text)).to_be_visible()

    assert alice.page.get_by_role("article").locator("img, script, b, textarea").count() == 0
    assert alice.page.evaluate("window.ran ?? false") is False


def test_posts_are_listed_by_day(alice: Author) -> None:
    in_three_days = in_minutes(3 * 24 * 60)
    alice.create("soon", in_minutes(1))
    alice.create("in three days", in_three_days)
    alice.sign_in()

    expect(alice.article("in three days")).to_be_visible()

    day = in_three_days.astimezone(alice.zone)
    expect(alice.region("Pending").get_by_role("heading", name=re.compile(rf"\b{day.day}\b.*{day:%B}"))).to_be_visible()


def test_a_day_of_another_year_is_named_with_its_year(alice: Author) -> None:
    soon = in_minutes(60).astimezone(alice.zone)
    alice.create("far away", soon)
    alice.stop_clock(soon - timedelta(days=367))
    alice.sign_in()

    article = alice.open_details("far away")

    expect(alice.region("Pending").get_by_role("heading", name=str(soon.year))).to_be_visible()
    expect(article).to_contain_text(re.compile(rf"{soon:%b}[a-z]* {soon.year}, "))


class TestFindingAPost:
    def test_a_search_shows_the_posts_with_these_words(self, alice: Author) -> None:
        for text in ("about bread", "about books"):
            alice.create(text, in_minutes(60))
        alice.sign_in()
        expect(alice.article("about bread")).to_be_visible()

        alice.page.get_by_role("searchbox", name="Search posts").fill("BOOK")

        expect(alice.article("about bread")).to_have_count(0)
        expect(alice.article("about books")).to_be_visible()

    def test_a_search_without_a_result_says_so(self, alice: Author) -> None:
        alice.create("about bread", in_minutes(60))
        alice.sign_in()
        expect(alice.article("about bread")).to_be_visible()

        alice.page.get_by_role("searchbox", name="Search posts").fill("nothing like it")

        expect(alice.page.get_by_text("No post matches.")).to_be_visible()

    def test_the_posts_of_one_state_are_shown(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        alice.create("refused", in_seconds(0))
        alice.post_once("refused", "failed")
        alice.create("to come", in_minutes(60))
        alice.sign_in()
        expect(alice.article("to come")).to_be_visible()

        alice.page.get_by_label("Show posts that are").select_option("Failed")

        expect(alice.article("to come")).to_have_count(0)
        expect(alice.article("refused")).to_be_visible()


class TestTheTabs:
    def test_a_failed_post_stands_above_the_pending_ones(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        alice.create("refused", in_seconds(0))
        alice.post_once("refused", "failed")
        alice.create("to come", in_minutes(60))

        alice.sign_in()

        expect(alice.page.get_by_role("article")).to_contain_text(["refused", "to come"])

    def test_each_tab_shows_its_posts_and_is_in_the_address(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        alice.create("refused", in_seconds(0))
        alice.post_once("refused", "failed")
        alice.create("out there", in_seconds(0))
        alice.post_once("out there", "tweeted")
        alice.sign_in()

        alice.tab("Sent")
        expect(alice.page.get_by_role("article")).to_contain_text(["out there"])
        expect(alice.page).to_have_url(re.compile("#posts/sent$"))
        alice.tab("Needs attention")

        expect(alice.page.get_by_role("article")).to_contain_text(["refused"])

    def test_a_published_post_is_reused_as_a_new_one(self, alice: Author) -> None:
        alice.create("worth repeating", in_seconds(0))
        alice.sign_in()
        expect(alice.article("worth repeating", region="Published")).to_be_visible()

        alice.choose("worth repeating", "Reuse as a new post")

        expect(alice.text).to_have_value("worth repeating")


class TestTheMenuOfAPost:
    def test_a_published_post_is_opened_on_x_in_a_tab_of_its_own(self, alice: Author) -> None:
        alice.page.route("**/config.json", as_on_a_host)
        alice.create("out there", in_seconds(0))
        alice.post_once("out there", "tweeted")
        alice.sign_in()
        [tweet] = alice.stack.tweets(alice.name)

        alice.button("out there", "More").click()

        link = alice.page.get_by_role("menuitem", name="View on X")
        expect(link).to_have_attribute("href", f"https://x.com/i/web/status/{tweet['id']}")
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_have_attribute("rel", re.compile("noopener"))

    def test_on_the_local_stack_a_published_post_is_shown_in_the_timeline(self, alice: Author) -> None:
        alice.create("out there", in_seconds(0))
        alice.post_once("out there", "tweeted")
        alice.sign_in()

        alice.choose("out there", "View in the timeline")

        timeline = alice.page.get_by_role("region", name="Timeline")
        expect(timeline.get_by_role("article").filter(has_text="out there").first).to_be_visible()

    def test_the_text_of_a_post_is_copied(self, alice: Author) -> None:
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        alice.create("to be\nquoted", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()

        alice.choose("quoted", "Copy text")

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("Copied.")
        assert alice.page.evaluate("navigator.clipboard.readText()") == "to be\nquoted"

    def test_a_browser_that_does_not_allow_copying_is_said_to_be_so(self, alice: Author) -> None:
        alice.page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
        alice.create("to be quoted", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()

        alice.choose("to be quoted", "Copy text")

        messages = alice.page.get_by_role("status", name="Messages")
        expect(messages).to_contain_text("This browser does not allow copying here.")

    def test_a_pending_post_is_reused_and_stays_as_it_is(self, alice: Author) -> None:
        alice.create("worth repeating", in_minutes(60))
        alice.sign_in()
        alice.text.fill("being written")

        alice.choose("worth repeating", "Reuse as a new post")

        expect(alice.text).to_have_value("worth repeating")
        expect(alice.text).to_be_focused()
        states = {post["text"]: post["state"] for post in alice.posts()}
        assert states == {"worth repeating": "scheduled", "being written": "draft"}

    def test_the_menu_has_what_the_row_has_and_is_left_with_escape(self, alice: Author) -> None:
        alice.create("to come", in_minutes(60))
        alice.sign_in()
        more = alice.button("to come", "More")

        more.press("Enter")

        choices = alice.page.get_by_role("menuitem")
        expect(choices).to_have_text(
            ["Edit", "Move", "Publish now", "Make it a draft", "Copy text", "Reuse as a new post", "Delete"]
        )
        expect(choices.first).to_be_focused()
        alice.page.keyboard.press("ArrowUp")
        expect(choices.last).to_be_focused()
        alice.page.keyboard.press("Escape")
        expect(choices).to_have_count(0)
        expect(more).to_be_focused()

    def test_the_menu_of_a_post_with_an_open_form_offers_no_further_change(self, alice: Author) -> None:
        alice.create("to come", in_minutes(60))
        alice.sign_in()
        alice.button("to come", "Move").click()

        alice.button("to come", "More").click()

        expect(alice.page.get_by_role("menuitem")).to_have_text(["Copy text", "Reuse as a new post"])


def test_rows_behind_another_view_are_left_as_they_are(alice: Author) -> None:
    alice.create("in five minutes", due := in_minutes(5))
    alice.stop_clock(due - timedelta(minutes=4, seconds=30))
    asking = alice.asking()
    alice.sign_in()
    expect(alice.article("in five minutes")).to_contain_text("in 4 min")
    alice.show("settings")
    pass_seconds(alice, 20, asking)  # what was stored behind the answer is known, too
    shown = alice.page.get_by_text("in five minutes").locator("xpath=ancestor::article").text_content()

    alice.page.clock.run_for(30_000)

    assert alice.page.get_by_text("in five minutes").locator("xpath=ancestor::article").text_content() == shown
    alice.show("posts")
    expect(alice.article("in five minutes")).not_to_contain_text("in 4 min")


def as_on_a_host(route: Route) -> None:
    """The configuration of a page without developer tools, to whose posts X has an address."""
    answer = route.fetch()
    route.fulfill(json={name: value for name, value in answer.json().items() if name != "developerTools"})
