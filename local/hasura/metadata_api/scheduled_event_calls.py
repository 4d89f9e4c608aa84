"""The metadata calls on one-off events, on the events of cron triggers, and on cron triggers."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers, scheduled_events
from local.hasura.events.cron_triggers import CronTrigger, cron_trigger
from local.hasura.events.scheduled_events import CRON, ONE_OFF, STATUSES, EventTables, NewEvent
from local.hasura.events.webhooks import RetryConf, Webhook, header, retry_conf
from local.hasura.json_arguments import anything, boolean, count, list_of, mapping, one_of, optional, required, text
from local.hasura.metadata_api.commands import SUCCESS, Command
from local.hasura.timestamps import instant, utc_text

log = logging.getLogger(__name__)

_TABLES = {"one_off": ONE_OFF, "cron": CRON}
_LOG_COLUMNS = ("id", "event_id", "status", "request", "response", "created_at")


@dataclass(frozen=True)
class ScheduledEventCalls:
    """Each method reads the arguments of one call and returns the command."""

    pool: AsyncConnectionPool

    def create(self, args: Any, path: str) -> Command:
        """``create_scheduled_event``: ``{"message": "success", "event_id": ...}``."""
        given = mapping(args, path)
        webhook = required(given, "webhook", text, path)
        event = NewEvent(
            webhook=Webhook(webhook, optional(given, "headers", list_of(header), path) or []),
            scheduled_time=required(given, "schedule_at", instant, path),
            payload=optional(given, "payload", anything, path),
            retry_conf=optional(given, "retry_conf", retry_conf, path) or RetryConf(),
            comment=optional(given, "comment", text, path),
        )
        return partial(self._create, event)

    def get(self, args: Any, path: str) -> Command:
        """``get_scheduled_events``: ``{"events": [...]}``, soonest first, and ``count`` on request."""
        given = mapping(args, path)
        tables = _TABLES[required(given, "type", one_of(*_TABLES), path)]
        statuses = optional(given, "status", list_of(one_of(*STATUSES)), path) or list(STATUSES)
        conditions: list[sql.Composable] = [sql.SQL("status = any({})").format(statuses)]
        if tables is CRON:
            conditions.append(sql.SQL("trigger_name = {}").format(required(given, "trigger_name", text, path)))
        page = _Page.read(given, path, "events", tables.columns, sql.SQL("scheduled_time, id"))
        return partial(self._page, page, sql.Identifier("hdb_catalog", tables.events), conditions)

    def invocations(self, args: Any, path: str) -> Command:
        """``get_scheduled_event_invocations``: ``{"invocations": [...]}``, newest first, and ``count`` on request."""
        given = mapping(args, path)
        tables = _TABLES[required(given, "type", one_of(*_TABLES), path)]
        conditions: list[sql.Composable] = []
        if given.get("event_id") is not None:
            conditions.append(sql.SQL("event_id = {}").format(required(given, "event_id", text, path)))
        elif tables is CRON:
            of_trigger = "event_id in (select id from hdb_catalog.hdb_cron_events where trigger_name = {})"
            conditions.append(sql.SQL(of_trigger).format(required(given, "trigger_name", text, path)))
        page = _Page.read(given, path, "invocations", _LOG_COLUMNS, sql.SQL("created_at desc, id"))
        return partial(self._page, page, sql.Identifier("hdb_catalog", tables.logs), conditions)

    def delete(self, args: Any, path: str) -> Command:
        """``delete_scheduled_event``: success, also when there is no such event."""
        given = mapping(args, path)
        tables = _TABLES[required(given, "type", one_of(*_TABLES), path)]
        return partial(self._delete, tables, required(given, "event_id", text, path))

    async def _create(self, event: NewEvent) -> dict[str, str]:
        async with self.pool.connection() as connection:
            event_id = await scheduled_events.insert(connection, event)
        log.info(
            "scheduled event created for %s: %s (%s)",
            utc_text(event.scheduled_time),
            event.webhook.short_name,
            event_id,
        )
        return {**SUCCESS, "event_id": event_id}

    async def _delete(self, tables: EventTables, event_id: str) -> dict[str, str]:
        async with self.pool.connection() as connection:
            if await scheduled_events.delete(connection, tables, event_id):
                log.info("scheduled event deleted (%s)", event_id)
        return SUCCESS

    async def _page(self, page: "_Page", table: sql.Composable, conditions: list[sql.Composable]) -> dict[str, Any]:
        where = sql.SQL(" where ") + sql.SQL(" and ").join(conditions) if conditions else sql.SQL("")
        rows = sql.SQL("select {} from {}{} order by {} limit {} offset {}").format(
            sql.SQL(", ").join(map(sql.Identifier, page.columns)), table, where, page.order, page.limit, page.offset
        )
        async with self.pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(rows)
            answer: dict[str, Any] = {page.name: [_printed(row) for row in await cursor.fetchall()]}
            if page.with_count:
                await cursor.execute(sql.SQL("select count(*) as count from {}{}").format(table, where))
                answer.update(await cursor.fetchone() or {})
        return answer


@dataclass(frozen=True)
class _Page:
    """The requested part of a list, and its key in the answer."""

    name: str
    columns: tuple[str, ...]
    order: sql.Composable
    limit: int | None
    offset: int
    with_count: bool

    @classmethod
    def read(
        cls, given: Mapping[str, Any], path: str, name: str, columns: tuple[str, ...], order: sql.Composable
    ) -> "_Page":
        return cls(
            name,
            columns,
            order,
            limit=optional(given, "limit", count, path),
            offset=optional(given, "offset", count, path) or 0,
            with_count=optional(given, "get_rows_count", boolean, path) or False,
        )


def _printed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in row.items()}


@dataclass(frozen=True)
class CronTriggerCalls:
    """Each method reads the arguments of one call and returns the command."""

    pool: AsyncConnectionPool
    environment: Mapping[str, str]

    def create(self, args: Any, path: str) -> Command:
        """``create_cron_trigger``; ``replace: true`` changes one that exists."""
        given = mapping(args, path)
        return partial(
            self._create, cron_trigger(given, path), optional(given, "replace", boolean, path) or False, path
        )

    def delete(self, args: Any, path: str) -> Command:
        """``delete_cron_trigger``."""
        return partial(self._delete, required(mapping(args, path), "name", text, path), path)

    def get(self, args: Any, path: str) -> Command:
        """``get_cron_triggers``: ``{"cron_triggers": [...]}`` with full retry_conf."""
        mapping(args, path)
        return self._get

    async def _create(self, trigger: CronTrigger, replace: bool, path: str) -> dict[str, str]:
        missing = trigger.webhook.missing_variables(self.environment)
        if missing:
            raise HasuraError("invalid-configuration", f"environment variables not set: {', '.join(missing)}", path)
        async with self.pool.connection() as connection, connection.transaction():
            if not replace and trigger.name in await cron_triggers.stored(connection):
                raise HasuraError("already-exists", f"cron trigger with name: {trigger.name} already exists", path)
            await cron_triggers.store(connection, trigger)
        log.info("cron trigger %s: %s at %s", trigger.name, trigger.webhook.short_name, trigger.schedule)
        return SUCCESS

    async def _delete(self, name: str, path: str) -> dict[str, str]:
        async with self.pool.connection() as connection, connection.transaction():
            if name not in await cron_triggers.stored(connection):
                raise HasuraError("not-exists", f"cron trigger with name: {name} does not exist", path)
            await cron_triggers.remove(connection, name)
        log.info("cron trigger %s deleted", name)
        return SUCCESS

    async def _get(self) -> dict[str, Any]:
        async with self.pool.connection() as connection:
            triggers = await cron_triggers.stored(connection)
        return {"cron_triggers": [trigger.as_metadata() for trigger in triggers.values()]}
