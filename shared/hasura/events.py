"""Hasura's events, as they arrive at the webhook."""

from typing import Any

from shared.core.event_store import Row
from shared.core.model import Delivery, StateChange
from shared.errors import MalformedRequest
from shared.hasura.rows import is_open

STATE_TRIGGER = "post_ended"
"""The name of the event trigger in hasura/optional/post_ended.json."""

REQUEST_TRIGGER = "delivery_requested"
"""The name of the event trigger of the table ``delivery_request``."""


def event_id_of(body: Row) -> str | None:
    """The id of the event, the same at each delivery; None when the body has none."""
    event_id = body.get("id")
    return event_id if isinstance(event_id, str) else None


def state_change_of(body: Row) -> StateChange | None:
    """What the event says, if it is one of the trigger ``post_ended``. Raises MalformedRequest when it says nothing."""
    if body.get("trigger") != {"name": STATE_TRIGGER}:
        return None
    event_id, post, info = event_id_of(body), _new_row(body), body.get("delivery_info")
    if event_id is None or post is None or not isinstance(post.get("state"), str):
        raise MalformedRequest("The event of the trigger post_ended has no id, or no post with a state.")
    retry, retries = (info.get("current_retry"), info.get("max_retries")) if isinstance(info, dict) else (0, 0)
    if not isinstance(retry, int) or not isinstance(retries, int):
        raise MalformedRequest("The event's delivery_info has no numbers of retries.")
    return StateChange(event_id, _post_id(post), post["state"], is_open(post), retry, is_last=retry >= retries)


def delivery_of(body: Row) -> Delivery:
    """What an invocation of the webhook is about: a post, or none (the sweep, a delivery that the database asks for).

    Understands a scheduled event's envelope and a table event (Hasura's docs, Payload), and a bare post, as Hasura's
    first releases sent it. Raises MalformedRequest for anything else.
    """
    if {"id", "scheduled_time", "payload"} <= body.keys():
        return _scheduled(body["id"], body["payload"])
    if {"trigger", "table", "event"} <= body.keys():
        return _requested(body) if body["trigger"] == {"name": REQUEST_TRIGGER} else Delivery(_post_id(_new_row(body)))
    if {"id", "schedule_for"} <= body.keys():
        return Delivery(_post_id(body))
    raise MalformedRequest("The body is neither a scheduled event, nor a table event, nor a post.")


def _scheduled(event_id: Any, payload: Any) -> Delivery:
    event_id = event_id if isinstance(event_id, str) else None
    if payload is None or payload == {}:
        return Delivery(None, event_id)
    return Delivery(_post_id(payload), event_id)


def _requested(body: Row) -> Delivery:
    """The database asks for a delivery about no post."""
    return Delivery(None, is_follow_up=(_new_row(body) or {}).get("is_follow_up") is True)


def _new_row(body: Row) -> Row | None:
    """The row of a table event as it was after the change."""
    event = body.get("event")
    data = event.get("data") if isinstance(event, dict) else None
    row = data.get("new") if isinstance(data, dict) else None
    return row if isinstance(row, dict) else None


def _post_id(post: Any) -> int:
    post_id = post.get("id") if isinstance(post, dict) else None
    if isinstance(post_id, str) and post_id.isascii() and post_id.isdecimal() and len(post_id) < 20:
        post_id = int(post_id)  # HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES
    if not isinstance(post_id, int) or isinstance(post_id, bool) or not 0 < post_id < 2**63:
        raise MalformedRequest("The event's payload is no post: it has no id.")
    return post_id
