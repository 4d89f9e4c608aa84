"""Does Hasura have the metadata of ``hasura/metadata``, all of it, and for its tables and functions no other?

Both are brought into one form, so that they can be compared: an export leaves out some defaults and writes down others,
and has its own order (Hasura's docs, Metadata API Reference). Comments change nothing, so they are left out.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from doctor.comparison import Objects, additional_parts, differences
from doctor.report import Finding, misconfigured

METADATA = Path(__file__).parent.parent / "hasura" / "metadata"

_RELATIONSHIPS = {"object_relationships": "object relationship", "array_relationships": "array relationship"}
_PERMISSIONS = {f"{kind}_permissions": f"{kind} permission" for kind in ("insert", "select", "update", "delete")}

_CRON_RETRIES = {"num_retries": 0, "retry_interval_seconds": 10, "timeout_seconds": 60, "tolerance_seconds": 21600}
_EVENT_RETRIES = {"num_retries": 0, "interval_sec": 10, "timeout_sec": 60}

Json = dict[str, Any]


def expected_metadata() -> Objects:
    """What the files say: each table, function, event trigger, cron trigger and inherited role by its kind and name."""
    database = METADATA / "databases" / "default"
    return _objects(
        _each_in(database / "tables"),
        _each_in(database / "functions"),
        yaml.safe_load((METADATA / "cron_triggers.yaml").read_text()),
        yaml.safe_load((METADATA / "inherited_roles.yaml").read_text()),
    )


def metadata_at_hasura(export: Json, cron_triggers: Json) -> Objects:
    """From Hasura's answers to ``export_metadata``, in the wrapping of its version 2 or without, and, because an export
    leaves out some, to ``get_cron_triggers``."""
    content = export.get("metadata", export)
    default: Json = next((source for source in content.get("sources") or [] if source.get("name") == "default"), {})
    return _objects(
        default.get("tables") or [],
        default.get("functions") or [],
        cron_triggers.get("cron_triggers") or [],
        content.get("inherited_roles") or [],
    )


def metadata_findings(expected: Objects, actual: Objects) -> Iterator[Finding]:
    """Where the two differ. What Hasura has for other programs, in tables of their own, is passed over."""
    for name, sentence in differences(expected, actual):
        yield _differs(name, sentence)
    for name, parts in additional_parts(expected, actual).items():
        yield _differs(name, f"It has what hasura/metadata does not give it: {', '.join(parts)}.")
    our_roles = {
        part.rpartition(" of the role ")[2] for parts in expected.values() for part in parts if " of the role " in part
    }
    for name in sorted(actual.keys() - expected.keys()):
        if name.startswith("role ") and (inherited := our_roles & {*actual[name]["inherited roles"]}):
            yield _differs(name, f"It inherits the rights of {', '.join(sorted(inherited))}.")


def event_triggers(metadata: Objects) -> dict[str, Mapping[str, Any]]:
    """By name, with their ``table`` and ``definition``."""
    kind = "event trigger "
    return {name.removeprefix(kind): parts for name, parts in metadata.items() if name.startswith(kind)}


def _differs(subject: str, sentence: str) -> Finding:
    return misconfigured(f"{subject} at Hasura", sentence, "Apply hasura/metadata.")


def _objects(tables: list[Json], functions: list[Json], cron_triggers: list[Json], roles: list[Json]) -> Objects:
    return {
        **{f"table {_name(table['table'])}": _table(table) for table in tables},
        **{f"function {_name(function['function'])}": _function(function) for function in functions},
        **{
            f"event trigger {trigger['name']}": {**_event_trigger(trigger), "table": _name(table["table"])}
            for table in tables
            for trigger in table.get("event_triggers") or []
        },
        **{f"cron trigger {trigger['name']}": _trigger(trigger, _CRON_RETRIES) for trigger in cron_triggers},
        **{f"role {role['role_name']}": {"inherited roles": sorted(role["role_set"])} for role in roles},
    }


def _each_in(directory: Path) -> list[Json]:
    """One object a file; the list that includes them all is no object."""
    contents = [yaml.safe_load(path.read_text()) for path in sorted(directory.glob("*.yaml"))]
    return [content for content in contents if isinstance(content, dict)]


def _table(given: Json) -> Json:
    relationships = {
        f"{words} {one['name']}": _said(one["using"])
        for kind, words in _RELATIONSHIPS.items()
        for one in given.get(kind) or []
    }
    permissions = {
        f"{words} of the role {one['role']}": _permission(one["permission"])
        for kind, words in _PERMISSIONS.items()
        for one in given.get(kind) or []
    }
    rest = _said(_without(given, "table", "event_triggers", *_RELATIONSHIPS, *_PERMISSIONS))
    return {**relationships, **permissions, **rest}


def _permission(given: Json) -> Json:
    """An empty list of root fields means none of them, no list all of them."""
    root_fields = {name: value for name, value in given.items() if name.endswith("_root_fields") and value is not None}
    return {**_said(given), **root_fields}


def _function(given: Json) -> Json:
    permissions: Json = {f"permission of the role {one['role']}": {} for one in given.get("permissions") or []}
    return {**permissions, **_said(_without(given, "function", "permissions"))}


def _event_trigger(given: Json) -> Json:
    """`payload` may be written as ``*``, which is the default, and the webhook as the name of a variable."""
    definition = {
        operation: {**columns, "payload": None}
        if isinstance(columns, dict) and columns.get("payload") == "*"
        else columns
        for operation, columns in given["definition"].items()
    }
    webhook = given.get("webhook") or "{{" + given.get("webhook_from_env", "") + "}}"
    return _trigger(
        {**_without(given, "webhook_from_env"), "webhook": webhook, "definition": definition}, _EVENT_RETRIES
    )


def _trigger(given: Json, default_retries: Json) -> Json:
    headers = [(one["name"].lower(), one.get("value"), one.get("value_from_env")) for one in given.get("headers") or []]
    retries = {name: value for name, value in (given.get("retry_conf") or {}).items() if value is not None}
    return {
        **_said(_without(given, "name")),
        "headers": sorted(headers, key=str),
        "retry_conf": {**default_retries, **retries},
    }


def _name(given: Any) -> str:
    """Of a table or a function: with its schema where that is not ``public``."""
    if isinstance(given, str):
        return given
    schema = given.get("schema", "public")
    return str(given["name"]) if schema == "public" else f"{schema}.{given['name']}"


def _without(given: Json, *names: str) -> Json:
    return {name: value for name, value in given.items() if name not in names}


def _said(given: Any) -> Any:
    """Without comments and what is off, empty or null, which is each time the default; lists in one order."""
    if isinstance(given, dict) and given.keys() == {"name", "schema"}:
        return _name(given)
    if isinstance(given, dict):
        said = {name: _said(value) for name, value in given.items() if not (name == "comment" and _is_text(value))}
        return {name: value for name, value in said.items() if value is not False and value not in (None, "", [], {})}
    if isinstance(given, list):
        return sorted((_said(one) for one in given), key=lambda one: json.dumps(one, sort_keys=True, default=str))
    return given


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)
