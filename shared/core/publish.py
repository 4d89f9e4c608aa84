"""One attempt to publish a claimed post: asks X, and writes down what is decided."""

import random
from dataclasses import dataclass
from datetime import datetime

from shared.core.clock import Clock
from shared.core.model import (
    ClaimedPost,
    Decision,
    PostStore,
    PublishResult,
    Recorded,
    Refused,
    Skipped,
    TimelineResult,
    XApi,
)
from shared.core.policy import decide, reason_not_to_send
from shared.errors import ScheduledPostsError
from shared.limits import RECORD_WAITS


@dataclass(frozen=True)
class Deadlines:
    """Of the work on a batch of claimed posts: nothing is sent to X after `send_by`, or asked of it after `read_by`.

    What was decided is recorded in any case; nothing else is begun after `begin_by`.
    """

    send_by: datetime
    read_by: datetime
    begin_by: datetime


@dataclass(frozen=True)
class Conclusion:
    """What was decided of a claimed post, and whether it was written down.

    `recorded` is None when the store could not be reached; `record_failure` says why.
    """

    post: ClaimedPost
    decision: Decision
    recorded: Recorded | None
    record_failure: str | None = None


def publish(post: ClaimedPost, deadlines: Deadlines, store: PostStore, x: XApi, clock: Clock) -> Conclusion:
    """Asks X once to take a claimed post. Logs nothing: it runs in a thread of its own, whose log lines Azure drops.

    Never sends twice: the post is SENDING and its attempt open before X is asked, and only a result that surely left
    nothing on X makes it SCHEDULED again.
    """
    return conclude(post, _ask_x(post, deadlines.send_by, x, clock), deadlines, store, clock)


def _ask_x(post: ClaimedPost, send_by: datetime, x: XApi, clock: Clock) -> PublishResult:
    if clock.now() > send_by:
        return Skipped("The publisher was held up; the post is left for the next delivery.")
    if post.account is None:
        return Refused("The X account of this post was removed. Schedule it anew from another account.")
    if reason := reason_not_to_send(post, post.account):
        return Refused(reason)
    return x.publish(post.account, post.text)


def conclude(
    post: ClaimedPost,
    result: PublishResult | TimelineResult,
    deadlines: Deadlines,
    store: PostStore,
    clock: Clock,
) -> Conclusion:
    """Decides what becomes of a claimed post, and writes that down; until `deadlines.begin_by` more than once.

    A decision that cannot be recorded raises nothing: the lease runs out, and the post is reconciled instead of being
    sent again.
    """
    decision = decide(post, result, clock.now(), random.random())
    for pause in (*RECORD_WAITS, None):
        try:
            return Conclusion(post, decision, store.record(post, decision))
        except ScheduledPostsError as error:
            failure = str(error)
        if pause is None or clock.now() + pause > deadlines.begin_by:
            break
        clock.sleep(pause)
    return Conclusion(post, decision, None, failure)
