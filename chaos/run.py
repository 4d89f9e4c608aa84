"""One run, from the first post to the checker's result."""

import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path

import requests

from chaos.authors import Authors
from chaos.checker import CheckResult, check
from chaos.database import Database
from chaos.doctor_report import DoctorReport, ask_the_doctor
from chaos.faults import FaultInjector
from chaos.plan import Plan
from chaos.progress import Progress
from chaos.stack import CrashableFunctions, chaos_stack
from local.running_stack import RunningStack

THREADS = 8
"""How many authors write at once; as many faults are injected at once."""

SECONDS_TO_WRITE_ONE = 0.06
"""About how long it takes to create a post while THREADS do. What is written later is due later."""

SECONDS_TO_GET_ON = 300.0
"""When the posts that are still open do not become fewer for so long, they never will."""

SECONDS_FOR_THE_TRIGGERS = 120.0

_HUNG = "attempts that X left without an answer until we stopped waiting"
_SURPLUS_EVENTS = "pending events beyond one for each post, at the end"


@dataclass
class Result:
    """What a run found: the checker's result, what was done, and the doctor's report."""

    checked: CheckResult
    doctor: DoctorReport
    done: Counter[str] = field(default_factory=Counter)
    x_faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    never_reached: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether everything is where it should be, and the doctor finds nothing either."""
        return not self.checked.findings and not self.doctor.findings


def run(plan: Plan, directory: Path, delivery: str, progress: Progress) -> Result:
    """Carries out the plan on a stack of its own, whose data and logs are in `directory`."""
    began = time.monotonic()
    with (
        chaos_stack(directory, delivery) as (stack, functions),
        closing(Database(stack.settings["PG_DATABASE_URL"])) as database,
    ):
        run_on_the_stack = _Run(plan, stack, functions, database, progress)
        run_on_the_stack.seconds["starting"] = round(time.monotonic() - began, 1)
        return run_on_the_stack.whole()


class _Run:
    def __init__(
        self, plan: Plan, stack: RunningStack, functions: CrashableFunctions, database: Database, progress: Progress
    ) -> None:
        self.seconds: dict[str, float] = {}
        self._plan = plan
        self._stack = stack
        self._functions = functions
        self._database = database
        self._progress = progress
        self._authors = Authors(stack, plan.authors, plan.posts)
        self._faults = FaultInjector(stack, functions, database)

    def whole(self) -> Result:
        self._phase("faults", self._inject_faults)
        self._phase("coming to rest", self._drain)
        never_reached = self._functions.disarm()
        self._phase("at rest", self._rest)
        return self._result(never_reached)

    def _phase(self, name: str, phase: Callable[[], None]) -> None:
        started = time.monotonic()
        with self._progress.of(name, self._database):
            phase()
        self.seconds[name] = round(time.monotonic() - started, 1)

    def _inject_faults(self) -> None:
        """Everything at its time, side by side: faults are injected while authors act and posts are published.

        They begin when about all posts should be there that are to be there before; on a slow machine some come later.
        """
        written_before = sum(post.create_at is None for post in self._plan.posts)
        began = datetime.now(UTC) + timedelta(seconds=1 + SECONDS_TO_WRITE_ONE * written_before)
        running: list[Future[None]] = []
        with ThreadPoolExecutor(THREADS) as authors, ThreadPoolExecutor(THREADS) as faults:
            for at, is_fault, work in self._schedule(began):
                time.sleep(max(0.0, (began - datetime.now(UTC)).total_seconds() + at))
                running.append((faults if is_fault else authors).submit(work))
            time.sleep(max(0.0, (began - datetime.now(UTC)).total_seconds() + self._plan.fault_seconds))
        for done in running:
            done.result()

    def _schedule(self, began: datetime) -> list[tuple[float, bool, Callable[[], None]]]:
        """What is to be done, each with its time and whether it is a fault, in the order of the times."""
        entries: list[tuple[float, bool, Callable[[], None]]] = []
        for post in self._plan.posts:
            create_at = -math.inf if post.create_at is None else post.create_at
            entries.append((create_at, False, partial(self._authors.create, post, began)))
            for number, action in enumerate(post.actions, start=1):
                entries.append((action.at, False, partial(self._authors.act, post.mark, action, number, began)))
        entries += [(fault.at, True, partial(self._faults.inject, fault)) for fault in self._plan.faults]
        return sorted(entries, key=itemgetter(0))

    def _drain(self) -> None:
        """Lets the stack come to rest: delivers until nothing more is claimed, then lets an hour pass, and again."""
        self._deliver_until_nothing_changes()
        fewest, since = self._database.count_open(), time.monotonic()
        while fewest and time.monotonic() < since + SECONDS_TO_GET_ON:
            self._faults.outage()
            self._deliver_until_nothing_changes()
            if (still_open := self._database.count_open()) < fewest:
                fewest, since = still_open, time.monotonic()

    def _rest(self) -> None:
        """No fault is injected any more, so all of Hasura's triggers must work again, the sweep of each minute too."""
        self._drain()  # the last crash point may have been reached just before
        deadline = time.monotonic() + SECONDS_FOR_THE_TRIGGERS
        while not self._database.triggers_are_at_rest() and time.monotonic() < deadline:
            self._database.sweep_now()
            time.sleep(1)

    def _deliver_until_nothing_changes(self) -> None:
        """Until nothing is claimed, and what is claimed was so by a process that has died since."""
        deadline = time.monotonic() + SECONDS_TO_GET_ON
        while time.monotonic() < deadline:
            self._functions.wait_until_it_answers()
            try:
                claimed = self._faults.deliver()["claimed"]
            except requests.RequestException:  # killed at a crash point, or Hasura is still down
                claimed = None
            if claimed == {} and not self._database.count_claimed_since(self._functions.started_at):
                return
            if not claimed:
                time.sleep(0.1)

    def _result(self, never_reached: list[str]) -> Result:
        rows = self._database.posts()
        found_by_counting = {
            _HUNG: self._database.count_hung(),
            _SURPLUS_EVENTS: self._database.count_surplus_events(),
        }
        return Result(
            checked=check(list(self._authors.expectations.values()), rows, self._stack.tweets(), datetime.now(UTC)),
            doctor=ask_the_doctor(self._stack, rows),
            done=self._faults.injected + self._authors.did + Counter(found_by_counting),
            x_faults=self._faults.x_faults,
            crashes=self._functions.crashes,
            answers=self._faults.answers,
            attempts=Counter(str(attempt["outcome"]) for row in rows for attempt in row["attempts"]),
            never_reached=sorted(never_reached),
            seconds=self.seconds,
        )
