"""Front ends of others: clients from npm, run by Node.js against the stack, and the example of docs/front-end.md."""

import json
import os
import re
import subprocess
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from graphql import build_client_schema, get_introspection_query, parse, validate
from npm_packages import require_npm_package

from local.running_stack import RunningStack

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "front_end"
SECONDS = 120


def run(script: str, stack: RunningStack, **environ: str) -> Any:
    """The JSON that a script prints. Node.js has a WebSocket of its own, before version 22 only if it is asked to."""
    require_npm_package("graphql-ws")
    command = ["node", "--experimental-websocket", str(SCRIPTS / script)]
    addresses = {"HASURA": stack.urls["hasura"], "FUNCTIONS": stack.urls["functions"]}
    ended = subprocess.run(
        command, env={**os.environ, **addresses, **environ}, capture_output=True, text=True, timeout=SECONDS
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def expiring(token: str, stack: RunningStack, seconds: int) -> str:
    """The same token, but with this life."""
    key = json.loads(stack.settings["HASURA_GRAPHQL_JWT_SECRET"])["key"]
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**claims, "exp": int(time.time()) + seconds}, key, "HS256")


def of_a_new_author(stack: RunningStack) -> str:
    """A token of an author who has no row in `user`."""
    secret = json.loads(stack.settings["HASURA_GRAPHQL_JWT_SECRET"])
    session = {
        "x-hasura-user-id": f"new{uuid.uuid4().hex[:12]}",
        "x-hasura-default-role": "user",
        "x-hasura-allowed-roles": ["user"],
    }
    return jwt.encode({"https://hasura.io/jwt/claims": session}, secret["key"], secret["type"])


def test_the_example_of_the_docs_schedules_lists_and_watches_a_post(stack: RunningStack) -> None:
    shown = run("apollo.js", stack, TOKEN=stack.token("apollo"))

    assert shown["created"]["text"] == "Written by Apollo"
    assert shown["pending"]["count"] == 1
    assert [post["id"] for post in shown["pending"]["posts"]] == [shown["created"]["id"]]
    assert (shown["states"][0], shown["states"][-1]) == ("scheduled", "tweeted")
    assert shown["published"]["tweet_id"] == stack.tweets("apollo")[0]["id"]


def test_the_example_of_the_docs_is_the_file_that_is_run() -> None:
    page = (ROOT / "docs" / "front-end.md").read_text()

    assert f"```js\n{(SCRIPTS / 'posts.js').read_text()}```\n" in page


def test_the_mutation_of_the_docs_makes_the_row_without_which_no_post_is_created(stack: RunningStack) -> None:
    [sign_up] = re.findall(r"`(mutation [^`]+)`", (ROOT / "docs" / "front-end.md").read_text())
    token = of_a_new_author(stack)
    draft = {"text": "Hello", "schedule_for": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}

    without_a_row = stack.create_post(token, draft)
    made = stack.graphql(sign_up, token=token)["insert_user_one"]
    with_a_row = stack.create_post(token, draft)

    assert without_a_row.status_code == 403
    assert stack.graphql("{ user { id } }", token=token) == {"user": [made]}
    assert with_a_row.json()["detail"].startswith("No X account is linked to you yet.")


def test_graphql_ws_comes_again_with_another_token_when_the_first_has_expired(stack: RunningStack) -> None:
    token = stack.token("returner")

    shown = run("graphql_ws.js", stack, TOKENS=f"{expiring(token, stack, 4)},{token}")

    assert shown["answers"] == [{"data": {"user": [{"username": "returner"}]}}] * 2
    assert shown["closings"][0] == 1006


def test_urql_queries_and_subscribes(stack: RunningStack) -> None:
    shown = run("urql.js", stack, TOKEN=stack.token("urql"))

    rows = {"user": [{"username": "urql"}]}
    assert shown == {"queried": rows, "subscribed": rows}


DOCUMENTS = (
    "subscription ($id: bigint!) { scheduled_post_by_pk(id: $id) { id state } }",
    "subscription { scheduled_post_aggregate { aggregate { count } } }",
    "query { account_aggregate { aggregate { count } } user_aggregate { aggregate { count } } }",
)


def test_code_can_be_generated_for_subscriptions_from_the_schema_of_the_admin(stack: RunningStack) -> None:
    schema = build_client_schema(stack.graphql(get_introspection_query()))

    assert [errors for document in DOCUMENTS if (errors := validate(schema, parse(document)))] == []


def test_the_same_documents_fit_the_schema_of_an_author(stack: RunningStack) -> None:
    """Whose `user_insert_input` has no field, which GraphQL forbids; generators check that, and Hasura does not."""
    introspection = stack.graphql(get_introspection_query(), token=stack.token("generator"))
    schema = build_client_schema(introspection, assume_valid=True)

    assert [errors for document in DOCUMENTS if (errors := validate(schema, parse(document)))] == []
