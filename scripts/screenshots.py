"""Takes the pictures of the README and the docs: ``python -m scripts.screenshots`` writes docs/pictures/*.png.

Everything in them is real: the posts are scheduled through the page's own APIs on a stack of its own, X has faults
where a picture shows a failure, and a Chromium of this machine renders the page.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Locator, Page, expect

from local import browser as chromium
from local.running_stack import RunningStack, started

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
AUTHOR = "ida_binds"
ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Auckland",
    "Australia/Perth",
    "Asia/Kolkata",
    "Europe/Vienna",
]
LANGUAGE = "en-US"  # the one that every Chromium has, also for its own date fields
DESKTOP = {"width": 1280, "height": 960}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}

PUBLISHED = [
    "The winter catalogue is up: https://example.com/winter",
    "Good morning from the workshop. Today: forty notebooks and one stubborn glue pot.",
]
REJECTED_FIRST = "A question I get every week: no, the marbled papers are never the same twice. That is the point."
REJECTED = "Four seats left for Saturday's Coptic binding course."
UNCLEAR = "Thread of the week: waxed linen, 18/3. It will outlast the paper it holds."
PENDING = [
    # (days from next Monday, time of day, text)
    (0, "08:30", "Monday's bench: three family Bibles, older than the railway, all in need of new spines."),
    (
        0,
        "17:00",
        "Evening course on Thursday is full. The waiting list is short and moves: https://example.com/courses",
    ),
    (1, "12:15", "Lunch break find: a receipt from 1911, pressed between pages 204 and 205. Two kilos of nails."),
    (2, "09:00", "Pocket planners for next year, bound in the offcuts of this one. Thirty of them, numbered."),
    (2, "18:30", "How to open a new book so that its spine lasts: a thread for everyone who gives books this winter."),
    (3, "10:00", "Advent idea: fold one signature a day, and on the 24th you bind the book 📖"),
    (4, "09:00", "The planners are half gone. https://example.com/planners"),
    (5, "09:30", "Doors open at ten, the kettle is on. See you at the course!"),
    (5, "16:00", "Ten people, ten books, no blood. What a Saturday."),
    (8, "12:00", "Behind the marbling: ox gall, carrageen, and patience."),
    (10, "09:00", "Last day to order before the holidays is the 15th."),
]
DRAFTS = [
    "Why old paper smells of vanilla (it is the lignin), and why new paper will not.",
    "Book repair at the school on the 12th: who brings glue?",
]
SLOTS = [(weekday, at) for weekday in range(1, 6) for at in ("09:00", "17:30")]
_ADD_DRAFT = """mutation ($text: String!) {
  insert_scheduled_post_one(object: {state: "draft", text: $text}) { id }
}"""
_ADD_SLOT = """mutation ($weekday: smallint!, $at: time!, $zone: String!) {
  insert_posting_slot_one(object: {weekday: $weekday, at: $at, time_zone: $zone}) { id }
}"""
_MOVE = """mutation ($id: bigint!, $to: timestamptz!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $to}) { id }
}"""
_STATE = "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state reason } }"
DRAFT = "Open house on Sunday: bring a book that falls apart, leave with one that does not. https://example.com/open"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument(
        "--into", type=Path, default=PICTURES, metavar="DIR", help="where to write them (docs/pictures)"
    )
    into = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    zone = _where_it_is_morning()
    with (
        tempfile.TemporaryDirectory(prefix="scheduled-posts-pictures-") as data,
        chromium.launched() as browser,
        started(Path(data), "--poll-interval", "0.05", "--author-limits", "off") as stack,
    ):
        _publish_a_morning(stack, zone)
        _take_pictures(_Camera(stack, browser, zone, into))


def _where_it_is_morning() -> ZoneInfo:
    """The pictures show a morning, whenever they are taken."""
    return min(map(ZoneInfo, ZONES), key=lambda zone: abs(datetime.now(zone).hour - 10))


def _take_pictures(camera: "_Camera") -> None:
    for scheme in ("light", "dark"):
        with camera.page(color_scheme=scheme) as page:
            _write_a_draft(page)
            camera.take(page, f"posts-{scheme}")
            _tab(page, "Sent")
            _unfold(page, REJECTED_FIRST)
            camera.take(page, f"published-{scheme}")
    with camera.page(**PHONE) as page:
        _write_a_draft(page)
        camera.take(page, "phone")
    with camera.page(**PHONE, color_scheme="dark") as page:
        page.get_by_role("region", name="Pending").evaluate("region => region.scrollIntoView()")
        camera.take(page, "phone-dark")
    with camera.page() as page:
        _turn_to_the_week_of_the_posts(_show(page, "Calendar"))
        camera.take(page, "calendar")
    with camera.page() as page:
        _show(page, "Settings")
        camera.take(page, "settings")
    with camera.page() as page:
        expect(_show(page, "Timeline").get_by_role("article").first).to_be_visible()
        camera.take(page, "timeline")
    with camera.page() as page:
        _set_fault(_show(page, "Developer tools"))
        camera.take(page, "developer-tools")


class _Camera:
    """Opens the page as the author sees it, and takes pictures of it."""

    def __init__(self, stack: RunningStack, browser: Browser, zone: ZoneInfo, into: Path) -> None:
        self._url = stack.urls["web"]
        self._browser = browser
        self._options = {"locale": LANGUAGE, "timezone_id": zone.key, "viewport": DESKTOP, "reduced_motion": "reduce"}
        self._into = into

    @contextmanager
    def page(self, **options: Any) -> Iterator[Page]:
        with self._browser.new_context(**{**self._options, **options}) as context:
            page = context.new_page()
            page.goto(self._url)
            page.get_by_role("textbox", name="Your name").fill(AUTHOR)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("article").filter(has_text=REJECTED)).to_be_visible()
            yield page

    def take(self, page: Page, name: str) -> None:
        path = self._into / f"{name}.png"
        page.mouse.move(0, 0)  # off what was pressed last
        page.screenshot(path=path, animations="disabled", caret="hide")
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB")


def _write_a_draft(page: Page) -> None:
    page.get_by_role("textbox", name="Post", exact=True).fill(DRAFT)


def _unfold(page: Page, text: str) -> None:
    page.get_by_role("article").filter(has_text=text).get_by_role("button", name="Details").click()


def _tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Lists").get_by_role("link", name=name).click()


def _show(page: Page, name: str) -> Locator:
    page.get_by_role("navigation", name="Views").get_by_role("link", name=name).click()
    view = page.get_by_role("region", name=name).first
    expect(view).to_be_visible()
    return view


def _turn_to_the_week_of_the_posts(calendar: Locator) -> None:
    first = calendar.get_by_role("button", name=PENDING[0][2][:20])
    if not first.is_visible():  # a week may begin on Sunday
        calendar.get_by_role("button", name="Next").click()
    first.scroll_into_view_if_needed()


def _set_fault(tools: Locator) -> None:
    tools.get_by_label("For whom").select_option(f"@{AUTHOR}")
    tools.get_by_role("button", name="Set fault").click()
    expect(tools.get_by_text("Remove all faults")).to_be_visible()
    expect(tools.get_by_role("region", name="Invocation logs").get_by_role("listitem").first).to_be_visible()


def _publish_a_morning(stack: RunningStack, zone: ZoneInfo) -> None:
    token = stack.token(AUTHOR)
    for text in DRAFTS:
        stack.graphql(_ADD_DRAFT, {"text": text}, token)
    for weekday, at in SLOTS:
        stack.graphql(_ADD_SLOT, {"weekday": weekday, "at": at, "zone": zone.key}, token)
    _schedule_all(stack, token, zone)
    for text in PUBLISHED:
        _publish(stack, token, text, "tweeted")
    stack.fail("403", username=AUTHOR)
    post_id = _publish(stack, token, REJECTED_FIRST, "failed")
    stack.graphql(_MOVE, {"id": post_id, "to": _now().isoformat()}, token)
    _wait_for_state(stack, token, post_id, "tweeted")
    stack.fail("duplicate", username=AUTHOR)
    _publish(stack, token, REJECTED, "failed")
    stack.fail("commit_then_503", username=AUTHOR)
    _publish(stack, token, UNCLEAR, "unknown")


def _schedule_all(stack: RunningStack, token: str, zone: ZoneInfo) -> None:
    today = datetime.now(zone).replace(second=0, microsecond=0)
    monday = today + timedelta(days=7 - today.weekday())
    for days, time_of_day, text in PENDING:
        hour, minute = map(int, time_of_day.split(":"))
        _create(stack, token, text, (monday + timedelta(days=days)).replace(hour=hour, minute=minute))


def _publish(stack: RunningStack, token: str, text: str, state: str) -> int:
    """Schedules a post for now, and waits until it is in the state; returns its id."""
    post_id = _create(stack, token, text, _now() + timedelta(milliseconds=500))
    _wait_for_state(stack, token, post_id, state)
    return post_id


def _create(stack: RunningStack, token: str, text: str, when: datetime) -> int:
    answer = stack.create_post(token, {"text": text, "schedule_for": when.isoformat()})
    answer.raise_for_status()
    post_id: int = answer.json()["insert_scheduled_post_one"]["id"]
    return post_id


def _wait_for_state(stack: RunningStack, token: str, post_id: int, state: str) -> None:
    deadline = time.monotonic() + 20
    while (post := stack.graphql(_STATE, {"id": post_id}, token)["scheduled_post_by_pk"])["state"] != state:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The post is {post['state']}, not {state}: {post['reason']}")
        time.sleep(0.05)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
