"""Posts that are due at the same moment: with their own events alone, and with a thousand more deliveries in a second.

``python -m benchmarks.thousand_deliveries`` prints a table of medians. Seconds are this machine's and mean little by
themselves: compare the rounds with and without more deliveries, which take turns on the same stack.
"""

import argparse
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, islice, repeat
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.deliveries import deliver
from local.running_stack import RunningStack, started

WITHIN = 1.0
"""Seconds in which the additional deliveries are made."""

PATIENCE = 180.0
AUTHORS = 20
WRITERS = 8
NOT_DUE = 10
"""How many posts of tomorrow some deliveries are for."""

WELL = {"200", "503", "503 with Retry-After"}

_ANSWERS = """
select coalesce(status::text, 'no answer'), count(*) from hdb_catalog.hdb_scheduled_event_invocation_logs
where created_at >= %s group by 1"""

_WAITING = """
select count(*) from hdb_catalog.hdb_scheduled_events
where status in ('scheduled', 'locked') and coalesce(next_retry_at, scheduled_time) <= now()"""


@dataclass(frozen=True)
class Round:
    """What a round came to; times in seconds after the posts were due."""

    event_answers: Counter[str]
    more_answers: Counter[str]
    half_out: float
    all_out: float
    all_answered: float
    is_well: bool
    """Whether every delivery was answered as it should be, and every post was published once."""


def main() -> None:
    """Status 1 when a delivery failed, or a post was not published just once."""
    given = _options()
    print(
        "| delivery | more deliveries | half out | all out (from, to) | ratio | all answered "
        "| answers to their events | answers to the others |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    are_well = [_measure(delivery, given) for delivery in given.delivery]
    sys.exit(0 if all(are_well) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thousand_deliveries", description=__doc__)
    parser.add_argument("--posts", type=int, default=200, help="how many are due at once (200)")
    parser.add_argument("--deliveries", type=int, default=1000, help="how many more deliveries (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often without them, and how often with them (3)")
    kinds = ("concurrent", "sequential")
    parser.add_argument("--delivery", nargs="+", choices=kinds, default=kinds, help="how Hasura delivers (both)")
    return parser.parse_args()


def _measure(delivery: str, given: argparse.Namespace) -> bool:
    """Prints a row without and a row with more deliveries; returns whether all rounds were well."""
    options = ["--delivery", delivery, "--rate-limit", "off", "--author-limits", "off", "--poll-interval", "0.2"]
    with (
        tempfile.TemporaryDirectory(prefix="scheduled-posts-benchmark-") as data,
        started(Path(data), *options) as stack,
        psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True) as database,
    ):
        tokens = [stack.token(f"author{number}") for number in range(AUTHORS)]
        rounds = [_round(stack, database, tokens, given.posts, more) for more in [0, given.deliveries] * given.rounds]
    without, with_more = rounds[::2], rounds[1::2]
    baseline = median(one.all_out for one in without)
    _print(delivery, 0, without, baseline)
    _print(delivery, given.deliveries, with_more, baseline)
    return all(one.is_well for one in rounds)


def _print(delivery: str, more: int, rounds: Sequence[Round], baseline: float) -> None:
    half_out = median(one.half_out for one in rounds)
    all_out = median(one.all_out for one in rounds)
    all_answered = median(one.all_answered for one in rounds)
    span = f"{min(one.all_out for one in rounds):.1f} to {max(one.all_out for one in rounds):.1f} s"
    events = sum((one.event_answers for one in rounds), Counter[str]())
    others = sum((one.more_answers for one in rounds), Counter[str]())
    print(
        f"| {delivery} | {more} | {half_out:.1f} s | {all_out:.1f} s ({span}) | {all_out / baseline:.1f} "
        f"| {all_answered:.1f} s | {_words(events)} | {_words(others)} |",
        flush=True,
    )


def _words(answers: Counter[str]) -> str:
    return ", ".join(f"{count} x {answer}" for answer, count in sorted(answers.items()))


def _round(stack: RunningStack, database: psycopg.Connection, tokens: list[str], posts: int, more: int) -> Round:
    began = time.monotonic()
    tomorrow = _create(stack, tokens, NOT_DUE, datetime.now(UTC) + timedelta(days=1))
    seconds_for_one = (time.monotonic() - began) / NOT_DUE
    due = datetime.now(UTC) + timedelta(seconds=5 + 3 * seconds_for_one * posts)
    texts = _create(stack, tokens, posts, due)

    in_turn = zip(cycle(texts.values()), cycle(tomorrow.values()), repeat(None))
    delivered = list(islice(chain.from_iterable(in_turn), more))
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    more_answers = deliver(stack, delivered, WITHIN, PATIENCE)
    _wait_until_nothing_waits(database)
    all_answered = (datetime.now(UTC) - due).total_seconds()

    tweets = [tweet for tweet in stack.tweets() if tweet["text"] in texts]
    out = [(datetime.fromisoformat(tweet["created_at"]) - due).total_seconds() for tweet in tweets] or [math.inf]
    event_answers: Counter[str] = Counter(dict(database.execute(_ANSWERS, [due]).fetchall()))
    all_out_once = sorted(tweet["text"] for tweet in tweets) == sorted(texts)
    return Round(
        event_answers,
        more_answers,
        half_out=median(out),
        all_out=max(out),
        all_answered=all_answered,
        is_well=all_out_once and event_answers.keys() | more_answers.keys() <= WELL,
    )


def _create(stack: RunningStack, tokens: list[str], posts: int, due: datetime) -> dict[str, int]:
    """The ids of new posts, by their texts."""

    def create(number: int) -> tuple[str, int]:
        text = f"number {number}, due {due.isoformat()}"
        token = tokens[number % len(tokens)]
        answer = stack.create_post(token, {"text": text, "schedule_for": due.isoformat()})
        answer.raise_for_status()
        return text, answer.json()["insert_scheduled_post_one"]["id"]

    with ThreadPoolExecutor(WRITERS) as pool:
        return dict(pool.map(create, range(posts)))


def _wait_until_nothing_waits(database: psycopg.Connection) -> None:
    """Until every event that was due has had its answer."""
    deadline = time.monotonic() + PATIENCE
    while True:
        [waiting] = database.execute(_WAITING).fetchone() or [0]
        if not waiting or time.monotonic() > deadline:
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
