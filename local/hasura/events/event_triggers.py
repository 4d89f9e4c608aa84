"""Table event triggers: their metadata, and the SQL triggers that capture events (Hasura's docs, Event Triggers).

A SQL trigger writes ``hdb_catalog.event_log`` in the transaction of the writer. Each operation of an event trigger has
one function and one SQL trigger, named ``notify_hasura_<name>_<OPERATION>``.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql

from local.hasura.events.webhooks import Webhook, header
from local.hasura.json_arguments import boolean, count, list_of, mapping, optional, parse_failed, required, text

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,41}")
_KNOWN_KEYS = {"name", "definition", "retry_conf", "webhook", "webhook_from_env", "headers"}
_TEMPLATE = Path(__file__).with_name("event_trigger.sql")

Columns = tuple[str, ...] | None
"""Names of columns, or None for all of them."""


@dataclass(frozen=True)
class Operation:
    """``INSERT``, ``UPDATE`` or ``DELETE``. Updates fire for `watched` columns; the event shows the `payload` ones."""

    name: str
    watched: Columns
    payload: Columns

    @property
    def columns(self) -> set[str]:
        """All columns that it names."""
        return {*(self.watched or ()), *(self.payload or ())}


@dataclass(frozen=True)
class EventTrigger:
    """One event trigger of one table. Its intervals are seconds."""

    name: str
    schema: str
    table: str
    operations: tuple[Operation, ...]
    enable_manual: bool
    webhook: Webhook
    num_retries: int
    interval_sec: int
    timeout_sec: int

    def missing_columns(self, existing: Collection[str]) -> list[str]:
        """The columns that it names and the table lacks."""
        named = {column for operation in self.operations for column in operation.columns}
        return sorted(named - set(existing))


def event_triggers_of(tables: Iterable[Mapping[str, Any]]) -> list[EventTrigger]:
    """Parses the event triggers of all tables of the metadata. Raises HasuraError for the first error."""
    triggers = [
        _event_trigger(table["table"], entry, f"$.event_triggers[{index}]")
        for table in tables
        for index, entry in enumerate(table.get("event_triggers") or [])
    ]
    names = [trigger.name for trigger in triggers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise parse_failed(f"event trigger names must be unique: {', '.join(twice)}", "$.event_triggers")
    return triggers


def _event_trigger(table: Any, value: Any, path: str) -> EventTrigger:
    given = mapping(value, path)
    unknown = sorted(set(given) - _KNOWN_KEYS)
    if unknown:
        raise parse_failed(f"{', '.join(unknown)} of an event trigger: not emulated", path)
    definition = required(given, "definition", mapping, path)
    conf = required(given, "retry_conf", mapping, path)
    return EventTrigger(
        name=required(given, "name", _name, path),
        schema=table.get("schema", "public") if isinstance(table, Mapping) else "public",
        table=table["name"] if isinstance(table, Mapping) else table,
        operations=_operations(definition, f"{path}.definition"),
        enable_manual=optional(definition, "enable_manual", boolean, f"{path}.definition") or False,
        webhook=_webhook(given, path),
        num_retries=required(conf, "num_retries", count, f"{path}.retry_conf"),
        interval_sec=required(conf, "interval_sec", count, f"{path}.retry_conf"),
        timeout_sec=60
        if conf.get("timeout_sec") is None
        else required(conf, "timeout_sec", count, f"{path}.retry_conf"),
    )


def _operations(definition: Mapping[str, Any], path: str) -> tuple[Operation, ...]:
    unknown = sorted(set(definition) - {"insert", "update", "delete", "enable_manual"})
    if unknown:
        raise parse_failed(f"{', '.join(unknown)} of a definition: not emulated", path)
    found = []
    for name in ("insert", "update", "delete"):
        operation = optional(definition, name, mapping, path)
        if operation is not None:
            watched = required(operation, "columns", _columns, f"{path}.{name}")
            payload = optional(operation, "payload", _columns, f"{path}.{name}")
            found.append(Operation(name.upper(), watched, payload))
    if not found and not definition.get("enable_manual"):
        raise parse_failed("at least one of insert, update, delete and enable_manual is required", path)
    return tuple(found)


def _webhook(given: Mapping[str, Any], path: str) -> Webhook:
    template = optional(given, "webhook", text, path)
    variable = optional(given, "webhook_from_env", text, path)
    if (template is None) == (variable is None):
        raise parse_failed("exactly one of webhook and webhook_from_env is required", path)
    return Webhook(template or "{{" + str(variable) + "}}", optional(given, "headers", list_of(header), path) or [])


def _columns(value: Any, path: str) -> Columns:
    if value == "*":
        return None
    names = list_of(text)(value, path)
    if not names:
        raise parse_failed("expected '*' or at least one column", path)
    return tuple(names)


def _name(value: Any, path: str) -> str:
    name = text(value, path)
    if not _NAME.fullmatch(name):
        raise parse_failed(
            f"{name!r}: expected a letter, then at most 41 letters, digits, underscores and hyphens", path
        )
    return name


async def columns_of(connection: AsyncConnection, schema: str, table: str) -> list[str]:
    """The columns of a table, in their order; none when there is no such table."""
    cursor = await connection.execute(
        "select attname from pg_attribute join pg_class on pg_class.oid = attrelid"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname = %s and relname = %s and attnum > 0 and not attisdropped order by attnum",
        [schema, table],
    )
    return [name for (name,) in await cursor.fetchall()]


async def install(connection: AsyncConnection, trigger: EventTrigger) -> None:
    """Creates or replaces the SQL triggers of an event trigger, with the columns that the table has now."""
    columns = await columns_of(connection, trigger.schema, trigger.table)
    template = _TEMPLATE.read_text()
    for operation in trigger.operations:
        await connection.execute(
            sql.SQL(template).format(
                function=sql.Identifier(_function_name(trigger.name, operation.name)),
                operation=sql.SQL(operation.name),
                table=sql.Identifier(trigger.schema, trigger.table),
                schema_name=sql.Literal(trigger.schema),
                table_name=sql.Literal(trigger.table),
                trigger_name=sql.Literal(trigger.name),
                watched_old=_column_list("old", operation.watched, columns),
                watched_new=_column_list("new", operation.watched, columns),
                old=_captured("old", operation, columns),
                new=_captured("new", operation, columns),
            )
        )


async def uninstall_others(connection: AsyncConnection, triggers: Iterable[EventTrigger]) -> None:
    """Drops the SQL triggers of all other event triggers, and archives their pending events."""
    wanted = list(triggers)
    functions = [_function_name(trigger.name, operation.name) for trigger in wanted for operation in trigger.operations]
    cursor = await connection.execute(
        "select proname from pg_proc where pronamespace = 'hdb_catalog'::regnamespace"
        r" and proname like 'notify\_hasura\_%%' and proname <> all(%s)",
        [functions],
    )
    for (name,) in await cursor.fetchall():
        await connection.execute(sql.SQL("drop function hdb_catalog.{}() cascade").format(sql.Identifier(name)))
    await connection.execute(
        "update hdb_catalog.event_log set archived = true where trigger_name <> all(%s) and not archived",
        [[trigger.name for trigger in wanted]],
    )


def _function_name(trigger: str, operation: str) -> str:
    return f"notify_hasura_{trigger}_{operation}"


def _captured(row: LiteralString, operation: Operation, columns: list[str]) -> sql.Composable:
    """The JSON of the old or new row; an insert has no old one, a delete no new one."""
    if (row, operation.name) in (("old", "INSERT"), ("new", "DELETE")):
        return sql.SQL("null::json")
    chosen = _column_list(row, operation.payload, columns)
    return sql.SQL("row_to_json((select captured from (select {}) as captured))").format(chosen)


def _column_list(row: LiteralString, named: Columns, all_columns: list[str]) -> sql.Composable:
    names = all_columns if named is None else named
    return sql.SQL(", ").join(sql.SQL(row) + sql.SQL(".") + sql.Identifier(name) for name in names)
