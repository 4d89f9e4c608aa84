"""The processes of the model, which bells wake: the real core over the real store, until a mishap meets them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from model_world import World
from waiting import wait_until

from shared.core import deliver as ringing
from shared.core import publish as publishing
from shared.core.model import LEASE, Outcome, Post
from shared.errors import HasuraUnavailable
from shared.hasura.client import Hasura

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
    """The real time, or so much before it; never waits."""

    behind: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self.behind

    def sleep(self, pause: timedelta) -> None:
        pass


@dataclass(frozen=True)
class Frozen:
    """What a process was about to record, and when."""

    post: Post
    outcome: Outcome
    passed: timedelta


class Processes:
    def __init__(self, world: World) -> None:
        self.world = world
        self.frozen: list[Frozen] = []
        self.leases: dict[int, datetime] = {}

    def ring(self, post: int | None, mishap: str = "none") -> None:
        clock = Clock(HELD_UP.get(mishap, timedelta()))
        with suppress(Killed):
            ringing.ring(post, UnluckyStore(self, mishap, clock), self.world.x, clock)

    def ring_at_once(self, *bells: int | None) -> None:
        start = threading.Barrier(len(bells))

        def ring(post: int | None) -> None:
            start.wait()
            self.ring(post)

        with ThreadPoolExecutor(len(bells)) as pool:
            list(pool.map(ring, bells))

    def ring_beside_a_dying_one(self, post: int | None, claims_first: bool) -> None:
        """Another process claims and dies: just before the ring claims or, if not, when that has begun to."""
        claim = "select from claim_due_posts()"
        with ThreadPoolExecutor(1) as pool:
            with self.world.database.transaction():
                self.world.execute(claim if claims_first else "lock table app")
                ring = pool.submit(self.ring, post)
                wait_until(lambda: ring.done() or self.world.is_waited_for(), bool)
                self.world.execute(claim)
            ring.result()

    def thaw_one(self) -> None:
        """The process that was frozen first, if any was, goes on: it records what it knew then."""
        if self.frozen:
            frozen = self.frozen.pop(0)
            outcome = later_outcome(frozen.outcome, self.world.passed - frozen.passed)
            publishing.record(frozen.post, outcome, UnluckyStore(self, "none", Clock()), Clock())


class UnluckyStore(Hasura):
    """The real store, in a process that meets a mishap."""

    def __init__(self, processes: Processes, mishap: str, clock: Clock) -> None:
        super().__init__(processes.world.settings)
        self.processes, self.mishap, self.clock = processes, mishap, clock

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        asked_at = self.processes.world.now()
        claimed = super().claim_due_posts(ringing_post_id)
        self.lease(claimed, asked_at)
        if self.mishap == "killed after the claim":
            raise Killed
        return self.held_up(claimed) if self.clock.behind else claimed

    def lease(self, claimed: list[Post], asked_at: datetime) -> None:
        """Nobody may claim what is another's."""
        leases, now = self.processes.leases, self.processes.world.now()
        for post in claimed:
            assert leases.get(post.id, now) <= now, f"post {post.id} was taken from the process that had claimed it"
            if post.is_leased:
                leases[post.id] = asked_at + LEASE

    def held_up(self, claimed: list[Post]) -> list[Post]:
        """The claimed posts after a while in which others rang."""
        pause, self.clock.behind = self.clock.behind, timedelta()
        self.processes.world.pass_time(pause)
        self.processes.ring(None)
        self.processes.ring(None)
        return [later_post(post, pause) for post in claimed]

    def record(self, post: Post, outcome: Outcome) -> None:
        match self.mishap:
            case "killed before recording":
                raise Killed
            case "frozen before recording":
                self.processes.frozen.append(Frozen(post, outcome, self.processes.world.passed))
                raise Killed
            case "cannot record":
                raise HasuraUnavailable("Hasura is gone")

        self.processes.leases.pop(post.id, None)
        super().record(post, outcome)

        match self.mishap:
            case "killed after recording":
                raise Killed
            case "does not hear that it recorded":
                raise HasuraUnavailable("Hasura recorded it, and did not answer")


def later_post(post: Post, by: timedelta) -> Post:
    """What was read of a post, after so much time: what lies in its past lies further back."""
    questions = (
        replace(question, started_at=question.started_at - by, finished_at=question.finished_at - by)
        for question in post.questions
    )
    return replace(post, questions=tuple(questions))


def later_outcome(outcome: Outcome, by: timedelta) -> Outcome:
    return replace(outcome, not_before=outcome.not_before and outcome.not_before - by)
