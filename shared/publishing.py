"""One try to publish a claimed post: what X is asked, what its answer means, and how that is written down."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from shared.errors import (
    AccountHeld,
    AppHeld,
    NotSent,
    OutcomeUnknown,
    Refused,
    ScheduledPostsError,
    SignInRefused,
    TryFailed,
)
from shared.posts import Clock, Outcome, Post, PostStore, Publisher
from shared.tweet_length import text_fault

BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""How long a post that was surely not sent waits, by its tries; the last one repeats until the post is too late."""

LOOK_AFTER = timedelta(seconds=30)
"""How long Hasura waits before it rings again for a post whose outcome is unknown."""

SIGN_IN_PAUSE = timedelta(minutes=1)
"""How long after a refused sign-in the post is tried again."""

APP_PAUSE = timedelta(minutes=5)
"""How long all posts wait when X seems not to know our app."""

RECORD_PAUSES = (timedelta(milliseconds=200), timedelta(seconds=1), timedelta(seconds=3))
"""An outcome that could not be written down is tried again after these."""

logger = logging.getLogger(__name__)


def publish_post(post: Post, start_by: datetime, store: PostStore, publisher: Publisher, clock: Clock) -> Post:
    """Tries once to publish a claimed post and writes down how that ended; returns the post as it is then.

    Never sends twice: the row is ``sending`` and its attempt open before X is asked, and only an outcome that surely
    left nothing on X makes it ``scheduled`` again.
    """
    failure: TryFailed | None = None
    try:
        if clock.now() > start_by:
            raise NotSent("The publisher was held up, so it left the post for the next ring.")
        outcome = _tweeted(_send(post, publisher))
    except TryFailed as error:
        failure = _second_thought(error, post, store)
        outcome = _failed(failure, post, clock.now())

    _record(post, outcome, store, clock)
    if isinstance(failure, AppHeld | AccountHeld):
        _hold(failure, outcome, post, store)
    return replace(
        post, state=outcome.state, reason=outcome.reason, tweet_id=outcome.tweet_id, not_before=outcome.not_before
    )


def _send(post: Post, publisher: Publisher) -> str:
    if post.account_id is None:
        raise Refused("The X account of this post was removed. Schedule it anew from another account.")
    if post.account is None:  # committed while the claim ran: Hasura's answer shows relations as they were before it
        raise NotSent("The X account of this post could not be read yet.")
    if post.user_id not in post.account.user_ids:
        raise Refused(f"You may no longer post as @{post.account.name}. Schedule it anew from another account.")
    if fault := text_fault(post.text):
        raise Refused(fault)
    return publisher.publish(post.account, post.text)


def _second_thought(error: TryFailed, post: Post, store: PostStore) -> TryFailed:
    """A refused sign-in can be a glitch, the account's fault or our app's; one cannot tell, so others are heard."""
    if not isinstance(error, SignInRefused) or post.account_id is None:
        return error
    if post.sign_in_refused_at is None:
        return NotSent(error.detail, status_code=error.status_code, wait=SIGN_IN_PAUSE)
    try:
        others = store.statuses_of_others(post.account_id, post.sign_in_refused_at)
    except ScheduledPostsError:
        return error
    if HTTPStatus.UNAUTHORIZED in others and HTTPStatus.CREATED not in others:
        return AppHeld(
            "X refuses the sign-in of every account: our app's keys, or our clock, may be wrong.",
            status_code=error.status_code,
            wait=APP_PAUSE,
        )
    return error


def _tweeted(tweet_id: str) -> Outcome:
    return Outcome("tweeted", "tweeted", "X accepted it.", tweet_id=tweet_id, status_code=201)


def _failed(error: TryFailed, post: Post, now: datetime) -> Outcome:
    return Outcome(
        state=error.state,
        attempt=error.outcome,
        detail=error.detail,
        reason=error.detail,
        status_code=error.status_code,
        not_before=_next_look(error, post, now),
    )


def _next_look(error: TryFailed, post: Post, now: datetime) -> datetime | None:
    if isinstance(error, OutcomeUnknown):
        return now + LOOK_AFTER
    if isinstance(error, NotSent):
        return now + (error.wait or BACKOFF[min(post.tries, len(BACKOFF)) - 1])
    return None


def _record(post: Post, outcome: Outcome, store: PostStore, clock: Clock) -> None:
    """Writes the outcome down. After X has accepted, nothing may fail the publish: then the lease runs out on an open
    attempt, and the post becomes unknown instead of being sent again."""
    for pause in (*RECORD_PAUSES, None):
        try:
            store.record(post, outcome)
            return
        except ScheduledPostsError as error:
            if pause:
                clock.sleep(pause)
                continue
            logger.error(
                "post %s is %s (tweet %s), which could not be recorded: %s",
                post.id,
                outcome.state,
                outcome.tweet_id,
                error,
            )


def _hold(failure: AppHeld | AccountHeld, outcome: Outcome, post: Post, store: PostStore) -> None:
    assert outcome.not_before
    whole_app = isinstance(failure, AppHeld)
    if whole_app:
        logger.error("the operator must act, all posts wait until %s: %s", outcome.not_before, failure.detail)
    try:
        store.hold(outcome.not_before, failure.detail, None if whole_app else post.account_id)
    except ScheduledPostsError as error:
        logger.warning("the posts that should wait with post %s could not be told: %s", post.id, error)
