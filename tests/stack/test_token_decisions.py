"""Tokens sent to both doors of the running stack: createPost and Hasura decide about each as the table says."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from token_rows import ROWS, authorization, meets_any_setting

from local.running_stack import RunningStack


@pytest.fixture(scope="module")
def jwt_key(stack: RunningStack) -> str:
    key: str = json.loads(stack.settings["HASURA_GRAPHQL_JWT_SECRET"])["key"]
    return key


@pytest.fixture(scope="module")
def connections(stack: RunningStack) -> Iterator[dict[str, http.client.HTTPConnection]]:
    opened = {name: http.client.HTTPConnection(urlsplit(stack.urls[name]).netloc) for name in ("functions", "hasura")}
    yield opened
    for connection in opened.values():
        connection.close()


def answer(connection: http.client.HTTPConnection, path: str, body: Any, header: str) -> tuple[int, Any]:
    """The status and the JSON that come back; the header goes out as it is."""
    headers = {"Content-Type": "application/json", "Authorization": header.encode()}
    connection.request("POST", path, json.dumps(body), headers)  # type: ignore[arg-type]  # it takes bytes, too
    response = connection.getresponse()
    return response.status, json.loads(response.read())


SENT = [
    row for row in ROWS if meets_any_setting(row) and "repeated" not in row
]  # that one is longer than a header may be


@pytest.mark.parametrize("row", SENT, ids=lambda row: row["name"])
def test_a_token_is_decided_on_over_http_as_the_table_says(
    connections: dict[str, http.client.HTTPConnection], jwt_key: str, row: dict[str, Any]
) -> None:
    header = authorization(row, jwt_key)

    status, _ = answer(connections["functions"], "/api/createPost", {}, header)
    _, graphql = answer(connections["hasura"], "/v1/graphql", {"query": "{ __typename }"}, header)

    assert status == (422 if row.get("create_post", row["accepted"]) else 401)  # 422: the draft is empty
    assert ("errors" not in graphql) == row["accepted"]
