"""docs/from-the-tutorial.md tells the truth: what code that was written for the tutorial meets here."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import requests

from local.running_stack import GraphQLFailed, RunningStack

INSERT = """mutation ($input: scheduled_post_insert_input!) {
  insert_scheduled_post_one(object: $input) { id text schedule_for is_pending user_id }
}"""


def in_an_hour() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


@pytest.fixture
def token(stack: RunningStack) -> str:
    return stack.token(f"t{uuid.uuid4().hex[:12]}")


@pytest.mark.parametrize("function", ["createPost", "postTweet"])
def test_a_function_is_nobody_s_to_call_without_proof(stack: RunningStack, function: str) -> None:
    body = {"text": "Hello", "schedule_for": in_an_hour().isoformat()}

    assert requests.post(f"{stack.urls['functions']}/api/{function}", json=body).status_code == 401


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"schedule_for": "2030-05-04T09:30"}, "schedule_for"), ({"is_pending": True}, "is_pending")],
)
def test_a_time_without_an_offset_and_is_pending_are_refused_by_name(
    stack: RunningStack, token: str, fields: dict[str, object], field: str
) -> None:
    draft = {"text": "Hello", "schedule_for": in_an_hour().isoformat(), **fields}

    refused = stack.create_post(token, draft)

    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["errors"]] == [field]


def test_user_id_is_the_author_s_own_number_or_left_out(stack: RunningStack, token: str) -> None:
    draft = {"text": "Hello", "schedule_for": in_an_hour().isoformat()}

    left_out = stack.create_post(token, draft)
    own = left_out.json()["insert_scheduled_post_one"]["user_id"]
    sent = stack.create_post(token, {**draft, "text": "Hello again", "user_id": own})
    foreign = stack.create_post(token, {**draft, "text": "Hello once more", "user_id": own + 1000})

    assert isinstance(own, int)
    assert (left_out.status_code, sent.status_code, foreign.status_code) == (201, 201, 403)


def test_the_mutation_of_the_tutorial_works_without_is_pending_and_user_id(stack: RunningStack, token: str) -> None:
    post = {"text": "Hello", "schedule_for": in_an_hour().isoformat()}

    stored = stack.graphql(INSERT, {"input": post}, token)["insert_scheduled_post_one"]
    with pytest.raises(GraphQLFailed) as refused:
        stack.graphql(INSERT, {"input": {**post, "is_pending": True}}, token)

    assert (stored["text"], stored["is_pending"]) == ("Hello", True)
    assert str(refused.value) == "field 'is_pending' not found in type: 'scheduled_post_insert_input'"
