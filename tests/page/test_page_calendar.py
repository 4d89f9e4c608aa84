"""The calendar in a real browser: posts on their times, moved by drag and by keyboard."""

import functools
import re
from datetime import datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from page_author import Arrive, Author, entry_in_the_calendar, in_minutes, in_seconds
from playwright.sync_api import FloatRect, Locator, Page, expect
from waiting import wait_until

DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"
PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}
TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "is_mobile": True}


class Calendar:
    """The calendar of an author, opened at next week: whatever today is, its days are all to come."""

    def __init__(self, author: Author) -> None:
        author.set_clock(today(author.zone))
        self.author = author
        self.view = author.sign_in().show("calendar")
        self.press("Week")
        self.press("Next")

    def press(self, name: str) -> None:
        self.view.get_by_role("button", name=re.compile(f"^{name}")).first.click()

    def show_posts(self) -> None:
        """Goes on to the days that have posts, if none is in those that are shown."""
        jump = self.view.get_by_role("button", name=re.compile("^Go to"))
        if jump.is_visible():
            jump.click()

    def stop_clock(self) -> None:
        """From here on, timers of the page end in `clock.run_for` only."""
        self.author.page.clock.pause_at(today(self.author.zone) + timedelta(hours=1))

    def post(self, text: str) -> Locator:
        return self.view.get_by_role("button", name=re.compile(re.escape(text)))

    def announced(self) -> Locator:
        return self.view.locator("[aria-live]")


@functools.cache
def today(zone: ZoneInfo) -> datetime:
    """Noon in this zone. It stays so for all tests, also when midnight passes."""
    return datetime.now(zone).replace(hour=12, minute=0, second=0, microsecond=0)


def next_wednesday(zone: ZoneInfo) -> datetime:
    """Ten o'clock of next week's, in the author's zone."""
    return today(zone).replace(hour=10) + timedelta(days=7 - today(zone).weekday() + 2)


@pytest.fixture
def wednesday(alice: Author) -> datetime:
    return next_wednesday(alice.zone)


def time_of(author: Author, text: str) -> datetime:
    [post] = [post for post in author.posts() if post["text"] == text]
    return datetime.fromisoformat(post["schedule_for"])


class TestAWeek:
    def test_the_week_shows_a_post_at_its_time_with_its_state(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)

        post = Calendar(alice).post("midweek")

        expect(post).to_have_accessible_name(re.compile("10:00.*midweek"))

    def test_a_post_moved_elsewhere_keeps_the_focus_in_the_week(self, alice: Author, wednesday: datetime) -> None:
        post_id = alice.create("midweek", wednesday)
        post = Calendar(alice).post("midweek")
        post.focus()

        later = wednesday + timedelta(hours=2)
        alice.change(post_id, schedule_for=later.isoformat())

        expect(post).to_have_accessible_name(re.compile("12:00.*midweek"))
        expect(post).to_be_focused()

    def test_twelve_posts_of_one_minute_are_listed_as_rows(self, alice: Author, wednesday: datetime) -> None:
        for number in range(12):
            alice.create(f"number {number}", wednesday)
        calendar = Calendar(alice)
        button = calendar.view.get_by_role("button", name=re.compile(r"\d+ (more|posts)"))

        button.click()

        rows = alice.page.get_by_role("group", name="Posts at this time").get_by_role("link")
        expect(rows.last).to_be_visible()
        shown = calendar.view.locator(".entry")
        assert rows.count() + shown.count() == 12
        assert [box_of(one)["width"] >= 44 and box_of(one)["height"] >= 44 for one in shown.all()] == [
            True
        ] * shown.count()

    @pytest.mark.parametrize("width", [1280, 375])
    def test_no_post_covers_another(self, arrive: Arrive, width: int) -> None:
        author = arrive(viewport={"width": width, "height": 800})
        day = next_wednesday(author.zone)
        for minutes in (0, 20, 40, 50, 70, 100):
            author.create(f"at {minutes}", day + timedelta(minutes=minutes))
        calendar = Calendar(author)
        calendar.show_posts()  # a phone shows three days
        shown = calendar.view.locator(".day-column > *")
        expect(shown.first).to_be_visible()

        boxes = [box_of(one) for one in shown.all()]

        assert [(one, other) for one, other in combinations(boxes, 2) if overlap(one, other)] == []

    def test_a_click_on_a_free_place_begins_a_post_at_that_time(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        calendar = Calendar(alice)
        box = box_of(calendar.post("midweek"))

        alice.page.mouse.click(box["x"] + 10, box["y"] + box["height"] + 8)

        expect(alice.page.get_by_role("dialog", name="New post")).to_be_visible()
        expect(alice.text).to_be_focused()
        expect(alice.when).to_have_value(re.compile(f"{wednesday:%Y-%m-%d}T11:"))

    def test_a_post_is_moved_in_its_card_without_a_drag(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        Calendar(alice).post("midweek").click()
        card = alice.page.get_by_role("group", name="Post", exact=True)

        card.get_by_role("button", name="Move").click()
        card.get_by_role("button", name="1 hour later").click()
        card.get_by_role("button", name="Save").click()

        wait_until(lambda: time_of(alice, "midweek"), lambda time: time == wednesday + timedelta(hours=1))


class TestTheCardOfAPost:
    def test_an_edit_is_there_again_when_the_card_was_left_with_escape(
        self, alice: Author, wednesday: datetime
    ) -> None:
        alice.create("midweek", wednesday)
        post = Calendar(alice).post("midweek")
        field = start_to_edit(post)
        field.fill("carefully worded")

        field.press("Escape")
        expect(field).to_be_hidden()
        post.click()

        expect(field).to_have_value("carefully worded")

    def test_an_edit_is_there_again_after_the_card_of_another_post(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        alice.create("another", wednesday + timedelta(hours=2))
        calendar = Calendar(alice)
        field = start_to_edit(calendar.post("midweek"))
        field.fill("carefully worded")

        calendar.post("another").click()
        expect(card_of(alice.page)).to_contain_text("another")
        expect(field).to_have_count(0)
        calendar.post("midweek").click()

        expect(field).to_have_value("carefully worded")
        card_of(alice.page).get_by_role("button", name="Save").click()
        expect(calendar.post("carefully worded")).to_be_visible()

    def test_an_edit_of_a_post_that_is_deleted_elsewhere_says_so_and_keeps_the_text(
        self, alice: Author, wednesday: datetime
    ) -> None:
        post_id = alice.create("midweek", wednesday)
        field = start_to_edit(Calendar(alice).post("midweek"))
        field.fill("carefully worded")

        alice.graphql(DELETE, id=post_id)

        expect(card_of(alice.page)).to_contain_text("This post was deleted. Copy your text")
        expect(field).to_have_value("carefully worded")

    def test_an_edit_in_a_closed_card_can_be_copied_when_its_post_is_deleted_elsewhere(
        self, alice: Author, wednesday: datetime
    ) -> None:
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        post_id = alice.create("midweek", wednesday)
        field = start_to_edit(Calendar(alice).post("midweek"))
        field.fill("carefully worded")
        field.press("Escape")
        expect(field).to_be_hidden()

        alice.graphql(DELETE, id=post_id)

        copy_text(alice.page).click()
        read = functools.partial(alice.page.evaluate, "navigator.clipboard.readText()")
        wait_until(read, lambda text: text == "carefully worded")

    def test_an_edit_of_a_deleted_post_can_be_copied_when_the_card_is_closed(
        self, alice: Author, wednesday: datetime
    ) -> None:
        post_id = alice.create("midweek", wednesday)
        field = start_to_edit(Calendar(alice).post("midweek"))
        field.fill("carefully worded")
        alice.graphql(DELETE, id=post_id)
        expect(card_of(alice.page)).to_contain_text("This post was deleted. Copy your text")

        field.press("Escape")

        expect(copy_text(alice.page)).to_be_visible()

    def test_a_card_stays_open_when_an_edit_in_that_of_another_post_is_saved(
        self, alice: Author, wednesday: datetime
    ) -> None:
        alice.create("midweek", wednesday)
        alice.create("another", wednesday + timedelta(hours=2))
        calendar = Calendar(alice)
        start_to_edit(calendar.post("midweek")).fill("carefully worded")
        held = alice.waits_at("EditText")
        calendar.stop_clock()
        card_of(alice.page).get_by_role("button", name="Save").click()
        alice.wait_until(lambda: held)
        alice.page.keyboard.press("Escape")
        field = start_to_edit(calendar.post("another"))
        field.fill("half a")

        held[0].continue_()

        expect(calendar.post("carefully worded")).to_be_attached()
        field.press_sequentially(" word")
        expect(field).to_have_value("half a word")


def card_of(page: Page) -> Locator:
    return page.get_by_role("group", name="Post", exact=True)


def copy_text(page: Page) -> Locator:
    return page.get_by_role("status", name="Messages").get_by_role("button", name="Copy text")


def start_to_edit(post: Locator) -> Locator:
    """The field in which the text of a post is edited in its card."""
    post.click()
    card = card_of(post.page)
    card.get_by_role("button", name="Edit").click()
    return card.get_by_role("textbox", name="Text")


def box_of(target: Locator) -> FloatRect:
    box = target.bounding_box()
    assert box
    return box


def overlap(one: FloatRect, other: FloatRect) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


class TestMovingByKeyboard:
    def test_keys_pick_a_post_up_move_it_and_drop_it(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        post = Calendar(alice).post("midweek")

        for key in ("Enter", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
            post.press(key)

        moved_by = timedelta(days=1, minutes=30)
        wait_until(lambda: time_of(alice, "midweek"), lambda time: time == wednesday + moved_by)
        expect(post).to_be_focused()

    def test_escape_cancels_moving_a_post_by_keyboard(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        post = Calendar(alice).post("midweek")
        for pressed in ("Enter", "ArrowRight", "Escape"):
            post.press(pressed)

        expect(post).to_have_accessible_name(re.compile("Wed.*10:00"))
        assert time_of(alice, "midweek") == wednesday

    def test_each_step_by_keyboard_is_announced_to_screen_readers(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        calendar = Calendar(alice)

        calendar.post("midweek").press("Enter")
        calendar.post("midweek").press("ArrowRight")

        expect(calendar.announced()).to_contain_text(re.compile("Thu.*10:00"))


class TestMovingToThePast:
    def test_leaving_the_calendar_answers_the_question_with_no(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        calendar = Calendar(alice)
        post = calendar.post("midweek")
        for key in ("Enter", *["ArrowLeft"] * 10, "Enter"):
            post.press(key)
        question = alice.page.get_by_role("dialog", name=re.compile("has passed"))
        expect(question).to_be_visible()

        alice.page.go_back()

        expect(question).to_be_hidden()
        alice.page.go_forward()
        calendar.press("Go to")
        expect(post).to_have_accessible_name(re.compile("Wed.*10:00, Scheduled"))
        assert time_of(alice, "midweek") == wednesday


class TestMovingByDrag:
    def test_a_post_dragged_to_another_day_keeps_its_time_of_day(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        post = Calendar(alice).post("midweek")

        drag(post, to_the_right=day_width(post))

        wait_until(lambda: time_of(alice, "midweek"), lambda time: time == wednesday + timedelta(days=1))

    def test_a_move_in_the_calendar_can_be_undone(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        calendar = Calendar(alice)
        post = calendar.post("midweek")
        calendar.stop_clock()
        drag(post, to_the_right=day_width(post))

        alice.undo_button.click()

        expect(post).to_have_accessible_name(re.compile("Wed.*10:00"))
        wait_until(lambda: time_of(alice, "midweek"), lambda time: time == wednesday)

    def test_a_post_held_at_the_side_goes_to_the_next_week(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)
        calendar = Calendar(alice)
        post, mouse = calendar.post("midweek"), alice.page.mouse
        post.scroll_into_view_if_needed()
        grid, start = box_of(calendar.view.get_by_role("region", name="Hours")), box_of(post)
        title = calendar.view.get_by_role("heading", level=2)
        shown = title.inner_text()
        calendar.stop_clock()

        mouse.move(start["x"] + 20, start["y"] + 5)
        mouse.down()
        mouse.move(grid["x"] + grid["width"] - 4, start["y"] + 5, steps=8)
        alice.page.clock.run_for(800)  # longer than until it turns, less than until it turns again
        expect(title).not_to_have_text(shown)
        mouse.move(start["x"] + 20, start["y"] + 5, steps=4)
        mouse.up()

        wait_until(lambda: time_of(alice, "midweek"), lambda time: time == wednesday + timedelta(days=7))

    def test_a_refused_move_puts_the_post_back_and_says_why(self, alice: Author, wednesday: datetime) -> None:
        post_id = alice.create("midweek", wednesday)
        calendar = Calendar(alice)
        post = calendar.post("midweek")
        expect(post).to_be_visible()
        alice.is_sent_before_the_next("Move", post_id)

        drag(post, to_the_right=day_width(post))

        expect(calendar.view.get_by_text("being published just now").first).to_be_visible()
        assert time_of(alice, "midweek") == wednesday


def day_width(post: Locator) -> float:
    """The distance between two days in the week that shows `post`."""
    week = post.locator("xpath=ancestor::*[@role='grid' or self::table][1]")
    box = week.bounding_box()
    assert box
    return box["width"] / 7


def drag(post: Locator, to_the_right: float) -> None:
    """Drags with a mouse, in steps, as a hand does."""
    post.scroll_into_view_if_needed()
    box = post.bounding_box()
    assert box
    mouse = post.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + 5
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + to_the_right, y, steps=8)
    mouse.up()


class TestMovingByTouch:
    @pytest.mark.parametrize("kind", ["Week", "Month"])
    def test_taps_move_a_post_in_its_card(self, arrive: Arrive, kind: str) -> None:
        author = arrive(**PHONE)
        wednesday = next_wednesday(author.zone)
        author.create("midweek", wednesday)
        calendar = Calendar(author)
        calendar.view.get_by_role("button", name=kind, exact=True).tap()
        calendar.press("Today")  # from there a phone goes on to the three days that begin with the post's
        calendar.show_posts()

        calendar.post("midweek").tap()
        card = author.page.get_by_role("group", name="Post", exact=True)
        card.get_by_role("button", name="Move").tap()
        card.get_by_role("button", name="1 day later").tap()
        card.get_by_role("button", name="Save").tap()

        wait_until(lambda: time_of(author, "midweek"), lambda time: time == wednesday + timedelta(days=1))
        expect(calendar.post("midweek")).to_have_accessible_name(re.compile("Thu.*10:00"))

    def test_a_finger_that_holds_a_post_drags_it_to_another_day(self, arrive: Arrive) -> None:
        author = arrive(**TABLET)
        wednesday = next_wednesday(author.zone)
        author.create("midweek", wednesday)
        post = Calendar(author).post("midweek")
        finger = Finger(post)

        finger.press()
        expect(post).to_have_attribute("data-status", "dragged")
        finger.move(day_width(post))
        finger.lift()

        wait_until(lambda: time_of(author, "midweek"), lambda time: time == wednesday + timedelta(days=1))
        expect(author.page.get_by_role("group", name="Post", exact=True)).to_be_hidden()

    def test_a_finger_that_moves_at_once_scrolls_and_moves_no_post(self, arrive: Arrive) -> None:
        author = arrive(**TABLET)
        wednesday = next_wednesday(author.zone)
        author.create("midweek", wednesday)
        calendar = Calendar(author)
        post, hours = calendar.post("midweek"), calendar.view.get_by_role("region", name="Hours")
        post.scroll_into_view_if_needed()
        before: float = hours.evaluate("element => element.scrollTop")
        calendar.stop_clock()
        finger = Finger(post)

        finger.press()
        finger.move(0, 120)
        finger.lift()

        wait_until(lambda: hours.evaluate("element => element.scrollTop"), lambda after: after < before)
        expect(post).to_have_attribute("data-status", "")
        assert time_of(author, "midweek") == wednesday

    def test_the_calendar_says_what_a_finger_can_do(self, arrive: Arrive) -> None:
        calendar = Calendar(arrive(**PHONE))

        expect(calendar.view.get_by_text("Tap a free place to write there")).to_be_visible()
        expect(calendar.view.get_by_text("Drag a post to move it")).to_be_hidden()


class Finger:
    """A finger on a touch screen, at a post of the calendar."""

    def __init__(self, post: Locator) -> None:
        post.scroll_into_view_if_needed()
        box = box_of(post)
        self._session = post.page.context.new_cdp_session(post.page)
        self._x, self._y = box["x"] + box["width"] / 2, box["y"] + 8

    def press(self) -> None:
        self._send("touchStart", [{"x": self._x, "y": self._y}])

    def move(self, to_the_right: float, down: float = 0) -> None:
        """In steps, as a hand does."""
        for step in range(1, 9):
            self._send("touchMove", [{"x": self._x + to_the_right * step / 8, "y": self._y + down * step / 8}])

    def lift(self) -> None:
        self._send("touchEnd", [])

    def _send(self, kind: str, points: list[dict[str, float]]) -> None:
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


class TestAMonth:
    def test_a_full_day_of_the_month_shows_the_number_of_other_posts(self, alice: Author, wednesday: datetime) -> None:
        for number in range(6):
            alice.create(f"number {number}", wednesday + timedelta(hours=number))
        calendar = Calendar(alice)

        calendar.press("Month")

        expect(calendar.view.get_by_text(re.compile(r"\+\d+ more"))).to_be_visible()

    def test_a_click_on_today_in_the_afternoon_begins_a_post_at_the_next_quarter_of_an_hour(
        self, alice: Author
    ) -> None:
        alice.page.route("**/config.json?*", lambda route: route.fulfill(json={}))  # without the server's time
        alice.page.clock.install(time=datetime.now(alice.zone).replace(hour=15, minute=7))
        view = alice.sign_in().show("calendar")
        view.get_by_role("button", name="Month").click()

        view.locator("td[data-today=true]").click(position={"x": 8, "y": 60})

        expect(alice.when).to_have_value(re.compile("T15:15"))

    def test_today_is_that_of_the_servers_clock(self, alice: Author) -> None:
        alice.page.clock.install(time=in_minutes(-33 * 24 * 60))
        alice.sign_in()
        expect(alice.page.get_by_text("This device's clock is 33 days behind.")).to_be_visible()
        view = alice.show("calendar")
        before = datetime.now(alice.zone)
        view.get_by_role("button", name="Month").click()

        today = view.locator("td[data-today=true] time")

        expect(today).to_have_attribute(
            "datetime", re.compile(f"{before:%Y-%m-%d}|{datetime.now(alice.zone):%Y-%m-%d}")
        )

    def test_a_post_moved_over_a_change_of_the_clocks_keeps_its_time_of_day(self, arrive: Arrive) -> None:
        author = arrive(timezone_id="America/New_York")
        saturday = next_change_of_clocks(author.zone) - timedelta(days=1)
        author.create("same hour", saturday)
        calendar = Calendar(author)
        calendar.press("Month")
        calendar.show_posts()

        for key in ("Enter", "ArrowDown", "Enter"):
            calendar.post("same hour").press(key)

        wait_until(
            lambda: time_of(author, "same hour").astimezone(author.zone).replace(tzinfo=None),
            lambda time: time == saturday.replace(tzinfo=None) + timedelta(days=7),
        )


def next_change_of_clocks(zone: ZoneInfo) -> datetime:
    """Nine o'clock on the next day, two days or more from now, that is longer or shorter than others."""
    day = today(zone).replace(hour=9) + timedelta(days=2)
    while day.utcoffset() == (day - timedelta(days=1)).utcoffset():
        day += timedelta(days=1)
    return day


class TestAPostThatCannotBeMoved:
    def test_the_calendar_says_why_a_published_post_cannot_be_moved(self, alice: Author) -> None:
        alice.create("out already", in_seconds(0.5))
        alice.post_once("out already", "tweeted")
        view = alice.sign_in().show("calendar")

        entry_in_the_calendar(view, "out already").press("Enter")

        expect(view.get_by_text("published").first).to_be_visible()

    def test_a_double_click_shows_the_post_in_the_list(self, alice: Author, wednesday: datetime) -> None:
        alice.create("midweek", wednesday)

        Calendar(alice).post("midweek").dblclick()

        expect(alice.article("midweek")).to_be_in_viewport()
