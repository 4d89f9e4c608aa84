"""The core: what a post is, how it is created, and what happens when an alarm rings.

Knows no HTTP, no GraphQL and no environment. All times are aware datetimes in UTC.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.drafts import Draft
from shared.errors import (
    AccountHeld,
    AppHeld,
    HasuraUnavailable,
    NotSent,
    OutcomeUnknown,
    Refused,
    ScheduledPostsError,
    SignInRefused,
    TryFailed,
)
from shared.tweet_length import text_fault

BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""How long a post that was surely not sent waits, by its tries; the last one repeats until the post is too late."""

LONGEST_RETRY_AFTER = timedelta(minutes=15)
"""An alarm is never asked to ring again later than this; a longer wait gets an alarm of its own."""

LOOK_AFTER = timedelta(seconds=30)
"""When an unknown outcome may first be looked up: what X shows lags behind what it has."""

SIGN_IN_PAUSE = timedelta(minutes=1)
"""How long after a first 401 the post is tried again."""

APP_PAUSE = timedelta(minutes=5)
"""How long all posts wait when X seems not to know our app."""

EVIDENCE = timedelta(hours=1)
"""How old an answer to another account may be to tell the app's fault from the account's."""

RECORD_PAUSES = (timedelta(milliseconds=200), timedelta(seconds=1), timedelta(seconds=3))
"""An outcome that could not be written down is tried again after these."""

logger = logging.getLogger(__name__)

Row = dict[str, Any]
"""A row as Hasura answers it."""


@dataclass(frozen=True)
class Account:
    """An account on X, who may post from it, and the tokens that do."""

    id: int
    name: str
    user_ids: frozenset[int]
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True)
class Post:
    """A scheduled post as its row has it. `account` is known of claimed posts alone, and None when it was removed."""

    id: int
    user_id: int
    text: str
    schedule_for: datetime
    state: str
    tries: int
    not_before: datetime | None = None
    tweet_id: str | None = None
    reason: str | None = None
    account: Account | None = None

    @property
    def due_at(self) -> datetime:
        """When it goes out: its time, or the time of the next try where that is later."""
        return max(self.schedule_for, self.not_before or self.schedule_for)


@dataclass(frozen=True)
class Outcome:
    """How one try ended: what the post becomes (`state`, `reason`, ...), and what its attempt says (`attempt`, ...)."""

    state: str
    attempt: str
    detail: str
    reason: str | None = None
    tweet_id: str | None = None
    status_code: int | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Created:
    """A stored post, and its alarm; None where the alarm could not be set and the sweep will see to the post."""

    post: Row
    alarm: Row | None


@dataclass(frozen=True)
class Rung:
    """What a ring did: how many claimed posts ended in which state, and what there is to say of the post that rang.

    `retry_after` is set when the same alarm should ring again: the post that rang is still open.
    """

    claimed: Mapping[str, int]
    post_id: int | None = None
    state: str | None = None
    reason: str | None = None
    tweet_id: str | None = None
    retry_after: timedelta | None = None


class Clock(Protocol):
    """Where the core takes the time from."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def sleep(self, pause: timedelta) -> None:
        """Waits."""


class PostStore(Protocol):
    """Where the rows and the alarms are. Everything may raise HasuraUnavailable."""

    def set_alarm(self, at: datetime, post: Row) -> Row:
        """Has the webhook called at that time with `post` as payload; answers what Hasura says of the event."""

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        """Takes what is due. Posts in state ``sending`` are the caller's to publish; the others ended in the claim."""

    def find_post(self, post_id: int) -> Post | None:
        """The post as it is now; None when there is none."""

    def record(self, post: Post, outcome: Outcome) -> None:
        """Writes down how this try ended, on the post and its attempt at once."""

    def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
        """Lets the scheduled posts of an account, or of all, wait until then."""

    def last_status_of_others(self, account_id: int, since: datetime) -> int | None:
        """The HTTP status of X's latest answer to another account since then."""


class Publisher(Protocol):
    """What puts a text on X."""

    def publish(self, account: Account, text: str) -> str:
        """The id of the new tweet. Raises a TryFailed."""


def create(draft: Draft, insert: Callable[[Draft], Row], set_alarm: Callable[[datetime, Row], Row]) -> Created:
    """Stores the draft and sets its alarm. A missing alarm does not undo the post: the sweep publishes it."""
    row = insert(draft)
    logger.info("post %s is stored for %s", row["id"], draft.schedule_for.isoformat())
    try:
        alarm = set_alarm(draft.schedule_for, row)
    except ScheduledPostsError as error:
        logger.error("post %s has no alarm, the sweep will publish it: %s", row["id"], error)
        return Created(row, None)
    logger.info("post %s has its alarm: event %s", row["id"], alarm.get("event_id", "of unknown id"))
    return Created(row, alarm)


def ring(ringing_post_id: int | None, store: PostStore, publisher: Publisher, clock: Clock) -> Rung:
    """Publishes what is due, and says what became of the post that rang. None rings for no post in particular.

    Raises HasuraUnavailable when nothing could be claimed, or the state of the ringing post could not be read.
    """
    claimed = store.claim_due_posts(ringing_post_id)
    ended = _publish_side_by_side(claimed, store, publisher, clock)
    counts = Counter(post.state for post in ended)
    for post in ended:
        logger.info("post %s is %s%s", post.id, post.state, _lateness(post, clock) or _because(post.reason))

    if ringing_post_id is None:
        return Rung(counts)
    own = next((post for post in ended if post.id == ringing_post_id), None)
    if own:
        return _rung_for(own, counts, clock)
    return _rung_in_vain(ringing_post_id, counts, store)


def _publish_side_by_side(claimed: list[Post], store: PostStore, publisher: Publisher, clock: Clock) -> list[Post]:
    """The claimed posts as they are after it."""
    sending = [post for post in claimed if post.state == "sending"]
    closed = [post for post in claimed if post.state != "sending"]
    if not sending:
        return closed
    with ThreadPoolExecutor(max_workers=len(sending)) as pool:
        tries = [pool.submit(publish_post, post, store, publisher, clock) for post in sending]
    return closed + [one_try.result() for one_try in tries]  # only now: one that raises must not cancel the others


def publish_post(post: Post, store: PostStore, publisher: Publisher, clock: Clock) -> Post:
    """Tries once to publish a claimed post and writes down how that ended; returns the post as it is then.

    Never sends twice: the row is ``sending`` and its attempt open before X is asked, and only an outcome that surely
    left nothing on X makes it ``scheduled`` again.
    """
    failure: TryFailed | None = None
    try:
        outcome = _tweeted(_send(post, publisher))
    except TryFailed as error:
        failure = _second_thought(error, post, store, clock.now())
        outcome = _failed(failure, post, clock.now())

    _record(post, outcome, store, clock)
    if isinstance(failure, AppHeld | AccountHeld):
        _hold(failure, outcome, post, store)
    return replace(
        post, state=outcome.state, reason=outcome.reason, tweet_id=outcome.tweet_id, not_before=outcome.not_before
    )


def _send(post: Post, publisher: Publisher) -> str:
    if post.account is None:
        raise Refused("The X account of this post was removed. Choose another account, then try again.")
    if post.user_id not in post.account.user_ids:
        raise Refused(f"You may no longer post as @{post.account.name}. Choose another account, then try again.")
    if fault := text_fault(post.text):
        raise Refused(fault)
    return publisher.publish(post.account, post.text)


def _second_thought(error: TryFailed, post: Post, store: PostStore, now: datetime) -> TryFailed:
    """A 401 may be a glitch, the account's fault or our app's; one answer cannot tell, so others are heard."""
    if not isinstance(error, SignInRefused) or post.account is None:
        return error
    if post.tries == 1:
        return NotSent(error.detail, status_code=error.status_code, wait=SIGN_IN_PAUSE)
    try:
        others = store.last_status_of_others(post.account.id, now - EVIDENCE)
    except ScheduledPostsError:
        others = None
    if others is not None and others == error.status_code:
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
    attempt, and the post is looked for on X instead of being sent again."""
    for pause in (*RECORD_PAUSES, None):
        try:
            store.record(post, outcome)
            return
        except HasuraUnavailable as error:
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
    assert post.account
    whole_app = isinstance(failure, AppHeld)
    if whole_app:
        logger.error("the operator must act, all posts wait until %s: %s", outcome.not_before, failure.detail)
    try:
        store.hold(outcome.not_before, failure.detail, None if whole_app else post.account.id)
    except ScheduledPostsError as error:
        logger.warning("the posts that should wait with post %s could not be told: %s", post.id, error)


def _rung_for(post: Post, counts: Mapping[str, int], clock: Clock) -> Rung:
    retry_after = None
    if post.state in ("scheduled", "unknown") and post.not_before:
        retry_after = min(post.not_before - clock.now(), LONGEST_RETRY_AFTER)
    return Rung(counts, post.id, post.state, post.reason, post.tweet_id, retry_after)


_WHY_NOTHING_TO_DO = {
    "tweeted": "It is published already.",
    "sending": "Another ring is publishing it.",
}


def _rung_in_vain(post_id: int, counts: Mapping[str, int], store: PostStore) -> Rung:
    """The alarm rang for a post that is not due: early, late, twice or for nothing. That does no harm."""
    post = store.find_post(post_id)
    if post is None:
        return Rung(counts, post_id, None, "There is no such post: it was deleted, or never was.")
    if post.state != "scheduled":
        return Rung(counts, post_id, post.state, _WHY_NOTHING_TO_DO.get(post.state, post.reason), post.tweet_id)
    store.set_alarm(post.due_at, {"id": post.id, "schedule_for": post.schedule_for.isoformat()})
    logger.info("post %s is not due before %s; its alarm is set again", post_id, post.due_at.isoformat())
    return Rung(counts, post_id, post.state, f"Not due before {post.due_at.isoformat()}; the alarm is set again.")


def _lateness(post: Post, clock: Clock) -> str | None:
    if post.state != "tweeted":
        return None
    return f" as {post.tweet_id}, {(clock.now() - post.schedule_for).total_seconds():.3f} s after its time"


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""
