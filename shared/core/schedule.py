"""How a post is created: the draft becomes a row, and the row gets its scheduled event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared import log
from shared.core.clock import Clock
from shared.core.drafts import Draft, read_draft, read_repeated_draft
from shared.core.event_recorder import CreatedEvent
from shared.core.event_store import EventStore, Row, event_time
from shared.errors import (
    Fault,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    KeyReused,
    ScheduledPostsError,
    TooManyPosts,
)
from shared.log import LogEvent


@dataclass(frozen=True)
class Created:
    """A stored post, and what Hasura says of its scheduled event.

    No event: none is known to be set, and the sweep will publish the post.
    """

    post: Row
    event: Row | None


@dataclass(frozen=True)
class EarlierPost:
    """The post of an earlier request with the same key, the JSON object of its draft, and its event."""

    post: Row
    draft: Any
    event_id: str | None


class DraftStore(EventStore, Protocol):
    """Where a draft becomes a row, with its author's rights. Everything may raise a Problem."""

    def post_of_key(self, key: str, token: str) -> EarlierPost | None:
        """The author's post of this key, if there is one."""

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        """The new row; None when the author has a post of this key already."""


class RecordsEvents(Protocol):
    """Writes events down on their posts, at once or soon."""

    def record(self, event: CreatedEvent, store: EventStore) -> None:
        """Best effort; raises nothing."""


def create(
    fields: Mapping[str, Any], token: str, key: str | None, store: DraftStore, clock: Clock, recorder: RecordsEvents
) -> Created:
    """Stores the draft in a JSON object and sets its event; or answers the post that the same key created before.

    Whether there is one is asked when the draft is not stored: because its key is there already, or because a rule
    refuses it now that may have allowed it then. A missing event does not undo the post. Raises what refuses the draft,
    and KeyReused when the key came with another draft.
    """
    try:
        draft = read_draft(fields, clock.now())
        row = store.insert_post(draft, token, key)
    except (InvalidDraft, Forbidden, TooManyPosts):
        if key and (earlier := store.post_of_key(key, token)):
            return _created_before(fields, earlier)
        raise
    if row is None:
        if key is None or (earlier := store.post_of_key(key, token)) is None:
            raise HasuraUnavailable("The post of this Idempotency-Key was deleted just now. Try again.")
        return _created_before(fields, earlier)
    at = draft.schedule_for.isoformat()
    log.info(LogEvent.POST_CREATED, f"post {row['id']} is stored for {at}", post_id=row["id"], schedule_for=at)
    return Created(row, _set_event(row, draft, store, recorder))


def _created_before(fields: Mapping[str, Any], earlier: EarlierPost) -> Created:
    """The repeated request is valid if it equals the first one, though its time may have passed since."""
    draft = read_repeated_draft(fields).as_json()
    first = earlier.draft if isinstance(earlier.draft, dict) else {}  # an author can store anything in its place
    differing = [name for name, value in draft.items() if first.get(name) != value]
    if differing:
        raise KeyReused([Fault(name, f"This Idempotency-Key came with another {name} before.") for name in differing])
    post_id = earlier.post["id"]
    log.info(LogEvent.POST_CREATED_AGAIN, f"post {post_id} is created again by its key", post_id=post_id)
    event = {"message": "success", "event_id": earlier.event_id} if earlier.event_id else None
    return Created(earlier.post, event)


def _set_event(row: Row, draft: Draft, store: DraftStore, recorder: RecordsEvents) -> Row | None:
    """None when that fails: the sweep publishes the post."""
    at = event_time(draft.schedule_for, store)
    try:
        event = store.create_event(at, row)
    except ScheduledPostsError as error:
        log.error(
            LogEvent.EVENT_NOT_CREATED,
            f"post {row['id']} has no scheduled event, the sweep will publish it: {error}",
            post_id=row["id"],
        )
        return None
    event_id = event.get("event_id")
    log.info(
        LogEvent.EVENT_CREATED,
        f"post {row['id']} has its scheduled event: {event_id or 'of unknown id'}",
        post_id=row["id"],
        event_id=event_id,
    )
    if event_id:
        recorder.record(CreatedEvent(row["id"], event_id, at), store)
    return event
