"""What a front end subscribes to: another answer after each change of an author's posts, however many there are."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from author_with_database import AuthorWithDatabase

from local.running_stack import RunningStack

LATEST_CHANGE = "{ latest_change { updated_at posts } }"
INSERT_POSTS = """
insert into scheduled_post (user_id, text, schedule_for)
select id, 'number ' || number, now() + interval '1 day'
from "user", generate_series(1, %s) as number where username = %s"""
REMOVE = "mutation ($texts: [String!]!) { delete_scheduled_post(where: {text: {_in: $texts}}) { affected_rows } }"
EDIT = 'mutation { update_scheduled_post(where: {text: {_eq: "number 1"}}, _set: {text: "edited"}) { affected_rows } }'
DRAFT = 'mutation { insert_scheduled_post_one(object: {state: "draft", text: ""}) { id } }'


class Author(AuthorWithDatabase):
    def insert_posts(self, number: int) -> None:
        self.database.execute(INSERT_POSTS, [number, self.name])

    def latest_change(self) -> dict[str, Any]:
        [row] = self.graphql(LATEST_CHANGE)["latest_change"]
        return dict(row)


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def author(stack: RunningStack, database: psycopg.Connection) -> Author:
    return Author(stack, database)


def test_an_author_without_posts_has_no_change_yet(author: Author) -> None:
    assert author.latest_change() == {"updated_at": None, "posts": 0}


@pytest.mark.parametrize(
    ("document", "variables", "posts"),
    [
        (DRAFT, {}, 4),
        (EDIT, {}, 3),
        (REMOVE, {"texts": ["number 3"]}, 2),
        (REMOVE, {"texts": ["number 1", "number 2", "number 3"]}, 0),
    ],
)
def test_it_is_another_after_each_change(author: Author, document: str, variables: Any, posts: int) -> None:
    author.insert_posts(3)
    before = author.latest_change()

    author.graphql(document, **variables)

    assert author.latest_change() != before
    assert author.latest_change()["posts"] == posts


def test_it_is_another_when_the_last_draft_is_deleted(author: Author) -> None:
    author.graphql(DRAFT)
    before = author.latest_change()

    author.graphql(REMOVE, texts=[""])

    assert before["posts"] == 1
    assert author.latest_change() == {"updated_at": None, "posts": 0}


def test_a_post_that_becomes_another_authors_is_a_change_for_both(
    author: Author, stack: RunningStack, database: psycopg.Connection
) -> None:
    other = Author(stack, database)
    author.insert_posts(2)

    database.execute(
        "update scheduled_post set user_id = (select id from \"user\" where username = %s) where text = 'number 1' "
        'and user_id = (select id from "user" where username = %s)',
        [other.name, author.name],
    )

    assert (author.latest_change()["posts"], other.latest_change()["posts"]) == (1, 1)


def test_nothing_is_counted_for_an_author_who_was_deleted(author: Author, database: psycopg.Connection) -> None:
    author.insert_posts(2)
    [user_id] = database.execute('select id from "user" where username = %s', [author.name]).fetchone() or [None]

    database.execute('delete from "user" where id = %s', [user_id])

    assert database.execute("select from post_count where user_id = %s", [user_id]).fetchall() == []


def test_another_authors_posts_change_nothing(
    author: Author, stack: RunningStack, database: psycopg.Connection
) -> None:
    author.insert_posts(1)
    before = author.latest_change()

    Author(stack, database).insert_posts(2)

    assert author.latest_change() == before


def test_no_plan_reads_all_posts_of_the_author(author: Author) -> None:
    """The query is the one that Hasura makes of the subscription, for each of those who are subscribed."""
    author.insert_posts(2_000)
    author.database.execute("vacuum analyze scheduled_post")

    plan = author.database.execute(
        """explain (analyze, format json)
        select * from unnest(array[%s]) as subscriber (name)
        left join lateral (
          select updated_at, posts from latest_change where username = subscriber.name limit 1
        ) as answer on true""",
        [author.name],
    ).fetchone()

    assert plan
    assert max(_rows_read(plan[0][0]["Plan"])) <= 1


def _rows_read(node: dict[str, Any]) -> list[float]:
    own = (
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        if node.get("Relation Name") == "scheduled_post"
        else 0
    )
    return [own, *(rows for child in node.get("Plans", []) for rows in _rows_read(child))]
