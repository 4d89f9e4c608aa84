"""The metadata calls on table event triggers and their events."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, LiteralString

from psycopg.types.json import Json
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events.event_triggers import event_triggers_of
from local.hasura.graphql_api.postgres_catalog import QualifiedName
from local.hasura.inconsistencies import InconsistentObject
from local.hasura.json_arguments import anything, boolean, count, one_of, optional, required, text
from local.hasura.metadata import table_of
from local.hasura.metadata_api.commands import SUCCESS, Command, on_default_source
from local.hasura.schema_cache import SchemaCache, allow_inconsistent
from local.hasura.session import ADMIN_SESSION, act_for

log = logging.getLogger(__name__)

_LOGS = (
    "select id, trigger_name, event_id, status as http_status, request, response, created_at"
    " from hdb_catalog.event_invocation_logs"
)
_PENDING = "not delivered and not error and not archived"
_KEYS_OF_A_DEFINITION = {"insert", "update", "delete", "enable_manual"}
_KEYS_OF_BOTH = {"name", "retry_conf", "webhook", "webhook_from_env", "headers"}
"""Those that the call and the metadata both have at the top."""


@dataclass(frozen=True)
class EventTriggerCalls:
    """Each method reads the arguments of one call and returns the command."""

    pool: AsyncConnectionPool
    schema_cache: SchemaCache

    def create(self, args: Any, path: str) -> Command:
        """``pg_create_event_trigger``, which creates the SQL triggers; ``replace: true`` changes one that exists."""
        given = on_default_source(args, path)
        entry = {key: value for key, value in given.items() if key in _KEYS_OF_BOTH}
        entry["definition"] = {key: value for key, value in given.items() if key in _KEYS_OF_A_DEFINITION}
        entry.setdefault("retry_conf", {"num_retries": 0, "interval_sec": 10, "timeout_sec": 60})
        table = QualifiedName.from_metadata(required(given, "table", anything, path))
        event_triggers_of([{"table": table._asdict(), "event_triggers": [entry]}])  # raises where it is wrong
        is_replaced = optional(given, "replace", boolean, path) or False
        return partial(self._create, table, entry, is_replaced, path)

    def delete(self, args: Any, path: str) -> Command:
        """``pg_delete_event_trigger``: its SQL triggers are dropped, and its pending events archived."""
        return partial(self._delete, required(on_default_source(args, path), "name", text, path), path)

    def invoke(self, args: Any, path: str) -> Command:
        """``pg_invoke_event_trigger``: ``{"event_id": ...}`` of an event with the operation MANUAL."""
        given = on_default_source(args, path)
        name, payload = required(given, "name", text, path), required(given, "payload", anything, path)
        return partial(self._invoke, name, payload, path)

    def redeliver(self, args: Any, path: str) -> Command:
        """``pg_redeliver_event``: the event is due again and its tries are 0."""
        return partial(self._redeliver, required(on_default_source(args, path), "event_id", text, path), path)

    def logs(self, args: Any, path: str) -> Command:
        """``pg_get_event_logs``: the rows of ``event_log``, newest first."""
        given = on_default_source(args, path)
        status = optional(given, "status", one_of("pending", "processed"), path)
        conditions: dict[str | None, LiteralString] = {
            None: "true",
            "pending": _PENDING,
            "processed": f"not ({_PENDING})",
        }
        statement = f"select * from hdb_catalog.event_log where trigger_name = %s and {conditions[status]}"
        return self._page(statement, required(given, "name", text, path), given, path)

    def invocation_logs(self, args: Any, path: str) -> Command:
        """``pg_get_event_invocation_logs``: newest first."""
        given = on_default_source(args, path)
        return self._page(f"{_LOGS} where trigger_name = %s", required(given, "name", text, path), given, path)

    def event_by_id(self, args: Any, path: str) -> Command:
        """``pg_get_event_by_id``: ``{"event": {...}, "invocations": [...]}``."""
        return partial(self._event_by_id, required(on_default_source(args, path), "event_id", text, path), path)

    async def _create(
        self, table: QualifiedName, entry: dict[str, Any], is_replaced: bool, path: str
    ) -> dict[str, str]:
        metadata = self.schema_cache.metadata
        if table not in map(table_of, metadata.tables):
            raise HasuraError("not-exists", f'table "{table}" does not exist in source: default', path)
        has_it = [table_of(other) for other in metadata.tables if entry["name"] in _names_of_triggers(other)]
        if has_it and not is_replaced:
            raise HasuraError("already-exists", f'event trigger with name "{entry["name"]}" already exists', path)
        if is_replaced and not has_it:
            raise _not_exists(entry["name"], path)
        if is_replaced and has_it != [table]:
            raise HasuraError("not-supported", "cannot replace table or schema for trigger", path)
        tables = [
            {**other, "event_triggers": [*_without_trigger(other, entry["name"]), entry]}
            if table_of(other) == table
            else other
            for other in metadata.tables
        ]
        await self.schema_cache.change(metadata.with_tables(tables), self._refuse_newly_inconsistent)
        log.info("event trigger %s on %s", entry["name"], table)
        return SUCCESS

    async def _delete(self, name: str, path: str) -> dict[str, str]:
        metadata = self.schema_cache.metadata
        if not any(name in _names_of_triggers(table) for table in metadata.tables):
            raise _not_exists(name, path)
        tables = [{**table, "event_triggers": _without_trigger(table, name)} for table in metadata.tables]
        await self.schema_cache.change(metadata.with_tables(tables), allow_inconsistent)
        log.info("event trigger %s deleted", name)
        return SUCCESS

    def _refuse_newly_inconsistent(self, inconsistent: list[InconsistentObject]) -> None:
        new = [one for one in inconsistent if one not in self.schema_cache.inconsistent]
        if new:
            reasons = ", ".join(one.reason for one in new)
            raise HasuraError("invalid-configuration", reasons, internal=[one.as_json() for one in new])

    async def _invoke(self, name: str, payload: Any, path: str) -> dict[str, str]:
        trigger = self.schema_cache.event_triggers.get(name)
        if trigger is None:
            raise _not_exists(name, path)
        if not trigger.enable_manual:
            raise HasuraError("not-supported", f"manual mode is not enabled for event trigger: {name}", path)
        async with self.pool.connection() as connection, connection.transaction():
            await act_for(connection, ADMIN_SESSION)
            cursor = await connection.execute(
                "select hdb_catalog.insert_event_log(%s, %s, %s, 'MANUAL', %s)",
                [trigger.schema, trigger.table, name, Json({"old": None, "new": payload})],
            )
            (event_id,) = await cursor.fetchone() or ("",)
        return {"event_id": event_id}

    async def _redeliver(self, event_id: str, path: str) -> dict[str, str]:
        async with self.pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                "select locked is not null and locked > now() - interval '30 minutes' from hdb_catalog.event_log"
                " where id = %s for update",
                [event_id],
            )
            found = await cursor.fetchone()
            if found is None:
                raise HasuraError("not-exists", "event not found", path)
            if found[0]:
                raise HasuraError("busy", "event is already being processed", path)
            await connection.execute(
                "update hdb_catalog.event_log set delivered = false, error = false, archived = false, tries = 0,"
                " next_retry_at = null where id = %s",
                [event_id],
            )
        log.info("event to be delivered again (%s)", event_id)
        return SUCCESS

    async def _event_by_id(self, event_id: str, path: str) -> dict[str, Any]:
        events = await self._rows("select * from hdb_catalog.event_log where id = %s", [event_id])
        if not events:
            raise HasuraError("not-exists", "event not found", path)
        return {
            "event": events[0],
            "invocations": await self._rows(f"{_LOGS} where event_id = %s order by created_at desc", [event_id]),
        }

    def _page(self, statement: LiteralString, name: str, given: Mapping[str, Any], path: str) -> Command:
        limit = 100 if given.get("limit") is None else required(given, "limit", count, path)
        offset = optional(given, "offset", count, path) or 0
        return partial(
            self._rows, f"{statement} order by created_at desc, id limit %s offset %s", [name, limit, offset]
        )

    async def _rows(self, statement: LiteralString, values: list[Any]) -> list[Any]:
        """PostgreSQL prints the rows as JSON, also the times without a zone that these tables have."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(f"select row_to_json(rows) from ({statement}) as rows", values)
            return [row for (row,) in await cursor.fetchall()]


def _names_of_triggers(table: Mapping[str, Any]) -> list[str]:
    return [trigger["name"] for trigger in table.get("event_triggers") or []]


def _without_trigger(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [trigger for trigger in table.get("event_triggers") or [] if trigger["name"] != name]


def _not_exists(name: str, path: str) -> HasuraError:
    return HasuraError("not-exists", f"event trigger with name {name} does not exist", path)
