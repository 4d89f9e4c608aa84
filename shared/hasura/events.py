"""Hasura's events, as they arrive at the webhook."""

from typing import Any

from shared.core.model import Delivery
from shared.errors import MalformedRequest


def delivery_of(body: Any) -> Delivery:
    """What an invocation of the webhook is about: a post, or none in particular (the sweep, a follow-up delivery).

    Understands a scheduled event's envelope and a table event (Hasura's docs, Payload), and a bare post, as Hasura's
    first releases sent it. Raises MalformedRequest for anything else.
    """
    if not isinstance(body, dict):
        raise MalformedRequest("The body is no object, so it is no event of Hasura's.")
    if {"id", "scheduled_time", "payload"} <= body.keys():
        return _scheduled(body["id"], body["payload"])
    if {"trigger", "table", "event"} <= body.keys():
        event = body["event"] if isinstance(body["event"], dict) else {}
        data = event.get("data")
        return Delivery(_post_id(data.get("new") if isinstance(data, dict) else None))
    if {"id", "schedule_for"} <= body.keys():
        return Delivery(_post_id(body))
    raise MalformedRequest("The body is neither a scheduled event, nor a table event, nor a post.")


def _scheduled(event_id: Any, payload: Any) -> Delivery:
    event_id = event_id if isinstance(event_id, str) else None
    if not payload:
        return Delivery(None, event_id)
    if payload == {"follow_up": True}:
        return Delivery(None, event_id, is_follow_up=True)
    return Delivery(_post_id(payload), event_id)


def _post_id(post: Any) -> int:
    post_id = post.get("id") if isinstance(post, dict) else None
    if isinstance(post_id, str) and post_id.isdecimal() and len(post_id) < 20:
        post_id = int(post_id)  # HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES
    if not isinstance(post_id, int) or isinstance(post_id, bool) or not 0 < post_id < 2**63:
        raise MalformedRequest("The event's payload is no post: it has no id.")
    return post_id
