"""Tracked functions in the emulated /v1/graphql."""

import psycopg
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


def test_two_calls_in_a_request_run_in_order(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation { a: publish_drafts(args: {}) { id } b: publish_drafts(args: {}) { id } }")

    assert data(answer) == {"a": [{"id": 2}], "b": [{"id": 4}]}


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
