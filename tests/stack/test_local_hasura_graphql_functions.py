"""Tracked functions in the emulated /v1/graphql."""

from typing import Any

import psycopg
import pytest
from local_graphql import ADMIN, ANN, BOB, Ask, data, refusal, role

pytest_plugins = ["local_graphql_fixtures"]


def test_a_function_mutation_runs_once_and_to_its_end(ask: Ask, graphql_database: psycopg.Connection) -> None:
    answer = ask(
        ADMIN,
        """mutation { publish_drafts(args: {most: 2}, limit: 1, order_by: {id: desc}) {
             id is_public author { name articles { id } } } }""",
    )

    [shown] = data(answer)["publish_drafts"]
    assert (shown["id"], shown["is_public"], shown["author"]["name"]) == (4, True, "bob")
    assert graphql_database.execute("select count(*) from call_log").fetchone() == (1,)
    assert graphql_database.execute("select count(*) from article where not is_public").fetchone() == (0,)


def test_a_function_mutation_shows_fresh_columns_and_stale_relationships(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { publish_drafts(args: {}) { id is_public comments { text }
             author { articles(order_by: {id: asc}) { is_public } } } }""",
    )

    stale = {"articles": [{"is_public": True}, {"is_public": False}]}
    assert data(answer)["publish_drafts"] == [{"id": 2, "is_public": True, "comments": [], "author": stale}]


def test_two_aliased_calls_in_a_request_run_in_order(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation { a: publish_drafts(args: {}) { id } b: publish_drafts(args: {}) { id } }")

    assert data(answer) == {"a": [{"id": 2}], "b": [{"id": 4}]}


def test_a_second_call_sees_what_the_first_has_written(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { a: claim_article(args: {which: 2}) { title comments }
             b: claim_article(args: {which: 2}) { comments } }""",
    )

    first, second = ({"number": number, "text": "claimed"} for number in (10, 11))
    assert data(answer) == {
        "a": [{"title": "Ann draft", "comments": [first]}],
        "b": [{"comments": [first, second]}],
    }


def test_a_call_that_fails_rolls_back_the_calls_before_it(ask: Ask, graphql_database: psycopg.Connection) -> None:
    answer = ask(
        ADMIN, """mutation { claim_article(args: {which: 2}) { title } fail(args: {state: "P0001"}) { id } }"""
    )

    assert refusal(answer) == ("unexpected", "$", "database query error")
    assert graphql_database.execute("select count(*) from comment where text = 'claimed'").fetchone() == (0,)


def test_a_table_that_is_only_a_return_type_has_no_fields_by_primary_key_and_no_rows(ask: Ask) -> None:
    rows = ask(ADMIN, "{ claim { title comments } }")
    by_key = ask(ADMIN, "{ claim_by_pk { title } }")

    assert data(rows) == {"claim": []}
    assert refusal(by_key)[2] == "field 'claim_by_pk' not found in type: 'query_root'"


def test_rows_of_a_return_type_have_json_and_arrays_as_json(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation ($payload: jsonb, $due: timestamptz, $numbers: _int4, $ids: _int8) {
             claim_article(args: {which: 3, payload: $payload, due: $due, numbers: $numbers, ids: $ids}) {
               payload due numbers ids comments } }""",
        payload={"a": [1, None, "x"]},
        due="2026-05-04T14:00:00.5+02:00",
        numbers="{1,NULL,-3}",
        ids="{9007199254740993}",
    )

    [row] = data(answer)["claim_article"]
    assert [comment["number"] for comment in row.pop("comments")] == [1, 2, 12]
    assert row == {
        "payload": {"a": [1, None, "x"]},
        "due": "2026-05-04T12:00:00.5+00:00",
        "numbers": [1, None, -3],
        "ids": [9007199254740993],
    }


@pytest.mark.parametrize("value", [{"a": {"b": []}}, [1, "two"], "a text", 1.5, True])
def test_a_jsonb_argument_is_any_json_value(ask: Ask, value: Any) -> None:
    call = "mutation ($p: jsonb!) { claim_article(args: {which: 1, payload: $p}) { payload } }"

    assert data(ask(ADMIN, call, p=value)) == {"claim_article": [{"payload": value}]}


def test_a_jsonb_argument_may_be_a_literal_of_graphql(ask: Ask) -> None:
    answer = ask(ADMIN, 'mutation { claim_article(args: {which: 1, payload: {a: [1, {b: "c"}]}}) { payload } }')

    assert data(answer) == {"claim_article": [{"payload": {"a": [1, {"b": "c"}]}}]}


def test_a_timestamptz_argument_may_be_a_special_value_of_postgresql(
    ask: Ask, graphql_database: psycopg.Connection
) -> None:
    before = graphql_database.execute("select now()::text").fetchone()
    answer = ask(ADMIN, 'mutation { claim_article(args: {which: 1, due: "now"}) { due } }')
    [row] = data(answer)["claim_article"]

    between = "select %s::timestamptz between %s::timestamptz and now()"
    assert before is not None
    assert graphql_database.execute(between, [row["due"], before[0]]).fetchone() == (True,)


@pytest.mark.parametrize("given", ["payload: null, due: null, numbers: null, ids: null", "numbers: $n"])
def test_an_explicit_null_is_null_over_a_default(ask: Ask, given: str) -> None:
    declared = "($n: _int4)" if "$n" in given else ""
    call = f"mutation {declared} {{ claim_article(args: {{which: 1, {given}}}) {{ payload due numbers ids }} }}"

    [row] = data(ask(ADMIN, call, **({"n": None} if declared else {})))["claim_article"]

    defaults = {"payload": "default", "due": "1970-01-01T00:00:00+00:00", "numbers": [7], "ids": [8, 9]}
    assert row == {name: None if f"{name}:" in given else default for name, default in defaults.items()}


def test_omitted_arguments_before_a_given_one_have_their_defaults(ask: Ask) -> None:
    literal = ask(ADMIN, 'mutation { claim_article(args: {which: 1, ids: "{}"}) { payload numbers ids } }')
    variable = ask(
        ADMIN, "mutation ($n: _int4) { claim_article(args: {which: 1, numbers: $n}) { payload numbers ids } }"
    )

    assert data(literal) == {"claim_article": [{"payload": "default", "numbers": [7], "ids": []}]}
    assert data(variable) == {"claim_article": [{"payload": "default", "numbers": [7], "ids": [8, 9]}]}


@pytest.mark.parametrize(
    ("declared", "value", "code", "path", "message"),
    [
        ("_int4", [1, 2], "parse-failed", ".numbers", "A string is expected for type: _int4"),
        ("_int4", 1, "parse-failed", ".numbers", "A string is expected for type: _int4"),
        ("[Int!]", [1], "validation-failed", ".numbers",
         "variable 'n' is declared as '[Int!]', but used where '_int4' is expected"),
        ("_int8", "{1}", "validation-failed", ".numbers",
         "variable 'n' is declared as '_int8', but used where '_int4' is expected"),
        ("_int4", "1,2", "data-exception", None, 'malformed array literal: "1,2"'),
        ("_int4", "{x}", "data-exception", None, 'invalid input syntax for type integer: "x"'),
    ],
)  # fmt: skip
def test_an_array_argument_is_a_text_in_postgresqls_notation_and_never_a_list(
    ask: Ask, declared: str, value: Any, code: str, path: str | None, message: str
) -> None:
    call = f"mutation ($n: {declared}) {{ claim_article(args: {{which: 1, numbers: $n}}) {{ title }} }}"

    full_path = f"$.selectionSet.claim_article.args.args{path}" if path else "$"
    assert refusal(ask(ADMIN, call, n=value)) == (code, full_path, message)


def test_a_list_literal_for_an_array_argument_is_refused(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation { claim_article(args: {which: 1, ids: [1]}) { title } }")

    path = "$.selectionSet.claim_article.args.args.ids"
    assert refusal(answer) == ("parse-failed", path, "A string is expected for type: _int8")


def test_every_argument_is_nullable_and_shows_no_default(ask: Ask) -> None:
    answer = ask(
        ADMIN, '{ __type(name: "claim_article_args") { inputFields { name defaultValue type { kind name } } } }'
    )

    shown = {
        field["name"]: (field["type"]["kind"], field["type"]["name"], field["defaultValue"])
        for field in data(answer)["__type"]["inputFields"]
    }
    types = {"which": "bigint", "payload": "jsonb", "due": "timestamptz", "numbers": "_int4", "ids": "_int8"}
    assert shown == {name: ("SCALAR", type_, None) for name, type_ in types.items()}


def test_an_omitted_argument_has_its_default(ask: Ask) -> None:
    omitted = ask(ADMIN, "mutation { publish_drafts(args: {}) { body } }")
    by_name = ask(ADMIN, 'mutation { publish_drafts(args: {note: "by name"}) { body } }')

    assert data(omitted) == {"publish_drafts": [{"body": "published"}]}
    assert data(by_name) == {"publish_drafts": [{"body": "by name"}]}


def test_an_argument_that_is_null_is_passed_as_null(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation ($n: String) { publish_drafts(args: {most: null, note: $n}) { body } }", n=None)

    assert data(answer) == {"publish_drafts": [{"body": None}, {"body": None}]}


def test_a_query_function_is_filtered_counted_and_needs_no_permission_of_its_own(ask: Ask) -> None:
    answer = ask(
        ANN,
        """{ search_articles(args: {term: "draft"}) { title }
             search_articles_aggregate(args: {term: "ann"}, where: {is_public: {_eq: true}}) {
               aggregate { count } nodes { id } } }""",
    )

    assert data(answer) == {
        "search_articles": [{"title": "Ann draft"}],
        "search_articles_aggregate": {"aggregate": {"count": 1}, "nodes": [{"id": 1}]},
    }


def test_a_mutation_function_exists_only_for_roles_with_its_permission(ask: Ask) -> None:
    answer = ask(role("columnist"), "mutation { publish_drafts(args: {}) { id } }")

    assert refusal(answer)[2] == "field 'publish_drafts' not found in type: 'mutation_root'"


def test_a_session_argument_is_filled_in_and_cannot_be_given(ask: Ask) -> None:
    own = ask(BOB, "{ newest { title } }")
    none = ask(role("writer", "7"), "{ newest { title } }")
    forged = ask(BOB, '{ newest(args: {hasura_session: "{}"}) { title } }')

    assert data(own) == {"newest": {"title": "Bob draft"}}
    assert data(none) == {"newest": None}
    assert refusal(forged)[2] == "'newest' has no argument named 'args'"


def test_nameless_arguments_are_numbered(ask: Ask) -> None:
    answer = ask(ADMIN, '{ nameless(args: {arg_1: "Ann open"}) { id } }')
    gap = ask(ADMIN, "{ nameless(args: {arg_2: 1}) { id } }")

    assert data(answer) == {"nameless": [{"id": 1}]}
    assert refusal(gap)[2] == "Non default arguments cannot be omitted"
