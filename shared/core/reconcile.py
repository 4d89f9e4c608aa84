"""Reconciliations of unknown outcomes: X has no idempotency key, so the accounts' timelines are what tells."""

from collections.abc import Iterable
from datetime import datetime

from shared.core.clock import Clock
from shared.core.model import (
    Account,
    CannotAsk,
    ClaimedPost,
    Found,
    NothingToAsk,
    NotShownYet,
    Outcome,
    PerhapsOfAnother,
    PostStore,
    State,
    SurelyAbsent,
    Timeline,
    TimelineResult,
    TimelineUnavailable,
    UnresolvedAttempt,
    XApi,
)
from shared.core.publish import Conclusion, Deadlines, conclude
from shared.errors import ScheduledPostsError
from shared.limits import CLOCK_MARGIN, LEASE, RECONCILE_WAITS, SURE_AFTER


class Timelines:
    """What X shows of the accounts from which some posts may have been sent. Each timeline is read once for all posts.

    It reaches back to the oldest attempt that may be looked for on it, and is read no further than is needed.
    """

    def __init__(self, posts: Iterable[ClaimedPost], read_by: datetime, x: XApi) -> None:
        attempts: dict[str, list[tuple[Account, datetime]]] = {}
        for post in posts:
            for attempt in post.unresolved if post.state is State.UNKNOWN else ():
                if attempt.account:
                    attempts.setdefault(attempt.account.x_user_id, []).append((attempt.account, _since(attempt)))
        self._by_x_user: dict[str, Timeline] = {
            x_user_id: x.timeline(those[0][0], min(since for _, since in those), read_by)
            for x_user_id, those in attempts.items()
        }

    def find(self, account: Account, attempt: UnresolvedAttempt) -> list[str]:
        """The ids of the tweets that may be this attempt's, oldest first. Raises TimelineUnavailable."""
        return self._by_x_user[account.x_user_id].find(attempt.text, _since(attempt))


def reconcile(
    post: ClaimedPost, timelines: Timelines, deadlines: Deadlines, store: PostStore, clock: Clock
) -> Conclusion:
    """Asks once whether X has a post. Logs nothing: it runs in a thread of its own, whose log lines Azure drops.

    Found: it is TWEETED. Surely absent: it is SCHEDULED again. Otherwise it stays UNKNOWN, until the next
    reconciliation or, when none is left, until its author moves it.
    """
    try:
        result = _ask_timelines(post, timelines, deadlines, store, clock)
    except TimelineUnavailable as error:
        result = error.result
    return conclude(post, result, deadlines, store, clock)


def _ask_timelines(
    post: ClaimedPost, timelines: Timelines, deadlines: Deadlines, store: PostStore, clock: Clock
) -> TimelineResult:
    """The newest attempt first: an earlier one matters only when X surely does not have that one.

    A duplicate was surely not taken; X had its text before, perhaps from an earlier attempt, and may show that late.
    """
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
    if post.failed_reconciliations > len(RECONCILE_WAITS):  # the last of them did not come to its end
        return NothingToAsk(
            "It may or may not be on X: finding out failed too often. Check the account on X; move the post to have it "
            "published again."
        )
    now = post.lease_until - LEASE  # when it was claimed, by the database's clock, as `finished_at` is
    absent: list[int] = []
    not_shown_yet: NotShownYet | None = None
    for attempt in post.unresolved:
        if attempt.account is None:  # of an earlier attempt; its author opened the post again without knowing its end
            continue
        found = timelines.find(attempt.account, attempt)
        if found and clock.now() > deadlines.read_by:
            return CannotAsk("Reconciling it took too long.")
        try:
            elsewhere = store.published_elsewhere(found) if found else set()
        except ScheduledPostsError:
            return PerhapsOfAnother()
        tweet_id = next((tweet_id for tweet_id in found if tweet_id not in elsewhere), None)
        if tweet_id:
            return Found(attempt.number, tweet_id, tuple(absent))
        if now < attempt.finished_at + SURE_AFTER:
            not_shown_yet = not_shown_yet or NotShownYet(attempt.finished_at + SURE_AFTER)
            if attempt.outcome is not Outcome.DUPLICATE:
                break
        elif attempt.outcome is Outcome.UNKNOWN:
            absent.append(attempt.number)
    return not_shown_yet or SurelyAbsent(tuple(absent))


def _since(attempt: UnresolvedAttempt) -> datetime:
    return attempt.started_at - CLOCK_MARGIN
