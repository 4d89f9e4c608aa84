"""What a claim costs when the table is large: by situation of the rows, and by how many there are.

``python -m benchmarks.claim`` prints a table of medians in milliseconds and their ratios to the smallest table of the
same run; ``--plans`` prints how PostgreSQL finds the posts in each situation. The claims run in
PostgreSQL itself, without Hasura, and are rolled back.
"""

import argparse
import json
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
from tqdm import tqdm

from local import postgres

Database = psycopg.Connection[tuple[object, ...]]

AUTHORS = 1000
"""Each with an account; with fewer rows than that, as many as there are rows."""

SEALED = "v1.benchmark." + "a" * 70


@dataclass(frozen=True)
class Situation:
    """`columns` and `values` are of the rows of scheduled_post, beside author, account and text."""

    name: str
    columns: str
    values: str
    preparation: str = ""


SITUATIONS = (
    Situation("future", "schedule_for", "now() + interval '1 day' + n * interval '1 second'"),
    Situation("published", "schedule_for, state, tweet_id", "now() - n * interval '1 second', 'tweeted', n::text"),
    Situation(
        "due, accounts paused",
        "schedule_for",
        "now() - interval '1 hour' + n * interval '1 millisecond'",
        "update account set paused_until = now() + interval '1 hour'",
    ),
    Situation(
        "due, app paused",
        "schedule_for",
        "now() - interval '1 hour' + n * interval '1 millisecond'",
        "update app set paused_until = now() + interval '1 hour'",
    ),
    Situation(
        "due, waiting",
        "schedule_for, next_attempt_at",
        "now() - interval '1 hour', now() + interval '1 hour' + n * interval '1 millisecond'",
    ),
    Situation("all due", "schedule_for", "now() - interval '1 hour' + n * interval '1 millisecond'"),
    Situation(
        "unknown, waiting",
        "schedule_for, state, reason, reconcile_at",
        "now() - interval '1 hour', 'unknown', 'r', now() + interval '1 hour' + n * interval '1 millisecond'",
    ),
    Situation(
        "unknown, due",
        "schedule_for, state, reason, reconcile_at",
        "now() - interval '1 hour', 'unknown', 'r', now() - n * interval '1 millisecond'",
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claim", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000, 1_000_000], help="sizes of the table")
    parser.add_argument("--claims", type=int, default=30, help="how many claims a median is of (30)")
    parser.add_argument("--one-author", action="store_true", help="all rows are of one author")
    parser.add_argument("--plans", action="store_true", help="print how PostgreSQL finds the posts")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory() as data, postgres.running(Path(data)) as url:
        Path(data).chmod(0o755)  # PostgreSQL may run as another user
        postgres.migrate(url)
        medians: dict[tuple[str, int], float] = {}
        plans: list[str] = []
        steps = [(situation, rows) for situation in SITUATIONS for rows in given.rows]
        for situation, rows in tqdm(steps, unit="tables", leave=False):
            with psycopg.connect(url, autocommit=True) as db:
                fill(db, situation, rows, 1 if given.one_author else min(AUTHORS, rows))
                if given.plans:  # before there is less to find
                    plans.append(f"## {situation.name}, {rows:,} rows\n\n{plans_of(db)}\n")
                medians[situation.name, rows] = measure(db, given.claims)
    if plans:
        print("\n".join(plans))
    if given.json:
        named = [{"situation": name, "rows": rows, "ms": ms} for (name, rows), ms in medians.items()]
        given.json.write_text(json.dumps(named, indent=1))
    print(f"| rows | {' | '.join(f'{rows:,}' for rows in given.rows)} | largest / smallest |")
    print(f"| --- |{' ---: |' * (len(given.rows) + 1)}")
    for situation in SITUATIONS:
        times = [medians[situation.name, rows] for rows in given.rows]
        print(f"| {situation.name} | {' | '.join(f'{ms:.1f} ms' for ms in times)} | {times[-1] / times[0]:.2f} |")


def fill(db: Database, situation: Situation, rows: int, authors: int) -> None:
    """Without the triggers, which would take an hour; next_due gets what they would have written."""
    db.execute('truncate "user", account, next_due restart identity cascade')
    db.execute("update app set paused_until = null")
    db.execute("insert into \"user\" (username) select 'author ' || n from generate_series(1, %s) as n", [authors])
    db.execute(
        "insert into account (x_user_id, account_name, sealed_tokens) "
        "select n, 'n', %s from generate_series(1, %s) as n",
        [SEALED, authors],
    )
    db.execute("insert into account_user select n, n from generate_series(1, %s) as n", [authors])
    db.execute("alter table scheduled_post disable trigger all")
    db.execute(
        f"insert into scheduled_post (user_id, account_id, text, {situation.columns}) "
        f"select 1 + n %% %s, 1 + n %% %s, 'text ' || n, {situation.values} from generate_series(1, %s) as n",
        [authors, authors, rows],
    )
    db.execute(
        "insert into post_attempt (post_id, number, text, finished_at, outcome) "
        "select id, 1, text, now(), case state when 'unknown' then 'unknown' else 'tweeted' end "
        "from scheduled_post where state in ('tweeted', 'unknown')"
    )
    db.execute("alter table scheduled_post enable trigger all")
    db.execute(
        "insert into next_due select user_id, account_id, min(due_at) from scheduled_post "
        "where state = 'scheduled' group by 1, 2"
    )
    if situation.preparation:
        db.execute(situation.preparation)
    db.execute("vacuum analyze")


def measure(db: Database, claims: int) -> float:
    """The median of a claim in milliseconds. The first claims are kept: each notes for the next one what is not due."""
    for _ in range(30):
        db.execute("select from claim_due_posts()")
    times = []
    for _ in range(claims):
        with db.transaction(force_rollback=True):
            began = time.perf_counter()
            db.execute("select from claim_due_posts()")
            times.append((time.perf_counter() - began) * 1000)
    return median(times)


def plans_of(db: Database) -> str:
    """How PostgreSQL finds what a claim may take, and how long it took."""
    noted = "array(select next from next_due as next where next.due_at <= now() order by next.due_at limit 50)"
    statements = [_body_of(db, "due_posts", noted=noted, at_most="4"), "select id from open_posts(50)"]
    return "\n\n".join(
        "\n".join(str(line) for [line] in db.execute(f"explain (analyze, costs off) {statement}").fetchall())
        for statement in statements
    )


def _body_of(db: Database, function: str, **arguments: str) -> str:
    """The one query of a function in PL/pgSQL: PostgreSQL does not explain what is within."""
    [source] = db.execute("select prosrc from pg_proc where proname = %s", [function]).fetchone() or [""]
    query = str(source).split("return query", 1)[1].split(";", 1)[0]
    for name, value in arguments.items():
        query = re.sub(rf"\b{name}\b", value, query)
    return query


if __name__ == "__main__":
    main()
