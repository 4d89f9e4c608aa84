"""Starts the stack with fresh data, schedules one post, and shows each step until the post is published."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from local.running_stack import GraphQLFailed, RunningStack, StackFailed, started

AUTHOR = "alice"
TEXT = "Hello from the past: I was written five seconds ago."
AHEAD = timedelta(seconds=5)

_HASURAS_POLL = "10"
_TIMEOUT = timedelta(seconds=30)

_STATE = "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state reason } }"


class DidNotHappen(Exception):
    """The post was not published; the message says what happened instead."""


def main() -> None:
    """Ends with status 0 when the post was published, otherwise with the reason and all that the services printed."""
    argparse.ArgumentParser(prog="python -m local.demo", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="scheduled-posts-demo-") as directory:
        data = Path(directory) / "data"
        try:
            _demo(data)
        except StackFailed as failure:
            sys.exit(f"\n{failure}\nThe stack did not start.")
        except (DidNotHappen, GraphQLFailed, requests.RequestException) as failure:
            sys.exit(f"\n{(data / 'stack.log').read_text()}\n{failure}")
        except KeyboardInterrupt:
            sys.exit(130)


def _demo(data: Path) -> None:
    began = time.monotonic()
    print("Starting PostgreSQL, Hasura, the functions, X and the page ...", end=" ", flush=True)
    with started(data, "--poll-interval", _HASURAS_POLL) as stack:
        print(f"{time.monotonic() - began:.1f} s\n")
        token = stack.token(AUTHOR)
        _step(f"{AUTHOR} signs in")
        due = datetime.now(UTC) + AHEAD
        created = _schedule(stack, token, due)
        post_id = created["insert_scheduled_post_one"]["id"]
        _show_states(stack, token, post_id, until=due + _TIMEOUT)
        _show_delivery(stack, until=due + _TIMEOUT)
        _show_tweet(stack, due)


def _schedule(stack: RunningStack, token: str, due: datetime) -> dict[str, Any]:
    _step(f"{AUTHOR} writes a post for {_clock(due)}")
    answer = stack.create_post(token, {"text": TEXT, "schedule_for": due.isoformat()})
    if answer.status_code != 201:
        raise DidNotHappen(f"createPost answered {answer.status_code}: {answer.text}")
    created: dict[str, Any] = answer.json()
    if not created["scheduled_event"]:
        raise DidNotHappen("The post is stored, but its scheduled event could not be created.")
    post = created["insert_scheduled_post_one"]
    _step(f"createPost: 201, stored as post {post['id']}", "state " + post["state"])
    _step("createPost: scheduled event created", "event " + created["scheduled_event"]["event_id"])
    return created


def _show_states(stack: RunningStack, token: str, post_id: int, until: datetime) -> None:
    """Shows each state as the author sees it through GraphQL, up to ``tweeted``."""
    known = "scheduled"
    for post in _polled(lambda: stack.graphql(_STATE, {"id": post_id}, token)["scheduled_post_by_pk"], until):
        if post["state"] != known:
            known = post["state"]
            _step("GraphQL, read by the author", f"state {known}" + (f": {post['reason']}" if post["reason"] else ""))
        if known == "tweeted":
            return
        if known in {"failed", "missed"}:
            break
    raise DidNotHappen(f"The post is {known}, not tweeted.")


def _show_delivery(stack: RunningStack, until: datetime) -> None:
    """Shows the delivery that came early and waited; Hasura logs it after the answer."""
    for logs in _polled(lambda: stack.metadata("pg_get_event_invocation_logs", {"name": "delivery_requested"}), until):
        if logs:
            _step("Hasura's log: event delivered to postTweet", f"answer {logs[0]['http_status']}")
            return
    raise DidNotHappen("Hasura logged no delivery of an event.")


def _show_tweet(stack: RunningStack, due: datetime) -> None:
    [tweet] = stack.tweets(AUTHOR)
    late = datetime.fromisoformat(tweet["created_at"]) - due
    print(f"\n  @{tweet['username']}: {tweet['text']}")
    print(f"  published on X at {tweet['created_at']}, {late / timedelta(milliseconds=1):.0f} ms after its time")
    print(f"\n(Hasura polls its events every {_HASURAS_POLL} s. The delivery came early and waited.)")


def _polled(read: Callable[[], Any], until: datetime) -> Iterator[Any]:
    """What `read` returns, called again and again."""
    while datetime.now(UTC) < until:
        yield read()
        time.sleep(0.02)


def _step(what: str, detail: str = "") -> None:
    print(f"  {_clock(datetime.now(UTC))}  {what:<44}{detail}".rstrip(), flush=True)


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


if __name__ == "__main__":
    main()
