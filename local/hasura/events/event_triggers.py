"""Table event triggers as the metadata describes them (Hasura's docs, Event Triggers)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.hasura.events.webhook_definition import Webhook, header
from local.hasura.json_arguments import boolean, count, list_of, mapping, optional, parse_failed, required, text

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,41}")
_KNOWN_KEYS = {"name", "definition", "retry_conf", "webhook", "webhook_from_env", "headers"}

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
        """The columns it names."""
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
    """Parses the event triggers of all tables of the metadata. Raises HasuraError with what is wrong."""
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
