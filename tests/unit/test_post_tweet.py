"""postTweet through its entry point: who may ring, what a ring may look like, and what each outcome answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
import requests
import responses
from calling import SETTINGS, call, json_of
from problems import assert_problem

from postTweet import main

GRAPHQL = "http://hasura.test/v1/graphql"
METADATA = "http://hasura.test/v1/metadata"
TWEETS = "http://x.test/2/tweets"
SECRET = {"x-webhook-secret": "the-webhook-secret"}
AT = datetime.now(UTC).replace(microsecond=0)
EVENT = {
    "id": "b918cd10-8853-4e66-91b8-81b5cd16e44b",
    "scheduled_time": AT.isoformat(),
    "created_at": AT.isoformat(),
    "payload": {"id": 7, "text": "what the alarm was set for"},
}
POST = {
    "id": 7,
    "user_id": 1,
    "account_id": 3,
    "text": "what the row says now",
    "schedule_for": AT.isoformat(),
    "not_before": None,
    "state": "sending",
    "tries": 1,
    "attempt": 1,
    "looks": 0,
    "lease_until": AT.isoformat(),
    "tweet_id": None,
    "reason": None,
    "account": {
        "id": 3,
        "account_name": "alice",
        "access_token": "the-access-token",
        "access_token_secret": "the-token-secret",
        "account_users": [{"user_id": 1}],
    },
    "refused": [],
    "questions": [],
}


class HasuraSays:
    """Answers each GraphQL operation by its name, and keeps what it was asked."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.claimed: list[dict[str, Any]] = [POST]
        self.found: dict[str, Any] | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.alarms: list[dict[str, Any]] = []
        mock.add_callback(responses.POST, GRAPHQL, self._graphql)
        mock.add_callback(responses.POST, METADATA, self._metadata)

    def operations(self) -> list[str]:
        return [name for name, _ in self.asked]

    def _graphql(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert request.headers["x-hasura-admin-secret"] == "the-admin-secret"
        body = json.loads(request.body or b"")
        name = body["query"].split("(")[0].split()[1]
        self.asked.append((name, body["variables"]))
        claimed, self.claimed = (self.claimed, []) if name == "claimDuePosts" else ([], self.claimed)
        data = {
            "claimDuePosts": {"claim_due_posts": claimed},
            "findPost": {"scheduled_post_by_pk": self.found, "app": [{"held_until": None}]},
            "record": {"update_scheduled_post": {"affected_rows": 1}, "update_post_attempt": {"affected_rows": 1}},
            "holdAccount": {"update_account": {"affected_rows": 1}},
            "holdApp": {"update_app": {"affected_rows": 1}},
            "statusesOfOthers": {"post_attempt": []},
        }[name]
        return 200, {}, json.dumps({"data": data})

    def _metadata(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.alarms.append(json.loads(request.body or b"")["args"])
        return 200, {}, json.dumps({"message": "success"})


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def outside() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def hasura(outside: responses.RequestsMock) -> HasuraSays:
    return HasuraSays(outside)


def ring(body: Any = None, headers: dict[str, str] | None = None) -> func.HttpResponse:
    return call(main, EVENT if body is None else body, SECRET if headers is None else headers)


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-webhook-secret": ""}, {"x-webhook-secret": "wrong"}, {"x-webhook-secret": "schlüssel"}],
    ids=["missing", "empty", "wrong", "not-ascii"],
)
def test_a_ring_without_the_secret_is_refused_and_claims_nothing(hasura: HasuraSays, headers: dict[str, str]) -> None:
    response = ring(headers=headers)

    assert_problem(response, 401)
    assert hasura.asked == []


@pytest.mark.parametrize(
    "body",
    [b"", b"ding", b"[]", b"{}", {"payload": {"id": 7}}, {**EVENT, "payload": {"id": "seven"}}],
    ids=["empty", "no-json", "list", "no-envelope", "half-an-envelope", "no-row-id"],
)
def test_a_ring_that_is_no_event_is_refused_and_claims_nothing(hasura: HasuraSays, body: Any) -> None:
    assert_problem(ring(body), 400)
    assert hasura.asked == []


@pytest.mark.parametrize(
    ("body", "ringing"),
    [
        pytest.param(EVENT, 7, id="scheduled-event"),
        pytest.param(EVENT["payload"] | {"schedule_for": AT.isoformat()}, 7, id="bare-post"),  # type: ignore[operator]
        pytest.param({**EVENT, "name": "publish_due_posts", "payload": {}}, None, id="sweep"),
        pytest.param({**EVENT, "payload": None}, None, id="sweep-without-payload"),
        pytest.param(
            {
                "id": "e",
                "trigger": {"name": "post_moved"},
                "table": {"schema": "public", "name": "scheduled_post"},
                "event": {"op": "UPDATE", "data": {"old": {"id": 7}, "new": {"id": 7}}},
                "delivery_info": {"current_retry": 0, "max_retries": 5},
            },
            7,
            id="table-event",
        ),
    ],
)
def test_each_bell_of_hasura_is_understood(
    hasura: HasuraSays, outside: responses.RequestsMock, body: Any, ringing: int | None
) -> None:
    outside.post(TWEETS, status=201, json={"data": {"id": "99", "text": "t"}})

    response = ring(body)

    assert response.status_code == 200
    name, variables = hasura.asked[0]
    assert (name, variables["args"]["ringing_post_id"]) == ("claimDuePosts", ringing)


def test_what_is_published_is_the_row_and_not_the_payload(hasura: HasuraSays, outside: responses.RequestsMock) -> None:
    tweet = outside.post(TWEETS, status=201, json={"data": {"id": "99", "text": "t"}})

    response = ring()

    assert json_of(response) == {
        "post_id": 7,
        "state": "tweeted",
        "reason": None,
        "tweet_id": "99",
        "claimed": {"tweeted": 1},
    }
    assert json.loads(tweet.calls[0].request.body) == {"text": "what the row says now"}


def test_the_outcome_and_its_attempt_are_written_in_one_request(
    hasura: HasuraSays, outside: responses.RequestsMock
) -> None:
    outside.post(TWEETS, status=201, json={"data": {"id": "99", "text": "t"}})

    ring()

    assert hasura.operations() == ["claimDuePosts", "record"]
    variables = hasura.asked[1][1]
    assert variables["becomes"]["state"] == "tweeted"
    assert variables["becomes"]["tweet_id"] == "99"
    assert variables["attempt"] == {"post_id": {"_eq": 7}, "number": {"_in": [1]}}
    assert variables["ended"]["outcome"] == "tweeted"


@pytest.mark.parametrize(
    ("x_says", "status", "state"),
    [
        pytest.param({"status": 201, "json": {"data": {"id": "99", "text": "t"}}}, 200, "tweeted", id="accepted"),
        pytest.param({"status": 429, "json": {"title": "Too Many Requests"}}, 503, "scheduled", id="limited"),
        pytest.param({"status": 402, "json": {"title": "CreditsDepleted"}}, 503, "scheduled", id="no-credits"),
        pytest.param({"status": 401, "json": {"title": "Unauthorized"}}, 503, "scheduled", id="first-401"),
        pytest.param({"status": 403, "json": {"detail": "duplicate content"}}, 200, "failed", id="duplicate"),
        pytest.param({"status": 403, "json": {"detail": "not permitted"}}, 200, "failed", id="policy"),
        pytest.param({"status": 500, "json": {}}, 503, "unknown", id="server-error"),
        pytest.param({"status": 520, "body": "<html>"}, 503, "unknown", id="html"),
        pytest.param({"body": requests.ReadTimeout()}, 503, "unknown", id="timeout"),
        pytest.param({"body": requests.ConnectTimeout()}, 503, "scheduled", id="connect-timeout"),
    ],
)
def test_each_answer_of_x_decides_the_row_and_what_hasura_is_told(
    hasura: HasuraSays, outside: responses.RequestsMock, x_says: dict[str, Any], status: int, state: str
) -> None:
    outside.post(TWEETS, **x_says)

    response = ring()

    assert (response.status_code, json_of(response)["state"]) == (status, state)
    assert ("Retry-After" in response.headers) == (status == 503)
    recorded = dict(hasura.asked)["record"]["becomes"]
    assert recorded["state"] == state
    assert (recorded["reason"] is None) == (state == "tweeted")


@pytest.mark.parametrize(
    ("found", "words"),
    [(None, "no such post"), (POST | {"state": "tweeted", "account": None}, "published already")],
    ids=["deleted", "published"],
)
def test_a_ring_for_nothing_is_answered_with_the_reason(
    hasura: HasuraSays, found: dict[str, Any] | None, words: str
) -> None:
    hasura.claimed, hasura.found = [], found

    response = ring()

    assert response.status_code == 200
    assert words in json_of(response)["reason"]


def test_a_ring_too_early_sets_the_alarm_again(hasura: HasuraSays) -> None:
    later = (AT + timedelta(hours=1)).isoformat()
    hasura.claimed, hasura.found = [], POST | {"state": "scheduled", "schedule_for": later, "account": None}

    response = ring()

    assert response.status_code == 200
    assert [(alarm["schedule_at"], alarm["payload"]["id"]) for alarm in hasura.alarms] == [(later, 7)]


def test_a_ring_while_hasura_is_away_is_a_503(outside: responses.RequestsMock) -> None:
    outside.post(GRAPHQL, body=requests.ConnectionError("refused"))

    response = ring()

    assert_problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0


def test_no_secret_token_or_text_reaches_the_log_or_the_answer(
    hasura: HasuraSays, outside: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    outside.post(TWEETS, status=500, json={"detail": "Something is broken."})
    caplog.set_level("DEBUG")

    response = ring()

    for private in ("the-access-token", "the-token-secret", "the-consumer-secret", "the-webhook-secret", "row says"):
        assert private not in caplog.text
        assert private not in response.get_body().decode()
