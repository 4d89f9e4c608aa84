"""Cron triggers: their metadata, their table, and the events that are written ahead for them.

Schedules have five fields and are in UTC (Hasura's docs, Create Cron Triggers).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from cronsim import CronSim, CronSimError
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Json

from local.hasura.events.webhooks import RetryConf, Webhook, header, retry_conf
from local.hasura.json_arguments import anything, boolean, list_of, mapping, optional, parse_failed, required, text

EVENTS_AHEAD = 100


@dataclass(frozen=True)
class CronTrigger:
    """The metadata of one cron trigger."""

    name: str
    webhook: Webhook
    schedule: str
    payload: Any
    retry_conf: RetryConf
    include_in_metadata: bool
    comment: str | None

    def as_metadata(self) -> dict[str, Any]:
        """As ``get_cron_triggers`` shows it."""
        return {
            "name": self.name,
            "webhook": self.webhook.template,
            "schedule": self.schedule,
            "include_in_metadata": self.include_in_metadata,
            "payload": self.payload,
            "headers": self.webhook.headers,
            "retry_conf": self.retry_conf.as_json(),
            "comment": self.comment,
        }

    def as_exported(self) -> dict[str, Any]:
        """As ``export_metadata`` shows it: without keys that are empty or have their default."""
        shown = self.as_metadata()
        defaults: dict[str, Any] = {
            "payload": None,
            "headers": [],
            "retry_conf": RetryConf().as_json(),
            "comment": None,
        }
        return {key: value for key, value in shown.items() if key not in defaults or value != defaults[key]}


def cron_trigger(value: Any, path: str) -> CronTrigger:
    """Parses the arguments of ``create_cron_trigger``, or an entry of ``cron_triggers.yaml``."""
    given = mapping(value, path)
    for key in ("request_transform", "response_transform"):
        if given.get(key) is not None:
            raise parse_failed(f"{key} is not emulated", f"{path}.{key}")
    return CronTrigger(
        name=required(given, "name", text, path),
        webhook=Webhook(
            required(given, "webhook", text, path), optional(given, "headers", list_of(header), path) or []
        ),
        schedule=required(given, "schedule", _schedule, path),
        payload=optional(given, "payload", anything, path),
        retry_conf=optional(given, "retry_conf", retry_conf, path) or RetryConf(),
        include_in_metadata=required(given, "include_in_metadata", boolean, path),
        comment=optional(given, "comment", text, path),
    )


async def stored(connection: AsyncConnection) -> dict[str, CronTrigger]:
    """Every cron trigger, by name."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from hdb_catalog.hdb_cron_triggers order by name")
        return {row["name"]: _from_row(row) for row in await cursor.fetchall()}


async def store(connection: AsyncConnection, trigger: CronTrigger) -> None:
    """Creates or replaces a trigger; untried events of an older definition are replaced by new ones."""
    await _drop_untried_future_events(connection, trigger.name)
    await connection.execute(
        "insert into hdb_catalog.hdb_cron_triggers values (%s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (name) do update set webhook = excluded.webhook, schedule = excluded.schedule,"
        " payload = excluded.payload, headers = excluded.headers, retry_conf = excluded.retry_conf,"
        " include_in_metadata = excluded.include_in_metadata, comment = excluded.comment",
        [
            trigger.name,
            trigger.webhook.template,
            trigger.schedule,
            Json(trigger.payload),
            Json(trigger.webhook.headers),
            Json(trigger.retry_conf.as_json()),
            trigger.include_in_metadata,
            trigger.comment,
        ],
    )
    await _write_events(connection, trigger, await _now(connection))


async def remove(connection: AsyncConnection, name: str) -> None:
    """Deletes a trigger and its untried future events; events that were tried stay."""
    await _drop_untried_future_events(connection, name)
    await connection.execute("delete from hdb_catalog.hdb_cron_triggers where name = %s", [name])


async def replace_all(connection: AsyncConnection, wanted: Iterable[CronTrigger]) -> None:
    """Makes the triggers those of the metadata files; triggers that are not part of the metadata stay.

    A trigger that did not change keeps its events, so that events that are due by now are delivered.
    """
    known = await stored(connection)
    wanted_by_name = {trigger.name: trigger for trigger in wanted}
    for name, trigger in known.items():
        if trigger.include_in_metadata and name not in wanted_by_name:
            await remove(connection, name)
    for trigger in wanted_by_name.values():
        if trigger != known.get(trigger.name):
            await store(connection, trigger)


async def top_up(connection: AsyncConnection) -> None:
    """Writes events for every trigger that has fewer than 100 ahead; never an event in the past."""
    for trigger in (await stored(connection)).values():
        cursor = await connection.execute(
            "select count(*) filter (where scheduled_time > now()), greatest(max(scheduled_time), now())"
            " from hdb_catalog.hdb_cron_events where trigger_name = %s",
            [trigger.name],
        )
        ahead, last = await cursor.fetchone() or (0, None)
        if ahead < EVENTS_AHEAD and last:
            await _write_events(connection, trigger, last)


async def _write_events(connection: AsyncConnection, trigger: CronTrigger, after: datetime) -> None:
    times = list(islice(CronSim(trigger.schedule, after.astimezone(UTC)), EVENTS_AHEAD))
    await connection.execute(
        "insert into hdb_catalog.hdb_cron_events (trigger_name, scheduled_time)"
        " select %s, unnest(%s::timestamptz[]) on conflict do nothing",
        [trigger.name, times],
    )


async def _drop_untried_future_events(connection: AsyncConnection, name: str) -> None:
    await connection.execute(
        "delete from hdb_catalog.hdb_cron_events"
        " where trigger_name = %s and scheduled_time > now() and tries = 0 and status = 'scheduled'",
        [name],
    )


async def _now(connection: AsyncConnection) -> datetime:
    cursor = await connection.execute("select now()")
    (now,) = await cursor.fetchone() or (datetime.now(UTC),)
    return now  # type: ignore[no-any-return]


def _schedule(value: Any, path: str) -> str:
    given = text(value, path)
    try:
        if len(given.split()) != 5:
            raise CronSimError("expected five fields")
        CronSim(given, datetime.now(UTC))
    except CronSimError as error:
        raise parse_failed(f"{given!r} is not a cron schedule: {error}", path) from error
    return given


def _from_row(row: Mapping[str, Any]) -> CronTrigger:
    return CronTrigger(
        name=row["name"],
        webhook=Webhook(row["webhook"], row["headers"]),
        schedule=row["schedule"],
        payload=row["payload"],
        retry_conf=RetryConf(**row["retry_conf"]),
        include_in_metadata=row["include_in_metadata"],
        comment=row["comment"],
    )
