"""Scheduled events in the database: one-off events and the events of cron triggers, which have like tables."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Json

from local.hasura.events.webhooks import Invocation, RetryConf, Webhook

STATUSES = ("scheduled", "locked", "delivered", "error", "dead")


@dataclass(frozen=True)
class EventTables:
    """The tables of one kind of scheduled event in ``hdb_catalog``, and the columns that its API shows."""

    events: str
    logs: str
    columns: tuple[str, ...]


ONE_OFF = EventTables(
    "hdb_scheduled_events",
    "hdb_scheduled_event_invocation_logs",
    (
        "id", "webhook_conf", "scheduled_time", "retry_conf", "payload", "header_conf", "status", "tries",
        "created_at", "next_retry_at", "comment",
    ),
)  # fmt: skip
CRON = EventTables(
    "hdb_cron_events",
    "hdb_cron_event_invocation_logs",
    ("id", "trigger_name", "scheduled_time", "status", "tries", "created_at", "next_retry_at"),
)


@dataclass(frozen=True)
class NewEvent:
    """The arguments of ``create_scheduled_event``."""

    webhook: Webhook
    scheduled_time: datetime
    payload: Any
    retry_conf: RetryConf
    comment: str | None


async def insert(connection: AsyncConnection, event: NewEvent) -> str:
    """Stores a one-off event; returns its id."""
    cursor = await connection.execute(
        "insert into hdb_catalog.hdb_scheduled_events"
        " (webhook_conf, scheduled_time, payload, retry_conf, header_conf, comment)"
        " values (%s, %s, %s, %s, %s, %s) returning id",
        [
            Json(event.webhook.template),
            event.scheduled_time,
            Json(event.payload),
            Json(event.retry_conf.as_json()),
            Json(event.webhook.headers),
            event.comment,
        ],
    )
    (event_id,) = await cursor.fetchone() or ("",)
    return str(event_id)


async def delete(connection: AsyncConnection, tables: EventTables, event_id: str) -> bool:
    """Deletes an event in any state, with its logs; returns whether it existed."""
    cursor = await connection.execute(_for(tables, "delete from {events} where id = %s"), [event_id])
    return cursor.rowcount > 0


async def lock_due(
    connection: AsyncConnection, tables: EventTables, trigger_names: list[str] | None = None
) -> list[dict[str, Any]]:
    """Locks every event that is due by the database's clock; of cron events, only those of the given triggers.

    Returns their columns, and `late`: the time since it was due, as a timedelta.
    """
    of_triggers = sql.SQL("" if trigger_names is None else "and trigger_name = any(%s)")
    statement = sql.SQL(
        "update hdb_catalog.{events} set status = 'locked' where id in ("
        " select id from hdb_catalog.{events} where status = 'scheduled'"
        " and coalesce(next_retry_at, scheduled_time) <= now() {of_triggers} for update skip locked)"
        " returning *, now() - scheduled_time as late"
    ).format(events=sql.Identifier(tables.events), of_triggers=of_triggers)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, None if trigger_names is None else [trigger_names])
        return await cursor.fetchall()


async def log_invocation(
    connection: AsyncConnection, tables: EventTables, event_id: str, invocation: Invocation
) -> None:
    """Writes the invocation log and counts the try. Does nothing when the event was deleted."""
    await connection.execute(
        _for(
            tables,
            "with tried as (update {events} set tries = tries + 1 where id = %s returning id)"
            " insert into {logs} (event_id, status, request, response) select id, %s, %s, %s from tried",
        ),
        [event_id, invocation.status, Json(invocation.request), Json(invocation.response)],
    )


async def set_status(connection: AsyncConnection, tables: EventTables, event_id: str, status: str) -> None:
    """Sets the status of an event."""
    await connection.execute(_for(tables, "update {events} set status = %s where id = %s"), [status, event_id])


async def retry_in(connection: AsyncConnection, tables: EventTables, event_id: str, seconds: float) -> None:
    """Unlocks an event, which is due again `seconds` from now."""
    await connection.execute(
        _for(
            tables,
            "update {events} set status = 'scheduled', next_retry_at = now() + make_interval(secs => %s) where id = %s",
        ),
        [seconds, event_id],
    )


async def unlock_all(connection: AsyncConnection) -> int:
    """Unlocks every event, also those of another server, as Hasura does when it starts; returns how many."""
    unlocked = 0
    for tables in (CRON, ONE_OFF):
        cursor = await connection.execute(
            _for(tables, "update {events} set status = 'scheduled' where status = 'locked'")
        )
        unlocked += cursor.rowcount
    return unlocked


def _for(tables: EventTables, statement: LiteralString) -> sql.Composed:
    return sql.SQL(statement).format(
        events=sql.Identifier("hdb_catalog", tables.events), logs=sql.Identifier("hdb_catalog", tables.logs)
    )
