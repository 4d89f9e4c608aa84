"""Pausing and resuming the app: no post is attempted meanwhile, and what waited is published after it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from admin_commands import admin, said
from waiting import wait_until

from local.running_stack import RunningStack, started


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A pause holds all posts, so these tests share a stack with no others."""
    data: Path = tmp_path_factory.mktemp("paused")
    with started(data, "--poll-interval", "0.2") as stack:
        yield stack


@pytest.fixture
def stack(own_stack: RunningStack) -> Iterator[RunningStack]:
    yield own_stack
    admin(own_stack, "resume")


def state(stack: RunningStack, post_id: int) -> str:
    found = stack.graphql("query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state } }", {"id": post_id})
    return str(found["scheduled_post_by_pk"]["state"])


def due_now(stack: RunningStack, username: str, text: str) -> int:
    draft = {"text": text, "schedule_for": datetime.now(UTC).isoformat()}
    created = stack.create_post(stack.token(username), draft)
    assert created.status_code == 201
    return int(created.json()["insert_scheduled_post_one"]["id"])


def one_off_events_that_wait(stack: RunningStack) -> list[object]:
    events: list[object] = stack.metadata(
        "get_scheduled_events", {"type": "one_off", "status": ["scheduled", "locked"]}
    )["events"]
    return events


def test_a_paused_app_publishes_nothing_until_it_is_resumed(stack: RunningStack) -> None:
    assert said(stack, "pause", "--reason", "The database is being moved.") == (
        "The app is paused: no post is attempted before `make resume`.\nNo post is being sent.\n"
    )
    post = due_now(stack, "paula", "waits")
    wait_until(lambda: one_off_events_that_wait(stack), lambda events: not events)

    assert state(stack, post) == "scheduled"
    assert stack.tweets("paula") == []

    resumed = said(stack, "resume")
    assert "The app is no longer paused. It was paused until 8999-12-31" in resumed
    assert "The database is being moved." in resumed
    assert "Due by now: 1. Of these 0 are too late" in resumed
    stack.metadata(  # what the sweep does within a minute
        "create_scheduled_event",
        {
            "webhook": stack.urls["functions"] + "/api/postTweet",
            "schedule_at": datetime.now(UTC).isoformat(),
            "payload": {"id": post, "schedule_for": datetime.now(UTC).isoformat()},
            "headers": [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}],
        },
    )
    wait_until(lambda: state(stack, post), lambda now: now == "tweeted")
    assert [tweet["text"] for tweet in stack.tweets("paula")] == ["waits"]


def test_authors_see_the_reason_of_the_pause(stack: RunningStack) -> None:
    said(stack, "pause", "--reason", " Back at noon. ")

    [app] = stack.graphql("{ app { paused_reason paused_until } }", token=stack.token("paula"))["app"]

    assert app == {"paused_reason": "Back at noon.", "paused_until": "8999-12-31T00:00:00+00:00"}


@pytest.mark.parametrize("reason", ["", "  ", "a" * 201])
def test_a_reason_that_says_nothing_or_too_much_is_refused(stack: RunningStack, reason: str) -> None:
    refused = admin(stack, "pause", "--reason", reason)

    assert (refused.returncode, refused.stderr) == (1, "The reason must have 1 to 200 characters.\n")
    assert stack.graphql("{ app { paused_until } }")["app"] == [{"paused_until": None}]


def test_an_app_that_is_not_paused_needs_no_resuming(stack: RunningStack) -> None:
    assert said(stack, "resume") == "The app is not paused.\n"
