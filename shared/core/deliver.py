"""What happens when an alarm rings: everything that is due is published, and the answer is for the post that rang."""

import logging
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.model import Clock, Post, PostStore, Publisher
from shared.core.publish import publish_post
from shared.core.reconcile import look_up

LONGEST_RETRY_AFTER = timedelta(minutes=15)
"""An alarm is never asked to ring again later than this; a longer wait gets an alarm of its own."""

DRAINING = timedelta(seconds=5)
"""For how long a ring goes on taking batches: with the slowest of them it ends within the minute that Hasura waits."""

LATEST_START = timedelta(seconds=45)
"""A publisher that comes to send a post later than this after its claim leaves it: the rest of the lease is for X."""

logger = logging.getLogger(__name__)


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


def ring(ringing_post_id: int | None, store: PostStore, publisher: Publisher, clock: Clock) -> Rung:
    """Publishes what is due, and says what became of the post that rang. None rings for no post in particular.

    Raises HasuraUnavailable when nothing could be claimed, or the state of the ringing post could not be read.
    """
    ended = _drain(ringing_post_id, store, publisher, clock)
    counts = Counter(post.state for post in ended)

    if ringing_post_id is None:
        return Rung(counts)
    own = next((post for post in ended if post.id == ringing_post_id), None)
    if own:
        return _rung_for(own, counts, clock)
    return _rung_in_vain(ringing_post_id, counts, store)


def _drain(ringing_post_id: int | None, store: PostStore, publisher: Publisher, clock: Clock) -> list[Post]:
    """The posts of all batches as they are after it. What it leaves behind is rung for again at once."""
    started, ended = clock.now(), []
    while True:
        batch = _one_batch(ringing_post_id, store, publisher, clock)
        for post in batch:
            logger.info("post %s is %s%s", post.id, post.state, _lateness(post, clock) or _because(post.reason))
        ended += batch
        if len(batch) < store.batch_size:
            return ended
        if clock.now() - started > DRAINING:
            store.set_alarm(clock.now(), None)
            return ended


def _one_batch(ringing_post_id: int | None, store: PostStore, publisher: Publisher, clock: Clock) -> list[Post]:
    """The claimed posts, published or looked up side by side."""
    start_by = clock.now() + LATEST_START
    claimed = store.claim_due_posts(ringing_post_id)
    ours = [post for post in claimed if post.is_leased]
    closed = [post for post in claimed if not post.is_leased]
    if not ours:
        return closed
    with ThreadPoolExecutor(max_workers=len(ours)) as pool:
        tries = [
            pool.submit(publish_post, post, start_by, store, publisher, clock)
            if post.state == "sending"
            else pool.submit(look_up, post, store, publisher, clock)
            for post in ours
        ]
    return closed + [_ended(post, one_try) for post, one_try in zip(ours, tries, strict=True)]


def _ended(post: Post, one_try: Future[Post]) -> Post:
    """A fault of ours must not hide how the others ended. Its own post stays ``sending`` until its lease runs out."""
    try:
        return one_try.result()
    except Exception:
        logger.exception("a fault of ours interrupted the publishing of post %s", post.id)
        return replace(post, reason="A fault of ours interrupted its publishing; the log has it.")


def _rung_for(post: Post, counts: Mapping[str, int], clock: Clock) -> Rung:
    retry_after, next_time = None, post.not_before or post.held_until
    if post.state in ("scheduled", "unknown") and next_time:
        retry_after = min(next_time - clock.now(), LONGEST_RETRY_AFTER)
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
