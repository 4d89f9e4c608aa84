"""GraphQL as an author gets it: what hasura/metadata lets the role ``user`` ask for is bounded."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from author_with_database import AuthorWithDatabase

from local.hasura.metadata_directory import load_metadata
from local.running_stack import GraphQLFailed, RunningStack

METADATA = Path(__file__).parents[2] / "hasura" / "metadata"

TYPES = """{ __schema { types { kind name
  fields { name type { ...named } }
  inputFields { name type { ...named } }
} } }
fragment named on __Type { name ofType { name ofType { name ofType { name } } } }"""

INSERT_POSTS = """
insert into scheduled_post (user_id, text, schedule_for)
select "user".id, 'number ' || number, now() + interval '1 day'
from "user", generate_series(1, %(posts)s) as number where username = %(author)s returning id"""
INSERT_ATTEMPTS = """
insert into post_attempt (post_id, number, text, finished_at, outcome)
select %(post)s, number, 'hello', now(), 'not_sent' from generate_series(1, %(attempts)s) as number"""

Graph = Mapping[str, set[str]]


class Author(AuthorWithDatabase):
    def refusal(self, document: str) -> str:
        """What Hasura says against the document, which its schema must not have."""
        with pytest.raises(GraphQLFailed) as refused:
            self.graphql(document)
        [error] = refused.value.errors
        assert error["extensions"]["code"] == "validation-failed"
        message: str = error["message"]
        return message

    def insert_posts(self, number: int) -> list[int]:
        posts = self.database.execute(INSERT_POSTS, {"posts": number, "author": self.name})
        return [post_id for (post_id,) in posts]


@pytest.fixture
def alice(stack: RunningStack) -> Iterator[Author]:
    with Author.signed_in(stack) as author:
        yield author


class TestNesting:
    def test_no_answer_leads_back_to_a_type_that_it_came_from(self, alice: Author) -> None:
        graph = types_of(alice, "OBJECT", "fields")

        assert {"account", "user", "post_attempt"} <= graph["scheduled_post"]
        assert_acyclic(graph)

    def test_no_condition_and_no_inserted_row_leads_back_to_its_own_type(self, alice: Author) -> None:
        graph = types_of(alice, "INPUT_OBJECT", "inputFields")

        assert {"account_bool_exp", "user_bool_exp", "post_attempt_bool_exp"} <= graph["scheduled_post_bool_exp"]
        assert_acyclic(graph)

    def test_the_relationships_between_what_an_author_sees_have_no_cycle_in_the_files(self) -> None:
        tables = {table["table"]["name"]: table for table in load_metadata(METADATA).tables}
        visible = {name for name, table in tables.items() if select_permission(table, "user")}

        assert visible == {"account", "app", "latest_change", "post_attempt", "posting_slot", "scheduled_post", "user"}
        assert_acyclic({name: visible & remote_tables(tables[name]) for name in visible})

    @pytest.mark.parametrize(
        ("document", "field", "type_name"),
        [
            ("{ scheduled_post { user { scheduled_posts { id } } } }", "scheduled_posts", "user"),
            ("{ scheduled_post { post_attempts { scheduled_post { id } } } }", "scheduled_post", "post_attempt"),
            ("{ scheduled_post { account { account_users { user_id } } } }", "account_users", "account"),
            ("{ account_user { account { id } } }", "account_user", "query_root"),
            (
                "{ scheduled_post(where: {user: {scheduled_posts: {id: {_gt: 0}}}}) { id } }",
                "scheduled_posts",
                "user_bool_exp",
            ),
        ],
    )
    def test_there_is_no_way_from_a_post_back_to_all_posts(
        self, alice: Author, document: str, field: str, type_name: str
    ) -> None:
        assert alice.refusal(document) == f"field '{field}' not found in type: '{type_name}'"

    def test_the_query_that_multiplied_a_hundred_posts_five_times_is_refused(self, alice: Author) -> None:
        nested = "id text"
        for _ in range(5):
            nested = f"id text user {{ scheduled_posts {{ {nested} }} }}"

        assert alice.refusal(f"{{ scheduled_post {{ {nested} }} }}") == (
            "field 'scheduled_posts' not found in type: 'user'"
        )


class TestTheSizeOfAnAnswer:
    def test_each_permission_to_select_has_a_limit(self) -> None:
        limits = {
            (table["table"]["name"], one["role"]): one["permission"].get("limit")
            for table in load_metadata(METADATA).tables
            for one in table.get("select_permissions", [])
        }

        assert limits == {
            ("account", "user"): 100,
            ("app", "user"): 1,
            ("latest_change", "user"): 1,
            ("linked_account", "linker"): 1,
            ("post_attempt", "user"): 20,
            ("posting_slot", "user"): 100,
            ("scheduled_post", "user"): 500,
            ("user", "user"): 1,
        }

    def test_an_author_of_more_posts_gets_500_of_them_at_once_and_can_count_them_all(self, alice: Author) -> None:
        alice.insert_posts(501)

        answer = alice.graphql(
            "{ scheduled_post(limit: 1000) { id } scheduled_post_aggregate { aggregate { count } nodes { id } } }"
        )

        assert len(answer["scheduled_post"]) == 500
        assert len(answer["scheduled_post_aggregate"]["nodes"]) == 500
        assert answer["scheduled_post_aggregate"]["aggregate"] == {"count": 501}

    def test_an_author_gets_20_attempts_of_each_post(self, alice: Author) -> None:
        posts = alice.insert_posts(2)
        for post in posts:
            alice.database.execute(INSERT_ATTEMPTS, {"post": post, "attempts": 21})

        answer = alice.graphql("{ scheduled_post { post_attempts(order_by: {number: desc}) { number } } }")

        latest = [{"number": number} for number in range(21, 1, -1)]
        assert answer["scheduled_post"] == [{"post_attempts": latest}, {"post_attempts": latest}]


class TestAttempts:
    def test_an_attempt_is_of_the_author_of_its_post_whoever_writes_it(self, alice: Author) -> None:
        [post] = alice.insert_posts(1)

        alice.database.execute(INSERT_ATTEMPTS, {"post": post, "attempts": 1})

        assert alice.graphql("{ post_attempt { post_id user { username } } }") == {
            "post_attempt": [{"post_id": post, "user": {"username": alice.name}}]
        }

    def test_an_author_sees_no_attempt_of_another(self, alice: Author, stack: RunningStack) -> None:
        [post] = alice.insert_posts(1)
        alice.database.execute(INSERT_ATTEMPTS, {"post": post, "attempts": 1})

        bob = Author(stack, alice.database)

        assert bob.graphql("{ post_attempt { post_id } post_attempt_aggregate { aggregate { count } } }") == {
            "post_attempt": [],
            "post_attempt_aggregate": {"aggregate": {"count": 0}},
        }


def types_of(author: Author, kind: str, members: str) -> Graph:
    """For each type of the kind, the types that its members lead to; without GraphQL's own types, and without the
    operators by which every condition holds conditions of its own type."""
    types = [one for one in author.graphql(TYPES)["__schema"]["types"] if one["kind"] == kind]
    return {
        one["name"]: {
            name_of(member["type"]) for member in one[members] if member["name"] not in ("_and", "_or", "_not")
        }
        for one in types
        if not one["name"].startswith("__")
    }


def name_of(type_: Mapping[str, Any]) -> str:
    name: str = type_["name"] or name_of(type_["ofType"])
    return name


def assert_acyclic(graph: Graph) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"A request can be nested as deep as its sender wants: {' - '.join(error.args[1])}")


def select_permission(table: Mapping[str, Any], role: str) -> Mapping[str, Any] | None:
    return next((one["permission"] for one in table.get("select_permissions", []) if one["role"] == role), None)


def remote_tables(table: Mapping[str, Any]) -> set[str]:
    """The tables that its relationships lead to. A foreign key is named by its table, but that of a post is post_id."""
    arrays = {
        one["using"]["foreign_key_constraint_on"]["table"]["name"] for one in table.get("array_relationships", [])
    }
    columns = {one["using"]["foreign_key_constraint_on"] for one in table.get("object_relationships", [])}
    return arrays | {"scheduled_post" if column == "post_id" else column.removesuffix("_id") for column in columns}
