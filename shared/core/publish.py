"""One attempt to publish a claimed post: asks X, and writes down what is decided."""

import random
from dataclasses import dataclass
from datetime import datetime

from shared.core.model import (
    ClaimedPost,
    Clock,
    Decision,
    PostStore,
    Publisher,
    PublishResult,
    Recorded,
    Rejected,
    Rejection,
    Skipped,
    TimelineResult,
)
from shared.core.policy import decide, reason_not_to_send
from shared.errors import ScheduledPostsError
from shared.limits import RECORD_PAUSES


@dataclass(frozen=True)
class Conclusion:
    """What was decided of a claimed post, and whether it was written down.

    `recorded` is None when the store could not be reached; `record_failure` says why.
    """

    post: ClaimedPost
    decision: Decision
    recorded: Recorded | None
    record_failure: str | None = None


def publish(post: ClaimedPost, start_by: datetime, store: PostStore, publisher: Publisher, clock: Clock) -> Conclusion:
    """Asks X once to take a claimed post. Logs nothing: it runs in a thread of its own, whose log lines Azure drops.

    Never sends twice: the post is SENDING and its attempt open before X is asked, and only a result that surely left
    nothing on X makes it SCHEDULED again.
    """
    return conclude(post, _ask_x(post, start_by, publisher, clock), store, clock)


def _ask_x(post: ClaimedPost, start_by: datetime, publisher: Publisher, clock: Clock) -> PublishResult:
    if clock.now() > start_by:
        return Skipped("The publisher was held up; the post is left for the next delivery.")
    reason = reason_not_to_send(post)
    if reason or post.account is None:
        return Rejected(Rejection.POST, reason or "")
    return publisher.publish(post.account, post.text)


def conclude(post: ClaimedPost, result: PublishResult | TimelineResult, store: PostStore, clock: Clock) -> Conclusion:
    """Decides, and writes the decision down. After X has accepted, nothing may fail the publish: when it cannot be
    recorded, the lease runs out on the open attempt, and the post is reconciled instead of being sent again."""
    decision = decide(post, result, clock.now(), random.random())
    for pause in (*RECORD_PAUSES, None):
        try:
            return Conclusion(post, decision, store.record(post, decision))
        except ScheduledPostsError as error:
            failure = str(error)
        if pause:
            clock.sleep(pause)
    return Conclusion(post, decision, None, failure)
