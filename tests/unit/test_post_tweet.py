"""postTweet through its entry point: which deliveries it takes, and what it answers. Hasura and X are played."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
import requests
import responses
from answering_hasura import GRAPHQL, AnsweringHasura
from calling import INVOCATION_ID, SETTINGS, call, call_as_stranger, json_of, settings
from problems import assert_problem

from postTweet import main
from shared.x.sealed_tokens import AccessTokens

TWEETS = "http://x.test/2/tweets"
ACCEPTED = {"status": 201, "json": {"data": {"id": "99", "text": "t"}}}
SECRET = {"x-webhook-secret": "the-webhook-secret"}
AT = datetime.now(UTC).replace(microsecond=0)
A_DAY_LATER = AT + timedelta(days=1)
EARLY = timedelta(seconds=15)
EVENT = {
    "id": "5f0c7c2e-8853-4e66-91b8-81b5cd16e44b",
    "scheduled_time": AT.isoformat(),
    "created_at": AT.isoformat(),
    "payload": {"id": 7, "text": "what the event was created with"},
}
TABLE_EVENT = {
    "id": "e",
    "trigger": {"name": "post_moved"},
    "table": {"schema": "public", "name": "scheduled_post"},
    "event": {"op": "UPDATE", "data": {"old": {"id": 7}, "new": {"id": 7}}},
    "delivery_info": {"current_retry": 0, "max_retries": 5},
}
FOLLOW_UP = TABLE_EVENT | {
    "trigger": {"name": "delivery_requested"},
    "table": {"schema": "public", "name": "delivery_request"},
    "event": {"op": "INSERT", "data": {"old": None, "new": {"is_follow_up": True}}},
}
CLAIMED = {
    "post_id": 7,
    "state": "sending",
    "user_id": 1,
    "text": "what the row says now",
    "schedule_for": AT.isoformat(),
    "reason": None,
    "lease_until": (AT + timedelta(minutes=3)).isoformat(),
    "attempt_number": 1,
    "account": {
        "id": 3,
        "name": "alice",
        "x_user_id": "42",
        "sealed_tokens": settings().x_token_keys.seal("42", AccessTokens("the-access-token", "the-token-secret")),
    },
    "may_post": True,
    "unanswered_attempts": 0,
    "unsent_attempts": 0,
    "account_rejections": 0,
    "failed_reconciliations": 0,
    "sign_in_rejected_at": None,
    "others_accepted_since": False,
    "others_rejected_since": False,
    "unresolved_attempts": [],
    "event_id": None,
    "event_at": None,
}
FOUND = {
    "id": 7,
    "state": "scheduled",
    "schedule_for": AT.isoformat(),
    "next_attempt_at": None,
    "reason": None,
    "tweet_id": None,
    "event_id": None,
    "event_at": None,
    "account": {"paused_until": None},
    "open_attempts": [],
}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def hasura(network: responses.RequestsMock) -> AnsweringHasura:
    """Hasura, where one post is due."""
    hasura = AnsweringHasura(network)
    hasura.answers["claimDuePosts"] = {"claim_due_posts": [CLAIMED]}
    return hasura


def nothing_is_due(hasura: AnsweringHasura, found: dict[str, Any] | None) -> None:
    hasura.answers["claimDuePosts"] = {"claim_due_posts": []}
    hasura.answers["findPost"]["scheduled_post_by_pk"] = found


def deliver(body: Any = EVENT, headers: dict[str, str] = SECRET) -> func.HttpResponse:
    return call(main, body, headers)


class TestADelivery:
    @pytest.mark.parametrize(
        "headers",
        [{}, {"x-webhook-secret": ""}, {"x-webhook-secret": "wrong"}, {"x-webhook-secret": "schlüssel"}],
        ids=["missing", "empty", "wrong", "not ASCII"],
    )
    def test_without_the_secret_is_refused_and_claims_nothing(
        self, hasura: AnsweringHasura, headers: dict[str, str]
    ) -> None:
        assert_problem(deliver(headers=headers), 401)
        assert hasura.asked == []

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            pytest.param(b"", 400, id="empty"),
            pytest.param(b"hello", 400, id="no JSON"),
            pytest.param(b"[]", 400, id="a list"),
            pytest.param(b"{}", 400, id="no event"),
            pytest.param({"payload": {"id": 7}}, 400, id="half an envelope"),
            pytest.param({**EVENT, "payload": {"id": "seven"}}, 400, id="no row id"),
            pytest.param(b'{"id": "' + b"a" * 1024 * 1024 + b'"}', 413, id="over 1 MiB"),
        ],
    )
    def test_that_is_no_event_is_refused_and_claims_nothing(
        self, hasura: AnsweringHasura, body: Any, status: int
    ) -> None:
        assert_problem(deliver(body), status)
        assert hasura.asked == []

    @pytest.mark.parametrize(
        ("body", "post_id"),
        [
            pytest.param(EVENT, 7, id="scheduled event"),
            pytest.param({"id": 7, "schedule_for": AT.isoformat()}, 7, id="bare post"),
            pytest.param(TABLE_EVENT, 7, id="table event"),
            pytest.param({**EVENT, "name": "publish_due_posts", "payload": {}}, None, id="sweep"),
        ],
    )
    def test_claims_its_post_first(
        self, network: responses.RequestsMock, hasura: AnsweringHasura, body: Any, post_id: int | None
    ) -> None:
        network.post(TWEETS, **ACCEPTED)

        response = deliver(body)

        assert response.status_code == 200
        assert hasura.arguments("claimDuePosts")["args"]["delivered_post_id"] == post_id
        assert json_of(response)["post_id"] == post_id
        assert json_of(response)["claimed"] == {"tweeted": 1}

    def test_publishes_the_row_and_not_the_payload_of_the_event(
        self, network: responses.RequestsMock, hasura: AnsweringHasura
    ) -> None:
        tweet = network.post(TWEETS, **ACCEPTED)

        response = deliver()

        assert json.loads(tweet.calls[0].request.body or "") == {"text": "what the row says now"}
        assert hasura.operations() == ["claimDuePosts", "recordOutcome", "waitForDuePosts"]
        assert json_of(response) == {
            "post_id": 7,
            "state": "tweeted",
            "reason": None,
            "tweet_id": "99",
            "claimed": {"tweeted": 1},
        }

    def test_that_follows_another_one_lets_the_next_one_be_reserved(self, hasura: AnsweringHasura) -> None:
        nothing_is_due(hasura, None)

        response = deliver(FOLLOW_UP)

        assert response.status_code == 200
        assert hasura.operations() == ["releaseFollowUp", "claimDuePosts", "waitForDuePosts"]

    @pytest.mark.parametrize(
        ("found", "state", "words"),
        [
            pytest.param(None, None, "no such post", id="the post was deleted"),
            pytest.param(
                FOUND | {"state": "tweeted", "tweet_id": "99"}, "tweeted", "published already", id="published"
            ),
            pytest.param(
                FOUND | {"state": "failed", "reason": "X rejects it."}, "failed", "X rejects it.", id="failed"
            ),
        ],
    )
    def test_with_nothing_to_do_is_answered_with_the_reason(
        self, hasura: AnsweringHasura, found: dict[str, Any] | None, state: str | None, words: str
    ) -> None:
        nothing_is_due(hasura, found)

        response = deliver()

        assert response.status_code == 200
        assert json_of(response)["state"] == state
        assert words in json_of(response)["reason"]

    def test_for_a_post_that_is_due_later_sets_an_event_a_little_before_and_keeps_it(
        self, hasura: AnsweringHasura
    ) -> None:
        nothing_is_due(hasura, FOUND | {"schedule_for": A_DAY_LATER.isoformat()})

        response = deliver()

        assert response.status_code == 200
        created = hasura.arguments("create_scheduled_event")
        assert (created["schedule_at"], created["payload"]["id"]) == ((A_DAY_LATER - EARLY).isoformat(), 7)
        assert hasura.operations() == [
            "claimDuePosts",
            "findPost",
            "create_scheduled_event",
            "recordEvent",
            "waitForDuePosts",
        ]

    def test_while_hasura_is_away_is_to_be_repeated(self, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, body=requests.ConnectionError("refused"))

        response = deliver()

        assert_problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("x_says", "status", "state"),
    [
        # One of each result; what an answer means is in test_rejections.py, what becomes of a post is the core's.
        pytest.param(ACCEPTED, 200, "tweeted", id="accepted"),
        pytest.param({"status": 403, "json": {"detail": "not permitted"}}, 200, "failed", id="the post is rejected"),
        pytest.param({"status": 429, "json": {}}, 503, "scheduled", id="the account is rejected"),
        pytest.param({"status": 402, "json": {}}, 503, "scheduled", id="the app is rejected"),
        pytest.param({"status": 401, "json": {}}, 503, "scheduled", id="the sign-in is rejected"),
        pytest.param({"status": 500, "json": {}}, 503, "unknown", id="no answer"),
        pytest.param({"body": requests.ReadTimeout()}, 503, "unknown", id="a lost answer"),
        pytest.param({"body": requests.ConnectTimeout()}, 503, "scheduled", id="not sent"),
    ],
)
def test_hasura_is_told_to_come_back_while_the_post_is_open(
    network: responses.RequestsMock, hasura: AnsweringHasura, x_says: dict[str, Any], status: int, state: str
) -> None:
    network.post(TWEETS, **x_says)

    response = deliver()

    assert (response.status_code, json_of(response)["state"]) == (status, state)
    assert ("Retry-After" in response.headers) == (status == 503)
    assert hasura.arguments("recordOutcome")["args"]["state"] == state


def test_the_log_says_of_a_published_post_which_one_it_is_its_tweet_its_lateness_and_its_event(
    network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    network.post(TWEETS, **ACCEPTED)

    deliver()

    [line] = [json.loads(record.message) for record in caplog.records if record.name == "scheduled_posts"]
    assert line.pop("message").startswith("post 7 is tweeted as 99, ")
    assert line.pop("lateness_seconds") >= 0
    assert line == {
        "event": "post_state_changed",
        "invocation_id": INVOCATION_ID,
        "event_id": EVENT["id"],
        "post_id": 7,
        "state": "tweeted",
        "tweet_id": "99",
    }


@pytest.mark.parametrize("headers", [{}, {"x-webhook-secret": "a-guess"}], ids=["no secret", "a wrong one"])
def test_a_caller_without_the_secret_is_told_so_before_the_body_is_read(headers: dict[str, str]) -> None:
    assert_problem(call_as_stranger(main, headers), 401)


def test_hasura_may_still_send_the_previous_secret_while_it_is_rotated(
    network: responses.RequestsMock, hasura: AnsweringHasura, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.post(TWEETS, **ACCEPTED)
    monkeypatch.setenv("WEBHOOK_SECRET", "the-new-webhook-secret")
    monkeypatch.setenv("WEBHOOK_SECRET_PREVIOUS", "the-webhook-secret")

    assert deliver().status_code == 200
    assert deliver(headers={"x-webhook-secret": "the-new-webhook-secret"}).status_code == 200
    assert_problem(deliver(headers={"x-webhook-secret": "the-oldest-webhook-secret"}), 401)


@pytest.mark.parametrize("x_says", [ACCEPTED, {"status": 500, "json": {"detail": "Something is broken."}}])
def test_no_secret_token_or_text_reaches_the_log_or_the_answer(
    network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture, x_says: dict[str, Any]
) -> None:
    caplog.set_level("DEBUG")
    network.post(TWEETS, **x_says)

    response = deliver()

    for private in ("the-access-token", "the-token-secret", "the-consumer-secret", "the-webhook-secret", "row says"):
        assert private not in caplog.text
        assert private not in response.get_body().decode()
