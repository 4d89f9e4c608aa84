"""Which changes of posts can wait for each other in a circle, which PostgreSQL ends with 40P01, and which cannot."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta

import psycopg
import pytest
from waiting import wait_until

from local.running_stack import RunningStack

INSERT = """
insert into scheduled_post (user_id, text, schedule_for)
select id, 'number ' || number, now() + %s from "user", generate_series(1, %s) as number
where username = %s returning id"""
TEXT = "update scheduled_post set text = text || '.' where id = %s"
ROUNDS = 15


@pytest.fixture
def connect(stack: RunningStack) -> Iterator[Callable[[], psycopg.Connection]]:
    opened: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        opened.append(psycopg.connect(stack.settings["PG_DATABASE_URL"]))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def new_posts(
    stack: RunningStack, connection: psycopg.Connection, number: int, due_in: timedelta
) -> tuple[str, list[int]]:
    """Their author and their ids. The functions of the stack publish those that are due."""
    name = "u" + uuid.uuid4().hex[:12]
    stack.token(name)
    posts = [post_id for (post_id,) in connection.execute(INSERT, [due_in, number, name])]
    connection.commit()
    return name, posts


def is_waiting(watcher: psycopg.Connection, process: int) -> bool:
    row = watcher.execute("select cardinality(pg_blocking_pids(%s)) > 0", [process]).fetchone()
    watcher.rollback()
    return bool(row and row[0])


def test_of_two_operators_who_change_the_same_posts_in_other_orders_one_is_told_40p01_and_repeats(
    stack: RunningStack, connect: Callable[[], psycopg.Connection]
) -> None:
    one, other, watcher = connect(), connect(), connect()
    _, (first, second) = new_posts(stack, watcher, 2, timedelta(days=1))
    one.execute(TEXT, [first])
    other.execute(TEXT, [second])

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(one.execute, TEXT, [second])
        wait_until(lambda: is_waiting(watcher, one.info.backend_pid), bool)
        refused: list[str | None] = []
        for connection, change in ((other, lambda: other.execute(TEXT, [first])), (one, waiting.result)):
            try:
                change()
                connection.commit()
            except psycopg.errors.DeadlockDetected as error:
                refused.append(error.sqlstate)
                connection.rollback()

    assert refused == ["40P01"]
    texts = watcher.execute(
        "select text from scheduled_post where id = any(%s) order by id", [[first, second]]
    ).fetchall()
    assert texts == [("number 1.",), ("number 2.",)]


def test_claims_records_changes_of_one_post_and_one_bulk_update_never_wait_in_a_circle(
    stack: RunningStack, connect: Callable[[], psycopg.Connection]
) -> None:
    setup = connect()
    authors = dict(new_posts(stack, setup, 40, timedelta(minutes=-1)) for _ in range(2))
    all_posts = [post_id for posts in authors.values() for post_id in posts]
    start = threading.Barrier(7)

    def repeat(change: Callable[[psycopg.Connection, int], None]) -> None:
        connection = connect()
        start.wait(120)
        for number in range(ROUNDS):
            try:
                change(connection, number)
                connection.commit()
            except psycopg.errors.InvalidParameterValue:  # a rule of the posts: it is being sent, or published
                connection.rollback()

    def publish(connection: psycopg.Connection, number: int) -> None:
        claimed = connection.execute("select post_id, attempt_number, lease_until from claim_due_posts()").fetchall()
        connection.commit()
        for post_id, attempt, lease in claimed:
            connection.execute(
                "select from record_outcome(%s, %s, %s, 'scheduled', %s, 'later')",
                [post_id, attempt, lease, f'[{{"number": {attempt}, "outcome": "not_sent"}}]'],
            )
            connection.commit()

    def operate(connection: psycopg.Connection, number: int) -> None:
        connection.execute(
            "update scheduled_post set schedule_for = schedule_for - interval '1 second' "
            "where id = any(%s) and state = 'scheduled'",
            [all_posts],
        )

    def write(name: str) -> Callable[[psycopg.Connection, int], None]:
        posts = authors[name]

        def change(connection: psycopg.Connection, number: int) -> None:
            connection.execute(
                "select set_config('hasura.user', json_build_object('x-hasura-user-id', %s::text)::text, true)", [name]
            )
            mine = "state = 'scheduled' and id = any(%s)"
            if number % 3 == 0:
                connection.execute(
                    f"update scheduled_post set text = 'edited' where {mine}", [posts[number : number + 1]]
                )
            elif number % 3 == 1:
                connection.execute(
                    f"update scheduled_post set schedule_for = now() where {mine}", [posts[number : number + 1]]
                )
            else:
                connection.execute(f"delete from scheduled_post where {mine}", [posts[-number : 1 - number]])

        return change

    changes = [publish, publish, operate, *(write(name) for name in authors for _ in range(2))]
    with ThreadPoolExecutor(len(changes)) as threads:
        running = [threads.submit(repeat, change) for change in changes]
        for done in as_completed(running, timeout=600):
            done.result()
