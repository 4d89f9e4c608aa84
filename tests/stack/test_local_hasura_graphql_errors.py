"""The requests that the emulated /v1/graphql refuses, and its messages."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_graphql import ADMIN, ANN, Ask, refusal, role

from local.hasura.session import Session

CATALOGUE = yaml.safe_load(Path(__file__).with_name("hasura_graphql_errors.yaml").read_text())

pytest_plugins = ["local_graphql_fixtures"]


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["query"][:60])
def test_a_request_that_hasura_refuses_is_refused_with_its_message(ask: Ask, entry: dict[str, Any]) -> None:
    session = role(entry["role"]) if "role" in entry else ADMIN

    answer = ask(session, entry["query"], **entry.get("variables", {}))

    assert refusal(answer) == (entry["code"], entry["path"], entry["message"])


def test_a_session_variable_that_a_permission_needs_must_be_there(ask: Ask) -> None:
    answer = ask(Session("writer", {"x-hasura-role": "writer"}), "{ article { id } }")

    assert refusal(answer) == ("not-found", "$", 'missing session variable: "x-hasura-user-id"')


@pytest.mark.parametrize(
    ("body", "code", "end"),
    [
        ({}, "parse-failed", 'failed, key "query" not found'),
        ({"extensions": 1}, "parse-failed", 'failed, key "query" not found'),
        ({"extensions": {"persistedQuery": {"version": 1}}}, "not-supported", "PersistedQueryNotSupported"),
        ("query", "parse-failed", "failed, expected Object, but encountered String"),
        ({"query": 1}, "parse-failed", "expected String"),
        ({"query": "{ author { id } }", "variables": []}, "parse-failed", "expected Object"),
    ],
)
def test_a_body_that_is_not_a_request_is_refused(send_graphql: Ask, body: object, code: str, end: str) -> None:
    answer = send_graphql(ADMIN, body)

    assert refusal(answer)[0] == code
    assert refusal(answer)[2].endswith(end)


def test_only_the_admin_is_shown_the_message_of_the_database(ask: Ask) -> None:
    query = 'mutation { fail(args: {state: "P0001"}) { id } }'

    to_admin, to_writer = ask(ADMIN, query), ask(ANN, query)

    internal = to_admin["errors"][0]["extensions"]["internal"]
    assert internal["error"]["message"] == "the message of the function"
    assert internal["error"]["status_code"] == "P0001"
    assert "the message" not in json.dumps(to_writer)
    assert "internal" not in to_writer["errors"][0]["extensions"]


def test_internal_details_never_contain_the_values_of_the_request(ask: Ask) -> None:
    answer = ask(ADMIN, 'mutation { insert_sample_one(object: {id: 1, day: "s3cret"}) { id } }')

    internal = answer["errors"][0]["extensions"]["internal"]
    assert "s3cret" not in internal["statement"]
    assert internal["statement"].startswith("insert into")


@pytest.mark.parametrize("text", ["nul \x00 byte", "half \ud800 of a pair"])
def test_a_text_that_postgresql_cannot_hold_is_a_data_exception(ask: Ask, text: str) -> None:
    answer = ask(ADMIN, "query ($t: String!) { author(where: {name: {_eq: $t}}) { id } }", t=text)

    assert refusal(answer)[0] == "data-exception"


def test_a_request_that_is_nested_too_deeply_is_refused(ask: Ask) -> None:
    where: dict[str, Any] = {}
    for _ in range(3000):
        where = {"_not": where}

    by_variable = ask(ADMIN, "query ($w: author_bool_exp) { author(where: $w) { id } }", w=where)
    by_text = ask(ADMIN, "{ author " * 3000)

    assert refusal(by_variable)[0] == "validation-failed"
    assert refusal(by_text) == ("validation-failed", "$.query", "not a valid graphql query")
