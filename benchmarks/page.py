"""How fast the page is for an author of many posts, and what an idle tab costs: ``python -m benchmarks.page``.

Measured in a Chromium of this machine against a stack of its own, with few posts and with many, as a table in
Markdown. Times are medians, in milliseconds.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from playwright.sync_api import Browser, CDPSession, Page, Request, expect

from local import browser as chromium
from local.running_stack import RunningStack, started

_ROUNDS = 5
_KEYSTROKES = 40
_FEW = 10

# A tenth failed, half is published, the rest is pending: an author of some years.
_WRITE_POSTS = """
with author as (
  select user_id, account_id from account_user join "user" on "user".id = user_id where username = %(author)s
), posts as (
  insert into scheduled_post (user_id, account_id, text, schedule_for)
  select user_id, account_id, 'Post number ' || number || ', about as long as people write: see example.com/' || number,
    now() + make_interval(hours => 6 * (number - %(posts)s * 6 / 10) + 3)
  from author, generate_series(1, %(posts)s) as number
  returning id, text, schedule_for, account_id
)
insert into post_attempt (post_id, number, account_id, text, started_at, finished_at, outcome, status_code, detail)
select id, 1, account_id, text, schedule_for, schedule_for + interval '80 ms', 'rejected', 403, 'X rejects this post.'
from posts where schedule_for < now()
"""
_END_THEM = [
    "update scheduled_post set state = 'sending', lease_until = now() + interval '1 min'"
    " where state = 'scheduled' and id in (select post_id from post_attempt)",
    "update scheduled_post set state = 'failed', lease_until = null, reason = 'X rejects this post.'"
    " where state = 'sending' and id % 6 = 0",
    # X's ids: milliseconds since its epoch, and 22 bits that tell those of one millisecond apart
    "update scheduled_post set state = 'tweeted', lease_until = null, tweet_id ="
    " ((extract(epoch from schedule_for + interval '80 ms') * 1000)::bigint - 1288834974657 << 22) + id"
    " where state = 'sending'",
    "update post_attempt set outcome = 'tweeted', status_code = 201, detail = 'X accepted it.'"
    " where post_id in (select id from scheduled_post where state = 'tweeted')",
]
_EDIT = """mutation ($id: bigint!, $text: String!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {text: $text}) { id }
}"""
_NEXT_PENDING = (
    """{ scheduled_post(where: {state: {_eq: "scheduled"}}, order_by: {schedule_for: asc}, limit: 1) { id } }"""
)

_OBSERVE_THE_LIST = """
window.listShown = new Promise((resolve) => new MutationObserver((_, observer) => {
  if (!document.querySelector("article")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
}).observe(document, { childList: true, subtree: true }));
"""
_FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
_OBSERVE_KEYSTROKES = """() => {
  window.keystrokes = [];
  document.addEventListener("keydown", (event) => requestAnimationFrame(() => setTimeout(() => {
    window.keystrokes.push(performance.now() - event.timeStamp);
  })), { capture: true });
}"""
_SHOWN_AT = """(text) => new Promise((resolve) => {
  const find = () => {
    const article = [...document.querySelectorAll("article")].find((one) => one.textContent.includes(text));
    if (article) requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
    return article;
  };
  if (!find()) {
    new MutationObserver((_, observer) => find() && observer.disconnect())
      .observe(document.body, { childList: true, characterData: true, subtree: true });
  }
})"""


# RFC 6455, 5.2: of frames of fewer than 126 bytes; what a client sends is masked.
_CLIENT_FRAME_HEADER = 6
_SERVER_FRAME_HEADER = 2

_SECONDS_AFTER_A_CHANGE = 10
"""Within them the page asks once more for changes: web/posts/live.js."""


@dataclass
class Traffic:
    """The page's queries to Hasura, and what goes over its socket."""

    queries: int = 0
    sent: int = 0
    received: int = 0

    def count(self, request: Request) -> None:
        sizes = request.sizes()
        self.queries += 1
        self.sent += sizes["requestHeadersSize"] + sizes["requestBodySize"]
        self.received += sizes["responseHeadersSize"] + sizes["responseBodySize"]

    def count_sent_frame(self, event: dict[str, Any]) -> None:
        self.sent += len(event["response"]["payloadData"]) + _CLIENT_FRAME_HEADER

    def count_received_frame(self, event: dict[str, Any]) -> None:
        self.received += len(event["response"]["payloadData"]) + _SERVER_FRAME_HEADER


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--posts", type=int, default=1000, help="how many posts the author has (1000)")
    parser.add_argument(
        "--idle-seconds", type=int, default=60, help="how long it is measured while nothing happens (60)"
    )
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="scheduled-posts-benchmark-") as data,
        chromium.launched() as browser,
        started(Path(data), "--rate-limit", "off", "--author-limits", "off") as stack,
    ):
        columns = {posts: _measured(stack, browser, posts, given.idle_seconds) for posts in (_FEW, given.posts)}
    _print_table(columns)


def _measured(stack: RunningStack, browser: Browser, posts: int, idle_seconds: int) -> dict[str, str]:
    author = f"author_of_{posts}"
    token = stack.token(author)
    _write_posts(stack.settings["PG_DATABASE_URL"], author, posts)
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        _sign_in(page, stack.urls["web"], author)
        return {
            **_loading(page),
            **_keystrokes(page),
            **_changes(page, stack, token),
            **_idle(page, stack.urls["hasura"], idle_seconds),
        }


def _write_posts(database_url: str, author: str, posts: int) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(_WRITE_POSTS, {"author": author, "posts": posts})
        for statement in _END_THEM:
            connection.execute(statement)


def _sign_in(page: Page, url: str, author: str) -> None:
    page.goto(url)
    page.get_by_role("textbox", name="Your name").fill(author)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("article").first).to_be_visible()


def _loading(page: Page) -> dict[str, str]:
    page.add_init_script(_OBSERVE_THE_LIST)
    first_paints, lists_shown = [], []
    for _ in range(_ROUNDS):
        page.reload()
        lists_shown.append(page.evaluate("window.listShown"))
        first_paints.append(page.evaluate(_FIRST_PAINT))
    return {
        "reload to first contentful paint": _milliseconds(first_paints),
        "reload to the list being painted": _milliseconds(lists_shown),
    }


def _keystrokes(page: Page) -> dict[str, str]:
    page.evaluate(_OBSERVE_KEYSTROKES)
    page.get_by_role("textbox", name="Post", exact=True).press_sequentially("x" * _KEYSTROKES, delay=50)
    taken = sorted(page.evaluate("window.keystrokes"))
    return {
        "a keystroke in the composer, to the next frame": _milliseconds(taken),
        "the slowest keystroke of twenty": _milliseconds(taken[-len(taken) // 20 :]),
    }


def _changes(page: Page, stack: RunningStack, token: str) -> dict[str, str]:
    """From the moment when Hasura has answered a change made elsewhere until the page has painted it."""
    [post] = stack.graphql(_NEXT_PENDING, token=token)["scheduled_post"]
    taken = []
    for number in range(_ROUNDS):
        text = f"changed elsewhere, {number}"
        stack.graphql(_EDIT, {"id": post["id"], "text": text}, token=token)
        changed_at = time.time()
        taken.append(page.evaluate(_SHOWN_AT, text) - changed_at * 1000)
    return {"a change made elsewhere, until it is painted": _milliseconds(taken)}


def _idle(page: Page, hasura: str, seconds: int) -> dict[str, str]:
    traffic = Traffic()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("Network.enable")
    session.on("Network.webSocketFrameSent", traffic.count_sent_frame)
    session.on("Network.webSocketFrameReceived", traffic.count_received_frame)

    def count(request: Request) -> None:
        if request.url.startswith(hasura) and request.method == "POST":
            traffic.count(request)

    page.wait_for_timeout(_SECONDS_AFTER_A_CHANGE * 1000)
    before = _busy_seconds(session)
    page.on("requestfinished", count)
    traffic.sent = traffic.received = 0
    page.wait_for_timeout(seconds * 1000)
    page.remove_listener("requestfinished", count)
    busy = _busy_seconds(session) - before
    per_minute = 60 / seconds
    return {
        "the browser's main thread is busy per idle second": _milliseconds([busy * 1000 / seconds]),
        "queries to Hasura per idle minute": f"{traffic.queries * per_minute:.0f}",
        "sent to Hasura per idle minute": f"{traffic.sent * per_minute / 1000:.1f} kB",
        "received from Hasura per idle minute": f"{traffic.received * per_minute / 1000:.1f} kB",
    }


def _busy_seconds(session: CDPSession) -> float:
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def _milliseconds(taken: Iterable[float]) -> str:
    return f"{median(taken):.0f} ms"


def _print_table(columns: Mapping[int, Mapping[str, str]]) -> None:
    print(f"| | {' | '.join(f'{posts:,} posts' for posts in columns)} |")
    print(f"| --- |{' ---: |' * len(columns)}")
    for row in next(iter(columns.values())):
        print(f"| {row} | {' | '.join(column[row] for column in columns.values())} |")


if __name__ == "__main__":
    main()
