"""A delivery of an event to the webhook: publishes everything that is due, and answers for the post it is about."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import log
from shared.core.model import (
    ClaimedPost,
    Clock,
    Delivery,
    FoundDraft,
    FoundPost,
    MissedPost,
    PostStore,
    State,
    XApi,
)
from shared.core.publish import Conclusion, Deadlines, publish
from shared.core.reconcile import Timelines, reconcile
from shared.errors import ScheduledPostsError
from shared.limits import (
    CLOCK_MARGIN,
    DELIVERY_TIME,
    DRAIN_TIME,
    FOLLOW_UP_TIME,
    LATEST_START,
    LONGEST_RETRY_AFTER,
    RECONCILE_TIME,
)
from shared.log import LogEvent


@dataclass(frozen=True)
class DeliveryResult:
    """What a delivery did: how many claimed posts ended in which state, and what there is to say of its own post.

    `retry_after` is set when the same event should be delivered again: its post is still open.
    """

    claimed: Mapping[str, int]
    post_id: int | None = None
    state: State | None = None
    reason: str | None = None
    tweet_id: str | None = None
    retry_after: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """What Hasura's log of invocations shows."""
        return {
            "post_id": self.post_id,
            "state": self.state,
            "reason": self.reason,
            "tweet_id": self.tweet_id,
            "claimed": self.claimed,
        }


@dataclass(frozen=True)
class _AfterClaim:
    """A claimed post as it is after its claim. `come_back_at`: when it is next due, as far as this delivery knows."""

    id: int
    state: State
    reason: str | None = None
    tweet_id: str | None = None
    come_back_at: datetime | None = None


def handle_delivery(delivery: Delivery, store: PostStore, x: XApi, clock: Clock) -> DeliveryResult:
    """Publishes what is due, and says what became of the post of the delivery, if it is about one.

    Raises HasuraUnavailable when nothing could be claimed, or the state of that post could not be read.
    """
    begun_at = clock.now()
    begin_by = begun_at + DELIVERY_TIME
    if delivery.is_follow_up:
        store.release_follow_up()
    ended = _drain(delivery, begun_at + DRAIN_TIME, begin_by, store, x, clock)
    counts = Counter(str(post.state) for post in ended.values())
    if delivery.post_id is None:
        return DeliveryResult(counts)
    own = ended.get(delivery.post_id)
    if own is None:
        return _not_claimed(delivery, delivery.post_id, counts, begin_by, store, clock)
    retry_after = None
    if own.come_back_at:
        retry_after = min(own.come_back_at - clock.now(), LONGEST_RETRY_AFTER)
    return DeliveryResult(counts, own.id, own.state, own.reason, own.tweet_id, retry_after)


def _drain(
    delivery: Delivery, claim_until: datetime, begin_by: datetime, store: PostStore, x: XApi, clock: Clock
) -> dict[int, _AfterClaim]:
    """Claims batch after batch until `claim_until`; what is left then is for one follow-up delivery.

    Answers the claimed posts by id, as they ended last: what was surely absent from X is due again at once.
    """
    all_ended: dict[int, _AfterClaim] = {}
    while True:
        send_by = clock.now() + LATEST_START
        claim = store.claim_due_posts(delivery.post_id)
        deadlines = Deadlines(send_by, clock.now() + RECONCILE_TIME, begin_by)
        if claim.ceiling_reached:
            log.error(LogEvent.OPERATOR_MUST_ACT, f"the operator must act, {claim.ceiling_reached}")
        ended = [_missed(post) for post in claim.missed]
        ended += _publish_and_reconcile(claim.posts, deadlines, delivery, store, x, clock)
        all_ended |= {post.id: post for post in ended}
        is_due_again = any(post.come_back_at and post.come_back_at <= clock.now() for post in ended)
        if claim.size < store.batch_size and not is_due_again:
            return all_ended
        if clock.now() > claim_until:
            _follow_up(begin_by, store, clock)
            return all_ended


def _publish_and_reconcile(
    posts: tuple[ClaimedPost, ...],
    deadlines: Deadlines,
    delivery: Delivery,
    store: PostStore,
    x: XApi,
    clock: Clock,
) -> list[_AfterClaim]:
    """Side by side, each post in a thread. Only this thread logs: Azure drops the log lines of others."""
    if not posts:
        return []
    timelines = Timelines(posts, deadlines.read_by, x)
    with ThreadPoolExecutor(max_workers=len(posts)) as pool:
        running = [
            pool.submit(publish, post, deadlines, store, x, clock)
            if post.state is State.SENDING
            else pool.submit(reconcile, post, timelines, deadlines, store, clock)
            for post in posts
        ]
    ended = [_ended(post, work, clock) for post, work in zip(posts, running, strict=True)]
    for post in posts:
        _delete_leftover_event(post, delivery, deadlines.begin_by, store, clock)
    return ended


def _ended(post: ClaimedPost, work: Future[Conclusion], clock: Clock) -> _AfterClaim:
    """Logs how a claimed post ended. A fault of ours must not hide how the others ended."""
    try:
        conclusion = work.result()
    except Exception:
        log.exception(
            LogEvent.UNEXPECTED_ERROR, f"post {post.id}: a fault of ours interrupted its publishing", post_id=post.id
        )
        return _AfterClaim(post.id, post.state, "A fault of ours interrupted its publishing; the log has it.")
    decision, recorded = conclusion.decision, conclusion.recorded
    if decision.operator_message:
        message = f"the operator must act, {decision.operator_message}"
        log.error(LogEvent.OPERATOR_MUST_ACT, message, post_id=post.id)
    if recorded is None:
        log.error(
            LogEvent.OUTCOME_NOT_RECORDED,
            f"post {post.id} is {decision.state} (tweet {decision.tweet_id}), which could not be recorded: "
            f"{conclusion.record_failure}",
            post_id=post.id,
            state=decision.state,
            tweet_id=decision.tweet_id,
        )
        reason = "What became of it could not be written down; that is reconciled when its lease has run out."
        return _AfterClaim(post.id, post.state, reason, come_back_at=post.lease_until)
    if not recorded.done:
        log.warning(
            LogEvent.OUTCOME_TOO_LATE,
            f"post {post.id} is {recorded.state or 'deleted'} by now; this delivery came too late to record that it is "
            f"{decision.state} (tweet {decision.tweet_id})",
            post_id=post.id,
            state=recorded.state,
            tweet_id=decision.tweet_id,
        )
        return _AfterClaim(post.id, recorded.state or post.state, "Another delivery has taken it over.")
    _log_state(conclusion, clock)
    return _AfterClaim(post.id, decision.state, decision.reason, decision.tweet_id, decision.come_back_at)


def _log_state(conclusion: Conclusion, clock: Clock) -> None:
    decision, post = conclusion.decision, conclusion.post
    lateness, details = None, f": {decision.reason}"
    if decision.state is State.TWEETED:
        lateness = round((clock.now() - post.schedule_for).total_seconds(), 3)
        details = f" as {decision.tweet_id}, {lateness:.3f} s after its time"
    log.info(
        LogEvent.POST_STATE_CHANGED,
        f"post {post.id} is {decision.state}{details}",
        post_id=post.id,
        state=decision.state,
        tweet_id=decision.tweet_id,
        lateness_seconds=lateness,
    )


def _missed(post: MissedPost) -> _AfterClaim:
    log.info(
        LogEvent.POST_STATE_CHANGED,
        f"post {post.id} is missed: {post.reason}",
        post_id=post.id,
        state=State.MISSED,
    )
    return _AfterClaim(post.id, State.MISSED, post.reason)


def _follow_up(begin_by: datetime, store: PostStore, clock: Clock) -> None:
    """Best effort: without a follow-up delivery, the sweep takes what is left within a minute."""
    if clock.now() > begin_by:
        return
    try:
        if store.reserve_follow_up(clock.now() + FOLLOW_UP_TIME):
            store.create_event(clock.now(), {"follow_up": True})
    except ScheduledPostsError as error:
        log.warning(
            LogEvent.FOLLOW_UP_NOT_CREATED,
            f"no follow-up delivery could be set, the sweep will take what is left: {error}",
        )


_NOTHING_TO_DO = {
    State.TWEETED: "It is published already.",
    State.SENDING: "Another delivery is publishing it.",
}


def _not_claimed(
    delivery: Delivery, post_id: int, counts: Mapping[str, int], begin_by: datetime, store: PostStore, clock: Clock
) -> DeliveryResult:
    """The post was not claimed: the delivery is early, late, a second one, or for nothing. That does no harm."""
    if clock.now() > begin_by:
        no_time = "It was not claimed; this delivery had no time left to see why."
        return DeliveryResult(counts, post_id, None, no_time, retry_after=timedelta(seconds=1))
    post = store.find_post(post_id)
    if post is None:
        return DeliveryResult(counts, post_id, None, "There is no such post: it was deleted, or never was.")
    if isinstance(post, FoundDraft):
        return DeliveryResult(counts, post_id, State.DRAFT, "It is a draft, which is not published.")
    if post.state is not State.SCHEDULED:
        reason = _NOTHING_TO_DO.get(post.state, post.reason)
        return DeliveryResult(counts, post_id, post.state, reason, post.tweet_id)
    if post.has_open_attempt:
        reason = "It is not claimed: its log has an open attempt, which only a change by hand can leave."
        return DeliveryResult(counts, post_id, post.state, reason)
    if post.paused_until and post.paused_until > max(post.due_at, clock.now()):
        # The sweep takes it after the pause. An event for each post would send all of them at the same instant.
        return DeliveryResult(counts, post_id, post.state, f"Paused until {post.paused_until.isoformat()}.")
    if post.due_at <= clock.now():  # or it has become due since the claim
        reason = "It is due, but another delivery or a change has it locked."
        return DeliveryResult(counts, post_id, post.state, reason, retry_after=timedelta(seconds=1))
    if not _ensure_event(post, delivery, begin_by, store, clock):
        reason = "Another delivery has set its event meanwhile."
        return DeliveryResult(counts, post_id, post.state, reason, retry_after=timedelta(seconds=1))
    return DeliveryResult(counts, post_id, post.state, f"Not due before {post.due_at.isoformat()}.")


def _ensure_event(post: FoundPost, delivery: Delivery, begin_by: datetime, store: PostStore, clock: Clock) -> bool:
    """A post that is not due has one event, for the time when it is due; nothing to do if that is still to come.

    False when another delivery has set one at the same time, which may be for another time.
    """
    if post.event_at == post.due_at and post.event_id != delivery.event_id:
        return True
    event = store.create_event(post.due_at, {"id": post.id, "schedule_for": post.schedule_for.isoformat()})
    event_id = event.get("event_id")
    if event_id is None:
        return True
    is_kept = store.keep_event(post.id, event_id, post.due_at, instead_of=post.event_id)
    obsolete = post.event_id if is_kept else event_id
    if obsolete and obsolete != delivery.event_id and clock.now() <= begin_by:
        _delete_event(post.id, obsolete, store)
    if is_kept:
        log.info(
            LogEvent.EVENT_CREATED,
            f"post {post.id} is not due before {post.due_at.isoformat()}; its event is set for then",
            post_id=post.id,
            event_id=event_id,
        )
    return is_kept


def _delete_leftover_event(
    post: ClaimedPost, delivery: Delivery, begin_by: datetime, store: PostStore, clock: Clock
) -> None:
    """A post that was moved to an earlier time still has the event for its later one, which finds nothing to do."""
    if clock.now() > begin_by or not post.event_id or not post.event_at or post.event_id == delivery.event_id:
        return
    if post.event_at > clock.now() + CLOCK_MARGIN:
        _delete_event(post.id, post.event_id, store)
        _forget_event(post.id, post.event_id, store)


def _delete_event(post_id: int, event_id: str, store: PostStore) -> None:
    """Best effort: an event that is left is delivered, and finds nothing to do."""
    try:
        store.delete_event(event_id)
    except ScheduledPostsError as error:
        log.info(
            LogEvent.EVENT_NOT_DELETED,
            f"post {post_id}: an obsolete event could not be deleted: {error}",
            post_id=post_id,
        )


def _forget_event(post_id: int, event_id: str, store: PostStore) -> None:
    try:
        store.forget_event(post_id, event_id)
    except ScheduledPostsError as error:
        log.info(
            LogEvent.EVENT_NOT_DELETED,
            f"post {post_id}: a deleted event could not be taken off it: {error}",
            post_id=post_id,
        )
