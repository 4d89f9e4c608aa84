"""Every duration and limit, and `decide`: the table of outcomes in docs/architecture.md, row by row.

The limits fit into each other: X's timeout < a delivery's < Hasura's < the lease (tests/unit/test_policy.py).
"""

from datetime import datetime, timedelta

from shared.core.model import (
    Accepted,
    CannotAsk,
    ClaimedPost,
    Decision,
    Found,
    LogEntry,
    NothingToAsk,
    NotSent,
    NotShownYet,
    Outcome,
    Pause,
    PublishResult,
    Rejected,
    Rejection,
    Skipped,
    State,
    SurelyAbsent,
    TimelineResult,
    Unanswered,
)
from shared.x.text_length import text_fault

CONNECT_TIMEOUT = timedelta(seconds=5)
"""For a connection to anybody."""

X_TIMEOUT = timedelta(seconds=30)
"""For X's answer to a post. An answer that arrives in parts may take twice as long."""

TIMELINE_TIMEOUT = timedelta(seconds=10)
"""For one page of a timeline."""

TIMELINE_PAGES = 32
"""X shows an account's latest 3,200 tweets, in pages of 100."""

RECONCILE_TIME = timedelta(seconds=30)
"""A reconciliation asks X for no further page after this."""

HASURA_TIMEOUT = timedelta(seconds=10)
"""For Hasura's answer."""

RECORD_PAUSES = (timedelta(milliseconds=200), timedelta(seconds=2))
"""A decision that could not be recorded is recorded again after these."""

DRAIN_TIME = timedelta(seconds=4)
"""A delivery claims another batch until then. What it leaves behind, a follow-up delivery takes."""

LATEST_START = timedelta(seconds=25)
"""A publisher that is held up longer than this after its claim does not send any more: the lease could run out on it."""

DELIVERY_TIMEOUT = timedelta(seconds=60)
"""Hasura waits so long for the answer to a delivery (retry_conf)."""

DELIVERY_RETRIES = 5
DELIVERY_RETRY_INTERVAL = timedelta(seconds=15)

LONGEST_RETRY_AFTER = timedelta(minutes=15)
"""Hasura is never asked to deliver an event again later than this; the sweep takes what is due before."""

EVENT_GRACE = timedelta(hours=1)
"""An event stays deliverable so much longer than its post stays publishable."""

FOLLOW_UP_TIME = timedelta(minutes=1)
"""A follow-up delivery that has not come by then is given up: the sweep has come meanwhile."""

LEASE = timedelta(minutes=3)
"""How long a claimed post is its caller's."""

BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""How long a post waits that could not be sent, by how often; the last one repeats."""

JITTER = 0.25
"""Waits are longer by up to this part, by chance."""

MAX_UNSENT = 10
"""After so many attempts that could not be sent, the post fails."""

MAX_UNANSWERED = 10
"""After so many attempts that X did not answer and does not have, the post fails."""

RECONCILE_AFTER = timedelta(seconds=30)
"""When an unknown outcome is first reconciled: what X shows lags behind what it has."""

CLOCK_MARGIN = timedelta(minutes=1)
"""How far the clocks of X, the database and this machine may be apart."""

SURE_AFTER = timedelta(minutes=2) + CLOCK_MARGIN
"""How long after an attempt X surely shows what it has; before that an empty timeline proves nothing."""

RECONCILE_PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""How long to wait after each reconciliation for which X could not be asked; after the last one the author decides."""

SIGN_IN_WAIT = timedelta(minutes=1)
"""How long after a rejected sign-in the post is attempted again."""

SIGN_IN_PAUSE = timedelta(minutes=5)
"""How long an account is paused whose sign-in X goes on rejecting."""


def reason_not_to_send(post: ClaimedPost) -> str | None:
    """Why X must not be asked to take a claimed post, in words for its author; None when it may be."""
    if post.account is None:
        return "The X account of this post was removed. Schedule it anew from another account."
    if not post.may_post:
        return f"You may no longer post as @{post.account.name}. Schedule it anew from another account."
    if post.unanswered_attempts >= MAX_UNANSWERED:
        return (
            f"It was sent {MAX_UNANSWERED} times without an answer, and was not on X afterwards. Move it to try again."
        )
    return text_fault(post.text)


def decide(post: ClaimedPost, result: PublishResult | TimelineResult, now: datetime, jitter: float) -> Decision:
    """What a claimed post becomes, given what X said or shows. `jitter` is a random number from 0 to 1."""
    match result:
        case Accepted(tweet_id, code):
            entry = LogEntry(post.attempt_number, Outcome.TWEETED, "X accepted it.", code=code)
            return Decision(State.TWEETED, (entry,), tweet_id=tweet_id)
        case NotSent(detail):
            return _not_sent(post, detail, now, jitter)
        case Skipped(detail):
            return _attempt_again(post, Outcome.SKIPPED, detail, at=now + _lengthened(BACKOFF[0], jitter))
        case Unanswered(detail, code):
            entry = LogEntry(post.attempt_number, Outcome.UNKNOWN, detail, code=code)
            return Decision(State.UNKNOWN, (entry,), detail, reconcile_at=now + RECONCILE_AFTER)
        case Rejected(Rejection.POST):
            return _failed(post, result)
        case Rejected(Rejection.DUPLICATE, _, code) if post.unresolved:
            detail = "X has this text already. X is being asked whether that is this post."
            entry = LogEntry(post.attempt_number, Outcome.DUPLICATE, detail, Rejection.DUPLICATE, code)
            return Decision(State.UNKNOWN, (entry,), detail, reconcile_at=now + RECONCILE_AFTER)
        case Rejected(Rejection.DUPLICATE):
            return _failed(post, result)
        case Rejected(Rejection.SIGN_IN):
            return _sign_in_rejected(post, result, now, jitter)
        case Rejected(Rejection.ACCOUNT, _, _, wait):
            return _paused(post, result, Rejection.ACCOUNT, now + _lengthened(wait, jitter))
        case Rejected(Rejection.APP, detail, _, wait):
            until = now + _lengthened(wait, jitter)
            operator = f"all posts wait until {until:%Y-%m-%d %H:%M:%S} UTC: {detail}"
            return _paused(post, result, Rejection.APP, until, operator)
        case Found(number, tweet_id, absent):
            found = LogEntry(number, Outcome.TWEETED, "It was found on X.")
            return Decision(State.TWEETED, (found, *_absent(absent)), tweet_id=tweet_id)
        case NotShownYet(sure_at):
            return Decision(State.UNKNOWN, reason="X does not show it so far.", reconcile_at=sure_at)
        case SurelyAbsent() if post.unresolved[0].outcome is Outcome.DUPLICATE:
            return _author_decides(
                "X says that it has this text already, but does not show it. Check the account on X; change the text "
                "and move the post to have it published."
            )
        case SurelyAbsent():
            absent = [one.number for one in post.unresolved if one.outcome is Outcome.UNKNOWN]
            return Decision(State.SCHEDULED, _absent(absent), "It was not on X, so it is attempted again.")
        case NothingToAsk(detail):
            return _author_decides(detail)
        case CannotAsk():
            return _not_reconciled(post, result, now)


def _not_sent(post: ClaimedPost, detail: str, now: datetime, jitter: float) -> Decision:
    unsent = post.unsent_attempts + 1
    if unsent >= MAX_UNSENT:
        reason = f"It could not be sent in {unsent} attempts; the last time: {detail}"
        return Decision(State.FAILED, (LogEntry(post.attempt_number, Outcome.NOT_SENT, detail),), reason)
    wait = BACKOFF[min(unsent, len(BACKOFF)) - 1]
    return _attempt_again(post, Outcome.NOT_SENT, detail, at=now + _lengthened(wait, jitter))


def _attempt_again(post: ClaimedPost, outcome: Outcome, detail: str, at: datetime) -> Decision:
    entry = LogEntry(post.attempt_number, outcome, detail)
    return Decision(State.SCHEDULED, (entry,), detail, next_attempt_at=at)


def _failed(post: ClaimedPost, rejected: Rejected) -> Decision:
    entry = LogEntry(post.attempt_number, Outcome.REJECTED, rejected.detail, rejected.what, rejected.code)
    return Decision(State.FAILED, (entry,), rejected.detail)


def _sign_in_rejected(post: ClaimedPost, rejected: Rejected, now: datetime, jitter: float) -> Decision:
    """A rejected sign-in can be a passing error, the account's fault or our app's, and looks the same each time.

    The first one is attempted again soon. Then the post fails only if X accepted another account meanwhile. Otherwise
    the account is paused, because we cannot tell yet whether the account or our app is at fault.
    """
    if post.sign_in_rejected_at is None:
        entry = _not_taken_for_now(post, rejected)
        at = now + _lengthened(SIGN_IN_WAIT, jitter)
        return Decision(State.SCHEDULED, (entry,), rejected.detail, next_attempt_at=at)
    if post.others_accepted_since:
        return _failed(post, rejected)
    operator = "X rejects several accounts: our app's keys, or our clock, may be wrong"
    until = now + _lengthened(SIGN_IN_PAUSE, jitter)
    return _paused(post, rejected, Rejection.ACCOUNT, until, operator if post.others_rejected_since else None)


def _paused(
    post: ClaimedPost, rejected: Rejected, of: Rejection, until: datetime, for_operator: str | None = None
) -> Decision:
    """The pause alone keeps the post: when it is ended early, nothing else is to delay the post."""
    return Decision(
        State.SCHEDULED,
        (_not_taken_for_now(post, rejected),),
        rejected.detail,
        pause=Pause(of, until, rejected.detail),
        for_operator=for_operator,
    )


def _not_taken_for_now(post: ClaimedPost, rejected: Rejected) -> LogEntry:
    return LogEntry(post.attempt_number, Outcome.NOT_SENT, rejected.detail, rejected.what, rejected.code)


def _absent(numbers: tuple[int, ...] | list[int]) -> tuple[LogEntry, ...]:
    return tuple(LogEntry(number, Outcome.ABSENT, "X does not have it.") for number in numbers)


def _not_reconciled(post: ClaimedPost, result: CannotAsk, now: datetime) -> Decision:
    operator = f"outcomes cannot be reconciled: {result.detail}" if result.is_app else None
    failed = post.failed_reconciliations
    if failed >= len(RECONCILE_PAUSES):
        return _author_decides(
            f"It may or may not be on X, and X could not be asked ({result.detail}). Check the account on X; move the "
            "post to have it published again.",
            operator,
        )
    return Decision(
        State.UNKNOWN,
        (LogEntry(post.attempt_number, failed_reconciliations=failed + 1),),
        f"It may or may not be on X. X could not be asked ({result.detail}).",
        reconcile_at=now + (result.wait or RECONCILE_PAUSES[failed]),
        for_operator=operator,
    )


def _author_decides(reason: str, for_operator: str | None = None) -> Decision:
    return Decision(State.UNKNOWN, reason=reason, for_operator=for_operator)


def _lengthened(wait: timedelta, jitter: float) -> timedelta:
    return wait * (1 + JITTER * jitter)
