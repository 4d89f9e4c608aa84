"""A delivery of an event to the webhook: publishes everything that is due, and answers for the post it is about."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.after_claim import AfterClaim
from shared.core.clock import Clock
from shared.core.drain import drain
from shared.core.model import Delivery, FoundDraft, PostStore, State, XApi
from shared.core.scheduled_events import ensure_event
from shared.core.wait import request_follow_up, wait_and_publish
from shared.limits import AT_ONCE, BATCH_TIME, DRAIN_TIME, LONGEST_RETRY_AFTER, WAIT_TIME


@dataclass(frozen=True)
class DeliveryResult:
    """What a delivery did: how many claimed posts ended in which state, and what there is to say of its own post.

    `retry_after` is set when the same event should be delivered again: its post is still open. `is_due_soon`: so soon
    that a delivery waits for it.
    """

    post_id: int | None = None
    state: State | None = None
    reason: str | None = None
    tweet_id: str | None = None
    retry_after: timedelta | None = None
    is_due_soon: bool = False
    claimed: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What Hasura's log of invocations shows."""
        return {
            "post_id": self.post_id,
            "state": self.state,
            "reason": self.reason,
            "tweet_id": self.tweet_id,
            "claimed": self.claimed,
        }


def handle_delivery(delivery: Delivery, store: PostStore, x: XApi, clock: Clock) -> DeliveryResult:
    """Publishes what is due and, while posts are due soon, waits for them; says what became of the delivery's own post.

    Raises a Problem when the first claim fails, or the state of that post could not be read.
    """
    begun_at = clock.now()
    if delivery.is_follow_up:
        store.release_follow_up()
    # A follow-up delivery is of an event trigger, whose deliveries hold up no others.
    claim_until = begun_at + (WAIT_TIME if delivery.is_follow_up else DRAIN_TIME)
    drained = drain(delivery, claim_until, store, x, clock)
    ended = drained.posts
    begin_by = begun_at + DRAIN_TIME + BATCH_TIME
    result = _of_delivery(delivery, ended, begin_by, store, clock)
    if not drained.is_all:
        result = _waited_for(result, "A follow-up delivery" if request_follow_up(store) else None)
    elif result.retry_after is None or result.is_due_soon:
        waited = wait_and_publish(delivery, begun_at, store, x, clock)
        ended |= waited.posts
        if delivery.post_id in waited.posts:
            result = _of_claimed(ended[delivery.post_id], store, clock)
        else:
            result = _waited_for(result, "A delivery" if waited.somebody_waits else None)
    return replace(result, claimed=Counter(str(post.state) for post in ended.values()))


def _waited_for(result: DeliveryResult, waiter: str | None) -> DeliveryResult:
    """For a post that is due soon: who waits for it. Without anybody, its event is to be delivered again."""
    if not result.is_due_soon or result.retry_after is not None:
        return result
    reason = f"{result.reason} {waiter or 'No delivery'} waits for it."
    return replace(result, reason=reason, retry_after=None if waiter else AT_ONCE)


def _of_delivery(
    delivery: Delivery, ended: Mapping[int, AfterClaim], begin_by: datetime, store: PostStore, clock: Clock
) -> DeliveryResult:
    if delivery.post_id is None:
        return DeliveryResult()
    if own := ended.get(delivery.post_id):
        return _of_claimed(own, store, clock)
    if clock.now() > begin_by:
        no_time = "It was not claimed; this delivery had no time left to see why."
        return DeliveryResult(delivery.post_id, None, no_time, retry_after=AT_ONCE)
    return _of_unclaimed(delivery, delivery.post_id, begin_by, store, clock)


def _of_claimed(own: AfterClaim, store: PostStore, clock: Clock) -> DeliveryResult:
    retry_after = min(own.come_back_at - clock.now(), LONGEST_RETRY_AFTER) if own.come_back_at else None
    is_due_soon = own.state is State.SCHEDULED and retry_after is not None and retry_after <= store.early
    return DeliveryResult(own.id, own.state, own.reason, own.tweet_id, retry_after, is_due_soon)


_NOTHING_TO_DO = {
    State.TWEETED: "It is published already.",
    State.SENDING: "Another delivery is publishing it.",
}


def _of_unclaimed(
    delivery: Delivery, post_id: int, begin_by: datetime, store: PostStore, clock: Clock
) -> DeliveryResult:
    """The post was not claimed: the delivery is early, late, a second one, or for nothing. That does no harm."""
    post = store.find_post(post_id)
    if post is None:
        return DeliveryResult(post_id, None, "There is no such post: it was deleted, or never was.")
    if isinstance(post, FoundDraft):
        return DeliveryResult(post_id, State.DRAFT, "It is a draft, which is not published.")
    if post.state is not State.SCHEDULED:
        reason = _NOTHING_TO_DO.get(post.state, post.reason)
        return DeliveryResult(post_id, post.state, reason, post.tweet_id)
    if post.has_open_attempt:
        reason = "It is not claimed: its log has an open attempt, which only a change by hand can leave."
        return DeliveryResult(post_id, post.state, reason)
    if post.paused_until and post.paused_until > max(post.due_at, post.found_at):
        # The sweep takes it after the pause. An event for each post would send all of them at the same instant.
        return DeliveryResult(post_id, post.state, f"Paused until {post.paused_until.isoformat()}.")
    if post.due_at <= post.found_at:  # or it has become due since the claim
        reason = "It is due, but another delivery or a change has it locked."
        return DeliveryResult(post_id, post.state, reason, retry_after=AT_ONCE)
    not_due = f"Not due before {post.due_at.isoformat()}."
    if post.due_at - post.found_at <= store.early:
        return DeliveryResult(post_id, post.state, not_due, is_due_soon=True)
    if not ensure_event(post, delivery, begin_by, store, clock):
        reason = "Another delivery has set its event meanwhile."
        return DeliveryResult(post_id, post.state, reason, retry_after=AT_ONCE)
    return DeliveryResult(post_id, post.state, not_due)
