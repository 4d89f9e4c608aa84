"""How late posts leave, with Hasura's own poll of 10 s: by events, by the sweep alone, at once, in one second.

``python -m benchmarks.punctuality`` runs the local stack once for each case and prints a table; ``--case`` chooses. It
is the poll that is measured, so the emulator takes part; the times of X's answers are its own. Nothing may be early.
"""

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from tqdm import tqdm

from local.running_stack import RunningStack, started

AUTHORS = 20
WRITERS = 4
PATIENCE = 180.0

INSERT = """mutation ($posts: [scheduled_post_insert_input!]!) {
  insert_scheduled_post(objects: $posts) { affected_rows }
}"""


@dataclass(frozen=True)
class Case:
    """`settings` of the functions; posts are stored with createPost, or by GraphQL alone, without an event.

    `ahead`: each post is created so many seconds before its time; None: all are created before the first is due.
    """

    name: str
    settings: Mapping[str, str]
    posts: int = 200
    ahead: float | None = None
    delivery: str = "concurrent"
    with_events: bool = True
    at_one_second: bool = False
    x_milliseconds: int = 0


CASES = {
    "early": Case("events 15 s early", {"EARLY_SECONDS": "15"}),
    "early-sequential": Case(
        "events 15 s early, delivered one after the other", {"EARLY_SECONDS": "15"}, delivery="sequential"
    ),
    "not-early": Case("events at the time of their posts", {"EARLY_SECONDS": "0"}),
    "sweep": Case(
        "no events, a sweep that stays", {"EARLY_SECONDS": "15", "SWEEP_WAIT_SECONDS": "60"}, with_events=False
    ),
    "one-second": Case(
        "all in one second, X answers in 300 ms",
        {"EARLY_SECONDS": "15"},
        posts=1000,
        at_one_second=True,
        x_milliseconds=300,
    ),
    "now": Case("created for now", {"EARLY_SECONDS": "15"}, posts=60, ahead=0),
    "two-seconds": Case("created two seconds before their time", {"EARLY_SECONDS": "15"}, posts=60, ahead=2),
}


@dataclass(frozen=True)
class Result:
    """Lateness in seconds, sorted; how many never left; how many left more than once."""

    case: str
    lateness: list[float] = field(repr=False)
    missing: int
    twice: int

    def quantile(self, part: float) -> float:
        """The smallest lateness that so large a part of the posts does not exceed."""
        return self.lateness[max(0, math.ceil(part * len(self.lateness)) - 1)] if self.lateness else math.inf

    @property
    def early(self) -> int:
        """How many left before their time."""
        return sum(late < 0 for late in self.lateness)

    @property
    def is_well(self) -> bool:
        """Whether each post left once, and none before its time."""
        return not (self.missing or self.twice or self.early)


def main() -> None:
    """Status 1 when a post left early, twice or not at all."""
    given = _options()
    print("| case | posts | p50 | p90 | p99 | last | early | twice | missing |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    results = []
    for name in given.case:
        case = CASES[name]
        result = _measured(case, given.posts or case.posts, given)
        results.append(result)
        quantiles = " | ".join(f"{result.quantile(part):.3f} s" for part in (0.5, 0.9, 0.99, 1))
        counts = f"{result.early} | {result.twice} | {result.missing}"
        print(f"| {case.name} | {len(result.lateness)} | {quantiles} | {counts} |", flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    sys.exit(0 if all(result.is_well for result in results) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.punctuality", description=__doc__)
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES), help="which cases (all)")
    parser.add_argument("--posts", type=int, help="how many posts (as the case has it)")
    parser.add_argument("--minutes", type=float, default=2, help="in how many minutes they are due (2)")
    parser.add_argument("--poll-interval", default="10", help="Hasura's pause between polls in seconds (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the random seconds (1)")
    parser.add_argument("--json", type=Path, help="writes the results there, too")
    return parser.parse_args()


def _measured(case: Case, posts: int, given: argparse.Namespace) -> Result:
    options = ["--delivery", case.delivery, "--rate-limit", "off", "--author-limits", "off"]
    with (
        tempfile.TemporaryDirectory(prefix="scheduled-posts-benchmark-") as data,
        started(Path(data), *options, "--poll-interval", given.poll_interval, settings=case.settings) as stack,
    ):
        if case.x_milliseconds:
            fault = {"kind": "slow", "times": 10 * posts, "ms": case.x_milliseconds}
            requests.post(f"{stack.urls['x']}/_local/fail", json=fault, timeout=10).raise_for_status()
        tokens = [stack.token(f"author{number}") for number in range(AUTHORS)]
        chance = random.Random(given.seed)
        if case.ahead is not None:
            seconds = sorted(60 * given.minutes * chance.random() for _ in range(posts))
            due = _create_shortly_before(case, stack, tokens, seconds)
            _wait_for(stack, due)
            return _result(case, stack, due)
        seconds_for_one = _seconds_for_one(stack, tokens[0])
        first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=30 + 1.5 * seconds_for_one * posts)
        span = 0.0 if case.at_one_second else 60 * given.minutes
        # In whole milliseconds, as the times of tweets are.
        due = {
            f"{case.name}, {n}": first + timedelta(milliseconds=int(1000 * span * chance.random()))
            for n in range(posts)
        }
        (_create if case.with_events else _insert)(stack, tokens, due)
        if datetime.now(UTC) > first - timedelta(seconds=20):
            raise SystemExit("the machine was too slow to store the posts in time")
        _wait_for(stack, due)
        return _result(case, stack, due)


def _seconds_for_one(stack: RunningStack, token: str) -> float:
    began = time.monotonic()
    for number in range(5):
        draft = {"text": f"measured {number}", "schedule_for": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
        stack.create_post(token, draft).raise_for_status()
    return (time.monotonic() - began) / 5


def _create(stack: RunningStack, tokens: Sequence[str], due: Mapping[str, datetime]) -> None:
    def create(numbered: tuple[int, tuple[str, datetime]]) -> None:
        number, (text, at) = numbered
        draft = {"text": text, "schedule_for": at.isoformat()}
        stack.create_post(tokens[number % len(tokens)], draft).raise_for_status()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(tqdm(pool.map(create, enumerate(due.items())), total=len(due), desc="storing", leave=False))


def _create_shortly_before(
    case: Case, stack: RunningStack, tokens: Sequence[str], seconds: Sequence[float]
) -> dict[str, datetime]:
    """Creates a post at each of these seconds from now, soonest first; the texts, and for when each was asked for."""
    began = time.monotonic()
    due = {}
    for number, second in enumerate(tqdm(seconds, desc="creating", leave=False)):
        time.sleep(max(0.0, began + second - time.monotonic()))
        now = datetime.now(UTC)
        at = now.replace(microsecond=now.microsecond // 1000 * 1000) + timedelta(seconds=case.ahead or 0)
        due[f"{case.name}, {number}"] = at
        draft = {"text": f"{case.name}, {number}", "schedule_for": at.isoformat()}
        stack.create_post(tokens[number % len(tokens)], draft).raise_for_status()
    return due


def _insert(stack: RunningStack, tokens: Sequence[str], due: Mapping[str, datetime]) -> None:
    for number, token in enumerate(tokens):
        mine = list(due.items())[number :: len(tokens)]
        posts = [{"text": text, "schedule_for": at.isoformat()} for text, at in mine]
        stack.graphql(INSERT, {"posts": posts}, token)


def _wait_for(stack: RunningStack, due: Mapping[str, datetime]) -> None:
    """Until all are out, or PATIENCE after the last one was due."""
    deadline = max(due.values()) + timedelta(seconds=PATIENCE)
    with tqdm(total=len(due), desc="publishing", leave=False) as progress:
        while datetime.now(UTC) < deadline:
            time.sleep(2)
            progress.update(len(stack.tweets()) - progress.n)
            if progress.n >= len(due):
                return


def _result(case: Case, stack: RunningStack, due: Mapping[str, datetime]) -> Result:
    tweets = [tweet for tweet in stack.tweets() if tweet["text"] in due]
    texts = {tweet["text"] for tweet in tweets}
    late = [(datetime.fromisoformat(tweet["created_at"]) - due[tweet["text"]]).total_seconds() for tweet in tweets]
    return Result(case.name, sorted(late), missing=len(due) - len(texts), twice=len(tweets) - len(texts))


if __name__ == "__main__":
    main()
