"""What three jobs at the page take, in clicks and seconds: ``python -m benchmarks.jobs`` prints a table in Markdown.

A Chromium of this machine does each with a mouse and a keyboard, from the open page, against a stack of its own. It
makes no pauses: its seconds are those in which the page and the servers work. The seconds of a person are estimated
from the clicks and keys, by the keystroke-level model of Card, Moran and Newell (1980).
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Locator, Page, expect

from local import browser as chromium
from local.running_stack import RunningStack, started

_POINT_AND_PRESS = 1.1 + 0.2
_KEY = 0.28  # of an average typist
_TO_THE_OTHER_HAND = 0.4
_THINK = 1.35  # before each click and each field

_ADD_SLOT = """mutation ($weekday: smallint!) {
  insert_posting_slot_one(object: {weekday: $weekday, at: "09:00", time_zone: "UTC"}) { id }
}"""
_STATES = "{ scheduled_post { state } }"
_TEXT = "Doors open at ten, the kettle is on."


class Hand:
    """Does what a person does with a mouse and a keyboard, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = self.fields = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def type(self, text: str) -> None:
        """Into the field that has the focus."""
        self.page.keyboard.type(text)
        self.keys += len(text)
        self.fields += 1

    def seconds_of_a_person(self) -> float:
        """As the keystroke-level model estimates them."""
        steps = self.clicks + self.fields
        return steps * _THINK + self.clicks * _POINT_AND_PRESS + self.keys * _KEY + 2 * self.fields * _TO_THE_OTHER_HAND


Job = Callable[[Hand], None]


def write_for_the_next_posting_time(hand: Hand) -> None:
    """Write a post and schedule it for the next posting time."""
    hand.click(hand.page.get_by_role("textbox", name="Post", exact=True))
    hand.type(_TEXT)
    hand.click(hand.page.get_by_role("button", name="Schedule", exact=True))
    expect(hand.page.get_by_role("region", name="Pending").get_by_text(_TEXT)).to_be_visible()


def move_tomorrows_post_an_hour(hand: Hand) -> None:
    """Move tomorrow's post an hour."""
    post = hand.page.get_by_role("article").filter(has_text="of tomorrow")
    hand.click(post.get_by_role("button", name="Move", exact=True))
    hand.click(post.get_by_role("button", name="1 hour later"))
    hand.click(post.get_by_role("button", name="Save", exact=True))
    expect(post.get_by_role("button", name="Save", exact=True)).to_have_count(0)


def try_a_failed_post_again(hand: Hand) -> None:
    """Find out why a post failed, and send it again."""
    post = hand.page.get_by_role("region", name="Failed").get_by_role("article").filter(has_text="refused")
    expect(post.get_by_text("X rejects").or_(post.get_by_text("X rejected")).first).to_be_visible()
    hand.click(post.get_by_role("button", name="Try again", exact=True))
    expect(hand.page.get_by_role("status", name="Messages").get_by_text("Trying again")).to_be_visible()


JOBS: list[Job] = [write_for_the_next_posting_time, move_tomorrows_post_an_hour, try_a_failed_post_again]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is done, by another author (5)")
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory(prefix="scheduled-posts-jobs-") as data,
        chromium.launched() as browser,
        started(Path(data), "--author-limits", "off") as stack,
    ):
        print("| | clicks | keys | seconds of the page | estimated seconds of a person |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for job in JOBS:
            print(_row(job, [_measured(stack, browser, job, number) for number in range(rounds)]))


def _measured(stack: RunningStack, browser: Browser, job: Job, number: int) -> tuple[Hand, float]:
    """The hand that did the job, and how many seconds it took."""
    author = f"job{JOBS.index(job)}_{number}"
    _write_posts(stack, author)
    with browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC") as context:
        page = context.new_page()
        page.goto(stack.urls["web"])
        page.get_by_role("textbox", name="Your name").fill(author)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("article").filter(has_text="refused")).to_be_visible()
        hand = Hand(page)
        begin = time.monotonic()
        job(hand)
        return hand, time.monotonic() - begin


def _write_posts(stack: RunningStack, author: str) -> None:
    """A post that failed, one of tomorrow and thirty of the days after, and a posting time each day."""
    token = stack.token(author)
    for weekday in range(1, 8):
        stack.graphql(_ADD_SLOT, {"weekday": weekday}, token)
    stack.fail("403", username=author)
    _create(stack, token, "refused", datetime.now(UTC))
    deadline = time.monotonic() + 20
    while stack.graphql(_STATES, token=token)["scheduled_post"] != [{"state": "failed"}]:
        if time.monotonic() > deadline:
            raise TimeoutError("The post did not fail within 20 s.")
        time.sleep(0.05)
    _create(stack, token, "of tomorrow", datetime.now(UTC) + timedelta(days=1))
    for number in range(30):
        _create(stack, token, f"number {number}", datetime.now(UTC) + timedelta(days=2, hours=12 * number))


def _create(stack: RunningStack, token: str, text: str, when: datetime) -> None:
    stack.create_post(token, {"text": text, "schedule_for": when.isoformat()}).raise_for_status()


def _row(job: Job, measured: list[tuple[Hand, float]]) -> str:
    hand = measured[0][0]
    seconds = median(taken for _, taken in measured)
    title = (job.__doc__ or "").rstrip(".").lower()
    return f"| {title} | {hand.clicks} | {hand.keys} | {seconds:.1f} | {hand.seconds_of_a_person():.0f} |"


if __name__ == "__main__":
    main()
