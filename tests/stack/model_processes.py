"""The processes of the model, which deliveries start: the real core over the real store, until a mishap meets them."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from model_world import World
from waiting import wait_until

from shared.core.deliver import DeliveryResult, handle_delivery
from shared.core.model import Claim, ClaimedPost, Decision, Delivery, Recorded
from shared.errors import HasuraUnavailable
from shared.hasura.post_store import HasuraPostStore
from shared.limits import LEASE

HELD_UP = {"held up a little after the claim": LEASE / 4, "held up beyond the lease": LEASE * 1.25}
MISHAPS = (
    "none",
    *HELD_UP,
    "killed after the claim",
    "killed before recording",
    "killed after recording",
    "frozen before recording",
    "cannot record",
    "does not hear that it recorded",
)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    """The real time, or so much before it; never waits. A slow one is `step` further each time that it is read."""

    behind: timedelta = timedelta()
    step: timedelta = timedelta()

    def now(self) -> datetime:
        self.behind -= self.step
        return datetime.now(UTC) - self.behind

    def sleep(self, pause: timedelta) -> None:
        pass


@dataclass(frozen=True)
class Frozen:
    """What a process was about to record, and when."""

    post: ClaimedPost
    decision: Decision
    passed: timedelta


class Processes:
    def __init__(self, world: World) -> None:
        self.world = world
        self.frozen: list[Frozen] = []
        self.leases: dict[int, datetime] = {}

    def deliver(self, post: int | None, mishap: str = "none") -> None:
        """An event that Hasura does not count on: a table event, or the sweep."""
        self.handle(Delivery(post), Clock(HELD_UP.get(mishap, timedelta())), mishap)

    def deliver_due_events(self) -> None:
        """All scheduled events that are due; what is to be delivered again is so when it is due again."""
        while delivery := self.world.next_delivery():
            self.handle(delivery, Clock())

    def handle(self, delivery: Delivery, clock: Clock, mishap: str = "none") -> DeliveryResult | None:
        """None: the process was killed."""
        with suppress(Killed):
            return handle_delivery(delivery, UnluckyStore(self, mishap, clock), self.world.x, clock)
        return None

    def deliver_at_once(self, posts: Sequence[int | None], step: timedelta = timedelta()) -> None:
        """As many processes as posts, side by side, with clocks of this step."""
        start = threading.Barrier(len(posts))

        def deliver(post: int | None) -> None:
            start.wait()
            self.handle(Delivery(post), Clock(step=step))

        with ThreadPoolExecutor(len(posts)) as pool:
            list(pool.map(deliver, posts))

    def deliver_beside_a_dying_one(self, post: int | None, claims_first: bool) -> None:
        """Another process claims and dies: just before this one claims or, if not, when that has begun to."""
        claim = "select from claim_due_posts()"
        with ThreadPoolExecutor(1) as pool:
            with self.world.database.transaction():
                self.world.execute(claim if claims_first else "lock table app")
                delivery = pool.submit(self.deliver, post)
                wait_until(lambda: delivery.done() or self.world.is_waited_for(), bool)
                self.world.execute(claim)
            delivery.result()

    def thaw_one(self) -> None:
        """The process that was frozen first, if any was, goes on: it records what it knew then."""
        if self.frozen:
            frozen = self.frozen.pop(0)
            by = self.world.passed - frozen.passed
            post, decision = earlier_post(frozen.post, by), earlier_decision(frozen.decision, by)
            UnluckyStore(self, "none", Clock()).record(post, decision)


class UnluckyStore(HasuraPostStore):
    """The real store, in a process that meets a mishap."""

    def __init__(self, processes: Processes, mishap: str, clock: Clock) -> None:
        super().__init__(processes.world.settings)
        self.processes, self.mishap, self.clock = processes, mishap, clock

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        asked_at = self.processes.world.now()
        claim = super().claim_due_posts(delivered_post_id)
        self.lease(claim, asked_at)
        if self.mishap == "killed after the claim":
            raise Killed
        return self.held_up(claim) if self.mishap in HELD_UP and self.clock.behind else claim

    def lease(self, claim: Claim, asked_at: datetime) -> None:
        """Nobody may claim what is another's."""
        leases, now = self.processes.leases, self.processes.world.now()
        for post in claim.posts:
            assert leases.get(post.id, now) <= now, f"post {post.id} was taken from the process that had claimed it"
            leases[post.id] = asked_at + LEASE

    def held_up(self, claim: Claim) -> Claim:
        """The claimed posts after a while in which others were delivered."""
        pause, self.clock.behind = self.clock.behind, timedelta()
        self.processes.world.pass_time(pause)
        self.processes.deliver(None)
        self.processes.deliver(None)
        return replace(claim, posts=tuple(earlier_post(post, pause) for post in claim.posts))

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        match self.mishap:
            case "killed before recording":
                raise Killed
            case "frozen before recording":
                self.processes.frozen.append(Frozen(post, decision, self.processes.world.passed))
                raise Killed
            case "cannot record":
                raise HasuraUnavailable("Hasura is gone")

        self.processes.leases.pop(post.id, None)
        recorded = super().record(post, decision)

        match self.mishap:
            case "killed after recording":
                raise Killed
            case "does not hear that it recorded":
                raise HasuraUnavailable("Hasura recorded it, and did not answer")
        return recorded


def earlier_post(post: ClaimedPost, by: timedelta) -> ClaimedPost:
    """What was read of a post, after so much time: all its times lie further back."""
    unresolved = (
        replace(one, started_at=one.started_at - by, finished_at=one.finished_at - by) for one in post.unresolved
    )
    return replace(
        post,
        schedule_for=post.schedule_for - by,
        lease_until=post.lease_until - by,
        sign_in_rejected_at=post.sign_in_rejected_at and post.sign_in_rejected_at - by,
        event_at=post.event_at and post.event_at - by,
        unresolved=tuple(unresolved),
    )


def earlier_decision(decision: Decision, by: timedelta) -> Decision:
    return replace(
        decision,
        next_attempt_at=decision.next_attempt_at and decision.next_attempt_at - by,
        reconcile_at=decision.reconcile_at and decision.reconcile_at - by,
        pause=decision.pause and replace(decision.pause, until=decision.pause.until - by),
    )
