"""How fast a backlog leaves after an outage: ours by PUBLISH_BATCH, the tutorial's logic in Node, and the bound.

``python -m benchmarks.backlog`` prints a table. Ours is one delivery about no post, as the sweep makes it, to the
functions host; it claims from the real SQL through the local Hasura, and what it leaves is taken by its follow-up
deliveries. X is a stub in a process of its own (benchmarks/upstream.py). The tutorial's logic has one delivery for each
post, one after the other; some posts are measured, and their mean stands for all. The bound is what X's latency allows
to so many threads: posts / threads x latency. The processor time shows what holds a run up that X does not.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median

import psutil  # type: ignore[import-untyped]
import psycopg
import requests
from tqdm import tqdm

from benchmarks import upstream
from local.running_stack import RunningStack, started
from shared.config import load
from shared.x.sealed_tokens import AccessTokens

ROOT = Path(__file__).parents[1]
AUTHORS = 20
PATIENCE = 300.0
HASURA_MILLISECONDS = 5
"""The latency of the stub that stands for Hasura beside the tutorial's logic."""

MEASURED_SERVICES = ("functions", "hasura")
Database = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Run:
    """How long a backlog took, in seconds. `cpu`: the seconds of processor time of each service."""

    seconds: float
    cpu: dict[str, float]


@dataclass(frozen=True)
class Backlog:
    """One contender: `threads` publish side by side. `is_well`: each post left once."""

    name: str
    posts: int
    threads: int
    latency: float
    runs: list[Run]
    is_well: bool

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def bound(self) -> float:
        """How long X's latency alone takes, in seconds."""
        return self.posts / self.threads * self.latency / 1000


def main() -> None:
    """Status 1 when a post did not leave, or left twice."""
    given = _options()
    measured = []
    if node := shutil.which("node"):
        measured.append(_tutorial(node, given))
    measured += [_ours(batch, given) for batch in tqdm(given.batch, unit="batch sizes", leave=False)]
    print("\n".join(table(measured)))
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in measured], indent=1))
    sys.exit(0 if all(one.is_well for one in measured) else 1)


def table(measured: list[Backlog]) -> list[str]:
    """The lines of a table; the tutorial's logic, when it was measured, is the first contender."""
    lines = [
        "| who | all out | runs, from to | posts a second | the bound | x the bound | CPU of functions, Hasura |",
        "| --- | ---: | --- | ---: | ---: | ---: | --- |",
    ]
    for one in measured:
        seconds = [run.seconds for run in one.runs]
        cpu = ", ".join(f"{median(run.cpu[name] for run in one.runs):.1f} s" for name in one.runs[0].cpu)
        lines.append(
            f"| {one.name} | {one.seconds:.1f} s | {min(seconds):.1f} to {max(seconds):.1f} s "
            f"| {one.posts / one.seconds:.1f} | {one.bound:.1f} s | {one.seconds / one.bound:.2f} | {cpu or '-'} |"
        )
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backlog", description=__doc__)
    parser.add_argument("--posts", type=int, default=1000, help="how many are overdue (1000)")
    parser.add_argument("--latency", type=float, default=300, help="X's, in ms (300)")
    parser.add_argument("--batch", type=int, nargs="+", default=[10, 25, 50, 100], help="PUBLISH_BATCH (10 25 50 100)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each (1)")
    parser.add_argument("--sample", type=int, default=40, help="how many posts of the tutorial's logic (40)")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    given = parser.parse_args()
    if given.posts % AUTHORS:
        parser.error(f"--posts: each of {AUTHORS} authors has as many")
    return given


def _tutorial(node: str, given: argparse.Namespace) -> Backlog:
    with upstream.running(given.latency) as x, upstream.running(HASURA_MILLISECONDS) as hasura:
        printed = subprocess.check_output(
            [node, str(ROOT / "benchmarks/tutorial/publish.mjs"), x, hasura], input=f"{given.sample}\n", text=True
        )
    seconds = mean(json.loads(printed)["ms"]) / 1000 * given.posts
    return Backlog("the tutorial's logic", given.posts, 1, given.latency, [Run(seconds, {})], is_well=True)


def _ours(batch: int, given: argparse.Namespace) -> Backlog:
    runs, are_well = [], []
    with upstream.running(given.latency) as x, _stack(x, batch) as (stack, database):
        _add_authors(stack, database)
        for _ in range(given.rounds):
            before = _published(x)
            _add_posts(database, given.posts)
            runs.append(_publish(stack, database, given.posts))
            are_well.append(_published(x) - before == given.posts)
    return Backlog(f"ours, PUBLISH_BATCH={batch}", given.posts, batch, given.latency, runs, all(are_well))


@contextmanager
def _stack(x: str, batch: int) -> Iterator[tuple[RunningStack, Database]]:
    settings = {"X_BASE_URL": x, "PUBLISH_BATCH": str(batch)}
    options = ["--without", "x", "--rate-limit", "off", "--author-limits", "off"]
    with (
        tempfile.TemporaryDirectory(prefix="scheduled-posts-benchmark-") as data,
        started(Path(data), *options, settings=settings) as stack,
        psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True) as database,
    ):
        yield stack, database


def _add_authors(stack: RunningStack, database: Database) -> None:
    """Each with an account of which the tokens open."""
    keys = load(stack.settings).x_token_keys
    for number in range(AUTHORS):
        x_user_id = str(1000 + number)
        sealed = keys.seal(x_user_id, AccessTokens("token", "its secret"))
        database.execute(
            'with author as (insert into "user" (username) values (%s) returning id), '
            "linked as (insert into account (x_user_id, account_name, sealed_tokens) values (%s, %s, %s) returning id) "
            "insert into account_user (user_id, account_id) select author.id, linked.id from author, linked",
            [f"backlog author {number}", x_user_id, f"backlog{number}", sealed],
        )


def _add_posts(database: Database, posts: int) -> None:
    """Overdue for ten minutes. Without the triggers, which would ask for a delivery at once."""
    with database.transaction():
        database.execute("alter table scheduled_post disable trigger user")
        database.execute(
            "insert into scheduled_post (user_id, account_id, text, schedule_for) "
            "select link.user_id, link.account_id, format('overdue %%s, %%s', link.user_id, n), "
            "now() - interval '10 minutes' "
            "from account_user as link join account on account.id = link.account_id and account_name like 'backlog%%', "
            "generate_series(1, %s) as n",
            [posts // AUTHORS],
        )
        database.execute("alter table scheduled_post enable trigger user")
        database.execute(
            "insert into next_due select user_id, account_id, min(due_at) from scheduled_post "
            "where state = 'scheduled' group by 1, 2 "
            "on conflict (user_id, account_id) do update set due_at = excluded.due_at"
        )
    database.execute("analyze scheduled_post")


def _publish(stack: RunningStack, database: Database, posts: int) -> Run:
    """Delivers once, and waits until nothing is pending."""
    before = _processor_time(stack)
    began = datetime.now(UTC)
    requests.post(
        f"{stack.urls['functions']}/api/postTweet",
        json={"id": "a-sweep", "scheduled_time": began.isoformat(), "payload": None},
        headers={"x-webhook-secret": stack.settings["WEBHOOK_SECRET"]},
        timeout=PATIENCE,
    ).raise_for_status()
    deadline = time.monotonic() + PATIENCE
    while _one(database, "select count(*) from scheduled_post where is_pending"):
        if time.monotonic() > deadline:
            raise SystemExit(f"not all of {posts} posts left within {PATIENCE:.0f} s")
        time.sleep(0.1)
    after = _processor_time(stack)
    ended = _one(database, "select max(finished_at) from post_attempt")
    assert isinstance(ended, datetime)
    return Run((ended - began).total_seconds(), {name: after[name] - before[name] for name in before})


def _processor_time(stack: RunningStack) -> dict[str, float]:
    times = {name: psutil.Process(stack.pids[name]).cpu_times() for name in MEASURED_SERVICES}
    return {name: used.user + used.system for name, used in times.items()}


def _one(database: Database, query: str) -> object:
    [value] = database.execute(query).fetchone() or [None]
    return value


def _published(x: str) -> int:
    """How many requests the stub had."""
    answer = requests.get(f"{x}/connections", timeout=10)
    answer.raise_for_status()
    published: int = answer.json()["requests"]
    return published


if __name__ == "__main__":
    main()
