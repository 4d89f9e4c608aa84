"""Hasura's metadata, from the files and from Hasura itself, in one form, so that the two can be compared.

An export leaves out some defaults and writes down others, has its own order, and there are several spellings of one
thing (Hasura's docs, Metadata API Reference). Comments change nothing, so they are left out here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HASURA = Path(__file__).parent.parent / "hasura"

RELATIONSHIPS = ("object_relationships", "array_relationships")
PERMISSIONS = ("insert_permissions", "select_permissions", "update_permissions", "delete_permissions")

_CRON_RETRIES = {"num_retries": 0, "retry_interval_seconds": 10, "timeout_seconds": 60, "tolerance_seconds": 21600}
_EVENT_RETRIES = {"num_retries": 0, "interval_sec": 10, "timeout_sec": 60}

Json = dict[str, Any]


@dataclass(frozen=True)
class Metadata:
    """Metadata objects by name, in the form that can be compared.

    A table has its RELATIONSHIPS by name, its PERMISSIONS by role, and the rest; a function has its `permissions` by
    role; an event trigger says its `table`. `inherited_roles` have the names of those that they inherit.
    """

    tables: dict[str, Json]
    functions: dict[str, Json]
    event_triggers: dict[str, Json]
    cron_triggers: dict[str, Json]
    inherited_roles: dict[str, frozenset[str]]


def expected_metadata(directory: Path = HASURA / "metadata") -> Metadata:
    """What the files say."""
    database = directory / "databases" / "default"
    return _metadata(
        _each_in(database / "tables"),
        _each_in(database / "functions"),
        yaml.safe_load((directory / "cron_triggers.yaml").read_text()),
        yaml.safe_load((directory / "inherited_roles.yaml").read_text()),
    )


def metadata_at_hasura(export: Json, cron_triggers: Json) -> Metadata:
    """From Hasura's answers to ``export_metadata``, in the wrapping of its version 2 or without, and, because an export
    leaves out some, to ``get_cron_triggers``."""
    content = export.get("metadata", export)
    default: Json = next((source for source in content.get("sources") or [] if source.get("name") == "default"), {})
    return _metadata(
        default.get("tables") or [],
        default.get("functions") or [],
        cron_triggers.get("cron_triggers") or [],
        content.get("inherited_roles") or [],
    )


def _metadata(tables: list[Json], functions: list[Json], cron_triggers: list[Json], roles: list[Json]) -> Metadata:
    event_triggers = [(_name(table["table"]), one) for table in tables for one in table.get("event_triggers") or []]
    return Metadata(
        tables={_name(table["table"]): _table(table) for table in tables},
        functions={_name(function["function"]): _function(function) for function in functions},
        event_triggers={one["name"]: {**_event_trigger(one), "table": table} for table, one in event_triggers},
        cron_triggers={trigger["name"]: _cron_trigger(trigger) for trigger in cron_triggers},
        inherited_roles={role["role_name"]: frozenset(role["role_set"]) for role in roles},
    )


def _each_in(directory: Path) -> list[Json]:
    """One object a file; the list that includes them all is no object."""
    contents = [yaml.safe_load(path.read_text()) for path in sorted(directory.glob("*.yaml"))]
    return [content for content in contents if isinstance(content, dict)]


def _name(given: Any) -> str:
    """Of a table or a function: with its schema where that is not ``public``."""
    if isinstance(given, str):
        return given
    schema = given.get("schema", "public")
    return str(given["name"]) if schema == "public" else f"{schema}.{given['name']}"


def _table(given: Json) -> Json:
    relationships = {
        kind: {one["name"]: _using(one["using"]) for one in given.get(kind) or []} for kind in RELATIONSHIPS
    }
    permissions = {
        kind: {one["role"]: _permission(one["permission"]) for one in given.get(kind) or []} for kind in PERMISSIONS
    }
    rest = _without(given, "table", "event_triggers", *RELATIONSHIPS, *PERMISSIONS)
    return {**relationships, **permissions, "rest": _said(rest)}


def _using(given: Json) -> Json:
    """A foreign key of one column may be written as a name, of another table as ``column`` or ``columns``."""
    key = given.get("foreign_key_constraint_on")
    if isinstance(key, dict):
        return {"table": _name(key["table"]), "columns": sorted(key.get("columns") or [key.get("column")])}
    if key:
        return {"columns": [key] if isinstance(key, str) else sorted(key)}
    manual = given["manual_configuration"]
    return {**_said(manual), "remote_table": _name(manual["remote_table"])}


def _permission(given: Json) -> Json:
    """An empty list of root fields means none of them, no list all of them."""
    root_fields = {
        name: fields for name, fields in given.items() if name.endswith("_root_fields") and fields is not None
    }
    return {
        **_said(_without(given, "filter", "check", "set", *root_fields)),
        **{name: sorted(fields) for name, fields in root_fields.items()},
        "filter": _condition(given.get("filter") or {}),
        "check": _condition(given.get("check") or {}),
        "set": {column: _session_variable(value) for column, value in (given.get("set") or {}).items()},
    }


def _condition(given: Any) -> Any:
    """A list of what must hold together, in one order: ``{a, b}`` and ``_and: [a, b]`` are alike, and ``$eq`` is an
    older spelling of ``_eq``."""
    if isinstance(given, list):
        return [_condition(one) for one in given]
    if not isinstance(given, dict):
        return _session_variable(given)
    conditions = []
    for key, value in given.items():
        name = f"_{key[1:]}" if key.startswith("$") else key
        if name == "_and":
            conditions += [part for one in value for part in _condition(one)]
        elif name == "_or":
            conditions.append({name: _in_order(_condition(value))})
        else:
            is_shorthand = not name.startswith("_") and not isinstance(value, dict)
            conditions.append({name: _condition({"_eq": value} if is_shorthand else value)})
    return _in_order(conditions)


def _session_variable(value: Any) -> Any:
    """Hasura does not mind the case of their names."""
    return value.lower() if isinstance(value, str) and value.lower().startswith("x-hasura-") else value


def _function(given: Json) -> Json:
    return {
        "permissions": {one["role"]: {} for one in given.get("permissions") or []},
        "rest": _said(_without(given, "function", "permissions")),
    }


def _event_trigger(given: Json) -> Json:
    definition = dict(given["definition"])
    for operation in {"insert", "update", "delete"} & definition.keys():
        columns = definition[operation] or {}
        definition[operation] = {**columns, "payload": None} if columns.get("payload") == "*" else columns
    return {
        **_bell(_without(given, "webhook_from_env")),
        "webhook": given.get("webhook") or "{{" + given.get("webhook_from_env", "") + "}}",
        "definition": _said(definition),
        "retry_conf": _retries(given, _EVENT_RETRIES),
    }


def _cron_trigger(given: Json) -> Json:
    return {
        **_bell(given),
        "schedule": " ".join(given["schedule"].split()),
        "include_in_metadata": given.get("include_in_metadata", True),
        "retry_conf": _retries(given, _CRON_RETRIES),
    }


def _bell(given: Json) -> Json:
    headers = [(one["name"].lower(), one.get("value"), one.get("value_from_env")) for one in given.get("headers") or []]
    return {**_said(_without(given, "name")), "headers": sorted(headers, key=str)}


def _retries(given: Json, defaults: Mapping[str, Any]) -> Json:
    said = {name: value for name, value in (given.get("retry_conf") or {}).items() if value is not None}
    return {**defaults, **said}


def _without(given: Json, *names: str) -> Json:
    return {name: value for name, value in given.items() if name not in names}


def _said(given: Any) -> Any:
    """Without comments and what is off, empty or null, which is each time the default; lists in one order."""
    if isinstance(given, dict):
        said = {name: _said(value) for name, value in given.items() if not (name == "comment" and _is_text(value))}
        return {name: value for name, value in said.items() if value is not False and value not in (None, "", [], {})}
    return _in_order([_said(one) for one in given]) if isinstance(given, list) else given


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _in_order(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True, default=str))
