"""createPost through its entry point: what each input gets, and what Hasura, played by `responses`, is sent."""

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
from calling import SETTINGS, call, json_of
from problems import assert_problem

from createPost import main

GRAPHQL = "http://hasura.test/v1/graphql"
METADATA = "http://hasura.test/v1/metadata"
AT = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0).isoformat()
DRAFT = {"text": "Hello", "schedule_for": AT}
SENT = {**DRAFT, "when_late": "skip"}
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
ALARM = {"message": "success", "event_id": "b918cd10-8853-4e66-91b8-81b5cd16e44b"}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def hasura() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def token(key: str = "k" * 32, algorithm: str = "HS256", **claims: Any) -> str:
    now = datetime.now(UTC)
    return jwt.encode(
        {"sub": "alice", "aud": "app", "iss": "idp", "exp": now + timedelta(days=1), **claims}, key, algorithm
    )


def create(body: Any = None, authorization: str | None = None) -> func.HttpResponse:
    return call(main, DRAFT if body is None else body, {"Authorization": authorization or f"Bearer {token()}"})


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]}


class TestAGoodDraft:
    def test_is_stored_as_the_user_and_gets_an_alarm(self, hasura: responses.RequestsMock) -> None:
        insert = hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": ROW}})
        alarm = hasura.post(METADATA, json=ALARM)
        bearer = f"Bearer {token()}"

        response = create(authorization=bearer)

        assert response.status_code == 201
        assert json_of(response) == {"insert_scheduled_post_one": ROW, "scheduled_event": ALARM}
        [stored] = insert.calls
        assert stored.request.headers["Authorization"] == bearer
        assert "x-hasura-admin-secret" not in stored.request.headers
        assert json.loads(stored.request.body)["variables"] == {"post": SENT}
        [rung] = alarm.calls
        assert rung.request.headers["x-hasura-admin-secret"] == "the-admin-secret"
        assert "Authorization" not in rung.request.headers

    def test_has_the_post_as_the_alarm_s_payload_and_no_secret_in_it(self, hasura: responses.RequestsMock) -> None:
        hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": ROW}})
        alarm = hasura.post(METADATA, json=ALARM)

        create()

        body = alarm.calls[0].request.body
        event = json.loads(body)["args"]
        assert event["webhook"] == "http://functions.test/api/postTweet"
        assert event["payload"] == ROW
        assert event["headers"] == [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}]
        assert event["retry_conf"]["num_retries"] > 0
        assert event["retry_conf"]["tolerance_seconds"] > 21600
        assert event["comment"] == "publishes post 7"
        assert b"the-webhook-secret" not in body

    def test_may_come_as_text_plain(self, hasura: responses.RequestsMock) -> None:
        hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": ROW}})
        hasura.post(METADATA, json=ALARM)

        response = call(main, DRAFT, {"Authorization": f"Bearer {token()}", "Content-Type": "text/plain;charset=UTF-8"})

        assert response.status_code == 201

    @pytest.mark.parametrize(
        "alarm",
        [
            {"status": 400, "json": {"path": "$", "code": "parse-failed", "error": "no"}},
            {"status": 500, "json": {"path": "$", "code": "unexpected", "error": "no"}},
            {"status": 502, "body": "<html>"},
            {"body": requests.ReadTimeout()},
            {"body": requests.ConnectionError()},
        ],
        ids=["refused", "error", "nonsense", "timeout", "reset"],
    )
    def test_is_created_even_when_the_alarm_fails(
        self, hasura: responses.RequestsMock, alarm: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": ROW}})
        hasura.post(METADATA, **alarm)

        response = create()

        assert response.status_code == 201
        assert json_of(response) == {"insert_scheduled_post_one": ROW, "scheduled_event": None}
        assert "post 7 has no alarm" in caplog.text


class TestAnIdempotencyKey:
    def create(self, key: str) -> func.HttpResponse:
        return call(main, DRAFT, {"Authorization": f"Bearer {token()}", "Idempotency-Key": key})

    @pytest.mark.parametrize("header", ["a-key", '"a-key"', " a-key "], ids=["bare", "quoted", "with-blanks"])
    def test_is_stored_with_the_post(self, hasura: responses.RequestsMock, header: str) -> None:
        insert = hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": ROW}})
        hasura.post(METADATA, json=ALARM)
        keep = hasura.post(GRAPHQL, json={"data": {"update_scheduled_post_by_pk": {"id": 7}}})

        assert self.create(header).status_code == 201

        stored = json.loads(insert.calls[0].request.body)["variables"]["post"]
        assert stored["request_key"] == "a-key"
        assert json.loads(keep.calls[0].request.body)["variables"] == {"id": 7, "alarm": ALARM}

    def test_used_again_gives_the_first_post_and_sets_no_alarm(self, hasura: responses.RequestsMock) -> None:
        first = {"request_draft": {**SENT, "account_id": None, "user_id": None}, "request_event": ALARM}
        hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": None}})
        hasura.post(GRAPHQL, json={"data": {"scheduled_post": [{**ROW, **first}]}})

        response = self.create("a-key")

        assert response.status_code == 201
        assert json_of(response) == {"insert_scheduled_post_one": ROW, "scheduled_event": ALARM}

    def test_used_again_after_its_time_gives_the_first_post_too(self, hasura: responses.RequestsMock) -> None:
        past = {"text": "Hello", "schedule_for": "2026-05-04T12:00:00+00:00"}
        first = {**past, "when_late": "skip", "account_id": None, "user_id": None}
        hasura.post(
            GRAPHQL, json={"data": {"scheduled_post": [{**ROW, "request_draft": first, "request_event": ALARM}]}}
        )

        response = call(main, past, {"Authorization": f"Bearer {token()}", "Idempotency-Key": "a-key"})

        assert response.status_code == 201
        assert json_of(response) == {"insert_scheduled_post_one": ROW, "scheduled_event": ALARM}

    def test_of_a_new_draft_with_faults_does_not_hide_them(self, hasura: responses.RequestsMock) -> None:
        hasura.post(GRAPHQL, json={"data": {"scheduled_post": []}})

        response = call(main, {"text": ""}, {"Authorization": f"Bearer {token()}", "Idempotency-Key": "a-key"})

        problem = assert_problem(response, 422)
        assert [fault["field"] for fault in problem["errors"]] == ["text", "schedule_for"]

    def test_used_for_another_draft_is_refused_naming_the_difference(self, hasura: responses.RequestsMock) -> None:
        first = {"request_draft": {**SENT, "text": "Other", "account_id": None, "user_id": None}}
        hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": None}})
        hasura.post(GRAPHQL, json={"data": {"scheduled_post": [{**ROW, **first, "request_event": None}]}})

        problem = assert_problem(self.create("a-key"), 422)

        assert problem["type"] == "/problems/key-reused"
        assert [fault["field"] for fault in problem["errors"]] == ["text"]

    @pytest.mark.parametrize(
        "key", ["", '""', "k" * 256, "schlüssel", "a\nb"], ids=["empty", "quotes", "long", "umlaut", "line"]
    )
    def test_that_is_none_is_refused(self, hasura: responses.RequestsMock, key: str) -> None:
        problem = assert_problem(self.create(key), 400)

        assert "255" in problem["detail"]
        assert len(hasura.calls) == 0


class TestACallerWhoCannotBeTold:
    @pytest.mark.parametrize(
        ("authorization", "words"),
        [
            ("", "missing"),
            ("Basic YWxpY2U6cHc=", "malformed"),
            ("Bearer", "malformed"),
            ("Bearer not.a.token", "cannot be read"),
            (f"Bearer {token(key='x' * 32)}", "signature"),
            (f"Bearer {token(exp=1)}", "expired"),
            (f"Bearer {token(aud='other')}", "audience"),
            (f"Bearer {token(iss='other')}", "issuer"),
            (f"Bearer {jwt.encode({'sub': 'alice'}, None, 'none')}", "algorithm"),
            (f"Bearer {token(key='k' * 64, algorithm='HS512')}", "algorithm"),
        ],
        ids=lambda value: value if len(value) < 20 else "token",
    )
    def test_is_refused_in_words_before_anything_is_sent(
        self, hasura: responses.RequestsMock, authorization: str, words: str
    ) -> None:
        headers = {"Authorization": authorization} if authorization else {}

        response = call(main, DRAFT, headers)

        problem = assert_problem(response, 401)
        assert words in problem["detail"]
        assert len(hasura.calls) == 0


class TestABadBody:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"text=Hello", 400),
            (b"\xff\xfe", 400),
            (b'{"text": NaN}', 400),
            (b"[]", 400),
            (b"null", 400),
            (b"[" * 60_000, 400),
            (b'{"text": "' + b"a" * 65_536 + b'"}', 413),
        ],
        ids=["empty", "form", "not-utf-8", "nan", "list", "null", "endlessly-nested", "over-64-KiB"],
    )
    def test_is_refused_before_anything_is_sent(self, hasura: responses.RequestsMock, body: bytes, status: int) -> None:
        assert_problem(create(body), status)
        assert len(hasura.calls) == 0

    def test_that_breaks_rules_lists_every_fault_with_its_field(self, hasura: responses.RequestsMock) -> None:
        response = create({"text": "", "schedule_for": "2026-05-04T09:00", "mood": "good"})

        problem = assert_problem(response, 422)
        assert [fault["field"] for fault in problem["errors"]] == ["mood", "text", "schedule_for"]
        assert len(hasura.calls) == 0


class TestARefusalOfHasura:
    @pytest.mark.parametrize(
        ("answer", "status", "words"),
        [
            pytest.param(
                refusal("permission-error", "check constraint of an insert/update permission has failed"),
                403,
                "your own",
                id="user-or-account-of-somebody-else",
            ),
            pytest.param(
                refusal(
                    "constraint-violation",
                    'Foreign key violation. insert or update on table "scheduled_post" violates foreign key constraint '
                    '"scheduled_post_account_id_fkey"',
                ),
                422,
                "no such account",
                id="unknown-account",
            ),
            pytest.param(
                refusal(
                    "constraint-violation",
                    'Foreign key violation. insert or update on table "scheduled_post" violates foreign key constraint '
                    '"scheduled_post_user_id_fkey"',
                ),
                403,
                "Nobody is known",
                id="unknown-user",
            ),
            pytest.param(
                refusal("data-exception", "You have several X accounts. Say in account_id which one posts."),
                422,
                "several X accounts",
                id="several-accounts",
            ),
            pytest.param(refusal("invalid-jwt", "Could not verify JWT: JWTExpired"), 401, "JWTExpired", id="token"),
            pytest.param(
                refusal("validation-failed", "field 'insert_scheduled_post_one' not found in type: 'mutation_root'"),
                403,
                "role",
                id="role-without-insert",
            ),
            pytest.param(refusal("unexpected", "database query error"), 503, "could not store", id="database"),
        ],
    )
    def test_is_answered_in_words_and_no_alarm_is_set(
        self, hasura: responses.RequestsMock, answer: dict[str, Any], status: int, words: str
    ) -> None:
        hasura.post(GRAPHQL, json=answer)

        problem = assert_problem(create(), status)

        assert words in problem["detail"]
        assert len(hasura.calls) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            {"body": requests.ConnectionError("refused")},
            {"body": requests.ReadTimeout()},
            {"status": 502, "body": "<html>Bad gateway</html>"},
            {"json": []},
            {"json": {"data": None}},
        ],
        ids=["away", "hangs", "gateway", "list", "no-data"],
    )
    def test_to_answer_at_all_is_a_503_with_retry_after(
        self, hasura: responses.RequestsMock, answer: dict[str, Any]
    ) -> None:
        hasura.post(GRAPHQL, **answer)

        response = create()

        assert_problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
        assert len(hasura.calls) == 1


def test_a_missing_setting_is_told_to_the_log_and_not_to_the_caller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CONSUMER_API_KEY", "@Microsoft.KeyVault(SecretUri=https://vault.test/secrets/key)")

    problem = assert_problem(create(), 500)

    assert "CONSUMER_API_KEY" not in json.dumps(problem)
    assert "CONSUMER_API_KEY is a Key Vault reference" in caplog.text


def test_no_secret_token_or_text_reaches_the_log(
    hasura: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bearer = token()
    hasura.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": ROW}})
    hasura.post(METADATA, json=ALARM)

    create(authorization=f"Bearer {bearer}")

    for private in (bearer, "the-admin-secret", "the-webhook-secret", "Hello"):
        assert private not in caplog.text
