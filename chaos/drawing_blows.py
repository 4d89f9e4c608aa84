"""Draws what strikes the stack: functions that die, bells that are lost or doubled, and an X that fails."""

import random
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

from chaos.crash_points import POINTS
from chaos.plan import Blow
from shared.x.client import READ_TIMEOUT

STORM = 2
"""How many times longer than the posts are due it goes on to storm."""

KILL_EVERY = 30.0
CRASH_EVERY = 8.0
JUMP_EVERY = 20.0
SWEEP_EVERY = 4.0
"""Seconds; the machine needs some of them to start the functions again."""

SLOWEST_ANSWER = 1.0
"""Seconds after which X, when made slow, has done what it was asked to."""

HANGS = ("timeout_after", "timeout_before", "timeout_after")
HANG = READ_TIMEOUT + 5
"""Seconds: longer than the publisher waits for X."""

LULL = HANG + 10
SHORTEST_WITH_LULL = 100.0
"""Seconds. In the midst of a storm of at least the second, nothing kills the functions for the first: then X hangs."""

LOOKING_FAILS = ("503", "401", "429", "reset_before", "timeline_lag")
PUBLISHING_FAILS = (
    "401", "403", "429", "500", "503", "html_502", "empty_504", "reset_before", "reset_after", "timeout_before",
    "timeout_after", "slow", "slow_body", "commit_then_503", "truncated_201", "unreadable_201", "201_without_id",
)  # fmt: skip
ABOUT_ONE_AUTHOR = {"401", "403", "429"}
TAKES_TIME = {"slow", "slow_body", "timeout_before", "timeout_after", "timeline_lag"}


def storm_seconds(seconds: float) -> float:
    """How long it storms when posts are due within so many seconds."""
    storm = STORM * seconds
    return storm + LULL if storm >= SHORTEST_WITH_LULL else storm


def draw_blows(dice: random.Random, seconds: float, posts: int, authors: tuple[str, ...]) -> tuple[Blow, ...]:
    """All blows to so many posts of these authors, due within so many seconds; in no particular order."""
    storm, without_lull = storm_seconds(seconds), STORM * seconds
    deadly = [*_kills(dice, without_lull), *_crashes(dice, without_lull), *_jumps(without_lull)]
    others = [*_sweeps(storm), *_on_hasura(dice, storm, posts), *_on_x(dice, storm, posts, authors)]
    others.append(_refusal_of_all(before=_jumps(without_lull)[0]))
    if storm == without_lull:
        return (*deadly, *others)
    lull = seconds / 2
    later = [replace(blow, at=blow.at + LULL) if blow.at > lull else blow for blow in deadly]
    return (*later, *others, *_hangs(lull))


def _hangs(lull: float) -> list[Blow]:
    """A jump ends first whatever X told us to wait for, so that X will be asked."""
    return [
        Blow(lull, "jump_in_time", {}),
        *(
            Blow(lull + 5, "fail_x", {"kind": kind, "endpoint": "tweets", "times": 1, "ms": round(HANG * 1000)})
            for kind in HANGS
        ),
    ]


def _kills(dice: random.Random, storm: float) -> list[Blow]:
    return [Blow(dice.uniform(0, storm), "kill_functions", {}) for _ in range(round(storm / KILL_EVERY))]


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


def _jumps(storm: float) -> list[Blow]:
    jumps = max(2, round(storm / JUMP_EVERY))
    return [Blow(storm * (number + 0.8) / jumps, "jump_in_time", {}) for number in range(jumps)]


def _sweeps(storm: float) -> list[Blow]:
    return [Blow(SWEEP_EVERY * number, "sweep", {}) for number in range(1, round(storm / SWEEP_EVERY))]


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
    """Each kind of failure at least once."""

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
    ]


def _refusal_of_all(before: Blow) -> Blow:
    """X's refusal of the whole app, which stops everything: until the jump."""
    return Blow(before.at - 2, "fail_x", {"kind": "402", "endpoint": "tweets", "times": 1})
