"""The lists of posts in a real browser: what becomes of a post, live, and what its author may do about it."""

import re
from datetime import datetime, timedelta

from page_author import Author, in_minutes, in_seconds
from playwright.sync_api import Locator, Route, expect
from waiting import wait_until

DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"


class TestAPostThatIsDue:
    def test_is_seen_on_its_way_from_pending_to_published_without_a_reload(self, alice: Author) -> None:
        alice.sign_in()
        alice.schedule("Hello, world", in_seconds(3))
        expect(alice.article("Hello, world", region="Pending")).to_be_visible()

        expect(alice.article("Hello, world", region="Published")).to_be_visible()

        expect(alice.article("Hello, world", region="Pending")).to_have_count(0)
        assert alice.tweets() == ["Hello, world"]

    def test_says_how_late_it_was_to_the_millisecond(self, alice: Author) -> None:
        alice.create("on the dot", in_seconds(0))
        alice.sign_in()

        published = alice.article("on the dot", region="Published")

        expect(published).to_be_visible()
        [post], [tweet] = alice.posts(), alice.stack.tweets(alice.name)
        late = datetime.fromisoformat(tweet["created_at"]) - datetime.fromisoformat(post["schedule_for"])
        expect(published).to_contain_text(f"{late / timedelta(seconds=1):.3f} s")

    def test_offers_nothing_any_more_but_its_attempts(self, alice: Author) -> None:
        alice.create("final", in_seconds(0))
        alice.sign_in()

        published = alice.article("final", region="Published")

        expect(published).to_be_visible()
        for name in ("Edit", "Move", "Delete", "Publish now", "Try again"):
            expect(published.get_by_role("button", name=name, exact=True)).to_have_count(0)


class TestAPendingPost:
    def test_is_edited_and_goes_out_with_its_new_text(self, alice: Author) -> None:
        alice.create("first thought", in_minutes(60))
        alice.sign_in()

        alice.edit("first thought", "second thought")

        expect(alice.article("second thought", region="Pending")).to_be_visible()
        expect(alice.article("first thought")).to_have_count(0)
        alice.button("second thought", "Publish now").click()
        expect(alice.article("second thought", region="Published")).to_be_visible()
        assert alice.tweets() == ["second thought"]

    def test_is_moved_to_another_time(self, alice: Author) -> None:
        alice.create("not yet", in_minutes(60))
        alice.sign_in()
        later = in_minutes(26 * 60).replace(microsecond=0)

        alice.move("not yet", later)

        expect(alice.article("not yet")).to_contain_text(later.astimezone(alice.zone).strftime("%H:%M"))
        wait_until(alice.posts, lambda posts: datetime.fromisoformat(posts[0]["schedule_for"]) == later)

    def test_is_published_now_when_its_author_cannot_wait(self, alice: Author) -> None:
        alice.create("now, please", in_minutes(60))
        alice.sign_in()

        alice.button("now, please", "Publish now").click()

        expect(alice.article("now, please", region="Published")).to_be_visible()
        assert alice.tweets() == ["now, please"]

    def test_is_deleted_after_its_author_confirmed_it(self, alice: Author) -> None:
        alice.create("regretted", in_minutes(60))
        alice.create("kept", in_minutes(90))
        alice.sign_in()

        alice.delete("regretted")

        expect(alice.article("regretted")).to_have_count(0)
        expect(alice.article("kept")).to_be_visible()
        assert [post["text"] for post in alice.posts()] == ["kept"]

    def test_stays_when_its_author_thinks_better_of_deleting_it(self, alice: Author) -> None:
        alice.create("nearly gone", in_minutes(60))
        alice.sign_in()

        alice.button("nearly gone", "Delete").click()
        alice.page.keyboard.press("Escape")

        expect(alice.button("nearly gone", "Delete")).to_be_focused()
        assert [post["text"] for post in alice.posts()] == ["nearly gone"]

    def test_that_was_sent_meanwhile_refuses_the_edit_and_what_was_typed_is_kept(self, alice: Author) -> None:
        post_id = alice.create("on its way", in_minutes(60))
        alice.sign_in()
        box = alice.start_to_edit("on its way")
        box.fill("too late, but carefully worded")
        alice.is_sent_before_the_next("EditText", post_id)

        alice.page.get_by_role("button", name="Save", exact=True).click()

        expect(alice.page.get_by_text("being published just now")).to_be_visible()
        expect(box).to_have_value("too late, but carefully worded")
        assert alice.posts()[0]["text"] == "on its way"

    def test_that_an_account_waits_for_says_so(self, alice: Author) -> None:
        alice.stack.fail("suspended", username=alice.name)
        alice.create("held up", in_seconds(0))

        alice.sign_in()

        expect(alice.article("held up", region="Pending")).to_contain_text("log in at x.com")


class TestAPostThatFailed:
    def test_says_why_and_goes_out_when_it_is_tried_again(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        alice.create("second chance", in_seconds(0))
        alice.sign_in()
        expect(alice.article("second chance", region="Failed")).to_contain_text("X refuses this post")

        alice.button("second chance", "Try again").click()

        expect(alice.article("second chance", region="Published")).to_be_visible()
        assert alice.tweets() == ["second chance"]

    def test_unfolds_every_attempt_with_what_x_said(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        post_id = alice.create("second chance", in_seconds(0))
        alice.post_once("second chance", "failed")
        alice.change(post_id, schedule_for=in_seconds(0).isoformat())
        alice.sign_in()
        expect(alice.article("second chance", region="Published")).to_be_visible()

        attempts = alice.unfold_attempts("second chance")

        expect(attempts).to_contain_text([re.compile("Rejected.*403"), "Opened again", "X accepted it."])

    def test_because_it_was_too_late_is_tried_again_as_well(self, alice: Author) -> None:
        post_id = alice.create("old news", in_minutes(60))
        alice.change(post_id, schedule_for=in_minutes(-7 * 60).isoformat())
        alice.sign_in()
        expect(alice.article("old news", region="Failed")).to_contain_text("360 minutes past its time")

        alice.button("old news", "Try again").click()

        expect(alice.article("old news", region="Published")).to_be_visible()


class TestAPostOfUnknownOutcome:
    def test_is_not_tried_again_but_looked_up_and_found(self, alice: Author) -> None:
        alice.stack.fail("commit_then_503", username=alice.name)
        alice.create("out there?", in_seconds(0))
        alice.sign_in()
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

    def test_does_not_take_the_focus_or_the_words_of_who_is_editing(self, alice: Author) -> None:
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

    def test_leaves_the_focus_on_the_button_of_a_post_that_changes_its_place(self, alice: Author) -> None:
        alice.create("first", in_minutes(30))
        post_id = alice.create("second", in_minutes(60))
        alice.sign_in()
        move = alice.button("second", "Move")
        move.focus()

        alice.change(post_id, schedule_for=in_minutes(10).isoformat())
        expect(alice.region("Pending").get_by_role("article")).to_contain_text(["second", "first"])

        expect(move).to_be_focused()


class TestTheFocusOfWhoUsesTheKeyboard:
    def test_stays_with_the_post_that_goes_from_one_list_to_another(self, alice: Author) -> None:
        for text in ("first", "second"):
            alice.stack.fail("403", username=alice.name)
            alice.create(text, in_seconds(0))
            alice.post_once(text, "failed")
        alice.sign_in()
        alice.button("second", "Try again").focus()

        alice.page.keyboard.press("Enter")

        expect(alice.article("second", region="Published")).to_be_focused()


class TestAnEditedPostThatIsDeletedElsewhere:
    def test_leaves_its_author_the_words(self, alice: Author) -> None:
        post_id = alice.create("doomed", in_minutes(60))
        alice.sign_in()
        box = alice.start_to_edit("doomed")
        box.fill("carefully worded")

        alice.graphql(DELETE, id=post_id)

        expect(alice.page.get_by_text("This post was deleted. Copy your text")).to_be_visible()
        expect(box).to_be_focused()
        expect(box).to_have_value("carefully worded")

    def test_goes_when_its_author_leaves_the_form(self, alice: Author) -> None:
        post_id = alice.create("doomed", in_minutes(60))
        alice.sign_in()
        alice.start_to_edit("doomed").fill("carefully worded")
        alice.graphql(DELETE, id=post_id)
        expect(alice.page.get_by_text("This post was deleted. Copy your text")).to_be_visible()

        alice.page.get_by_role("button", name="Cancel", exact=True).click()

        expect(alice.article("doomed")).to_have_count(0)


class TestAsking:
    def test_that_fails_once_alarms_nobody(self, alice: Author) -> None:
        alice.sign_in()
        alice.expect_complaint("Failed to load resource")
        failed: list[Route] = []
        held: list[Route] = []

        def fail_once_then_hold(route: Route) -> None:
            (held if failed else failed).append(route)
            if not held:
                route.abort()

        alice.page.route("**/v1/graphql", fail_once_then_hold)
        while not held:
            alice.page.wait_for_timeout(50)

        expect(alice.page.get_by_text("Live", exact=True)).to_be_visible()
        held[0].continue_()

    def test_that_fails_twice_in_a_row_is_told(self, alice: Author) -> None:
        alice.sign_in()
        alice.expect_complaint("Failed to load resource")

        alice.page.route("**/v1/graphql", lambda route: route.abort())

        expect(alice.page.get_by_text("Offline", exact=True)).to_be_visible()

    def test_finds_a_post_that_became_visible_too_late_to_be_news(self, alice: Author) -> None:
        alice.create("there before", in_minutes(30))
        alice.sign_in()
        alice.hides_from_changes("slow to come")

        alice.create("slow to come", in_minutes(60))

        expect(alice.article("slow to come", region="Pending")).to_be_visible()


class TestADeviceWhoseClockIsWrong:
    def test_tells_the_time_by_the_servers_clock_and_that_its_own_is_behind(self, alice: Author) -> None:
        alice.page.clock.install(time=in_minutes(-5))
        alice.create("in three minutes", in_minutes(3))

        alice.sign_in()

        expect(alice.page.get_by_text("This device's clock is 5 min behind.")).to_be_visible()
        expect(alice.article("in three minutes")).to_contain_text(re.compile(r"in 2 min \d+ s"))

    def test_tells_the_time_by_the_servers_clock_and_that_its_own_is_ahead(self, alice: Author) -> None:
        alice.page.clock.install(time=in_minutes(5))
        alice.create("in three minutes", in_minutes(3))

        alice.sign_in()

        expect(alice.page.get_by_text("This device's clock is 5 min ahead.")).to_be_visible()
        expect(alice.article("in three minutes")).to_contain_text(re.compile(r"in 2 min \d+ s"))

    def test_is_not_mentioned_when_it_is_right(self, alice: Author) -> None:
        alice.create("in three minutes", in_minutes(3))

        alice.sign_in()

        expect(alice.article("in three minutes")).to_contain_text(re.compile(r"in 2 min \d+ s"))
        expect(alice.page.get_by_text("This device's clock")).to_have_count(0)


def test_a_text_of_very_many_lines_is_folded_until_somebody_wants_it_all(alice: Author) -> None:
    alice.create("\n".join(str(line) for line in range(60)), in_minutes(60))
    alice.sign_in()
    article = alice.region("Pending").get_by_role("article")
    folded = height_of(article)

    article.get_by_role("button", name="Show all 60 lines").click()

    assert folded < 500 < height_of(article)


def height_of(article: Locator) -> float:
    box = article.bounding_box()
    assert box
    return box["height"]


MARKUP = [
    '<img src=x onerror="document.title = 1">',
    "<script>document.title = 2</script>",
    "</textarea><svg onload='document.title = 3'>",
    "&lt;b&gt; &amp; <b>bold</b> javascript:alert(1) ${1+1} {{1+1}}",
]


def test_the_text_of_a_post_is_never_markup(alice: Author) -> None:
    for text in MARKUP:
        alice.create(text, in_minutes(60))
    alice.sign_in()
    title = alice.page.title()

    for text in MARKUP:
        expect(alice.article(text)).to_be_visible()

    assert alice.page.get_by_role("article").locator("img, script, b, textarea").count() == 0
    assert alice.page.title() == title


def test_posts_are_told_by_day(alice: Author) -> None:
    in_two_days = in_minutes(2 * 24 * 60)
    alice.create("soon", in_minutes(1))
    alice.create("in two days", in_two_days)
    alice.sign_in()

    expect(alice.article("in two days")).to_be_visible()

    day = in_two_days.astimezone(alice.zone)
    expect(alice.region("Pending").get_by_role("heading", name=re.compile(rf"\b{day.day}\b.*{day:%B}"))).to_be_visible()
