"""Notifications, through postTweet: of which posts the operator's gateway is told, what it gets, what Hasura hears."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
import requests
import responses
from answering_hasura import AnsweringHasura
from calling import SETTINGS, call, json_of
from problems import assert_problem
from standardwebhooks import Webhook

from postTweet import main
from shared.limits import DELIVERY_TIMEOUT, NOTIFY_ANSWER_BYTES, NOTIFY_WAITS

URL = "https://mail.example.com/hooks"
NOTIFY_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TRIGGER = json.loads((Path(__file__).parents[2] / "hasura/optional/post_ended.json").read_text())
EVENT_ID = "8e2f6c1a-0c55-4a3e-9f0b-6f5f3d1c7a10"
ROW = {
    "id": 7,
    "user_id": 1,
    "state": "failed",
    "reason": "X forbids this post.",
    "schedule_for": "2026-05-04T09:30:00+00:00",
    "reconcile_at": None,
    "updated_at": "2026-05-04T09:30:02.5+00:00",
    "user": {"username": "auth0|alice"},
    "account": {"account_name": "alice"},
}
WAITS = "2026-05-04T09:31:00+00:00"


def event(state: Any = "failed", reconcile_at: str | None = None, retry: int = 0) -> dict[str, Any]:
    """A change of state of post 7, as Hasura delivers it."""
    return {
        "id": EVENT_ID,
        "created_at": "2026-05-04T09:30:02.5",
        "trigger": {"name": "post_ended"},
        "table": {"schema": "public", "name": "scheduled_post"},
        "event": {
            "op": "UPDATE",
            "data": {
                "old": {"id": 7, "state": "sending", "reconcile_at": None},
                "new": {"id": 7, "state": state, "reconcile_at": reconcile_at},
            },
        },
        "delivery_info": {"current_retry": retry, "max_retries": TRIGGER["args"]["retry_conf"]["num_retries"]},
    }


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SETTINGS, "NOTIFY_URL": URL, "NOTIFY_SECRET": NOTIFY_SECRET}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def hasura(network: responses.RequestsMock) -> AnsweringHasura:
    """Hasura, where post 7 has failed."""
    hasura = AnsweringHasura(network)
    hasura.answers["postOfAuthor"] = {"scheduled_post_by_pk": ROW}
    return hasura


@pytest.fixture
def receiver(network: responses.RequestsMock) -> responses.BaseResponse:
    """Takes every message."""
    return network.post(URL, status=204)


def deliver(body: Any) -> func.HttpResponse:
    return call(main, body, {"x-webhook-secret": SETTINGS["WEBHOOK_SECRET"]})


def sent(receiver: responses.BaseResponse) -> list[requests.PreparedRequest]:
    return [one.request for one in receiver.calls]


def found(hasura: AnsweringHasura, **changed: Any) -> None:
    hasura.answers["postOfAuthor"] = {"scheduled_post_by_pk": {**ROW, **changed}}


class TestAMessage:
    def test_it_says_whose_post_ended_how_and_why(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse
    ) -> None:
        response = deliver(event())

        assert (response.status_code, json_of(response)["notification"]) == (200, "post.failed")
        [request] = sent(receiver)
        assert request.headers["content-type"] == "application/json"
        assert json.loads(request.body or b"") == {
            "type": "post.failed",
            "timestamp": "2026-05-04T09:30:02.500000+00:00",
            "data": {
                "post_id": 7,
                "user_id": 1,
                "username": "auth0|alice",
                "account_name": "alice",
                "state": "failed",
                "reason": "X forbids this post.",
                "schedule_for": "2026-05-04T09:30:00+00:00",
            },
        }

    def test_its_signature_is_what_standard_webhooks_expects(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse
    ) -> None:
        found(hasura, reason="Grüße 🎉")

        deliver(event())

        [request] = sent(receiver)
        Webhook(NOTIFY_SECRET).verify(request.body or b"", dict(request.headers))  # raises unless it is right

    def test_it_has_the_same_id_however_often_it_is_delivered(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse
    ) -> None:
        deliver(event())
        deliver(event(retry=1))

        assert [request.headers["webhook-id"] for request in sent(receiver)] == [EVENT_ID, EVENT_ID]

    def test_it_names_no_account_that_was_removed(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse
    ) -> None:
        found(hasura, account=None)

        deliver(event())

        assert json.loads(sent(receiver)[0].body or b"")["data"]["account_name"] is None

    @pytest.mark.parametrize("state", ["failed", "missed", "unknown"])
    def test_it_is_sent_when_an_author_must_learn_of_an_end(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse, state: str
    ) -> None:
        found(hasura, state=state)

        assert json_of(deliver(event(state)))["notification"] == f"post.{state}"
        assert len(sent(receiver)) == 1

    @pytest.mark.parametrize(
        "change",
        [
            event("draft"),
            event("scheduled"),
            event("sending"),
            event("tweeted"),
            event("unknown", reconcile_at=WAITS),
        ],
        ids=["draft", "scheduled", "sending", "tweeted", "to-be-reconciled"],
    )
    def test_it_is_not_sent_while_a_post_is_a_draft_or_open_or_when_it_is_published(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse, change: dict[str, Any]
    ) -> None:
        assert json_of(deliver(change))["notification"] is None
        assert (sent(receiver), hasura.operations()) == ([], [])

    @pytest.mark.parametrize(
        "now",
        [{"state": "scheduled"}, {"state": "tweeted"}, {"state": "missed"}],
        ids=["moved-by-its-author", "published-meanwhile", "ended-again-otherwise"],
    )
    def test_it_is_not_sent_when_the_row_says_otherwise_by_now(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse, now: dict[str, Any]
    ) -> None:
        found(hasura, **now)

        response = deliver(event())

        assert (response.status_code, json_of(response)["notification"]) == (200, None)
        assert sent(receiver) == []

    def test_it_is_not_sent_for_an_unknown_outcome_that_is_to_be_reconciled_again(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse
    ) -> None:
        found(hasura, state="unknown", reconcile_at=WAITS)

        deliver(event("unknown"))

        assert sent(receiver) == []

    def test_it_is_not_sent_for_a_post_that_was_deleted(
        self, hasura: AnsweringHasura, receiver: responses.BaseResponse
    ) -> None:
        hasura.answers["postOfAuthor"] = {"scheduled_post_by_pk": None}

        assert deliver(event()).status_code == 200
        assert sent(receiver) == []

    def test_it_asks_for_no_compressed_answer(self, hasura: AnsweringHasura, receiver: responses.BaseResponse) -> None:
        deliver(event())

        assert sent(receiver)[0].headers["accept-encoding"] == "identity"

    def test_no_post_is_claimed_for_it(self, hasura: AnsweringHasura, receiver: responses.BaseResponse) -> None:
        deliver(event())

        assert hasura.operations() == ["postOfAuthor"]


class TestTheReceiver:
    @pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
    def test_hasura_delivers_again_what_the_receiver_does_not_take(
        self, network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture, status: int
    ) -> None:
        network.post(URL, status=status, headers={"Location": "https://elsewhere.example.com/"})

        response = deliver(event())

        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert f"the receiver answers {status}" in caplog.text

    def test_hasura_delivers_again_what_the_receiver_does_not_answer(
        self, network: responses.RequestsMock, hasura: AnsweringHasura
    ) -> None:
        network.post(URL, body=requests.ReadTimeout())

        response = deliver(event())

        assert (response.status_code, json_of(response)["notification"]) == (503, "post.failed")

    def test_hasura_delivers_again_what_the_receiver_answers_without_end(
        self, network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture
    ) -> None:
        network.post(URL, body=b" " * (NOTIFY_ANSWER_BYTES + 1))

        assert deliver(event()).status_code == 503
        assert "the answer is too large" in caplog.text

    def test_the_waits_grow_and_end_so_that_hasura_gives_up(
        self, network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture
    ) -> None:
        network.post(URL, status=500)
        most = TRIGGER["args"]["retry_conf"]["num_retries"]

        answers = [deliver(event(retry=retry)) for retry in range(most + 1)]

        assert [answer.status_code for answer in answers] == [503] * (most + 1)
        waits = [answer.headers.get("Retry-After") for answer in answers]
        assert waits == [*(str(int(wait.total_seconds())) for wait in NOTIFY_WAITS), None]
        assert [record.levelno for record in caplog.records] == [logging.WARNING] * most + [logging.ERROR]
        assert f"post 7: post.failed is given up after {most + 1} deliveries: the receiver answers 500" in caplog.text

    def test_a_receiver_that_is_gone_is_not_asked_again(
        self, network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture
    ) -> None:
        network.post(URL, status=410)

        assert deliver(event()).status_code == 200
        assert "the receiver of notifications answers 410" in caplog.text

    def test_neither_its_address_nor_its_secret_reaches_the_log_or_the_answer(
        self, network: responses.RequestsMock, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        network.post(URL, body=requests.ConnectionError(f"{URL} does not answer"))

        told = deliver(event()).get_body().decode() + caplog.text

        assert URL not in told
        assert NOTIFY_SECRET.removeprefix("whsec_") not in told

    def test_hasura_waits_for_its_answer_as_long_as_for_that_of_a_delivery(self) -> None:
        assert TRIGGER["args"]["retry_conf"]["timeout_sec"] == DELIVERY_TIMEOUT.total_seconds()


def test_without_an_address_the_operator_is_told_to_set_one(
    hasura: AnsweringHasura, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_URL")
    monkeypatch.delenv("NOTIFY_SECRET")

    assert_problem(deliver(event()), 500)

    assert "Hasura has the event trigger post_ended, but NOTIFY_URL is not set." in caplog.text


@pytest.mark.parametrize(
    "broken",
    [
        {**event(), "id": 7},
        {**event(), "event": {}},
        {**event(), "event": {"data": {"new": None}}},
        {**event(), "delivery_info": {}},
        event(state=7),
        {**event(), "event": {"data": {"new": {"id": "seven", "state": "failed"}}}},
    ],
    ids=["no-id", "no-data", "no-row", "no-retries", "no-state", "no-post-id"],
)
def test_an_event_of_the_trigger_that_cannot_be_read_is_refused(hasura: AnsweringHasura, broken: Any) -> None:
    assert_problem(deliver(broken), 400)
    assert hasura.asked == []
