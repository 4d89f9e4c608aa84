"""One look for a post whose outcome is unknown: X has no idempotency key, so its own posts are what tells."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.model import ABSENT, Clock, Outcome, Post, PostStore, Publisher, Question
from shared.core.publish import record
from shared.errors import AppHeld, NotSent, TryFailed

MARGIN = timedelta(minutes=1)
"""How far the clocks of X, the database and this machine may be apart."""

SURE_AFTER = timedelta(minutes=2) + MARGIN
"""How long after a try X surely shows what it has; an empty look before that proves nothing."""

PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=2))
"""How long to wait after each look that could not be made; after the last one the author decides."""

logger = logging.getLogger(__name__)


def look_up(post: Post, store: PostStore, publisher: Publisher, clock: Clock) -> Post:
    """Looks once whether X has a post, writes down what that showed, and returns the post as it is then.

    Found: it is tweeted. Surely absent: it is scheduled again. Otherwise it stays unknown, until the next look or, when
    there is none left, until its author moves it.
    """
    try:
        outcome = _seen(post, store, publisher, clock.now())
    except TryFailed as error:
        outcome = _could_not_look(error, post, clock.now())
    record(post, outcome, store, clock)
    return replace(
        post, state=outcome.state, reason=outcome.reason, tweet_id=outcome.tweet_id, not_before=outcome.not_before
    )


def _seen(post: Post, store: PostStore, publisher: Publisher, now: datetime) -> Outcome:
    latest = next((question for question in post.questions if question.number == post.attempt), None)
    if latest is None:
        # The claim saw what another ring had just committed, its relations did not: Hasura shows them as they were.
        raise NotSent("what was sent could not be read yet")
    if latest.account is None:
        return _open_still(
            post,
            "It may or may not be on X, which cannot be asked: its account was removed here. Look there yourself; "
            "choose another account and move the post to have it published again.",
        )
    absent: list[Question] = []
    for question in reversed(post.questions):  # the latest first; an earlier one matters when that is surely absent
        tweet_id = _tweet_of(question, store, publisher)
        if tweet_id:
            return Outcome(
                "tweeted",
                "tweeted",
                "It was found on X.",
                tweet_id=tweet_id,
                attempts=(question.number,),
                absent=_numbers(absent),
            )
        sure_at = question.finished_at + SURE_AFTER
        if now < sure_at:
            return _open_still(post, "X does not show it so far.", next_look=sure_at)
        absent.append(question)
    return _surely_absent(post)


def _tweet_of(question: Question, store: PostStore, publisher: Publisher) -> str | None:
    if question.account is None:
        return None
    found = publisher.find(question.account, question.text, question.started_at - MARGIN)
    elsewhere = store.published_elsewhere(found) if found else set()
    return next((tweet_id for tweet_id in found if tweet_id not in elsewhere), None)


def _surely_absent(post: Post) -> Outcome:
    if post.questions[-1].is_duplicate:
        return _open_still(
            post,
            "X says that it has this text already, but does not show it. Look there yourself; change the text and move "
            "the post to have it published.",
        )
    return Outcome(
        "scheduled",
        "absent",
        ABSENT,
        reason="It was not on X, so it is tried again.",
        attempts=_numbers(post.questions),
    )


def _numbers(absent: Iterable[Question]) -> tuple[int, ...]:
    """Of a duplicate the log tells already that X did not take it."""
    return tuple(sorted(question.number for question in absent if not question.is_duplicate))


def _could_not_look(error: TryFailed, post: Post, now: datetime) -> Outcome:
    if isinstance(error, AppHeld):
        logger.error("the operator must act, nothing can be looked up: %s", error.detail)
    if post.looks >= len(PAUSES):
        return _open_still(
            post,
            f"It may or may not be on X, and X cannot be asked ({error.detail}). Look there yourself; "
            "move the post to have it published again.",
        )
    wait = error.wait if isinstance(error, NotSent) and error.wait else PAUSES[post.looks]
    reason = f"It may or may not be on X; looking failed ({error.detail})."
    return replace(_open_still(post, reason, next_look=now + wait), looks=post.looks + 1)


def _open_still(post: Post, reason: str, next_look: datetime | None = None) -> Outcome:
    return Outcome("unknown", "unknown", reason, reason=reason, not_before=next_look, looks=post.looks)
