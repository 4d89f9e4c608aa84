"""What a run will do, drawn from its seed before it begins: the same seed gives the same decisions.

Times are seconds after the storm's beginning. What the machine makes of them, down to the millisecond at which a signal
strikes, is not repeatable, and need not be: the verdict must be the same.
"""

import random
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from chaos.crash_points import POINTS

TAILS = (
    "good morning",
    "tom & jerry, 2 < 3 > 1",
    "read example.com/a?b=1",
    "read https://example.org/Some/Path/ today",
    "two\nlines",
    "naïve café 🚀",
    "two  spaces and\ttabs",
)
"""What X rewrites when it shows a text, and what it leaves alone."""

STORM = 2
"""How many times longer than the posts are due it goes on to storm."""

KILL_EVERY = 20.0
CRASH_EVERY = 6.0
JUMP_EVERY = 15.0
SWEEP_EVERY = 4.0
"""Seconds; the machine needs some of them to start the functions again."""

SLOWEST_ANSWER = 1.0
"""Seconds after which X, when made slow, has done what it was asked to."""

LOOKING_FAILS = ("503", "401", "429", "reset_before", "timeline_lag")
PUBLISHING_FAILS = (
    "401", "403", "429", "500", "503", "html_502", "empty_504", "reset_before", "reset_after", "timeout_before",
    "timeout_after", "slow", "slow_body", "commit_then_503", "truncated_201", "unreadable_201", "201_without_id",
)  # fmt: skip
ABOUT_ONE_AUTHOR = {"401", "403", "429"}
TAKES_TIME = {"slow", "slow_body", "timeout_before", "timeout_after", "timeline_lag"}


@dataclass(frozen=True)
class Act:
    """What an author does with a post: ``edit``, ``move``, ``postpone`` (to tomorrow), ``backdate`` or ``delete``.

    `to` is the new time of a move.
    """

    at: float
    kind: str
    to: float = 0.0


@dataclass(frozen=True)
class PlannedPost:
    """One post that an author asks for. `create_at` is None for those created before the storm.

    `mark` begins each of its texts and is no other post's.
    """

    mark: str
    author: str
    tail: str
    due: float
    create_at: float | None
    when_late: str
    has_key: bool
    creates: int
    acts: tuple[Act, ...]

    def text(self, revision: int) -> str:
        """Its text after so many edits."""
        return f"{self.mark} {self.tail}" + (f", revision {revision}" if revision else "")


@dataclass(frozen=True)
class Blow:
    """What is done to the stack: `kind` is a method of chaos.blows.Blows, `options` its arguments."""

    at: float
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """All of a run, in no particular order."""

    storm_seconds: float
    authors: tuple[str, ...]
    posts: tuple[PlannedPost, ...]
    blows: tuple[Blow, ...]


def draw(seed: int, posts: int, seconds: float) -> Plan:
    """The plan of this seed for so many posts, all due within so many seconds."""
    dice = random.Random(f"{seed} {posts} {seconds}")
    authors = tuple(f"author{number}" for number in range(max(5, posts // 20)))
    storm = STORM * seconds
    return Plan(
        storm,
        authors,
        tuple(_post(dice, f"[{seed}.{number}]", authors, seconds) for number in range(posts)),
        (*_on_functions(dice, storm), *_on_hasura(dice, storm, posts), *_on_x(dice, storm, posts, authors)),
    )


def _post(dice: random.Random, mark: str, authors: tuple[str, ...], seconds: float) -> PlannedPost:
    create_at = dice.uniform(0, seconds * 0.8) if dice.random() < 0.2 else None
    due = dice.uniform(0, seconds) if create_at is None else create_at + dice.uniform(1, seconds * 0.2)
    has_key = dice.random() < 0.6
    return PlannedPost(
        mark=mark,
        author=dice.choice(authors),
        tail=dice.choice(TAILS),
        due=due,
        create_at=create_at,
        when_late=dice.choice(["skip", "publish"]),
        has_key=has_key,
        creates=2 if has_key and dice.random() < 0.3 else 1,
        acts=_acts(dice, due, seconds),
    )


def _acts(dice: random.Random, due: float, seconds: float) -> tuple[Act, ...]:
    """About half of all posts are left alone. Most acts come close to the post's time, to meet it being published."""
    kinds = dice.choices(
        [[], ["edit"], ["edit", "edit"], ["move"], ["edit", "move"], ["postpone"], ["backdate"], ["delete"]],
        [50, 14, 6, 8, 6, 3, 3, 10],
    )[0]
    times = sorted(max(0.0, dice.gauss(due, 3)) for _ in kinds)
    return tuple(
        Act(at, kind, to=dice.uniform(0, seconds))
        for at, kind in zip(times, dice.sample(kinds, len(kinds)), strict=True)
    )


def _on_functions(dice: random.Random, storm: float) -> list[Blow]:
    return [
        *(Blow(dice.uniform(0, storm), "kill_functions", {}) for _ in range(round(storm / KILL_EVERY))),
        *_crashes(dice, storm),
        *(Blow(at, "jump_in_time", {}) for at in _jumps(storm)),
        *(Blow(SWEEP_EVERY * number, "sweep", {}) for number in range(1, round(storm / SWEEP_EVERY))),
    ]


def _crashes(dice: random.Random, storm: float) -> list[Blow]:
    """Each point at least once; those of createPost while posts are still created."""
    of_creating = [point for point in POINTS if point.endswith(("insert", "alarm"))]
    of_publishing = [point for point in POINTS if point not in of_creating]
    dice.shuffle(of_publishing)
    crashes = max(len(of_publishing), round(storm / CRASH_EVERY))
    return [
        *(Blow(dice.uniform(0, 0.7 * storm / STORM), "arm_crash_point", {"point": point}) for point in of_creating),
        *(
            Blow(storm * number / crashes, "arm_crash_point", {"point": point})
            for number, point in enumerate(islice(cycle(of_publishing), crashes))
        ),
    ]


def _jumps(storm: float) -> list[float]:
    jumps = max(2, round(storm / JUMP_EVERY))
    return [storm * (number + 0.8) / jumps for number in range(jumps)]


def _on_hasura(dice: random.Random, storm: float, posts: int) -> list[Blow]:
    def some_time() -> float:
        return dice.uniform(0, storm)

    bells = [("one_off", max(2, posts // 50)), ("table", max(2, posts // 100)), ("cron", 1)]
    return [
        Blow(storm * dice.uniform(0.3, 0.6), "kill_hasura", {}),
        Blow(storm * dice.uniform(0.2, 0.4), "delete_pending_events", {}),
        Blow(storm * dice.uniform(0.1, 0.9), "ring_often", {"times": posts}),
        *(Blow(some_time(), "drop_next", {"bell": bell, "times": times}) for bell, times in bells for _ in range(2)),
        *(
            Blow(some_time(), "duplicate_next", {"bell": bell, "times": times})
            for bell, times in bells
            for _ in range(2)
        ),
    ]


def _on_x(dice: random.Random, storm: float, posts: int, authors: tuple[str, ...]) -> list[Blow]:
    """Each kind of failure at least once; X's refusal of the whole app (402), which stops everything, before a jump."""

    def failure(kind: str, endpoint: str) -> Blow:
        options: dict[str, Any] = {"kind": kind, "endpoint": endpoint, "times": dice.randint(1, 2)}
        if kind in ABOUT_ONE_AUTHOR:
            options["username"] = dice.choice(authors)
        if kind in TAKES_TIME:
            options["ms"] = round(SLOWEST_ANSWER * 1000)
        return Blow(dice.uniform(0, storm), "fail_x", options)

    publishing = islice(cycle(PUBLISHING_FAILS), max(len(PUBLISHING_FAILS), posts // 6))
    looking = islice(cycle(LOOKING_FAILS), max(len(LOOKING_FAILS), posts // 50))
    return [
        *(failure(kind, "tweets") for kind in publishing),
        *(failure(kind, "timeline") for kind in looking),
        Blow(_jumps(storm)[0] - 2, "fail_x", {"kind": "402", "endpoint": "tweets", "times": 1}),
    ]
