"""What Hasura keeps of a user's posts beside the rows: events, and its log of what it sent and what was answered.

A one-off event holds the whole post. Hasura never deletes events by itself.
"""

import time
from collections.abc import Iterator, Set
from typing import Any

from admin.connection import CommandRefused
from admin.hasura_api import HasuraApi

PAGE = 500
"""One-off events that are read at once."""

STEP = 1000
"""Rows that one statement deletes at most."""

MOST_PASSES = 10
MOST_STEPS = 10_000
"""More is not believed: another program must be writing all the time."""

PAUSE_SECONDS = 5
MOST_PAUSES = 60
"""Hasura ends a delivery in less: it waits 150 s for an answer."""

OF_USER = """(
  {json} #>> '{{{path}data,new,user_id}}' = '{user}' or {json} #>> '{{{path}data,old,user_id}}' = '{user}'
  or {json} #>> '{{{path}session_variables,x-hasura-user-id}}' = {username}
)"""

DELETE_INVOCATIONS = """
with deleted as (
  delete from hdb_catalog.event_invocation_logs where id in (
    select log.id from hdb_catalog.event_invocation_logs as log
    left join hdb_catalog.event_log as event on event.id = log.event_id
    where {in_event} or {in_request} limit {step}
  ) returning 1
) select json_build_object('deleted', count(*)) from deleted"""

DELETE_EVENTS = """
with deleted as (
  delete from hdb_catalog.event_log where id in (
    select id from hdb_catalog.event_log as event where locked is null and {in_event} limit {step}
  ) returning 1
) select json_build_object('deleted', count(*)) from deleted"""

COUNT_DELIVERIES_UNDER_WAY = """
select json_build_object('locked', count(*)) from hdb_catalog.event_log as event
where locked is not null and {in_event}"""


def delete_one_off_events(hasura: HasuraApi, user_id: int, post_ids: Set[int]) -> int:
    """Deletes the one-off scheduled events of the user's posts; Hasura deletes their invocations with them. How many.

    Through the metadata API, because Hasura may keep them in a database of its own. An event names its user; one that
    was created for a moved post has nothing but the id of the post, which is one of `post_ids`.
    """
    number = 0
    for _ in range(MOST_PASSES):
        found = [event_id for event_id, payload in _one_off_events(hasura) if _is_of(payload, user_id, post_ids)]
        if not found:
            return number
        for event_id in found:
            hasura.metadata("delete_scheduled_event", {"type": "one_off", "event_id": event_id})
        number += len(found)
    raise _endless()


def delete_table_events(hasura: HasuraApi, user_id: int, username: str) -> tuple[int, int]:
    """Deletes the events of event triggers on the user's rows, or that the user caused, and their invocations. How many
    of each.

    They stand in the database of the rows. Invocations go first: an event that is gone no longer tells whose they are.
    An event that Hasura delivers just now stays until that has ended, for its invocation is written then.
    """
    of_user = {"user": int(user_id), "username": "'" + username.replace("'", "''") + "'"}
    parts = {
        "in_event": OF_USER.format(json="event.payload", path="", **of_user),
        "in_request": OF_USER.format(json="log.request", path="payload,event,", **of_user),
        "step": STEP,
    }
    events = invocations = 0
    for _ in range(MOST_PAUSES):
        invocations += sum(_deleted(hasura, DELETE_INVOCATIONS.format(**parts)))
        events += sum(_deleted(hasura, DELETE_EVENTS.format(**parts)))
        if not hasura.change(COUNT_DELIVERIES_UNDER_WAY.format(**parts))["locked"]:
            invocations += sum(_deleted(hasura, DELETE_INVOCATIONS.format(**parts)))  # of what was delivered meanwhile
            return events, invocations
        time.sleep(PAUSE_SECONDS)
    raise CommandRefused("Hasura is still delivering an event of this user. Run the command again.")


def _one_off_events(hasura: HasuraApi) -> Iterator[tuple[str, Any]]:
    """The ids and payloads of all. One may be missed when others are deleted between two pages: read again."""
    for page in range(MOST_STEPS):
        part = {"type": "one_off", "limit": PAGE, "offset": page * PAGE}
        events = hasura.metadata("get_scheduled_events", part)["events"]
        yield from ((event["id"], event["payload"]) for event in events)
        if len(events) < PAGE:
            return
    raise _endless()


def _is_of(payload: Any, user_id: int, post_ids: Set[int]) -> bool:
    if not isinstance(payload, dict):
        return False
    return str(payload.get("user_id")) == str(user_id) or str(payload.get("id")) in map(str, post_ids)


def _deleted(hasura: HasuraApi, statement: str) -> Iterator[int]:
    for _ in range(MOST_STEPS):
        number: int = hasura.change(statement)["deleted"]
        yield number
        if number < STEP:
            return
    raise _endless()


def _endless() -> CommandRefused:
    return CommandRefused("Hasura's events have no end; run the command again.")
