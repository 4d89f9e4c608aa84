"""Deleting Hasura's old events: those that ended go with their logs, those that wait stay, and deliveries go on."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from admin_commands import admin, said
from local_hasura import new_database
from waiting import wait_until

from admin.delete_old_events import EVENT_TABLES, EventTable, delete_statement
from local.running_stack import RunningStack, started

pytest_plugins = ["local_hasura_fixtures"]

CATALOG = Path(__file__).parents[2] / "local" / "hasura" / "catalog.sql"
WEEK = timedelta(days=7)
OLD, NEW = "now() - interval '8 days'", "now() - interval '6 days'"
CRON, SCHEDULED, TABLE = EVENT_TABLES


@pytest.fixture(scope="module")
def database_url(cluster: str) -> str:
    return new_database(cluster)


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection]:
    """Hasura's tables, empty."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema if exists hdb_catalog cascade")
        connection.execute(CATALOG.read_bytes())
        yield connection


def add_event(database: psycopg.Connection, table: EventTable, name: str, state: str, at: str) -> None:
    """An event with two entries in its log. `state`: the status, or the column of event_log that is true."""
    columns = {
        CRON: f"(id, trigger_name, scheduled_time, status) values ('{name}', 'publish_due_posts', {at}, '{state}')",
        SCHEDULED: f"(id, webhook_conf, scheduled_time, status) values ('{name}', '\"u\"', {at}, '{state}')",
        TABLE: "(id, schema_name, table_name, trigger_name, payload, created_at, delivered, error, archived, locked)"
        f" values ('{name}', 'public', 'scheduled_post', 'post_moved', '{{}}', {at}, {state == 'delivered'},"
        f" {state == 'error'}, {state == 'archived'}, {'now()' if state == 'locked' else 'null'})",
    }[table]
    database.execute(f"insert into hdb_catalog.{table.events} {columns}".encode())
    for _ in range(2):
        database.execute(f"insert into hdb_catalog.{table.logs} (event_id) values ('{name}')".encode())


def left(database: psycopg.Connection, table: EventTable) -> set[str]:
    """The events that are left. Their logs must be, too, and no others."""
    rows = database.execute(
        f"select event.id, (select count(*) from hdb_catalog.{table.logs} where event_id = event.id)"
        f" from hdb_catalog.{table.events} as event".encode()
    ).fetchall()
    [[logs]] = database.execute(f"select count(*) from hdb_catalog.{table.logs}".encode()).fetchall()
    assert all(entries == 2 for _, entries in rows)
    assert logs == 2 * len(rows)
    return {event_id for event_id, _ in rows}


def delete(database: psycopg.Connection, table: EventTable, step: int = 500) -> int:
    [[value]] = database.execute(delete_statement(table, WEEK, step).encode()).fetchall()
    deleted: int = value["deleted"]
    return deleted


ENDED = {
    CRON: ("delivered", "error", "dead"),
    SCHEDULED: ("delivered", "error", "dead"),
    TABLE: ("delivered", "error", "archived"),
}
WAITING = {CRON: ("scheduled", "locked"), SCHEDULED: ("scheduled", "locked"), TABLE: ("pending", "locked")}

each_table = pytest.mark.parametrize("table", EVENT_TABLES, ids=lambda table: table.events)


@each_table
def test_old_events_that_ended_go_with_their_logs_and_all_others_stay(
    database: psycopg.Connection, table: EventTable
) -> None:
    for state in ENDED[table]:
        add_event(database, table, f"old {state}", state, OLD)
        add_event(database, table, f"new {state}", state, NEW)
    for state in WAITING[table]:
        add_event(database, table, f"old {state}", state, OLD)

    deleted = delete(database, table)

    assert deleted == 3
    assert left(database, table) == {f"new {state}" for state in ENDED[table]} | {
        f"old {state}" for state in WAITING[table]
    }


@each_table
def test_a_statement_deletes_no_more_than_its_step(database: psycopg.Connection, table: EventTable) -> None:
    for number in range(5):
        add_event(database, table, str(number), "delivered", OLD)

    assert [delete(database, table, step=2) for _ in range(4)] == [2, 2, 1, 0]


@each_table
def test_an_event_that_another_transaction_holds_is_left_and_not_waited_for(
    database: psycopg.Connection, database_url: str, table: EventTable
) -> None:
    add_event(database, table, "held", "delivered", OLD)
    add_event(database, table, "free", "delivered", OLD)

    with psycopg.connect(database_url) as other:
        other.execute(f"select from hdb_catalog.{table.events} where id = 'held' for update".encode())
        assert delete(database, table) == 1

    assert left(database, table) == {"held"}


def test_logs_of_older_hasuras_refer_to_their_table_event(database: psycopg.Connection) -> None:
    database.execute(
        "alter table hdb_catalog.event_invocation_logs add foreign key (event_id) references hdb_catalog.event_log"
    )
    add_event(database, TABLE, "old", "delivered", OLD)

    assert delete(database, TABLE) == 1


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Its own: no other test's events are to be deleted."""
    with started(tmp_path_factory.mktemp("deleting"), "--poll-interval", "0.2") as running:
        yield running


def events(stack: RunningStack, **args: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.metadata("get_scheduled_events", args)["events"]
    return found


def test_events_are_deleted_beside_deliveries_and_no_post_is_lost(stack: RunningStack) -> None:
    token = stack.token("dora")
    texts = [f"number {number}" for number in range(20)]
    for text in texts:
        time = datetime.now(UTC) + timedelta(seconds=2)
        assert stack.create_post(token, {"text": text, "schedule_for": time.isoformat()}).status_code == 201
    for number in range(30):  # old events that ended: beyond their tolerance, they are dead at the next poll
        stack.metadata(
            "create_scheduled_event",
            {
                "webhook": stack.urls["functions"] + "/api/postTweet",
                "schedule_at": (datetime.now(UTC) - timedelta(days=30)).isoformat(),
                "payload": {"id": number},
            },
        )
    wait_until(lambda: len(events(stack, type="one_off", status=["dead"])), lambda dead: dead == 30)

    def delete_and_count() -> tuple[int, int]:
        """How many old events are left, and how many posts are published."""
        said(stack, "delete_old_events", "--older-than", "1d", "--step", "3")
        return len(events(stack, type="one_off", status=["dead"])), len(stack.tweets("dora"))

    wait_until(delete_and_count, lambda counts: counts == (0, len(texts)))

    assert sorted(tweet["text"] for tweet in stack.tweets("dora")) == sorted(texts)
    left = wait_until(
        lambda: [event["status"] for event in events(stack, type="one_off")],
        lambda statuses: set(statuses) == {"delivered"},
    )
    assert len(left) == len(texts)
    assert len(events(stack, type="cron", trigger_name="publish_due_posts", status=["scheduled"])) >= 99


def test_it_says_how_many_events_of_each_kind_are_deleted(stack: RunningStack) -> None:
    assert said(stack, "delete_old_events", "--older-than", "365d") == (
        "0 cron trigger events are deleted.\n0 scheduled events are deleted.\n0 table events are deleted.\n"
    )


def test_the_statements_can_be_printed_for_another_database(stack: RunningStack) -> None:
    printed = admin(stack, "delete_old_events", "--older-than", "36h", "--sql").stdout

    assert [line for line in printed.splitlines() if line.startswith("--")] == [
        "-- cron trigger events; repeat it until it deletes 0",
        "-- scheduled events; repeat it until it deletes 0",
        "-- table events; repeat it until it deletes 0",
    ]
    assert printed.count("secs => 129600") == 3
    assert json.dumps(stack.settings["HASURA_GRAPHQL_ADMIN_SECRET"]) not in printed


@pytest.mark.parametrize("age", ["7", "0d", "-1d", "7w", "123456d", "1d; drop table"])
def test_an_age_that_is_none_is_refused(stack: RunningStack, age: str) -> None:
    refused = admin(stack, "delete_old_events", f"--older-than={age}")

    assert refused.returncode == 2
    assert "write a number of days or hours" in refused.stderr
