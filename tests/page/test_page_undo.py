"""What can be undone in a real browser: publishing now, deleting, moving; and that nothing moves under a pointer."""

from datetime import datetime, timedelta

from page_author import Author, in_minutes
from playwright.sync_api import Locator, expect
from waiting import wait_until

LONGER_THAN_TO_UNDO = 6_000  # milliseconds


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
        alice.page.clock.install()
        alice.sign_in()
        expect(alice.region("Pending")).to_contain_text("No post is pending")
        alice.page.clock.pause_at(in_minutes(1))  # from here on no message ends, and nothing goes out for a minute
        alice.text.fill("too fast")
        alice.choose_instead_of_scheduling("Post now")
        expect(alice.text).to_have_value("")
        alice.text.fill("the next one")

        alice.undo_button.click()

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("It is among your drafts")
        expect(alice.text).to_have_value("the next one")
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("too fast", "draft")]

    def test_what_is_begun_while_a_post_is_taken_back_stays_and_the_post_is_a_draft(self, alice: Author) -> None:
        alice.page.clock.install()
        alice.sign_in()
        expect(alice.region("Pending")).to_contain_text("No post is pending")
        alice.page.clock.pause_at(in_minutes(1))
        alice.text.fill("too fast")
        alice.choose_instead_of_scheduling("Post now")
        expect(alice.text).to_have_value("")
        held = alice.waits_at("Remove")
        alice.undo_button.click()
        alice.wait_until(lambda: held)
        alice.text.fill("the next one")

        held[0].continue_()

        expect(alice.page.get_by_role("status", name="Messages")).to_contain_text("It is among your drafts")
        expect(alice.text).to_have_value("the next one")
        assert [(post["text"], post["state"]) for post in alice.posts()] == [("too fast", "draft")]


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

        expect(alice.article("regretted")).to_have_count(0)
        assert alice.posts() == []

    def test_a_post_that_would_go_out_before_it_is_deleted_is_deleted_at_once(self, alice: Author) -> None:
        alice.create("just in time", in_minutes(60))
        alice.stop_clock(in_minutes(59.95))
        alice.sign_in()

        alice.button("just in time", "Delete").click()

        wait_until(alice.posts, lambda posts: posts == [])

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
    def test_many_posts_are_moved_by_the_same_length_of_time(self, alice: Author) -> None:
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

    def test_of_a_deletion_that_ended_in_a_deadlock_the_author_reads_to_try_again(self, alice: Author) -> None:
        for number in range(2):
            alice.create(f"number {number}", in_minutes(60 + number))
        alice.sign_in()
        alice.meets_a_deadlock_at("Remove")

        select(alice, "number 0", "number 1")
        alice.page.get_by_role("button", name="Delete selected").click()
        alice.do_at_once()

        expect(
            alice.page.get_by_text("The database could not do that just now. Try again in a moment.")
        ).to_be_visible()
        expect(alice.region("Pending").get_by_role("article")).to_have_count(2)


def middle_of(target: Locator) -> tuple[float, float]:
    box = target.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def moved_by(before: dict[str, str], after: dict[str, str]) -> timedelta:
    return datetime.fromisoformat(after["schedule_for"]) - datetime.fromisoformat(before["schedule_for"])


def select(author: Author, *texts: str) -> None:
    author.page.get_by_role("button", name="Select", exact=True).click()
    for text in texts:
        author.page.mouse.move(0, 0)  # the rows do not change while a pointer is at work in the lists
        author.article(text).get_by_role("checkbox", name="Select").check()
    author.page.mouse.move(0, 0)
