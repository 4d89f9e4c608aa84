"""Rows of Hasura's event tables, those of all kinds in one shape.

An event: ``{id, kind, name, post_id, status, tries, due_at, delivery_at, created_at, row}``. `kind` is ``one_off``,
``cron`` or ``table``; `due_at` is the time of its first delivery, `delivery_at` that of the last known one, retries
included; `status` is a scheduled event's, also for a table event; `row` is the row as Hasura sends it.

An invocation: ``{id, event_id, kind, name, post_id, status, created_at, request, response}``. `status` is the HTTP
status of the webhook's response, or None. `post_id` is None for the sweep, which belongs to no post. Times are UTC,
ISO 8601 with a Z.
"""

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]


def scheduled_event(kind: str, row: Row) -> Row:
    """From ``get_scheduled_events``."""
    return {
        **{name: row[name] for name in ("id", "status", "tries", "created_at")},
        "kind": kind,
        "name": row.get("trigger_name") or row.get("comment") or "one-off event",
        "post_id": _post_id(row.get("payload")),
        "due_at": row["scheduled_time"],
        "delivery_at": row["next_retry_at"] or row["scheduled_time"],
        "row": row,
    }


def scheduled_invocation(kind: str, row: Row) -> Row:
    """From ``get_scheduled_event_invocations``."""
    envelope = _object(_object(row["request"]).get("payload"))
    return {
        **{name: row[name] for name in ("id", "event_id", "status", "created_at", "request", "response")},
        "kind": kind,
        "name": envelope.get("name") or envelope.get("comment") or "one-off event",
        "post_id": _post_id(envelope.get("payload")),
    }


def table_event(row: Row) -> Row:
    """From ``pg_get_event_logs``, whose times have no zone: they are UTC on a server that runs in UTC."""
    created_at = _utc(row["created_at"])
    return {
        "id": row["id"],
        "kind": "table",
        "name": row["trigger_name"],
        "post_id": _post_of_change(row["payload"]),
        "status": _status(row),
        "tries": row["tries"],
        "created_at": created_at,
        "due_at": created_at,
        "delivery_at": _utc(row["next_retry_at"]) if row["next_retry_at"] else created_at,
        "row": row,
    }


def table_invocation(row: Row) -> Row:
    """From ``pg_get_event_invocation_logs``."""
    body = _object(_object(row["request"]).get("payload"))
    return {
        **{name: row[name] for name in ("id", "event_id", "request", "response")},
        "kind": "table",
        "name": row["trigger_name"],
        "post_id": _post_of_change(body.get("event")),
        "status": row["http_status"],
        "created_at": _utc(row["created_at"]),
    }


def _status(row: Row) -> str:
    if row["delivered"]:
        return "delivered"
    if row["error"]:
        return "error"
    if row["archived"]:
        return "dead"
    return "locked" if row["locked"] else "scheduled"


def _post_of_change(event: Any) -> int | None:
    data = _object(_object(event).get("data"))
    return _post_id(data.get("new") or data.get("old"))


def _post_id(post: Any) -> int | None:
    """As a number, even if Hasura is configured to print a bigint as text."""
    given = str(_object(post).get("id", ""))
    return int(given) if given.isascii() and given.isdecimal() else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _utc(time: str) -> str:
    return time if time.endswith("Z") else f"{time}Z"
