"""Permissions of the emulated /v1/graphql, as an attacker sees them."""

from typing import Any

import psycopg
import pytest
from local_graphql import ADMIN, ANN, Ask, data, refusal, role

from local.hasura.session import Session

pytest_plugins = ["local_graphql_fixtures"]


def test_rows_of_others_are_invisible_and_untouchable(ask: Ask) -> None:
    read = ask(ANN, "{ article(order_by: {id: asc}) { id } draft: article_by_pk(id: 4) { id } }")
    write = ask(
        ANN,
        """mutation { update_article(where: {}, _set: {body: "mine"}) { affected_rows }
             update_article_by_pk(pk_columns: {id: 4}, _set: {body: "mine"}) { id }
             delete_article(where: {id: {_in: [3, 4]}}) { affected_rows } delete_article_by_pk(id: 3) { id } }""",
    )

    assert data(read) == {"article": [{"id": 1}, {"id": 2}, {"id": 3}], "draft": None}
    assert data(write) == {
        "update_article": {"affected_rows": 2},
        "update_article_by_pk": None,
        "delete_article": {"affected_rows": 0},
        "delete_article_by_pk": None,
    }


@pytest.mark.parametrize(
    "query",
    [
        "{ author { email } }",
        '{ author(where: {email: {_eq: "bob@example.org"}}) { id } }',
        "{ author(order_by: {email: asc}) { id } }",
        "{ author(distinct_on: email) { id } }",
        '{ article(where: {author: {email: {_like: "b%"}}}) { id } }',
        "{ article(order_by: {author: {email: asc}}) { id } }",
        "{ article { author { email } } }",
        "{ article(where: {score: {_gt: 1}}) { id } }",
        "{ article_aggregate { aggregate { max { score } } } }",
        "{ article_aggregate { aggregate { count(columns: score) } } }",
        "{ article_aggregate { nodes { score } } }",
        "{ author { articles(where: {score: {_gt: 1}}) { id } } }",
        "{ author_aggregate { aggregate { count } } }",
        "{ article { comments_aggregate { aggregate { count } } } }",
        "{ article { comments { author_id } } }",
        "{ article { comments { commenter { email } } } }",
        '{ search_articles(args: {term: "a"}) { score } }',
        "mutation { update_article(where: {}, _set: {author_id: 1}) { affected_rows } }",
        "mutation { update_article(where: {}, _set: {score: 9}) { affected_rows } }",
        "mutation { update_article(where: {}, _inc: {score: 9}) { affected_rows } }",
        "mutation { update_article(where: {score: {_gt: 1}}, _set: {body: null}) { affected_rows } }",
        'mutation { update_article(where: {}, _set: {title: "x"}) { returning { score } } }',
        "mutation { delete_article(where: {score: {_gt: 1}}) { affected_rows } }",
        'mutation { insert_article_one(object: {title: "x", author_id: 1}) { score } }',
        'mutation { insert_article_one(object: {title: "x", author: {data: {name: "y"}}}) { id } }',
        """mutation { insert_article(objects: {title: "x", author_id: 1},
             on_conflict: {constraint: article_pkey, update_columns: [author_id]}) { affected_rows } }""",
        """mutation { insert_article(objects: {title: "x", author_id: 1},
             on_conflict: {constraint: article_pkey, update_columns: title, where: {score: {_gt: 1}}}) {
               affected_rows } }""",
        "mutation { publish_drafts(args: {}) { score } }",
        "{ sample { id } }",
        "{ shelf_book { id } }",
        "{ newest { score } }",
    ],
)
def test_a_hidden_column_or_table_cannot_be_reached_from_any_side(
    ask: Ask, query: str, graphql_database: psycopg.Connection
) -> None:
    answer = ask(ANN, query)

    assert refusal(answer)[0] == "validation-failed"
    assert graphql_database.execute("select count(*) from call_log").fetchone() == (0,)


def test_conditions_through_a_relationship_see_only_what_the_role_may_see_there(ask: Ask) -> None:
    query = '{ article(where: {comments: {text: {_like: "%"}}}, order_by: {id: asc}) { id } }'

    assert data(ask(ANN, query)) == {"article": [{"id": 1}]}
    assert data(ask(ADMIN, query)) == {"article": [{"id": 1}, {"id": 3}]}


def test_an_order_through_a_relationship_reveals_nothing_of_hidden_rows(ask: Ask) -> None:
    query = "{ article(order_by: [{author: {name: asc}}, {id: asc}]) { id } }"

    answer = ask(role("columnist", "2"), query)

    own_first_then_unknown = [3, 4, 1, 2]
    assert [row["id"] for row in data(answer)["article"]] == own_first_then_unknown


def test_nested_rows_and_aggregates_are_filtered_by_their_table(ask: Ask) -> None:
    answer = ask(
        ANN,
        """{ author(order_by: {id: asc}) { articles(order_by: {id: asc}) { id comments { text } }
             articles_aggregate { aggregate { count } nodes { id } } } }""",
    )

    ann, bob = data(answer)["author"]
    assert [row["comments"] for row in ann["articles"]] == [[{"text": "on ann"}], []]
    assert bob["articles"] == [{"id": 3, "comments": []}]
    assert bob["articles_aggregate"] == {"aggregate": {"count": 1}, "nodes": [{"id": 3}]}


def test_an_object_relationship_to_a_hidden_row_is_null(ask: Ask) -> None:
    answer = ask(role("columnist"), "{ article(order_by: {id: asc}) { id author { name } } }")

    assert [row["author"] for row in data(answer)["article"]] == [{"name": "ann"}, {"name": "ann"}, None, None]


def test_a_permissions_limit_cuts_rows_and_nodes_but_not_the_count(ask: Ask) -> None:
    answer = ask(
        role("reader"),
        """{ article(limit: 5) { id } none: article(limit: 0) { id }
             article_aggregate { aggregate { count } nodes { id } } }""",
    )

    aggregate = {"aggregate": {"count": 2}, "nodes": [{"id": 1}]}
    assert data(answer) == {"article": [{"id": 1}], "none": [], "article_aggregate": aggregate}


def test_presets_set_the_columns_that_the_role_may_not_give(ask: Ask) -> None:
    inserted = ask(
        role("columnist", "2"), 'mutation { insert_article_one(object: {title: "x"}) { id author_id is_public } }'
    )
    updated = ask(
        role("columnist", "2"),
        'mutation { update_article(where: {title: {_eq: "x"}}, _set: {title: "y"}) { affected_rows } }',
    )

    assert data(inserted)["insert_article_one"] == {"id": 5, "author_id": 2, "is_public": False}
    assert data(updated) == {"update_article": {"affected_rows": 1}}
    assert data(ask(ADMIN, "{ article_by_pk(id: 5) { title body } }"))["article_by_pk"] == {
        "title": "y",
        "body": "edited",
    }


def test_a_conflict_updates_only_rows_that_the_role_may_update(ask: Ask) -> None:
    upsert = """mutation ($title: String!) { insert_article(objects: {title: $title, author_id: 1, body: "taken"},
      on_conflict: {constraint: article_title_key, update_columns: body}) { affected_rows returning { id body } } }"""

    mine = ask(ANN, upsert, title="Ann draft")
    foreign = ask(ANN, upsert, title="Bob draft")

    assert data(mine)["insert_article"] == {"affected_rows": 1, "returning": [{"id": 2, "body": "taken"}]}
    assert data(foreign)["insert_article"] == {"affected_rows": 0, "returning": []}


def test_a_row_updated_by_a_conflict_is_checked_as_an_update_and_a_new_one_as_an_insert(ask: Ask) -> None:
    upsert = """mutation ($title: String!) { insert_article(objects: {title: $title, author_id: 1, body: "forbidden"},
      on_conflict: {constraint: article_title_key, update_columns: body}) { affected_rows } }"""

    updated = ask(ANN, upsert, title="Ann draft")
    inserted = ask(ANN, upsert, title="Ann new")

    assert refusal(updated)[0] == "permission-error"
    assert data(inserted) == {"insert_article": {"affected_rows": 1}}


def test_a_conflict_applies_the_presets_of_an_update(ask: Ask) -> None:
    upsert = """mutation { insert_article(objects: {title: "Bob draft", body: "given"},
      on_conflict: {constraint: article_title_key, update_columns: title}) { affected_rows } }"""

    ask(role("columnist", "2"), upsert)

    assert data(ask(ADMIN, "{ article_by_pk(id: 4) { body } }")) == {"article_by_pk": {"body": "edited"}}


def test_a_role_that_may_only_insert_gets_nothing_back_and_cannot_probe(ask: Ask) -> None:
    robot = role("robot")

    insert = """mutation ($title: String!, $body: String!) {
      insert_article(objects: {title: $title, author_id: 1, body: $body}) { affected_rows } }"""
    inserted = ask(robot, insert, title="x", body="signed")
    unsigned = ask(robot, insert, title="y", body="no")
    returned = ask(robot, 'mutation { insert_article(objects: {title: "x"}) { returning { id } } }')
    one = ask(robot, 'mutation { insert_article_one(object: {title: "x"}) { id } }')

    assert data(inserted) == {"insert_article": {"affected_rows": 1}}
    assert refusal(unsigned)[0] == "permission-error"
    assert refusal(returned)[2] == "field 'returning' not found in type: 'article_mutation_response'"
    assert refusal(one)[2] == "field 'insert_article_one' not found in type: 'mutation_root'"


def test_a_check_that_is_null_lets_a_row_pass_as_in_an_sql_check_constraint(ask: Ask) -> None:
    answer = ask(role("robot"), 'mutation { insert_article(objects: {title: "x", author_id: 1}) { affected_rows } }')

    assert data(answer) == {"insert_article": {"affected_rows": 1}}


def test_a_failed_check_undoes_every_row(ask: Ask) -> None:
    answer = ask(
        ANN,
        """mutation { insert_article(objects: [{title: "good", author_id: 1}, {title: "bad", author_id: 2}]) {
             affected_rows } }""",
    )

    assert refusal(answer)[0] == "permission-error"
    assert data(ask(ADMIN, '{ article(where: {title: {_in: ["good", "bad"]}}) { id } }')) == {"article": []}


HOSTILE = ["'; drop table author; --", '"', "%s %(x)s %%", "$1", "\\'", "{}", "1) or (1=1", "/*"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_is_never_sql(ask: Ask, text: str) -> None:
    stored = ask(
        ADMIN,
        """mutation ($t: String!, $d: jsonb!) {
             insert_author_one(object: {name: $t}) { name }
             update_author(where: {name: {_eq: $t}}, _set: {email: $t}) { returning { email } }
             insert_sample_one(object: {id: 1, doc: $d}) { doc }
             publish_drafts(args: {note: $t}) { body } }""",
        t=text,
        d={text: text},
    )
    found = ask(
        ADMIN,
        """query ($t: String!) { author(where: {_or: [{name: {_in: [$t]}}, {name: {_like: $t}}]}) { name }
             sample(where: {doc: {_has_key: $t}}) { id } search_articles(args: {term: $t}) { id } }""",
        t=text,
    )
    by_session = ask(Session("writer", {"x-hasura-role": "writer", "x-hasura-user-id": text}), "{ article { id } }")

    assert data(stored)["insert_author_one"] == {"name": text}
    assert data(stored)["update_author"]["returning"] == [{"email": text}]
    assert data(stored)["insert_sample_one"] == {"doc": {text: text}}
    assert data(stored)["publish_drafts"] == [{"body": text}]
    assert data(found)["sample"] == [{"id": 1}]
    assert {"name": text} in data(found)["author"] or text == "\\'"
    assert refusal(by_session)[0] == "data-exception"


@pytest.mark.parametrize("name", ['a"b', "a'b", "a b", "id;--", "id) from author; --"])
def test_a_hostile_name_is_not_a_name(ask: Ask, name: str) -> None:
    queries: list[tuple[str, dict[str, Any]]] = [
        ("query ($o: [author_order_by!]) { author(order_by: $o) { id } }", {"o": {name: "asc"}}),
        ("query ($o: [author_order_by!]) { author(order_by: $o) { id } }", {"o": {"id": name}}),
        ("query ($w: author_bool_exp) { author(where: $w) { id } }", {"w": {name: {"_eq": 1}}}),
        ("query ($w: author_bool_exp) { author(where: $w) { id } }", {"w": {"id": {name: 1}}}),
        ("query ($d: [author_select_column!]) { author(distinct_on: $d) { id } }", {"d": [name]}),
        ("mutation ($o: [author_insert_input!]!) { insert_author(objects: $o) { affected_rows } }", {"o": {name: 1}}),
        ("mutation ($s: author_set_input) { update_author(where: {}, _set: $s) { affected_rows } }", {"s": {name: 1}}),
        (
            "mutation ($c: author_on_conflict) { insert_author(objects: {}, on_conflict: $c) { affected_rows } }",
            {"c": {"constraint": name}},
        ),
        ("mutation ($a: publish_drafts_args!) { publish_drafts(args: $a) { id } }", {"a": {name: 1}}),
        (f"{{ author {{ {name}: id }} }}", {}),
    ]

    codes = {refusal(ask(ADMIN, query, **variables))[0] for query, variables in queries}

    assert codes == {"validation-failed"}
