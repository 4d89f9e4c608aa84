"""Each call of our stores to Hasura, and what is answered to it.

Hasura is played by `responses`. That it understands what it is sent is shown by tests/stack/test_contract.py.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import responses
from answering_hasura import EVENT, GRAPHQL, METADATA
from both_stores import BothStores
from calling import SETTINGS

from shared.core.drafts import Draft
from shared.core.model import ClaimedPost, Decision, State

QUERY = "http://hasura.test/v1/query"

TOKEN = "the-token-of-the-author"
ADMIN_SECRET = SETTINGS["HASURA_GRAPHQL_ADMIN_SECRET"]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DRAFT = Draft(text="Hello", schedule_for=NOON)
STORED = {"id": 7, "text": "Hello", "schedule_for": "2026-05-04T12:00:00+00:00", "state": "scheduled"}
POST = ClaimedPost(7, "Hello", NOON, State.SENDING, NOON, 1, None, True)
TWEETED = Decision(State.TWEETED, tweet_id="1445880548472328192")
HTML = "<html><h1>502 Bad Gateway</h1></html>"

AS_AUTHOR: dict[str, tuple[Callable[[BothStores], Any], Any]] = {
    "insert_post": (lambda hasura: hasura.insert_post(DRAFT, TOKEN, None), {"insert_scheduled_post_one": STORED}),
    "insert_post with a key": (
        lambda hasura: hasura.insert_post(DRAFT, TOKEN, "a-key"),
        {"insert_scheduled_post_one": STORED},
    ),
    "post_of_key": (lambda hasura: hasura.post_of_key("a-key", TOKEN), {"scheduled_post": []}),
}
AS_ADMIN: dict[str, tuple[Callable[[BothStores], Any], Any]] = {
    "claim_due_posts": (lambda hasura: hasura.claim_due_posts(7), {"claim_due_posts": []}),
    "find_post": (lambda hasura: hasura.find_post(7), {"scheduled_post_by_pk": None, "app": []}),
    "record": (lambda hasura: hasura.record(POST, TWEETED), {"record_outcome": []}),
    "published_elsewhere": (lambda hasura: hasura.published_elsewhere(["1", "2"]), {"scheduled_post": []}),
    "record_event": (
        lambda hasura: hasura.record_event(7, "new", NOON, instead_of="old"),
        {"update_scheduled_post": {"affected_rows": 1}},
    ),
    "forget_event": (lambda hasura: hasura.forget_event(7, "old"), {"update_scheduled_post": {"affected_rows": 1}}),
    "post_of_author": (lambda hasura: hasura.post_of_author(7), {"scheduled_post_by_pk": None}),
    "wait_for_due_posts": (
        lambda hasura: hasura.wait_for_due_posts("a-delivery", timedelta(), timedelta(seconds=60)),
        {"wait_for_due_posts": [{"is_needed": False, "is_callers": False, "due_in_seconds": None}]},
    ),
    "request_follow_up": (lambda hasura: hasura.request_follow_up(), {"request_follow_up": []}),
    "release_follow_up": (lambda hasura: hasura.release_follow_up(), {"update_app": {"affected_rows": 1}}),
}
GRAPHQL_CALLS = AS_AUTHOR | AS_ADMIN
"""Each call, and the data that Hasura answers to it when there is nothing special."""

METADATA_CALLS: dict[str, Callable[[BothStores], Any]] = {
    "create_event": lambda hasura: hasura.create_event(NOON, {"id": 7}),
    "delete_event": lambda hasura: hasura.delete_event("an-event"),
}
CALLS = {name: call for name, (call, _) in GRAPHQL_CALLS.items()} | METADATA_CALLS


def url_of(name: str) -> str:
    return METADATA if name in METADATA_CALLS else GRAPHQL


def answering(network: responses.RequestsMock, name: str) -> None:
    """Hasura answers this call well."""
    network.post(url_of(name), json=EVENT if name in METADATA_CALLS else {"data": GRAPHQL_CALLS[name][1]})


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


def refusal(code: Any, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]}


def as_answer(body: Any) -> dict[str, Any]:
    """`body` as `responses` wants it: JSON unless it is a string."""
    return {"body": body} if isinstance(body, str) else {"json": body}
