"""What a run will do, as data: who writes which posts when, what authors do with them, and which faults are injected.

It is made from a seed before the run begins: the same seed gives the same plan. Times are seconds after the faults
begin. When exactly a fault takes effect is not repeatable, and need not be: what the checker finds must be the same.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from chaos.crash_points import CREATING_POINTS, POINTS
from shared.limits import X_TIMEOUT


@dataclass(frozen=True)
class Action:
    """What an author does with a post.

    ``edit``, ``move`` (to the time `to`), ``postpone`` (to tomorrow), ``backdate``, ``draft`` (makes it one) or
    ``delete``.
    """

    at: float
    kind: str
    to: float = 0.0


@dataclass(frozen=True)
class PlannedPost:
    """One post that an author asks for. `create_at` is None for those created before the faults begin.

    `mark` is no other post's. `opening` begins each of its texts: its mark, or the opening of another post of the same
    author, whose text it repeats.
    """

    mark: str
    opening: str
    author: str
    tail: str
    due: float
    create_at: float | None
    when_late: str
    has_key: bool
    creates: int
    actions: tuple[Action, ...]

    def text(self, revision: int) -> str:
        """Its text after so many edits."""
        return f"{self.opening} {self.tail}" + (f", revision {revision}" if revision else "")


@dataclass(frozen=True)
class Fault:
    """What is done to the stack: `kind` is a method of chaos.faults.FaultInjector, `options` its arguments."""

    at: float
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """All of a run, in no particular order. Faults are injected for `fault_seconds`."""

    fault_seconds: float
    authors: tuple[str, ...]
    posts: tuple[PlannedPost, ...]
    faults: tuple[Fault, ...]


def make_plan(seed: int, posts: int, seconds: float) -> Plan:
    """The plan of this seed for so many posts, all due within so many seconds."""
    rng = random.Random(f"{seed} {posts} {seconds}")
    authors = tuple(f"author{number}" for number in range(max(5, posts // 20)))
    return Plan(
        fault_seconds=fault_seconds(seconds),
        authors=authors,
        posts=_posts(rng, seed, posts, authors, seconds),
        faults=_faults(rng, seconds, posts, authors),
    )


# Posts and what their authors do with them.

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

EQUAL_TEXTS = 0.2
"""The share of posts that repeat another's text. X's rejection of such texts is switched off."""

CREATED_LATER = 0.2
"""The share of posts that are created after the faults have begun."""


def _posts(
    rng: random.Random, seed: int, number_of_posts: int, authors: tuple[str, ...], seconds: float
) -> tuple[PlannedPost, ...]:
    posts: list[PlannedPost] = []
    for number in range(number_of_posts):
        repeated = rng.choice(posts) if posts and rng.random() < EQUAL_TEXTS else None
        posts.append(_post(rng, f"[{seed}.{number}]", repeated, authors, seconds))
    return tuple(_without_deletes_of_equal_texts(posts))


def _without_deletes_of_equal_texts(posts: list[PlannedPost]) -> Iterator[PlannedPost]:
    """A deleted post may be on X already, and of several tweets with equal texts nobody can tell which post's it is."""
    how_often = Counter(post.opening for post in posts)
    for post in posts:
        others = tuple(action for action in post.actions if action.kind != "delete")
        yield replace(post, actions=others) if how_often[post.opening] > 1 else post


def _post(
    rng: random.Random, mark: str, repeated: PlannedPost | None, authors: tuple[str, ...], seconds: float
) -> PlannedPost:
    """A post. One that repeats another is due close to it, so that one may be reconciled while the other is sent."""
    create_at = rng.uniform(0, seconds * 0.8) if rng.random() < CREATED_LATER else None
    due = rng.uniform(0, seconds) if create_at is None else create_at + rng.uniform(1, seconds * 0.2)
    if repeated and create_at is None:
        due = abs(rng.gauss(repeated.due, 2))
    has_key = rng.random() < 0.6
    return PlannedPost(
        mark=mark,
        opening=repeated.opening if repeated else mark,
        author=repeated.author if repeated else rng.choice(authors),
        tail=repeated.tail if repeated else rng.choice(TAILS),
        due=due,
        create_at=create_at,
        when_late=rng.choice(["skip", "publish"]),
        has_key=has_key,
        creates=2 if has_key and rng.random() < 0.3 else 1,
        actions=_actions(rng, due, seconds),
    )


def _actions(rng: random.Random, due: float, seconds: float) -> tuple[Action, ...]:
    """About half of all posts are left alone. Most actions come close to the post's time, while it is published."""
    kinds = rng.choices(
        [[], ["edit"], ["edit", "edit"], ["move"], ["edit", "move"], ["postpone"], ["backdate"], ["draft"], ["delete"]],
        [50, 14, 6, 8, 6, 3, 3, 4, 6],
    )[0]
    times = sorted(max(0.0, rng.gauss(due, 3)) for _ in kinds)
    return tuple(
        Action(at, kind, to=rng.uniform(0, seconds))
        for at, kind in zip(times, rng.sample(kinds, len(kinds)), strict=True)
    )


# Faults: functions that die, deliveries that are dropped or duplicated, and an X that fails.

FAULTS_LAST = 2
"""How many times longer than the posts are due faults are injected."""

KILL_EVERY = 30.0
CRASH_EVERY = 8.0
OUTAGE_EVERY = 20.0
SWEEP_EVERY = 4.0
"""Seconds; the machine needs some of them to start the functions again."""

SLOWEST_ANSWER = 0.5
"""Seconds after which X, when made slow, has done what it was asked to."""

HANGS = ("timeout_after", "timeout_before", "timeout_after")
HANG = X_TIMEOUT.total_seconds() + 5
"""Seconds: longer than the publisher waits for X."""

QUIET_WINDOW = HANG + 10
SHORTEST_WITH_QUIET_WINDOW = 100.0
"""Seconds. When faults last at least the second, nothing kills the functions for the first, while X hangs."""

TIMELINE_FAULTS = ("503", "401", "429", "reset_before", "timeline_lag")
PUBLISHING_FAULTS = (
    "401", "403", "429", "500", "503", "html_502", "empty_504", "reset_before", "reset_after", "timeout_before",
    "timeout_after", "slow", "slow_body", "commit_then_503", "truncated_201", "unreadable_201", "201_without_id",
)  # fmt: skip
ABOUT_ONE_AUTHOR = {"401", "403", "429"}
TAKES_TIME = {"slow", "slow_body", "timeout_before", "timeout_after", "timeline_lag"}


def fault_seconds(seconds: float) -> float:
    """How long faults are injected when posts are due within so many seconds."""
    lasting = FAULTS_LAST * seconds
    return lasting + QUIET_WINDOW if lasting >= SHORTEST_WITH_QUIET_WINDOW else lasting


def _faults(rng: random.Random, seconds: float, posts: int, authors: tuple[str, ...]) -> tuple[Fault, ...]:
    """All faults for so many posts of these authors, due within so many seconds; in no particular order."""
    in_all, without_window = fault_seconds(seconds), FAULTS_LAST * seconds
    outages = _outages(without_window)
    deadly = [*_kills(rng, without_window), *_crashes(rng, without_window, posts), *outages]
    others = [*_sweeps(in_all), *_hasura_faults(rng, in_all, posts), *_x_faults(rng, in_all, posts, authors)]
    others.append(_rejection_of_the_app(outages[0]))
    if in_all == without_window:
        return (*deadly, *others)
    window = seconds / 2
    later = [replace(fault, at=fault.at + QUIET_WINDOW) if fault.at > window else fault for fault in deadly]
    return (*later, *others, *_hangs(window))


def _hangs(quiet_from: float) -> list[Fault]:
    """An outage ends first every pause that X asked for, so that X will be asked."""
    return [
        Fault(quiet_from, "outage", {}),
        *(
            Fault(quiet_from + 5, "fail_x", {"kind": kind, "endpoint": "tweets", "times": 1, "ms": round(HANG * 1000)})
            for kind in HANGS
        ),
    ]


def _kills(rng: random.Random, seconds: float) -> list[Fault]:
    return [Fault(rng.uniform(0, seconds), "kill_functions", {}) for _ in range(max(1, round(seconds / KILL_EVERY)))]


def _crashes(rng: random.Random, seconds: float, posts: int) -> list[Fault]:
    """Each point at least once, if there are enough posts; those of createPost while posts are still created."""
    creating_points = rng.sample(CREATING_POINTS, min(len(CREATING_POINTS), posts // 6))
    publishing_points = [point for point in POINTS if point not in CREATING_POINTS]
    rng.shuffle(publishing_points)
    crashes = min(max(len(publishing_points), round(seconds / CRASH_EVERY)), posts // 4)
    return [
        *(
            Fault(rng.uniform(0, 0.7 * seconds / FAULTS_LAST), "arm_crash_point", {"point": point})
            for point in creating_points
        ),
        *(
            Fault(seconds * number / crashes, "arm_crash_point", {"point": point})
            for number, point in enumerate(islice(cycle(publishing_points), crashes))
        ),
    ]


def _outages(seconds: float) -> list[Fault]:
    outages = max(1, round(seconds / OUTAGE_EVERY))
    return [Fault(seconds * (number + 0.8) / outages, "outage", {}) for number in range(outages)]


def _sweeps(seconds: float) -> list[Fault]:
    return [Fault(SWEEP_EVERY * number, "sweep", {}) for number in range(1, round(seconds / SWEEP_EVERY))]


def _hasura_faults(rng: random.Random, seconds: float, posts: int) -> list[Fault]:
    triggers = [("one_off", max(2, posts // 50)), ("table", max(2, posts // 100)), ("cron", 1)]
    return [
        Fault(seconds * rng.uniform(0.3, 0.6), "kill_hasura", {}),
        Fault(seconds * rng.uniform(0.2, 0.4), "delete_pending_events", {}),
        Fault(seconds * rng.uniform(0.1, 0.9), "deliver_often", {"times": posts}),
        *(
            Fault(rng.uniform(0, seconds), kind, {"trigger": trigger, "times": times})
            for kind in ("drop_next", "duplicate_next")
            for trigger, times in triggers
            for _ in range(2)
        ),
    ]


def _x_faults(rng: random.Random, seconds: float, posts: int, authors: tuple[str, ...]) -> list[Fault]:
    """Each kind of failure at least once, if there are enough posts."""

    def failure(kind: str, endpoint: str) -> Fault:
        options: dict[str, Any] = {"kind": kind, "endpoint": endpoint, "times": rng.randint(1, 2)}
        if kind in ABOUT_ONE_AUTHOR:
            options["username"] = rng.choice(authors)
        if kind in TAKES_TIME:
            options["ms"] = round(SLOWEST_ANSWER * 1000)
        return Fault(rng.uniform(0, seconds), "fail_x", options)

    of_publishing = min(max(len(PUBLISHING_FAULTS), posts // 6), posts // 2)
    of_timelines = min(max(len(TIMELINE_FAULTS), posts // 50), posts // 5)
    publishing = islice(cycle(rng.sample(PUBLISHING_FAULTS, len(PUBLISHING_FAULTS))), of_publishing)
    timeline = islice(cycle(rng.sample(TIMELINE_FAULTS, len(TIMELINE_FAULTS))), of_timelines)
    return [
        *(failure(kind, "tweets") for kind in publishing),
        *(failure(kind, "timeline") for kind in timeline),
    ]


def _rejection_of_the_app(before: Fault) -> Fault:
    """X rejects the whole app, which stops everything until the outage."""
    return Fault(before.at - 2, "fail_x", {"kind": "402", "endpoint": "tweets", "times": 1})
