"""createPost through its entry point: what each input gets, and what Hasura, which is played, is asked."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import jwt
import pytest
import requests
import responses
from answering_hasura import EVENT, GRAPHQL, METADATA, AnsweringHasura
from calling import SETTINGS, call, call_as_stranger, json_of
from problems import assert_problem
from waiting import wait_until

from createPost import main

A_DAY_LATER = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
AT = A_DAY_LATER.isoformat()
FIFTEEN_SECONDS_BEFORE = (A_DAY_LATER - timedelta(seconds=15)).isoformat()
DRAFT = {"text": "Hello", "schedule_for": AT}
ROW = {
    "id": 7,
    "text": "Hello",
    "schedule_for": AT,
    "state": "scheduled",
    "is_pending": True,
    "user_id": 1,
    "account_id": 1,
    "created_at": "2026-05-04T12:00:00+00:00",
}
FIRST_DRAFT = {"text": "Hello", "schedule_for": AT, "when_late": "skip", "account_id": None, "user_id": None}
CREATED = {"insert_scheduled_post_one": ROW, "scheduled_event": EVENT}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def hasura(network: responses.RequestsMock) -> Iterator[AnsweringHasura]:
    """Hasura, which stores what it is given. It goes when all events are recorded, behind the answers."""
    hasura = AnsweringHasura(network)
    hasura.answers["insertPost"] = hasura.answers["insertPostOfKey"] = {"insert_scheduled_post_one": ROW}
    hasura.answers["postOfKey"] = {"scheduled_post": []}
    yield hasura
    wait_until(hasura.events_to_record, lambda number: number == 0)


def give_first_post(hasura: AnsweringHasura, **stored: Any) -> None:
    """An earlier request with the same key has stored this."""
    hasura.answers["insertPostOfKey"] = {"insert_scheduled_post_one": None}
    hasura.answers["postOfKey"] = {"scheduled_post": [{**ROW, "event_id": None, **stored}]}


def token(key: str = "k" * 32, algorithm: str = "HS256", **claims: Any) -> str:
    now = datetime.now(UTC)
    return jwt.encode(
        {"sub": "alice", "aud": "app", "iss": "idp", "exp": now + timedelta(days=1), **claims}, key, algorithm
    )


def create(body: Any = DRAFT, key: str | None = None, authorization: str | None = None) -> func.HttpResponse:
    headers = {"Authorization": f"Bearer {token()}" if authorization is None else authorization}
    return call(main, body, headers if key is None else headers | {"Idempotency-Key": key})


class TestAGoodDraft:
    def test_is_stored_as_its_author_and_gets_an_event_that_is_kept_on_the_post(self, hasura: AnsweringHasura) -> None:
        bearer = f"Bearer {token()}"

        response = create(authorization=bearer)

        assert response.status_code == 201
        assert json_of(response) == CREATED
        operations = wait_until(hasura.operations, lambda asked: len(asked) == 3)
        assert operations == ["insertPost", "create_scheduled_event", "recordEvent"]
        assert hasura.asked[0].headers["Authorization"] == bearer
        assert hasura.arguments("insertPost") == {"post": {**DRAFT, "when_late": "skip"}}
        assert hasura.arguments("create_scheduled_event")["payload"] == ROW
        assert hasura.arguments("create_scheduled_event")["schedule_at"] == FIFTEEN_SECONDS_BEFORE

    def test_may_come_as_text_plain(self, hasura: AnsweringHasura) -> None:
        response = call(main, DRAFT, {"Authorization": f"Bearer {token()}", "Content-Type": "text/plain;charset=UTF-8"})

        assert response.status_code == 201

    def test_is_created_where_hasura_does_not_say_the_id_of_its_event(self, hasura: AnsweringHasura) -> None:
        hasura.answers["create_scheduled_event"] = {"message": "success"}

        assert json_of(create())["scheduled_event"] == {"message": "success"}
        assert "recordEvent" not in hasura.operations()

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({"status": 400, "json": {"path": "$", "code": "parse-failed", "error": "no"}}, id="refused"),
            pytest.param({"status": 500, "json": {"path": "$", "code": "unexpected", "error": "no"}}, id="trouble"),
            pytest.param({"status": 502, "body": "<html>"}, id="nonsense"),
            pytest.param({"body": requests.ReadTimeout()}, id="timeout"),
        ],
    )
    def test_is_created_even_when_its_event_cannot_be_set(
        self,
        network: responses.RequestsMock,
        hasura: AnsweringHasura,
        caplog: pytest.LogCaptureFixture,
        answer: dict[str, Any],
    ) -> None:
        network.remove(responses.POST, METADATA)
        network.post(METADATA, **answer)

        response = create()

        assert response.status_code == 201
        assert json_of(response) == {"insert_scheduled_post_one": ROW, "scheduled_event": None}
        assert "post 7 has no scheduled event, the sweep will publish it" in caplog.text

    def test_is_logged_with_its_id_by_which_its_delivery_is_found(
        self, hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)

        create()

        lines = [json.loads(record.message) for record in caplog.records if record.name == "scheduled_posts"]
        assert [(line["event"], line["post_id"]) for line in lines] == [("post_created", 7), ("event_created", 7)]
        assert lines[1]["event_id"] == EVENT["event_id"]


class TestAnIdempotencyKey:
    @pytest.mark.parametrize("header", ["a-key", '"a-key"', " a-key "], ids=["bare", "quoted", "with blanks"])
    def test_is_stored_with_the_draft_that_came_with_it(self, hasura: AnsweringHasura, header: str) -> None:
        assert create(key=header).status_code == 201

        stored = hasura.arguments("insertPostOfKey")["post"]
        assert (stored["request_key"], stored["request_draft"]) == ("a-key", FIRST_DRAFT)

    @pytest.mark.parametrize("event_id", [EVENT["event_id"], None], ids=["with an event", "without an event"])
    def test_that_is_repeated_gives_the_first_post_and_creates_nothing(
        self, hasura: AnsweringHasura, event_id: str | None
    ) -> None:
        give_first_post(hasura, request_draft=FIRST_DRAFT, event_id=event_id)

        response = create(key="a-key")

        assert response.status_code == 201
        assert json_of(response) == CREATED | ({} if event_id else {"scheduled_event": None})
        assert hasura.operations() == ["insertPostOfKey", "postOfKey"]

    def test_that_is_new_needs_one_request_for_the_post_and_one_for_its_event(self, hasura: AnsweringHasura) -> None:
        create(key="a-key")

        assert hasura.operations()[:2] == ["insertPostOfKey", "create_scheduled_event"]
        assert set(hasura.operations()[2:]) <= {"recordEvent"}

    def test_that_is_repeated_after_the_time_of_the_post_gives_the_first_post(self, hasura: AnsweringHasura) -> None:
        past = {"text": "Hello", "schedule_for": "2026-05-04T12:00:00+00:00"}
        give_first_post(hasura, request_draft=FIRST_DRAFT | past, event_id=EVENT["event_id"])

        response = create(past, key="a-key")

        assert response.status_code == 201
        assert json_of(response) == CREATED

    def test_that_came_with_another_draft_is_refused_with_what_differs(self, hasura: AnsweringHasura) -> None:
        give_first_post(hasura, request_draft=FIRST_DRAFT | {"text": "Other"})

        problem = assert_problem(create(key="a-key"), 422)

        assert problem["type"] == "/problems/key-reused"
        assert [fault["field"] for fault in problem["errors"]] == ["text"]

    @pytest.mark.parametrize(
        "stored",
        [
            # An author can store any JSON object; the constraint of the table refuses the others.
            pytest.param({}, id="empty object"),
            pytest.param({"text": ["Hello"], "schedule_for": {"at": AT}}, id="a list and an object for texts"),
            pytest.param({"text": 7, "schedule_for": 1e308, "account_id": 2**70}, id="numbers"),
            pytest.param({"draft": {"draft": {"text": "Hello"}}}, id="nested"),
            pytest.param(FIRST_DRAFT | {"schedule_for": "0001-01-01T00:00:00+23:59"}, id="a time before all times"),
            pytest.param(FIRST_DRAFT | {"schedule_for": "9999-12-31T23:59:59-23:59"}, id="a time after all times"),
            pytest.param(FIRST_DRAFT | {"schedule_for": "2026-05-04T09:00"}, id="a time without an offset"),
            pytest.param([FIRST_DRAFT], id="a list"),
            pytest.param("Hello", id="a text"),
            pytest.param(None, id="null"),
        ],
    )
    def test_whose_stored_draft_has_another_shape_came_with_another_draft(
        self, hasura: AnsweringHasura, stored: Any
    ) -> None:
        give_first_post(hasura, request_draft=stored)

        assert assert_problem(create(key="a-key"), 422)["type"] == "/problems/key-reused"

    def test_does_not_hide_the_faults_of_a_draft(self, hasura: AnsweringHasura) -> None:
        problem = assert_problem(create({"text": ""}, key="a-key"), 422)

        assert [fault["field"] for fault in problem["errors"]] == ["text", "schedule_for"]

    @pytest.mark.parametrize(
        "key", ["", '""', "k" * 256, "schlüssel", "a\nb"], ids=["empty", "quotes", "long", "umlaut", "line"]
    )
    def test_that_is_none_is_refused_before_anything_is_sent(self, hasura: AnsweringHasura, key: str) -> None:
        problem = assert_problem(create(key=key), 400)

        assert "255" in problem["detail"]
        assert hasura.asked == []


class TestACallerWhoIsNotKnown:
    @pytest.mark.parametrize(
        ("authorization", "words"),
        [
            pytest.param("", "missing", id="none"),
            pytest.param("Basic YWxpY2U6cHc=", "malformed", id="another scheme"),
            pytest.param("Bearer not.a.token", "cannot be read", id="no token"),
            pytest.param(f"Bearer {token(key='x' * 32)}", "signature", id="forged"),
            pytest.param(f"Bearer {token(exp=1)}", "expired", id="expired"),
            pytest.param(f"Bearer {jwt.encode({'sub': 'alice'}, '', 'none')}", "algorithm", id="not signed"),
        ],
    )
    def test_is_told_why_before_anything_is_sent(self, hasura: AnsweringHasura, authorization: str, words: str) -> None:
        problem = assert_problem(create(authorization=authorization), 401)

        assert words in problem["detail"]
        assert hasura.asked == []

    @pytest.mark.parametrize("authorization", ["", "Basic YWxpY2U6cHc=", f"Bearer {token(key='x' * 32)}"])
    def test_is_told_so_before_the_body_is_read(self, authorization: str) -> None:
        assert_problem(call_as_stranger(main, {"authorization": authorization}), 401)


class TestABadBody:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            pytest.param(b"", 400, id="empty"),
            pytest.param(b"text=Hello", 400, id="a form"),
            pytest.param(b"\xff\xfe", 400, id="not UTF-8"),
            pytest.param(b'{"text": NaN}', 400, id="NaN"),
            pytest.param(b"[]", 400, id="a list"),
            pytest.param(b"[" * 60_000, 400, id="nested without end"),
            pytest.param(b'{"text": "' + b"a" * 65_536 + b'"}', 413, id="over 64 KiB"),
        ],
    )
    def test_is_refused_before_anything_is_sent(self, hasura: AnsweringHasura, body: bytes, status: int) -> None:
        assert_problem(create(body), status)
        assert hasura.asked == []

    def test_that_breaks_rules_lists_every_fault_with_its_field(self, hasura: AnsweringHasura) -> None:
        problem = assert_problem(create({"text": "", "schedule_for": "2026-05-04T09:00", "mood": "good"}), 422)

        assert [fault["field"] for fault in problem["errors"]] == ["mood", "text", "schedule_for"]
        assert hasura.asked == []


class TestWhenHasura:
    @pytest.mark.parametrize(
        ("code", "message", "status", "words"),
        [
            # One of each status; all that Hasura can say is in test_hasura_client.py.
            ("invalid-jwt", "Could not verify JWT: JWTExpired", 401, "JWTExpired"),
            ("permission-error", "check constraint of an insert/update permission has failed", 403, "linked to you"),
            ("data-exception", "You have several X accounts.", 422, "several X accounts"),
            ("unexpected", "database query error", 503, "Hasura could not do this (unexpected)"),
        ],
    )
    def test_refuses_the_post_its_author_is_told_why_and_no_event_is_set(
        self, hasura: AnsweringHasura, code: str, message: str, status: int, words: str
    ) -> None:
        hasura.answers["insertPost"] = {"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]}

        problem = assert_problem(create(), status)

        assert words in problem["detail"]
        assert hasura.operations() == ["insertPost"]

    def test_does_not_answer_the_same_request_may_be_sent_again_soon(self, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, body=requests.ReadTimeout())

        response = create()

        assert_problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
        assert len(network.calls) == 1


def test_a_wrong_setting_is_named_in_the_log_and_not_to_the_caller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CONSUMER_API_KEY", "@Microsoft.KeyVault(SecretUri=https://vault.test/secrets/key)")

    problem = assert_problem(create(), 500)

    assert "CONSUMER_API_KEY" not in json.dumps(problem)
    assert "CONSUMER_API_KEY is a Key Vault reference" in caplog.text


def test_no_secret_token_or_text_reaches_the_log(hasura: AnsweringHasura, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bearer = token()

    assert create(authorization=f"Bearer {bearer}").status_code == 201

    for private in (bearer, "the-admin-secret", "the-webhook-secret", "Hello"):
        assert private not in caplog.text
