"""One run, from the first post to the verdict."""

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import requests

from chaos.authors import WRITERS, Authors
from chaos.blows import Blows
from chaos.mortal_functions import MortalFunctions
from chaos.plan import Plan, PlannedPost
from chaos.progress import Progress
from chaos.rows import Rows
from chaos.second_opinion import Opinion, ask_the_doctor
from chaos.stack import chaos_stack
from chaos.time_jump import let_the_sweep_ring
from chaos.verdict import Verdict, judge
from local.running_stack import RunningStack

MARGIN_TO_WRITE = 1.5
"""How many times longer than expected it may take to write the posts before the storm; longer, and some are refused."""

SECONDS_OF_QUIET = 4.0
SECONDS_TO_GET_ON = 120.0
"""When the posts that are still open do not become fewer for so long, they never will."""

SECONDS_FOR_THE_BELLS = 60.0

_HUNG = "tries that X left without an answer until our patience ended"


@dataclass
class Result:
    """What a run found: the verdict, what was done, and what the stack says of it."""

    verdict: Verdict
    doctor: Opinion
    done: Counter[str] = field(default_factory=Counter)
    x_fails: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    rings: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    never_reached: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether everything is where it should be, and the doctor finds nothing either."""
        return not self.verdict.findings and not self.doctor.findings


def run(plan: Plan, directory: Path, delivery: str, progress: Progress) -> Result:
    """Carries out the plan on a stack of its own, whose data and logs are in `directory`."""
    with (
        chaos_stack(directory, delivery) as (stack, functions),
        closing(Rows(stack.settings["PG_DATABASE_URL"])) as rows,
    ):
        return _Run(plan, stack, functions, rows, progress).whole()


class _Run:
    def __init__(
        self, plan: Plan, stack: RunningStack, functions: MortalFunctions, rows: Rows, progress: Progress
    ) -> None:
        self._plan = plan
        self._stack = stack
        self._functions = functions
        self._rows = rows
        self._progress = progress
        self._authors = Authors(stack, plan.authors, plan.posts)
        self._blows = Blows(stack, functions)
        self._seconds: dict[str, float] = {}

    def whole(self) -> Result:
        written = [post for post in self._plan.posts if post.create_at is None]
        seconds_to_write = len(written) * self._authors.seconds_to_write_one()
        began = datetime.now(UTC) + timedelta(seconds=3 + MARGIN_TO_WRITE * seconds_to_write)
        self._phase("authors write", lambda: self._write(written, began))
        self._phase("storm", lambda: self._storm(began))
        self._phase("coming to rest", self._drain)
        never_reached = self._functions.disarm()
        self._phase("at rest", self._rest)
        return self._result(never_reached)

    def _phase(self, name: str, phase: Callable[[], None]) -> None:
        started = time.monotonic()
        with self._progress.of(name, self._rows):
            phase()
        self._seconds[name] = round(time.monotonic() - started, 1)

    def _write(self, written: Sequence[PlannedPost], began: datetime) -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            for future in [pool.submit(self._authors.create, post, began) for post in written]:
                future.result()

    def _storm(self, began: datetime) -> None:
        """Everything at its time, side by side: blows strike while authors act and posts are published."""
        agenda = self._agenda(began)
        running: list[Future[None]] = []
        with ThreadPoolExecutor(WRITERS) as authors, ThreadPoolExecutor(WRITERS) as blows:
            while agenda:
                at, _, whose, deed = heapq.heappop(agenda)
                time.sleep(max(0.0, (began - datetime.now(UTC)).total_seconds() + at))
                running.append((authors if whose == "author" else blows).submit(deed))
            time.sleep(max(0.0, (began - datetime.now(UTC)).total_seconds() + self._plan.storm_seconds))
        for deed_done in running:
            deed_done.result()

    def _agenda(self, began: datetime) -> list[tuple[float, int, str, Callable[[], None]]]:
        deeds: list[tuple[float, str, Callable[[], None]]] = []
        for post in self._plan.posts:
            if post.create_at is not None:
                deeds.append((post.create_at, "author", partial(self._authors.create, post, began)))
            for number, act in enumerate(post.acts, start=1):
                deeds.append((act.at, "author", partial(self._authors.act, post.mark, act, number, began)))
        deeds += [(blow.at, "blow", partial(self._blows.strike, blow)) for blow in self._plan.blows]
        agenda = [(at, number, whose, deed) for number, (at, whose, deed) in enumerate(deeds)]
        heapq.heapify(agenda)
        return agenda

    def _drain(self) -> None:
        """Lets the stack come to rest: rings until nothing more is claimed, then lets an hour pass, and again."""
        self._functions.wait_until_it_answers()
        self._ring_until_nothing_moves()
        fewest, since = self._rows.are_open(), time.monotonic()
        while fewest and time.monotonic() < since + SECONDS_TO_GET_ON:
            self._blows.jump_in_time()
            self._ring_until_nothing_moves()
            if (still_open := self._rows.are_open()) < fewest:
                fewest, since = still_open, time.monotonic()

    def _rest(self) -> None:
        """Nothing strikes any more, so Hasura's own bells have to come through again, the sweep of each minute too."""
        self._drain()  # the last crash point may have struck just before
        deadline = time.monotonic() + SECONDS_FOR_THE_BELLS
        while not self._rows.bells_are_at_rest() and time.monotonic() < deadline:
            let_the_sweep_ring(self._stack.settings["PG_DATABASE_URL"])
            time.sleep(1)

    def _ring_until_nothing_moves(self) -> None:
        """A lease that lasts on for SECONDS_OF_QUIET is a dead publisher's; so are all when a ring gets no answer."""
        moved_last = time.monotonic()
        deadline = moved_last + SECONDS_TO_GET_ON
        while time.monotonic() < min(deadline, moved_last + SECONDS_OF_QUIET):
            try:
                claimed = self._blows.ring()["claimed"]
            except requests.RequestException:
                return
            if claimed:
                moved_last = time.monotonic()
            elif not self._rows.are_leased():
                return
            else:
                time.sleep(0.2)

    def _result(self, never_reached: list[str]) -> Result:
        rows = self._rows.posts()
        asked = list(self._authors.asked.values())
        return Result(
            verdict=judge(asked, rows, self._stack.tweets(), datetime.now(UTC)),
            doctor=ask_the_doctor(self._stack, rows),
            done=self._blows.struck + self._authors.did + Counter({_HUNG: self._rows.were_hung()}),
            x_fails=self._blows.x_fails,
            crashes=self._functions.crashes,
            rings=self._blows.rings,
            attempts=Counter(str(attempt["outcome"]) for row in rows for attempt in row["attempts"]),
            never_reached=sorted(never_reached),
            seconds=self._seconds,
        )
