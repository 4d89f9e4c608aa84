"""One reconciliation of an unknown outcome: X has no idempotency key, so the account's timeline is what tells."""

from datetime import datetime

from shared.core.model import (
    Account,
    CannotAsk,
    ClaimedPost,
    Clock,
    Found,
    NothingToAsk,
    NotShownYet,
    Outcome,
    PostStore,
    SurelyAbsent,
    TimelineResult,
    TimelineUnavailable,
    UnresolvedAttempt,
    XApi,
)
from shared.core.publish import Conclusion, conclude
from shared.errors import ScheduledPostsError
from shared.limits import CLOCK_MARGIN, LEASE, RECONCILE_TIME, SURE_AFTER


def reconcile(post: ClaimedPost, store: PostStore, x: XApi, clock: Clock) -> Conclusion:
    """Asks once whether X has a post. Logs nothing: it runs in a thread of its own, whose log lines Azure drops.

    Found: it is TWEETED. Surely absent: it is SCHEDULED again. Otherwise it stays UNKNOWN, until the next
    reconciliation or, when none is left, until its author moves it.
    """
    try:
        result = _ask_timeline(post, store, x, clock)
    except TimelineUnavailable as error:
        result = error.result
    except ScheduledPostsError as error:
        result = CannotAsk(str(error))
    return conclude(post, result, store, clock)


def _ask_timeline(post: ClaimedPost, store: PostStore, x: XApi, clock: Clock) -> TimelineResult:
    """The newest attempt first: an earlier one matters only when that one is surely absent."""
    if not post.unresolved or post.unresolved[0].number != post.attempt_number:
        return NothingToAsk(
            "It may or may not be on X; nothing tells what was sent. Check the account on X; move the post to have it "
            "published again."
        )
    if post.unresolved[0].account is None:
        return NothingToAsk(
            "It may or may not be on X, which cannot be asked: its account was removed here. Check the account on X; "
            "choose another account and move the post to have it published again."
        )
    now = post.lease_until - LEASE  # when it was claimed, by the database's clock, as `finished_at` is
    until = clock.now() + RECONCILE_TIME
    absent: list[int] = []
    for attempt in post.unresolved:
        if attempt.account is None:  # of an earlier attempt; its author opened the post again without knowing its end
            continue
        tweet_id = _tweet_of(attempt, attempt.account, until, store, x)
        if tweet_id:
            return Found(attempt.number, tweet_id, tuple(absent))
        if now < attempt.finished_at + SURE_AFTER:
            return NotShownYet(attempt.finished_at + SURE_AFTER)
        if attempt.outcome is Outcome.UNKNOWN:
            absent.append(attempt.number)
    return SurelyAbsent(tuple(absent))


def _tweet_of(attempt: UnresolvedAttempt, account: Account, until: datetime, store: PostStore, x: XApi) -> str | None:
    found = x.find(account, attempt.text, attempt.started_at - CLOCK_MARGIN, until)
    elsewhere = store.published_elsewhere(found) if found else set()
    return next((tweet_id for tweet_id in found if tweet_id not in elsewhere), None)
