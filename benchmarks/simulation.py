"""Many instances on one PostgreSQL: how many posts they claim and record a second, and that no post is claimed twice.

``python -m benchmarks.simulation`` prints a table, by how many processes claim and record at the same time, each as an
instance of the functions does, without Hasura and without X between: PostgreSQL is what is measured. Its status is 1
when a post was claimed twice or not at all.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

import psycopg
from tqdm import tqdm

from benchmarks.claim import SITUATIONS, fill
from local import postgres

ALL_DUE = next(situation for situation in SITUATIONS if situation.name == "all due")
NOTHING_CLAIMED_WAIT = 0.01

CLAIM = "select post_id, attempt_number, lease_until from claim_due_posts(batch_size => %s) where state = 'sending'"

RECORD = """
select recorded from record_outcome(%s, %s, %s, 'tweeted', jsonb_build_array(
  jsonb_build_object('number', %s::integer, 'outcome', 'tweeted')
), tweet_id => %s)"""


@dataclass(frozen=True)
class Instance:
    """What one process did. Times in seconds, by a clock that all processes share."""

    began: float
    ended: float
    claimed: list[int]
    claims: list[float]
    records: list[float]
    not_recorded: int


@dataclass(frozen=True)
class Simulated:
    """So many instances together. Medians of a claim and of a record in milliseconds."""

    instances: int
    posts: int
    seconds: float
    claim: float
    record: float
    claimed_twice: int
    missing: int
    not_recorded: int

    @property
    def rate(self) -> float:
        """Posts that were claimed and recorded a second."""
        return self.posts / self.seconds

    @property
    def is_well(self) -> bool:
        return not (self.claimed_twice or self.missing or self.not_recorded)


def main() -> None:
    """Status 1 when a post was claimed twice, not at all, or could not be recorded."""
    given = _options()
    measured = []
    with tempfile.TemporaryDirectory() as data, postgres.running(Path(data)) as url:
        Path(data).chmod(0o755)  # PostgreSQL may run as another user
        postgres.migrate(url)
        for instances in tqdm(given.instances, unit="simulations", leave=False):
            with psycopg.connect(url, autocommit=True) as database:
                fill(database, ALL_DUE, given.posts, min(given.authors, given.posts))
                database.execute("checkpoint")
            measured.append(summary(given.posts, _simulate(url, instances, given.batch)))
    print("\n".join(table(measured)))
    if given.json:
        given.json.write_text(json.dumps([asdict(one) | {"rate": one.rate} for one in measured], indent=1))
    sys.exit(0 if all(one.is_well for one in measured) else 1)


def summary(posts: int, instances: Sequence[Instance]) -> Simulated:
    """What so many instances did together with so many posts."""
    claimed = Counter(post_id for one in instances for post_id in one.claimed)
    return Simulated(
        len(instances),
        posts,
        max(one.ended for one in instances) - min(one.began for one in instances),
        claim=1000 * median(took for one in instances for took in one.claims),
        record=1000 * median(took for one in instances for took in one.records),
        claimed_twice=sum(times > 1 for times in claimed.values()),
        missing=posts - len(claimed),
        not_recorded=sum(one.not_recorded for one in instances),
    )


def table(measured: Sequence[Simulated]) -> list[str]:
    """The lines of a table; the first row is what the others are compared with."""
    lines = [
        "| instances | posts a second | x the first | p50 of a claim | p50 of a record | claimed twice | missing |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.instances} | {one.rate:.0f} | {one.rate / measured[0].rate:.2f} | {one.claim:.1f} ms "
        f"| {one.record:.1f} ms | {one.claimed_twice} | {one.missing} |"
        for one in measured
    ]
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2, 4, 8], help="how many processes (1 2 4 8)")
    parser.add_argument("--posts", type=int, default=5000, help="how many posts are due (5000)")
    parser.add_argument("--authors", type=int, default=1000, help="of how many authors they are (1000)")
    parser.add_argument("--batch", type=int, default=10, help="how many posts a claim takes (10)")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    return parser.parse_args()


def _simulate(url: str, instances: int, batch: int) -> list[Instance]:
    processes = multiprocessing.get_context("spawn")
    together, done = processes.Barrier(instances), processes.SimpleQueue()
    started = [processes.Process(target=_instance, args=(url, batch, together, done)) for _ in range(instances)]
    for process in started:
        process.start()
    ended = [done.get() for _ in started]
    for process in started:
        process.join()
    return ended


def _instance(url: str, batch: int, together: Barrier, done: "SimpleQueue[Instance]") -> None:
    """Claims and records until nothing is left, as one instance of the functions."""
    claimed: list[int] = []
    claims: list[float] = []
    records: list[float] = []
    not_recorded = 0
    with psycopg.connect(url, autocommit=True) as database:
        together.wait(60)
        began = time.monotonic()
        while True:
            asked = time.monotonic()
            posts = database.execute(CLAIM, [batch]).fetchall()
            claims.append(time.monotonic() - asked)
            for post_id, attempt, lease in posts:
                asked = time.monotonic()
                answer = database.execute(RECORD, [post_id, attempt, lease, attempt, str(post_id)]).fetchone()
                records.append(time.monotonic() - asked)
                not_recorded += answer != (True,)
            claimed += [post_id for post_id, *_ in posts]
            if not posts and not _is_anything_due(database):
                break
            if not posts:
                time.sleep(NOTHING_CLAIMED_WAIT)
    done.put(Instance(began, time.monotonic(), claimed, claims, records, not_recorded))


def _is_anything_due(database: psycopg.Connection) -> bool:
    return database.execute("select from scheduled_post where state = 'scheduled' limit 1").fetchone() is not None


if __name__ == "__main__":
    main()
