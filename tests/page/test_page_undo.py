"""What can be undone in a real browser: publishing now, deleting, moving; and that nothing moves under a pointer."""

from datetime import datetime, timedelta

from page_author import Arrive, Author, in_minutes, in_seconds
from playwright.sync_api import Locator, expect
from waiting import wait_until

LONGER_THAN_TO_UNDO = 6_000  # milliseconds

KEEP_NO_DRAFT = """mutation ($name: String!) {
  update_user(where: {username: {_eq: $name}}, _set: {max_drafts: 0}) { affected_rows }
}"""


class TestPublishingNow:
    def test_a_double_click_publishes_one_post_and_not_its_neighbour(self, alice: Author) -> None:
        for number in range(3):
            alice.create(f"number {number}", in_minutes(60 + number))
        alice.sign_in()
        place = middle_of(alice.button("number 0", "Publish now"))

        alice.page.mouse.dblclick(*place)
        alice.do_at_once()
        expect(alice.article("number 0", region="Published")).to_be_visible()

        assert alice.tweets() == ["number 0"]

    def test_a_row_keeps_its_place_while_a_pointer_is_at_work_in_the_list(self, alice: Author) -> None:
        for number in range(3):
            alice.create(f"number {number}", in_minutes(60 + number))
        alice.stop_clock()
        alice.sign_in()
        second = alice.article("number 1")
        x, y = middle_of(second)
        alice.page.mouse.move(x, y)

        alice.create("earlier than all", in_minutes(30))
        with alice.page.expect_response(lambda answer: "earlier than all" in answer.text()):
            alice.page.mouse.move(x + 1, y)
        alice.page.mouse.move(x, y)

        assert middle_of(second) == (x, y)
        alice.page.mouse.move(0, 0)
        expect(alice.article("earlier than all")).to_be_visible()

    def test_a_click_on_a_row_that_came_under_the_resting_pointer_presses_nothing(self, alice: Author) -> None:
        noon = tomorrow_noon(alice)
        for number in range(3):
            alice.create(f"number {number}", noon + timedelta(minutes=number))
        alice.sign_in()
        place = middle_of(alice.button("number 1", "Delete"))
        alice.page.mouse.move(*place)
        alice.create("earlier than all", noon - timedelta(minutes=1))
        expect(alice.article("earlier than all")).to_be_visible()
        wait_until(lambda: post_at(alice, place), lambda text: "number 0" in text)

        click_without_moving(alice)

        assert alice.undo_button.count() == 0
        click_without_moving(alice)
        wait_until(alice.posts, lambda posts: "number 0" not in {post["text"] for post in posts})

    def test_a_click_after_scrolling_presses_what_the_author_scrolled_to(self, alice: Author) -> None:
        noon = tomorrow_noon(alice)
        for number in range(12):
            alice.create(f"number {number:02}", noon + timedelta(minutes=number))
        alice.page.set_viewport_size({"width": 1280, "height": 400})
        alice.sign_in()
        first = alice.article("number 01").get_by_text("number 01")
        first.scroll_into_view_if_needed()
        place = middle_of(first)
        alice.page.mouse.move(*place)

        alice.page.mouse.wheel(0, 120)
        wait_until(lambda: post_at(alice, place), lambda text: "number" in text and "number 01" not in text)
        click_without_moving(alice)

        expect(alice.page.get_by_role("article").locator(".post-body:visible")).to_have_count(1)

    def test_publishing_now_can_be_undone(self, alice: Author) -> None:
        alice.create("not yet after all", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()

        alice.button("not yet after all", "Publish now").click()
        alice.undo_button.click()

        assert alice.mutations_in(LONGER_THAN_TO_UNDO) == []
        expect(alice.button("not yet after all", "Publish now")).to_be_visible()
        assert [post["state"] for post in alice.posts()] == ["scheduled"]

    def test_leaving_the_page_publishes_what_was_to_be_published(self, alice: Author) -> None:
        alice.create("on my way out", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()
        alice.button("on my way out", "Publish now").click()
        expect(alice.undo_button).to_be_visible()

        alice.page.close()

        alice.post_once("on my way out", "tweeted")

    def test_posting_now_from_the_composer_can_be_undone_and_the_text_is_there_again(self, alice: Author) -> None:
        alice.stop_clock(in_minutes(10))  # or the post might go out before the button is pressed
        alice.sign_in()
        alice.text.fill("too fast")
        alice.page.get_by_role("button", name="Post now or save as draft").click()
        alice.page.get_by_role("menuitem", name="Post now").click()

        alice.undo_button.click()

        expect(alice.text).to_have_value("too fast")
        expect(alice.article("too fast")).to_have_count(0)
        assert alice.posts() == []

    def test_undoing_that_a_post_goes_out_now_keeps_its_text_when_the_next_one_is_begun(self, alice: Author) -> None:
        post_now(alice, "too fast")
        alice.text.fill("the next one")

        alice.undo_button.click()

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("It is among your drafts")
        expect(alice.text).to_have_value("the next one")
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("too fast", "draft")]

    def test_what_is_begun_while_a_post_is_taken_back_stays_and_the_post_is_a_draft(self, alice: Author) -> None:
        post_now(alice, "too fast")
        held = alice.waits_at("Remove")
        alice.undo_button.click()
        alice.wait_until(lambda: held)
        alice.text.fill("the next one")

        held[0].continue_()

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("It is among your drafts")
        expect(alice.text).to_have_value("the next one")
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("too fast", "draft")]

    def test_a_post_is_taken_back_where_no_further_draft_may_be_kept(self, alice: Author) -> None:
        alice.page.clock.install()
        alice.sign_in()
        alice.save_draft("too fast")
        alice.tab("Drafts")
        expect(alice.article("too fast")).to_be_visible()
        alice.page.clock.pause_at(in_minutes(5))
        alice.button("too fast", "Edit").click()
        alice.choose_instead_of_scheduling("Post now")
        expect(alice.text).to_have_value("")
        keep_no_further_draft(alice)

        alice.undo_button.click()

        expect(alice.text).to_have_value("too fast")
        assert alice.posts() == []

    def test_the_text_of_a_post_that_was_taken_back_can_be_copied_if_it_has_no_place(self, alice: Author) -> None:
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        post_now(alice, "too fast")
        alice.text.fill("the next one")
        keep_no_further_draft(alice)
        alice.undo_button.click()

        messages(alice).get_by_role("button", name="Copy text").click()

        expect(messages(alice)).to_contain_text("Copied.")
        assert alice.page.evaluate("navigator.clipboard.readText()") == "too fast"
        expect(alice.text).to_have_value("the next one")
        assert alice.posts() == []

    def test_a_post_that_became_a_draft_stays_that_draft_if_the_next_one_is_given_up_meanwhile(
        self, alice: Author
    ) -> None:
        post_now(alice, "too fast")
        alice.text.fill("the next one")
        held = alice.waits_at("MakeDraft")
        alice.undo_button.click()
        alice.wait_until(lambda: held)
        alice.text.fill("")
        held[0].continue_()
        expect(alice.text).to_have_value("too fast")

        alice.save_draft("not so fast")

        assert [(post["text"], post["state"]) for post in alice.posts()] == [("not so fast", "draft")]


class TestDeleting:
    def test_a_deletion_can_be_undone(self, alice: Author) -> None:
        alice.create("nearly gone", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()

        alice.button("nearly gone", "Delete").click()
        alice.undo_button.click()

        assert alice.mutations_in(LONGER_THAN_TO_UNDO) == []
        expect(alice.button("nearly gone", "Delete")).to_be_visible()
        assert [post["text"] for post in alice.posts()] == ["nearly gone"]

    def test_the_key_z_undoes_a_deletion(self, alice: Author) -> None:
        alice.create("nearly gone", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()
        alice.button("nearly gone", "Delete").click()
        expect(alice.undo_button).to_be_visible()

        alice.page.keyboard.press("z")

        assert alice.mutations_in(LONGER_THAN_TO_UNDO) == []
        expect(alice.button("nearly gone", "Delete")).to_be_visible()
        expect(alice.undo_button).to_have_count(0)

    def test_a_post_is_deleted_when_the_time_to_undo_is_over(self, alice: Author) -> None:
        alice.create("regretted", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()

        alice.button("regretted", "Delete").click()
        assert [post["text"] for post in alice.posts()] == ["regretted"]
        alice.page.clock.run_for(LONGER_THAN_TO_UNDO)
        alice.page.clock.resume()  # a row is not taken away before the pointer in the list has rested

        expect(alice.article("regretted")).to_have_count(0)
        assert alice.posts() == []

    def test_a_post_that_would_go_out_before_it_is_deleted_is_deleted_at_once(self, alice: Author) -> None:
        alice.create("just in time", in_minutes(60))
        alice.stop_clock(in_minutes(59.95))
        alice.sign_in()

        alice.button("just in time", "Delete").click()

        wait_until(alice.posts, lambda posts: posts == [])

    def test_a_page_that_is_no_longer_looked_at_deletes_what_was_to_be_deleted(self, alice: Author) -> None:
        alice.create("regretted", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()
        alice.button("regretted", "Delete").click()
        expect(alice.undo_button).to_be_visible()

        alice.page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { get: () => true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )

        wait_until(alice.posts, lambda posts: posts == [])

    def test_a_message_without_a_button_leaves_the_one_that_undoes_a_deletion(self, alice: Author) -> None:
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        alice.create("nearly gone", in_minutes(60))
        alice.create("to be quoted", in_minutes(90))
        alice.stop_clock()
        alice.sign_in()
        alice.button("nearly gone", "Delete").click()

        for _ in range(3):
            alice.choose("to be quoted", "Copy text")

        expect(alice.page.get_by_text("Copied.")).to_have_count(2)
        alice.undo_button.click()
        expect(alice.button("nearly gone", "Delete")).to_be_attached()

    def test_leaving_the_page_deletes_what_was_to_be_deleted(self, alice: Author) -> None:
        alice.create("regretted", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()
        alice.button("regretted", "Delete").click()
        expect(alice.undo_button).to_be_visible()

        alice.page.close()

        wait_until(alice.posts, lambda posts: posts == [])


class TestMoving:
    def test_a_move_can_be_undone(self, alice: Author) -> None:
        alice.create("back and forth", in_minutes(26 * 60))
        [before] = alice.posts()
        alice.stop_clock()
        alice.sign_in()
        alice.button("back and forth", "Move").click()
        alice.article("back and forth").get_by_role("button", name="1 hour later").click()
        alice.page.get_by_role("button", name="Save", exact=True).click()
        wait_until(alice.posts, lambda posts: moved_by(before, posts[0]) == timedelta(hours=1))

        alice.undo_button.click()

        wait_until(alice.posts, lambda posts: moved_by(before, posts[0]) == timedelta(0))


class TestManyPosts:
    def test_many_posts_are_moved_by_the_same_length_of_time(self, arrive: Arrive) -> None:
        alice = arrive(timezone_id="Asia/Kolkata")  # where each day has 24 hours
        for number in range(3):
            alice.create(f"number {number}", in_minutes(26 * 60 + number))
        before = alice.posts()
        alice.sign_in()

        select(alice, "number 0", "number 2")
        alice.page.get_by_label("Move by").select_option("1 day later")
        alice.page.get_by_role("button", name="Move selected").click()

        days = [timedelta(days=1), timedelta(0), timedelta(days=1)]
        wait_until(alice.posts, lambda posts: list(map(moved_by, before, posts)) == days)

    def test_many_posts_are_deleted_at_once_and_the_deletion_can_be_undone(self, alice: Author) -> None:
        for number in range(3):
            alice.create(f"number {number}", in_minutes(60 + number))
        alice.stop_clock()
        alice.sign_in()

        select(alice, "number 0", "number 2")
        alice.page.get_by_role("button", name="Delete selected").click()
        alice.undo_button.click()
        assert alice.mutations_in(LONGER_THAN_TO_UNDO) == []
        select(alice, "number 0", "number 1")
        alice.page.get_by_role("button", name="Delete selected").click()
        alice.page.get_by_role("status", name="Messages").get_by_role("button", name="Close").click()

        expect(alice.region("Pending").get_by_role("article")).to_have_count(1)
        assert [post["text"] for post in alice.posts()] == ["number 2"]

    def test_of_many_deleted_posts_only_those_about_to_go_out_are_deleted_without_an_undo(self, alice: Author) -> None:
        alice.create("goes out next", in_minutes(60))
        alice.create("to come", in_minutes(90))
        alice.stop_clock(in_minutes(59.95))
        alice.sign_in()

        select(alice, "goes out next", "to come")
        alice.page.get_by_role("button", name="Delete selected").click()

        expect(messages(alice)).to_contain_text("Deleting 1 post at once: it was about to go out.")
        alice.undo_button.click()
        wait_until(alice.posts, lambda posts: [post["text"] for post in posts] == ["to come"])
        expect(alice.button("to come", "Delete")).to_be_attached()

    def test_no_post_is_moved_where_one_would_be_moved_to_a_time_that_has_passed(self, alice: Author) -> None:
        alice.create("soon", in_minutes(30))
        alice.create("tomorrow", in_minutes(26 * 60))
        before = alice.posts()
        alice.stop_clock()
        alice.sign_in()

        select(alice, "soon", "tomorrow")
        move_selected(alice, "1 hour earlier")

        expect(messages(alice)).to_contain_text("Nothing was moved.")
        assert alice.posts() == before

    def test_undoing_the_move_of_many_moves_no_post_that_had_failed_back_to_the_past(self, arrive: Arrive) -> None:
        alice = arrive(timezone_id="Asia/Kolkata")  # where each day has 24 hours
        alice.stack.fail("403", username=alice.name)
        alice.create("refused", in_seconds(0))
        alice.post_once("refused", "failed")
        alice.create("to come", in_minutes(26 * 60))
        before = alice.posts()
        alice.stop_clock()
        alice.sign_in()
        select(alice, "refused", "to come")
        move_selected(alice, "1 week later")

        expect(messages(alice)).to_contain_text("Moved 2 posts: 1 week later. Undo moves 1 post back.")
        alice.undo_button.click()

        days = [timedelta(days=7), timedelta(0)]
        wait_until(alice.posts, lambda posts: list(map(moved_by, before, posts)) == days)
        assert alice.tweets() == []

    def test_a_selected_post_that_a_search_hides_is_no_longer_selected(self, alice: Author) -> None:
        for text in ("about bread", "about books"):
            alice.create(text, in_minutes(60))
        alice.sign_in()
        select(alice, "about bread", "about books")

        alice.page.get_by_role("searchbox", name="Search posts").fill("books")
        expect(alice.page.get_by_text("1 selected")).to_be_visible()
        alice.page.get_by_role("button", name="Delete selected").click()
        alice.do_at_once()

        wait_until(alice.posts, lambda posts: [post["text"] for post in posts] == ["about bread"])

    def test_what_cannot_be_done_with_the_selected_posts_is_not_offered(self, alice: Author) -> None:
        alice.create("out there", in_seconds(0))
        alice.post_once("out there", "tweeted")
        alice.graphql('mutation { insert_scheduled_post_one(object: {state: "draft", text: "an idea"}) { id } }')
        alice.sign_in()
        move = alice.page.get_by_role("button", name="Move selected")
        remove = alice.page.get_by_role("button", name="Delete selected")

        alice.tab("Sent")
        select(alice, "out there")
        expect(move).to_be_disabled()
        expect(remove).to_be_disabled()
        alice.tab("Drafts")
        select(alice, "an idea")

        expect(move).to_be_disabled()
        expect(remove).to_be_enabled()

    def test_of_a_deletion_that_ended_in_a_deadlock_the_author_reads_to_try_again(self, alice: Author) -> None:
        for number in range(2):
            alice.create(f"number {number}", in_minutes(60 + number))
        alice.stop_clock()
        alice.sign_in()
        alice.meets_a_deadlock_at("Remove")

        select(alice, "number 0", "number 1")
        alice.page.get_by_role("button", name="Delete selected").click()
        alice.do_at_once()

        expect(
            alice.page.get_by_text("The database could not do that just now. Try again in a moment.")
        ).to_be_visible()
        expect(alice.region("Pending").get_by_role("article")).to_have_count(2)


class TestAPointerThatMovesInTheLists:
    def test_delays_no_search(self, alice: Author) -> None:
        for text in ("about bread", "about books"):
            alice.create(text, in_minutes(60))
        alice.stop_clock()
        alice.sign_in()
        alice.page.mouse.move(*middle_of(alice.article("about books")))

        alice.page.get_by_role("searchbox", name="Search posts").fill("books")

        expect(alice.article("about bread")).to_have_count(0)

    def test_delays_no_selection(self, alice: Author) -> None:
        alice.create("to come", in_minutes(60))
        alice.stop_clock()
        alice.sign_in()
        alice.page.mouse.move(*middle_of(alice.article("to come")))

        alice.page.keyboard.press("s")

        expect(alice.article("to come").get_by_role("checkbox", name="Select")).to_be_attached()


def tomorrow_noon(author: Author) -> datetime:
    today = datetime.now(author.zone).replace(hour=12, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def post_at(author: Author, place: tuple[float, float]) -> str:
    """The text of the post at a place in the window."""
    ask = "([x, y]) => document.elementFromPoint(x, y)?.closest('article')?.textContent ?? ''"
    text: str = author.page.evaluate(ask, list(place))
    return text


def click_without_moving(author: Author) -> None:
    author.page.mouse.down()
    author.page.mouse.up()


def post_now(author: Author, text: str) -> None:
    """From here on no message of the page ends, and nothing goes out for minutes."""
    author.page.clock.install()
    author.sign_in()
    expect(author.region("Pending")).to_contain_text("No post is pending")
    author.page.clock.pause_at(in_minutes(5))
    author.text.fill(text)
    author.choose_instead_of_scheduling("Post now")
    expect(author.text).to_have_value("")


def keep_no_further_draft(author: Author) -> None:
    author.stack.graphql(KEEP_NO_DRAFT, {"name": author.name})


def messages(author: Author) -> Locator:
    return author.page.get_by_role("status", name="Messages")


def move_selected(author: Author, step: str) -> None:
    author.page.get_by_label("Move by").select_option(step)
    author.page.get_by_role("button", name="Move selected").click()


def middle_of(target: Locator) -> tuple[float, float]:
    box = target.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def moved_by(before: dict[str, str], after: dict[str, str]) -> timedelta:
    return datetime.fromisoformat(after["schedule_for"]) - datetime.fromisoformat(before["schedule_for"])


def select(author: Author, *texts: str) -> None:
    author.page.get_by_role("button", name="Select", exact=True).click()
    for text in texts:
        author.article(text).get_by_role("checkbox", name="Select").check()
