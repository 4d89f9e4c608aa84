"""Hasura's events, as they arrive at the webhook."""

from typing import Any

from shared.errors import MalformedRequest


def ringing_post_id(body: Any) -> int | None:
    """The id of the post that an invocation of the webhook is about; None for the sweep, which is about none.

    Understands a scheduled event's envelope and a table event (Hasura's docs, Payload), and a bare post, as Hasura's
    first releases sent it. Raises MalformedRequest for anything else.
    """
    if not isinstance(body, dict):
        raise MalformedRequest("The body is no object, so it is no event of Hasura's.")
    post = _payload(body)
    if not post:
        return None
    post_id = post.get("id") if isinstance(post, dict) else None
    if isinstance(post_id, str) and post_id.isdecimal() and len(post_id) < 20:
        post_id = int(post_id)  # HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES
    if not isinstance(post_id, int) or isinstance(post_id, bool) or not 0 < post_id < 2**63:
        raise MalformedRequest("The event's payload is no post: it has no id.")
    return post_id


def _payload(body: dict[str, Any]) -> Any:
    if {"id", "scheduled_time", "payload"} <= body.keys():
        return body["payload"]
    if {"trigger", "table", "event"} <= body.keys():
        event = body["event"] if isinstance(body["event"], dict) else {}
        data = event.get("data")
        return (data.get("new") if isinstance(data, dict) else None) or {"id": None}
    if {"id", "schedule_for"} <= body.keys():
        return body
    raise MalformedRequest("The body is neither a scheduled event, nor a table event, nor a post.")
