"""What a delivery does with the scheduled event of a post: one is left, for a little before the post is due."""

from datetime import datetime

from shared import log
from shared.core.clock import Clock
from shared.core.event_store import EventStore, event_time
from shared.core.model import ClaimedPost, Delivery, FoundPost
from shared.errors import ScheduledPostsError
from shared.limits import CLOCK_MARGIN
from shared.log import LogEvent


def ensure_event(post: FoundPost, delivery: Delivery, begin_by: datetime, store: EventStore, clock: Clock) -> bool:
    """A post that is not due has one event, for a little before it is; nothing to do if that is still to come.

    False when another delivery has set one at the same time, which may be for another time.
    """
    at = event_time(post.due_at, store)
    if post.event_at == at and post.event_id != delivery.event_id:
        return True
    event = store.create_event(at, {"id": post.id, "schedule_for": post.schedule_for.isoformat()})
    event_id = event.get("event_id")
    if event_id is None:
        return True
    is_recorded = store.record_event(post.id, event_id, at, instead_of=post.event_id)
    obsolete = post.event_id if is_recorded else event_id
    if obsolete and obsolete != delivery.event_id and clock.now() <= begin_by:
        _delete_event(post.id, obsolete, store)
    if is_recorded:
        log.info(
            LogEvent.EVENT_CREATED,
            f"post {post.id} is not due before {post.due_at.isoformat()}; its event is set for {at.isoformat()}",
            post_id=post.id,
            event_id=event_id,
        )
    return is_recorded


def delete_leftover_event(
    post: ClaimedPost, delivery: Delivery, begin_by: datetime, store: EventStore, clock: Clock
) -> None:
    """A post that was moved to an earlier time still has the event for its later one, which finds nothing to do."""
    if clock.now() > begin_by or not post.event_id or not post.event_at or post.event_id == delivery.event_id:
        return
    if post.event_at > clock.now() + CLOCK_MARGIN:
        _delete_event(post.id, post.event_id, store)
        _forget_event(post.id, post.event_id, store)


def _delete_event(post_id: int, event_id: str, store: EventStore) -> None:
    """Best effort: an event that is left is delivered, and finds nothing to do."""
    try:
        store.delete_event(event_id)
    except ScheduledPostsError as error:
        log.info(
            LogEvent.EVENT_NOT_DELETED,
            f"post {post_id}: an obsolete event could not be deleted: {error}",
            post_id=post_id,
        )


def _forget_event(post_id: int, event_id: str, store: EventStore) -> None:
    try:
        store.forget_event(post_id, event_id)
    except ScheduledPostsError as error:
        log.info(
            LogEvent.EVENT_NOT_DELETED,
            f"post {post_id}: a deleted event could not be taken off it: {error}",
            post_id=post_id,
        )
