"""The reconciliation after a restore: what it asks X, what it records, and what it says when it could not."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from admin_commands import admin, said
from waiting import wait_until

from admin.reconcile import RECORD_FOUND_TWEET
from local.running_stack import RunningStack, started


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A reconciliation is about all posts, so these tests share a stack with no others."""
    with started(tmp_path_factory.mktemp("reconciling"), "--poll-interval", "0.2") as stack:
        yield stack


@pytest.fixture
def stack(own_stack: RunningStack) -> Iterator[RunningStack]:
    """Not paused, without posts of earlier tests, and an X that works."""
    yield own_stack
    admin(own_stack, "resume")
    sql(own_stack, "delete from scheduled_post")
    own_stack._http.delete(f"{own_stack.urls['x']}/_local/fail").raise_for_status()


def sql(stack: RunningStack, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def published(stack: RunningStack, username: str, text: str) -> str:
    """Publishes a text, and removes its row: what is left of a post that was created after a backup. The tweet's id."""
    draft = {"text": text, "schedule_for": datetime.now(UTC).isoformat()}
    assert stack.create_post(stack.token(username), draft).status_code == 201
    [(tweet_id,)] = wait_until(
        lambda: sql(stack, "select tweet_id from scheduled_post where text = %s and tweet_id is not null", text), bool
    )
    sql(stack, "delete from scheduled_post where tweet_id = %s", tweet_id)
    return str(tweet_id)


def restored(stack: RunningStack, username: str, text: str, at: timedelta = timedelta()) -> int:
    """A row as it was at the backup: scheduled, never attempted. `at`: its time, from now. Its id."""
    stack.token(username)
    [(post_id,)] = sql(
        stack,
        'insert into scheduled_post (user_id, text, schedule_for) select id, %s, now() + %s from "user"'
        " where username = %s returning id",
        text, at, username,
    )  # fmt: skip
    return int(post_id)


def row(stack: RunningStack, post_id: int) -> dict[str, Any]:
    found: dict[str, Any] = stack.graphql(
        "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state tweet_id reason reconcile_at"
        " post_attempts(order_by: {number: asc}) { outcome detail text x_user_id } } }",
        {"id": post_id},
    )["scheduled_post_by_pk"]
    return found


def pause(stack: RunningStack) -> None:
    said(stack, "pause", "--reason", "The database was restored from a backup.")


def since(stopped: timedelta = timedelta(minutes=-7)) -> tuple[str, ...]:
    """The options of a backup ten minutes ago, and of a Hasura that stopped so long after now."""
    backup, stop = (datetime.now(UTC) + wait for wait in (timedelta(minutes=-10), stopped))
    return ("--since", backup.isoformat(timespec="minutes"), "--stopped-at", stop.isoformat())


def test_a_post_that_x_has_is_recorded_with_the_tweet_and_its_log_says_so(stack: RunningStack) -> None:
    tweet_id = published(stack, "rita", "out already")
    pause(stack)
    post = restored(stack, "rita", "out already")

    words = said(stack, "reconcile", *since())

    assert f"post {post} (scheduled) is on X as {tweet_id} of @rita: recorded.\n" in words
    assert words.endswith("On X: 1. Left to their authors: 0. Not on X: 0.\n")
    found = row(stack, post)
    [attempt] = found.pop("post_attempts")
    assert found == {"state": "tweeted", "tweet_id": tweet_id, "reason": None, "reconcile_at": None}
    assert attempt.pop("x_user_id").isdigit()
    assert attempt == {
        "outcome": "tweeted", "detail": "It was found on X after a restore from a backup.", "text": "out already",
    }  # fmt: skip


def test_what_is_recorded_once_is_not_looked_for_again(stack: RunningStack) -> None:
    published(stack, "rita", "only once")
    pause(stack)
    restored(stack, "rita", "only once")
    said(stack, "reconcile", *since())

    assert said(stack, "reconcile", *since()).endswith("On X: 0. Left to their authors: 0. Not on X: 0.\n")


def test_a_dry_run_says_the_same_and_records_nothing(stack: RunningStack) -> None:
    tweet_id = published(stack, "ruby", "dry")
    pausing = "update account set paused_until = now() + interval '1 hour' where account_name = 'ruby' returning id"
    sql(stack, pausing)  # the app is not paused, and a command takes its time
    post = restored(stack, "ruby", "dry")

    words = said(stack, "reconcile", *since(), "--dry-run")

    assert f"post {post} (scheduled) is on X as {tweet_id} of @ruby: it would be recorded.\n" in words
    assert row(stack, post)["state"] == "scheduled"


def test_it_refuses_to_record_while_posts_are_published(stack: RunningStack) -> None:
    refused = admin(stack, "reconcile", *since())

    assert refused.returncode == 1
    assert refused.stderr == "The app must be paused meanwhile, or posts are published twice: `make pause` first.\n"


def test_a_post_that_x_does_not_have_stays_scheduled(stack: RunningStack) -> None:
    pause(stack)
    due, coming = restored(stack, "rosa", "not yet"), restored(stack, "rosa", "tomorrow", at=timedelta(days=1))

    words = said(stack, "reconcile", *since())

    assert re.search(rf"post {due} \(scheduled, due .*Z\) is not on X\.", words)
    assert f"post {coming}" not in words
    assert words.endswith("On X: 0. Left to their authors: 0. Not on X: 2.\n")
    assert [row(stack, post)["state"] for post in (due, coming)] == ["scheduled", "scheduled"]


def test_a_post_that_may_be_on_x_with_another_text_waits_for_its_author(stack: RunningStack) -> None:
    tweet_id = published(stack, "rob", "edited since")
    pause(stack)
    post = restored(stack, "rob", "as it was")

    words = said(stack, "reconcile", *since())

    assert f"has a tweet since its time that no post has ({tweet_id})" in words
    assert "its author decides.\n" in words
    found = row(stack, post)
    assert (found["state"], found["reconcile_at"]) == ("unknown", None)
    assert "Check the account on X; move the post to have it published." in found["reason"]
    said(stack, "resume")
    sql(stack, "update scheduled_post set schedule_for = schedule_for + interval '1 second' where id = %s", post)
    wait_until(lambda: row(stack, post)["state"], lambda state: state == "tweeted")


def test_a_post_to_come_whose_text_x_has_is_not_recorded_and_waits_for_its_author(stack: RunningStack) -> None:
    tweet_id = published(stack, "rob", "good morning")
    pause(stack)
    post = restored(stack, "rob", "good morning", at=timedelta(days=3))

    words = said(stack, "reconcile", *since())

    assert re.search(rf"post {post} \(scheduled\) is due .*Z, and @rob has its text since .*Z \({tweet_id}\)", words)
    assert words.endswith("On X: 0. Left to their authors: 1. Not on X: 0.\n")
    found = row(stack, post)
    assert (found["state"], found["tweet_id"], found["reconcile_at"]) == ("unknown", None, None)
    assert re.search(rf"X has this text since .* UTC \(tweet {tweet_id}\).* Was it this post\?", found["reason"])
    assert said(stack, "reconcile", *since()).endswith("On X: 0. Left to their authors: 0. Not on X: 1.\n")
    assert row(stack, post) == found
    sql(stack, "update scheduled_post set schedule_for = schedule_for + interval '1 second' where id = %s", post)
    assert row(stack, post)["state"] == "scheduled"


def test_of_two_posts_with_one_tweet_the_earlier_one_is_recorded_and_the_other_one_stays(stack: RunningStack) -> None:
    published(stack, "rhea", "same text")
    pause(stack)
    later, earlier = restored(stack, "rhea", "same text", at=timedelta(hours=1)), restored(stack, "rhea", "same text")

    said(stack, "reconcile", *since())

    assert [row(stack, post)["state"] for post in (earlier, later)] == ["tweeted", "scheduled"]


def test_an_account_that_x_limits_is_not_asked_and_the_others_are(stack: RunningStack) -> None:
    published(stack, "ron", "of ron")
    published(stack, "ruth", "of ruth")
    pause(stack)
    limited, other = restored(stack, "ron", "of ron"), restored(stack, "ruth", "of ruth")
    stack.fail("429", endpoint="timeline", username="ron", ms=60_000)

    refused = admin(stack, "reconcile", *since())

    assert refused.returncode == 1
    assert re.search(r"@ron was not asked: X limits .* Run it again after 20.*Z\.", refused.stdout)
    assert refused.stderr == ("Not asked: 1 accounts. Not recorded: 0 posts. Run it again before `make resume`.\n")
    assert [row(stack, post)["state"] for post in (limited, other)] == ["scheduled", "tweeted"]

    said(stack, "reconcile", *since())  # the fault was for one request
    assert row(stack, limited)["state"] == "tweeted"


def test_when_x_rejects_our_app_no_other_account_is_asked(stack: RunningStack) -> None:
    pause(stack)
    restored(stack, "ron", "first")
    restored(stack, "ruth", "second")
    stack.fail("402", endpoint="timeline", times=2)

    refused = admin(stack, "reconcile", *since())

    assert refused.returncode == 1
    assert refused.stdout.count("was not asked") == 1
    assert refused.stderr == "X rejects our app, so no other account is asked. Run it again then.\n"


def test_a_post_that_is_being_published_just_now_is_left_to_its_publisher(stack: RunningStack) -> None:
    tweet_id = published(stack, "rolf", "in flight")
    pause(stack)
    post = restored(stack, "rolf", "in flight")
    sql(
        stack, "update scheduled_post set state = 'sending', lease_until = now() + interval '3 min' where id = %s", post
    )

    refused = admin(stack, "reconcile", *since())

    assert refused.returncode == 1
    assert f"is on X as {tweet_id} of @rolf: it is being published or reconciled just now.\n" in refused.stdout
    assert row(stack, post)["state"] == "sending"


def test_a_tweet_that_another_post_got_meanwhile_is_not_recorded_again(stack: RunningStack) -> None:
    tweet_id = published(stack, "rolf", "whose is it")
    pause(stack)
    posts = [restored(stack, "rolf", "whose is it") for _ in range(2)]
    found = {"tweet_id": tweet_id, "tweeted_at": datetime.now(UTC).isoformat()}

    recorded = [
        stack.graphql(RECORD_FOUND_TWEET, {"args": {"post_id": post, **found}})["record_found_tweet"] for post in posts
    ]

    assert recorded == [[{"recorded": True, "state": "tweeted"}], [{"recorded": False, "state": "scheduled"}]]
    assert row(stack, posts[1])["post_attempts"] == []


def test_posts_whose_account_was_removed_are_counted(stack: RunningStack) -> None:
    pause(stack)
    post = restored(stack, "ray", "nobody's")
    sql(stack, "update scheduled_post set account_id = null where id = %s", post)

    words = said(stack, "reconcile", *since())

    assert "Of 1 posts the account was removed: X cannot be asked, and nothing publishes them.\n" in words


@pytest.mark.parametrize("time", ["yesterday", "2026-11-27T10:00", "2026-11-27"])
def test_a_time_that_is_no_instant_is_refused(stack: RunningStack, time: str) -> None:
    refused = [
        admin(stack, "reconcile", "--since", time, *since()[2:]),
        admin(stack, "reconcile", *since()[:2], "--stopped-at", time),
    ]

    assert [one.returncode for one in refused] == [2, 2]
    assert all("2026-11-27T10:00Z" in one.stderr for one in refused)


def test_a_time_to_come_is_refused(stack: RunningStack) -> None:
    refused = admin(stack, "reconcile", "--since", "2999-01-01T00:00Z", *since()[2:], "--dry-run")

    assert (refused.returncode, refused.stderr) == (1, "--since is in the future.\n")


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_it_asks_nothing_while_x_may_not_show_yet_what_was_published(
    stack: RunningStack, dry_run: tuple[str, ...]
) -> None:
    pause(stack)
    restored(stack, "rex", "perhaps on X")

    refused = admin(stack, "reconcile", *since(stopped=timedelta(minutes=-3)), *dry_run)

    assert refused.returncode == 1
    assert re.fullmatch(
        r"X may not show yet what was published before the old Hasura stopped: run it again after 20.*Z\.\n",
        refused.stderr,
    )
    assert "Asking X" not in refused.stdout
