"""Deletes old events of Hasura and the logs of their deliveries, in bounded steps: Hasura itself never deletes any.

Only events that ended are deleted: delivered, failed for good, expired, or of a trigger that was removed. What waits,
is locked for a delivery, or is to be delivered again stays, however old it is.
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass
from datetime import timedelta

from admin.connection import CommandRefused, Connection, parser_for, run, say
from admin.hasura_api import STATEMENT_TIMEOUT, HasuraUnusable

STEP = 500
"""How many events one statement deletes, by default."""

MOST_STEPS = 2_000
"""Of one kind of event and one run."""


@dataclass(frozen=True)
class EventTable:
    """A table of events in the schema hdb_catalog, the log of their deliveries, and which events ended long ago.

    `ended_before` has a place for the number of seconds.
    """

    kind: str
    events: str
    logs: str
    ended_before: str


_SCHEDULED = "status in ('delivered', 'error', 'dead') and scheduled_time < now() - make_interval(secs => {seconds})"

EVENT_TABLES = (
    EventTable("cron trigger", "hdb_cron_events", "hdb_cron_event_invocation_logs", _SCHEDULED),
    EventTable("scheduled", "hdb_scheduled_events", "hdb_scheduled_event_invocation_logs", _SCHEDULED),
    EventTable(
        "table",
        "event_log",
        "event_invocation_logs",
        # created_at has no zone: every session of Hasura is in UTC
        "(delivered or error or archived) and locked is null"
        " and created_at < now() at time zone 'UTC' - make_interval(secs => {seconds})",
    ),
)

_DELETE = """
with old as (
  select id from hdb_catalog.{events}
  where {ended}
  limit {step} for update skip locked
), deleted_logs as (
  delete from hdb_catalog.{logs} where event_id in (select id from old)
), deleted_events as (
  delete from hdb_catalog.{events} where id in (select id from old) returning id
)
select json_build_object('deleted', count(*)) from deleted_events"""


def delete_statement(table: EventTable, older_than: timedelta, step: int) -> str:
    """The SQL of one step: at most `step` events, with their logs, in one statement."""
    ended = table.ended_before.format(seconds=int(older_than.total_seconds()))
    return _DELETE.format(events=table.events, logs=table.logs, ended=ended, step=step).strip()


def main() -> None:
    parser = parser_for("delete_old_events", __doc__ or "")
    parser.add_argument("--older-than", type=_duration, required=True, metavar="AGE", help="such as 7d, or 36h")
    parser.add_argument(
        "--step", type=_step, default=STEP, metavar="N", help=f"events that one statement deletes ({STEP})"
    )
    parser.add_argument("--sql", action="store_true", help="print the statements and delete nothing")
    given = parser.parse_args()
    if given.sql:
        _print_sql(given.older_than, given.step)
        return
    run(given.data, lambda connection: delete_old_events(connection, given.older_than, given.step))


def _print_sql(older_than: timedelta, step: int) -> None:
    try:
        for table in EVENT_TABLES:
            print(f"-- {table.kind} events; repeat it until it deletes 0")
            print(f"{delete_statement(table, older_than, step)};\n", flush=True)
    except BrokenPipeError:
        # Whoever reads it, such as `head`, wants no more. Python would write the rest at its end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def delete_old_events(connection: Connection, older_than: timedelta, step: int) -> None:
    """Deletes table after table, and says how many events that were. Raises CommandRefused."""
    missing = [table for table in EVENT_TABLES if not _exists(connection, table)]
    for table in EVENT_TABLES:
        if table not in missing:
            say(f"{_delete(connection, table, older_than, step)} {table.kind} events are deleted.")
    if missing:
        tables = ", ".join(f"hdb_catalog.{table.events}" for table in missing)
        raise CommandRefused(
            f"The database of the posts has no {tables}: Hasura keeps its metadata in another one. Run there with psql "
            "what --sql prints."
        )


def _delete(connection: Connection, table: EventTable, older_than: timedelta, step: int) -> int:
    statement = delete_statement(table, older_than, step)
    total = 0
    for _ in range(MOST_STEPS):
        try:
            deleted: int = connection.hasura.change(statement)["deleted"]
        except HasuraUnusable as error:
            if error.code != "postgres-error":
                raise
            raise CommandRefused(
                f"{total} {table.kind} events are deleted. The database refused the next step, perhaps for taking "
                f"more than {STATEMENT_TIMEOUT.total_seconds():.0f} s: try again with a smaller --step than {step}."
            ) from error
        total += deleted
        if deleted < step:
            return total
    say(f"There are more {table.kind} events than one run deletes: run it again.")
    return total


def _exists(connection: Connection, table: EventTable) -> bool:
    found = connection.hasura.select(
        f"select json_build_object('exists', to_regclass('hdb_catalog.{table.events}') is not null)"
    )
    return bool(found["exists"])


def _duration(text: str) -> timedelta:
    match = re.fullmatch("([0-9]{1,5})([hd])", text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"write a number of days or hours, such as 7d or 36h, not {text!r}")
    return timedelta(days=int(match[1])) if match[2] == "d" else timedelta(hours=int(match[1]))


def _step(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"write a whole number from 1 to 10000, not {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
