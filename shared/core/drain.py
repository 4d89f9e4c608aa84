"""Claims what is due, batch after batch, and publishes or reconciles each post of a batch in a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread

from shared import log
from shared.core.after_claim import AfterClaim, log_end, log_missed
from shared.core.clock import Clock
from shared.core.model import ClaimedPost, Delivery, PostStore, State, XApi
from shared.core.publish import Conclusion, Deadlines, publish
from shared.core.reconcile import Timelines, reconcile
from shared.core.scheduled_events import delete_leftover_event
from shared.errors import ScheduledPostsError
from shared.limits import BATCH_TIME, LATEST_START, RECONCILE_TIME, WAIT_STEP
from shared.log import LogEvent


@dataclass(frozen=True)
class Drained:
    """The claimed posts by id, as they ended last. `is_all`: nothing more was due."""

    posts: dict[int, AfterClaim]
    is_all: bool


def drain(delivery: Delivery, claim_until: datetime, store: PostStore, x: XApi, clock: Clock) -> Drained:
    """Claims until nothing is due, or until `claim_until`; but once in any case.

    Claims the next batch when half of the posts of the one before have ended, so that their calls to X and to the store
    overlap. Claims again each WAIT_STEP while a few are running, so that a post that X does not answer holds up none
    that falls due meanwhile. What is surely absent from X is due again at once, and is claimed again. Raises a Problem
    when the first claim fails; when a later one does, that is logged, and what was claimed before is returned.
    """
    all_ended: dict[int, AfterClaim] = {}
    is_first = True
    with _Publishers(delivery, store, x, clock) as publishers:
        while True:
            begun_at = clock.now()
            try:
                claim = store.claim_due_posts(delivery.post_id)
            except ScheduledPostsError as error:
                if is_first:
                    raise
                log.warning(LogEvent.CLAIM_FAILED, f"what is due by now could not be claimed: {error}")
                return Drained(all_ended | _by_id(publishers.wait(still_running=0)), is_all=False)
            is_first = False
            deadlines = Deadlines(begun_at + LATEST_START, clock.now() + RECONCILE_TIME, begun_at + BATCH_TIME)
            if claim.ceiling_reached:
                log.error(LogEvent.OPERATOR_MUST_ACT, f"the operator must act, {claim.ceiling_reached}")
            publishers.begin(claim.posts, deadlines)
            is_last_batch = claim.size < store.batch_size
            ended = [log_missed(post) for post in claim.missed]
            ended += publishers.wait(still_running=store.batch_size // 2)
            if is_last_batch:
                ended += publishers.wait_while_posts_end(WAIT_STEP)
            is_time_up = clock.now() > claim_until
            if is_time_up:
                ended += publishers.wait(still_running=0)
            all_ended |= _by_id(ended)
            is_due_again = any(post.come_back_at and post.come_back_at <= clock.now() for post in ended)
            is_all = is_last_batch and not is_due_again and not publishers.are_running
            if is_all or is_time_up:
                return Drained(all_ended, is_all)


def _by_id(posts: list[AfterClaim]) -> dict[int, AfterClaim]:
    return {post.id: post for post in posts}


class _Publishers(AbstractContextManager["_Publishers"]):
    """Claimed posts, side by side, each in a thread; at most one batch and a half.

    Only the thread that waits for them logs: Azure drops the log lines of others. The end of the block waits for all.
    """

    def __init__(self, delivery: Delivery, store: PostStore, x: XApi, clock: Clock) -> None:
        self._delivery, self._store, self._x, self._clock = delivery, store, x, clock
        self._running: dict[Future[Conclusion], tuple[ClaimedPost, Deadlines]] = {}
        self._ended: SimpleQueue[Future[Conclusion]] = SimpleQueue()

    def begin(self, posts: tuple[ClaimedPost, ...], deadlines: Deadlines) -> None:
        timelines = Timelines(posts, deadlines.read_by, self._x)
        for post in posts:
            work = (
                partial(publish, post, deadlines, self._store, self._x, self._clock)
                if post.state is State.SENDING
                else partial(reconcile, post, timelines, deadlines, self._store, self._clock)
            )
            end: Future[Conclusion] = Future()
            self._running[end] = post, deadlines
            end.add_done_callback(self._ended.put)
            try:
                Thread(target=_do, args=[work, end]).start()
            except (RuntimeError, MemoryError):  # the system has no thread left, or no room for one
                _do(work, end)

    def wait(self, still_running: int) -> list[AfterClaim]:
        """How posts ended, until no more than so many are running."""
        ended = []
        while len(self._running) > still_running:
            ended.append(self._take(self._ended.get()))
        return ended

    def wait_while_posts_end(self, pause: timedelta) -> list[AfterClaim]:
        """How posts ended, until none is running, or for so long."""
        ended = []
        until = self._clock.now() + pause
        with suppress(Empty):
            while self._running and (left := until - self._clock.now()) > timedelta():
                ended.append(self._take(self._ended.get(timeout=left.total_seconds())))
        return ended

    @property
    def are_running(self) -> bool:
        return bool(self._running)

    def _take(self, end: Future[Conclusion]) -> AfterClaim:
        post, deadlines = self._running.pop(end)
        ended = log_end(post, end, self._clock)
        delete_leftover_event(post, self._delivery, deadlines.begin_by, self._store, self._clock)
        return ended

    def __exit__(self, *_: object) -> None:
        self.wait(still_running=0)


def _do(work: Callable[[], Conclusion], end: Future[Conclusion]) -> None:
    try:
        end.set_result(work())
    except BaseException as error:  # whatever it is, the delivery waits for this end
        end.set_exception(error)
