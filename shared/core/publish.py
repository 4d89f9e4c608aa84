"""One try to publish a claimed post: what X is asked, what its answer means, and how that is written down."""

import logging
import random
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from shared.core.model import Clock, Outcome, Post, PostStore, Publisher
from shared.errors import (
    AccountHeld,
    AlreadyPosted,
    AppHeld,
    DuplicateOfUnknown,
    NotSent,
    OutcomeUnknown,
    Refused,
    ScheduledPostsError,
    SignInRefused,
    TryFailed,
)
from shared.x.text_length import text_fault

BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""How long a post that was surely not sent waits, by its tries; the last one repeats until there were MOST_TRIES."""

MOST_TRIES = 10
"""After so many tries that could not even be sent, or that X never answered and does not have, the post fails."""

LOOK_AFTER = timedelta(seconds=30)
"""When an unknown outcome is first looked up: what X shows lags behind what it has."""

SIGN_IN_PAUSE = timedelta(minutes=1)
"""How long after a refused sign-in the post is tried again."""

SIGN_IN_HOLD = timedelta(minutes=5)
"""How long an account waits whose sign-in X goes on refusing."""

RECORD_PAUSES = (timedelta(milliseconds=200), timedelta(seconds=1), timedelta(seconds=3))
"""An outcome that could not be written down is tried again after these."""

logger = logging.getLogger(__name__)


def publish_post(post: Post, start_by: datetime, store: PostStore, publisher: Publisher, clock: Clock) -> Post:
    """Tries once to publish a claimed post and writes down how that ended; returns the post as it is then.

    Never sends twice: the row is ``sending`` and its attempt open before X is asked, and only an outcome that surely
    left nothing on X makes it ``scheduled`` again.
    """
    try:
        if clock.now() > start_by:
            raise NotSent("The publisher was held up, so it left the post for the next ring.", wait=BACKOFF[0])
        tweet_id = _send(post, publisher)
        outcome = Outcome(
            "tweeted", "tweeted", "X accepted it.", tweet_id=tweet_id, status_code=201, attempts=(post.attempt,)
        )
    except TryFailed as error:
        failure = _second_thought(error, post, store)
        outcome = _failed(failure, post, clock.now())
        outcome = replace(outcome, sign_in_refused=isinstance(error, SignInRefused))
        if isinstance(failure, AppHeld | AccountHeld) and _hold(failure, outcome, post, store):
            post = replace(post, held_until=outcome.not_before)
            outcome = replace(outcome, not_before=None)  # when the hold is lifted, nothing else is to keep the post

    record(post, outcome, store, clock)
    return replace(
        post, state=outcome.state, reason=outcome.reason, tweet_id=outcome.tweet_id, not_before=outcome.not_before
    )


def _send(post: Post, publisher: Publisher) -> str:
    if post.account_id is None:
        raise Refused("The X account of this post was removed. Schedule it anew from another account.")
    if post.account is None:  # committed while the claim ran: Hasura's answer shows relations as they were before it
        raise NotSent("The X account of this post could not be read yet.", wait=BACKOFF[0])
    if post.user_id not in post.account.user_ids:
        raise Refused(f"You may no longer post as @{post.account.name}. Schedule it anew from another account.")
    if post.unanswered_tries >= MOST_TRIES:
        raise Refused(
            f"It was tried {MOST_TRIES} times without an answer, and was not on X afterwards. Move it to try again."
        )
    if fault := text_fault(post.text):
        raise Refused(fault)
    return publisher.publish(post.account, post.text)


def _second_thought(error: TryFailed, post: Post, store: PostStore) -> TryFailed:
    """What X's answer means in the light of what was before."""
    if isinstance(error, AlreadyPosted) and post.questions:
        return DuplicateOfUnknown(
            "X has this text already: it is being looked up whether that is this post.", status_code=error.status_code
        )
    if isinstance(error, NotSent) and error.wait is None and post.tries >= MOST_TRIES:
        return Refused(f"It could not be sent in {post.tries} tries; the last time: {error.detail}")
    return _whose_fault(error, post, store)


def _whose_fault(error: TryFailed, post: Post, store: PostStore) -> TryFailed:
    """A refused sign-in can be a glitch, the account's fault or our app's, and looks the same each time.

    It is tried again soon; then the post fails only if X has welcomed another account meanwhile. Otherwise the account
    waits, for until that happens nobody knows that its author could do anything about it.
    """
    if not isinstance(error, SignInRefused) or post.account_id is None:
        return error
    if post.sign_in_refused_at is None:
        return NotSent(error.detail, status_code=error.status_code, wait=SIGN_IN_PAUSE)
    others = _statuses_of_others(post, post.sign_in_refused_at, store)
    if HTTPStatus.CREATED in others:
        return error
    if HTTPStatus.UNAUTHORIZED in others:
        logger.error("the operator must act, X refuses several accounts: our app's keys, or our clock, may be wrong")
    return AccountHeld(error.detail, status_code=error.status_code, wait=SIGN_IN_HOLD)


def _statuses_of_others(post: Post, since: datetime, store: PostStore) -> set[int]:
    try:
        return store.statuses_of_others(post.account_id or 0, since)
    except ScheduledPostsError:
        return set()


def _failed(error: TryFailed, post: Post, now: datetime) -> Outcome:
    is_to_wait = isinstance(error, NotSent) and error.wait is not None
    return Outcome(
        state=error.state,
        attempt=error.outcome,
        detail=error.detail,
        reason=error.detail,
        status_code=error.status_code,
        not_before=_next_look(error, post, now),
        attempts=(post.attempt,),
        tries=post.tries - 1 if is_to_wait else post.tries,  # to be asked to wait is no failure, however often
    )


def _next_look(error: TryFailed, post: Post, now: datetime) -> datetime | None:
    if isinstance(error, OutcomeUnknown):
        return now + LOOK_AFTER
    if isinstance(error, NotSent):
        return now + (error.wait or BACKOFF[min(post.tries, len(BACKOFF)) - 1]) * random.uniform(1, 1.25)
    return None


def record(post: Post, outcome: Outcome, store: PostStore, clock: Clock) -> None:
    """Writes the outcome down. After X has accepted, nothing may fail the publish: then the lease runs out on an open
    attempt, and the post is looked up instead of being sent again."""
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


def _hold(failure: AppHeld | AccountHeld, outcome: Outcome, post: Post, store: PostStore) -> bool:
    """Whether the hold could be written down; if not, the post itself waits as long."""
    assert outcome.not_before
    whole_app = isinstance(failure, AppHeld)
    if whole_app:
        logger.error("the operator must act, all posts wait until %s: %s", outcome.not_before, failure.detail)
    try:
        store.hold(outcome.not_before, failure.detail, None if whole_app else post.account_id)
    except ScheduledPostsError as error:
        logger.warning("what should wait with post %s could not be held: %s", post.id, error)
        return False
    return True
