"""A delivery that came early waits for the posts that are due soon, and publishes each of them at its second."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from shared import log
from shared.core.after_claim import AfterClaim
from shared.core.clock import Clock
from shared.core.drain import drain
from shared.core.model import Delivery, PostStore, XApi
from shared.errors import ScheduledPostsError
from shared.limits import HANDOVER_TIME, NOTHING_CLAIMED_WAIT, WAIT_STEP, WAIT_TIME
from shared.log import LogEvent


@dataclass(frozen=True)
class Waited:
    """The posts that were claimed meanwhile, by id, as they ended last.

    `somebody_waits`: for posts that are due soon, if there are any, this delivery has waited or another one does.
    """

    posts: dict[int, AfterClaim]
    somebody_waits: bool


def wait_and_publish(delivery: Delivery, begun_at: datetime, store: PostStore, x: XApi, clock: Clock) -> Waited:
    """Waits while posts are due soon, unless another delivery does; for WAIT_TIME at most.

    A delivery about no post stays for `store.sweep_wait`, whatever is due. Nothing is claimed ahead, and the database's
    clock says what is due. A store that fails ends the waiting: the next delivery takes over. The same event, delivered
    again, has its turn at once, though the database still believes that it waits.
    """
    stay = store.sweep_wait if delivery.post_id is None else timedelta()
    if not (store.early or stay):
        return Waited({}, somebody_waits=False)
    caller = delivery.event_id or str(uuid4())
    stop_at = begun_at + WAIT_TIME
    posts: dict[int, AfterClaim] = {}
    follow_up_is_requested = False
    try:
        while (now := clock.now()) < stop_at:
            turn = store.wait_for_due_posts(caller, max(begun_at + stay - now, timedelta()), stop_at - now)
            if not turn.is_callers:
                return Waited(posts, turn.is_needed)
            if stop_at - now < HANDOVER_TIME and not follow_up_is_requested:
                request_follow_up(store)
                follow_up_is_requested = True
            if turn.due_in is None or turn.due_in > WAIT_STEP:
                clock.sleep(WAIT_STEP)
                continue
            clock.sleep(max(turn.due_in, timedelta()))
            drained = drain(delivery, stop_at, store, x, clock)
            posts |= drained.posts
            if not drained.is_all:
                request_follow_up(store)
            elif not drained.posts:
                clock.sleep(NOTHING_CLAIMED_WAIT)
        return Waited(posts, somebody_waits=True)
    except ScheduledPostsError as error:
        log.warning(LogEvent.WAITING_ENDED, f"the waiting for posts that are due soon has ended: {error}")
        return Waited(posts, somebody_waits=False)


def request_follow_up(store: PostStore) -> bool:
    """Whether a follow-up delivery is outstanding now. Without one, the sweep takes what is left within a minute."""
    try:
        store.request_follow_up()
        return True
    except ScheduledPostsError as error:
        log.warning(
            LogEvent.FOLLOW_UP_NOT_CREATED,
            f"no follow-up delivery could be asked for, the sweep will take what is left: {error}",
        )
        return False
