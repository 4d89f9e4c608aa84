"""What a caller of our functions gets: JSON, or a problem that tells enough and never too much."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from unittest import mock

import azure.functions as func
import pytest
from calling import INVOCATION_ID, Context
from problems import assert_problem

from shared.errors import (
    BodyTooLarge,
    ConfigurationError,
    Fault,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    KeysUnavailable,
    MalformedRequest,
    Problem,
    ScheduledPostsError,
    Unauthorized,
)
from shared.http import endpoint

LIMIT = 100
CONTEXT: Any = Context()

FAULTS = [Fault("text", "text is missing."), Fault("schedule_for", "schedule_for is in the past.")]


def request(body: bytes = b"{}", content_type: str | None = "application/json") -> func.HttpRequest:
    headers = {"content-type": content_type} if content_type else {}
    return func.HttpRequest("POST", "http://localhost:7071/api/createPost", headers=headers, body=body)


def raising(error: Exception) -> Callable[[func.HttpRequest], func.HttpResponse]:
    def handle(req: func.HttpRequest) -> func.HttpResponse:
        raise error

    return handle


def answered(error: Exception) -> func.HttpResponse:
    return endpoint.answer(request(), CONTEXT, raising(error))


def test_the_answer_of_the_function_goes_out_as_it_is() -> None:
    made = func.HttpResponse("made", status_code=201)

    assert endpoint.answer(request(), CONTEXT, lambda req: made) is made


@pytest.mark.parametrize(
    ("error", "status", "kind", "title"),
    [
        pytest.param(MalformedRequest("x"), 400, "malformed-request", "Malformed request", id="400"),
        pytest.param(Unauthorized("x"), 401, "unauthorized", "Unauthorized", id="401"),
        pytest.param(Forbidden("x"), 403, "forbidden", "Forbidden", id="403"),
        pytest.param(BodyTooLarge("x"), 413, "body-too-large", "Body too large", id="413"),
        pytest.param(InvalidDraft(FAULTS), 422, "invalid-draft", "Invalid draft", id="422"),
        pytest.param(ConfigurationError("x"), 500, "configuration-error", "Configuration error", id="500"),
        pytest.param(HasuraUnavailable("x"), 503, "hasura-unavailable", "Hasura is unavailable", id="503-hasura"),
        pytest.param(
            KeysUnavailable("x"), 503, "keys-unavailable", "The token issuer's keys are unavailable", id="503-keys"
        ),
    ],
)
def test_every_error_of_ours_is_answered_as_a_problem_of_its_own_kind(
    error: Problem, status: int, kind: str, title: str
) -> None:
    body = assert_problem(answered(error), status, INVOCATION_ID)

    assert body["type"] == f"/problems/{kind}"
    assert body["title"] == title


def test_the_detail_is_the_message_of_the_error() -> None:
    body = assert_problem(answered(Forbidden("Your role may not schedule posts. Ask José.")), 403)

    assert body["detail"] == "Your role may not schedule posts. Ask José."


def test_an_invalid_draft_lists_every_fault_with_its_field() -> None:
    body = assert_problem(answered(InvalidDraft(FAULTS)), 422)

    assert body["errors"] == [
        {"field": "text", "detail": "text is missing."},
        {"field": "schedule_for", "detail": "schedule_for is in the past."},
    ]
    assert body["detail"] == "text is missing. schedule_for is in the past."


def test_a_fault_of_a_field_whose_name_is_no_unicode_text_can_be_answered() -> None:
    fault = Fault("\ud800", "There is no such field.")  # JSON can spell a lone surrogate, UTF-8 cannot

    body = assert_problem(answered(InvalidDraft([fault])), 422)

    assert body["errors"][0]["detail"] == "There is no such field."


def test_an_unauthorized_caller_is_told_how_to_sign_in() -> None:
    assert answered(Unauthorized("x")).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("error", [Forbidden("x"), ConfigurationError("x"), MalformedRequest("x")])
def test_other_problems_have_no_header_for_signing_in_or_for_trying_again(error: Problem) -> None:
    headers = answered(error).headers

    assert "WWW-Authenticate" not in headers
    assert "Retry-After" not in headers


@pytest.mark.parametrize("error", [HasuraUnavailable("x"), KeysUnavailable("x")])
def test_an_unavailable_service_is_answered_with_retry_after_in_seconds(error: Problem) -> None:
    assert int(answered(error).headers["Retry-After"]) > 0


def test_a_wrong_setting_is_named_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    body = assert_problem(answered(ConfigurationError("Settings: WEBHOOK_SECRET is missing.")), 500)

    assert "WEBHOOK_SECRET" not in json.dumps(body)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert json.loads(record.message) == {
        "message": "the operator must act, Settings: WEBHOOK_SECRET is missing.",
        "event": "configuration_error",
        "invocation_id": INVOCATION_ID,
    }


def test_that_somebody_we_need_does_not_answer_is_a_warning_with_what_they_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unavailable = HasuraUnavailable("Try again soon.")
    unavailable.__cause__ = ScheduledPostsError("Hasura refused: database query error (unexpected)")

    body = assert_problem(answered(unavailable), 503)

    [record] = caplog.records
    assert (record.levelno, body["detail"]) == (logging.WARNING, "Try again soon.")
    assert json.loads(record.message)["message"] == (
        "answered 503: Try again soon. (Hasura refused: database query error (unexpected))"
    )


def test_the_log_says_of_an_invalid_draft_what_kind_it_is_and_nothing_of_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    faults = [Fault("text", "The text has 2 cashtags, $SECRET and $PLAN."), Fault("$SECRET", "There is no such field.")]

    answered(InvalidDraft(faults))

    assert json.loads(caplog.records[0].message)["message"] == "answered 422: /problems/invalid-draft with 2 faults"


def test_the_text_of_an_unexpected_error_is_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    body = assert_problem(answered(KeyError("a detail of ours")), 500, INVOCATION_ID)

    assert "a detail of ours" not in json.dumps(body)
    assert "KeyError" not in json.dumps(body)
    assert "KeyError: 'a detail of ours'" in caplog.text


def test_json_goes_out_readable_with_its_status_and_type() -> None:
    response = endpoint.json_response(HTTPStatus.CREATED, {"text": "Grüße 🎉"})

    assert response.status_code == 201
    assert response.mimetype == "application/json"
    assert response.get_body().decode() == '{"text": "Grüße 🎉"}'
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        pytest.param(timedelta(seconds=30), "30", id="whole"),
        pytest.param(timedelta(seconds=30, milliseconds=1), "31", id="rounded-up"),
        pytest.param(timedelta(milliseconds=1), "1", id="less-than-one"),
        pytest.param(timedelta(0), "1", id="now"),
        pytest.param(timedelta(seconds=-5), "1", id="past"),
    ],
)
def test_retry_after_is_in_whole_seconds_and_at_least_one(retry_after: timedelta, seconds: str) -> None:
    response = endpoint.json_response(HTTPStatus.SERVICE_UNAVAILABLE, {}, retry_after)

    assert response.headers["Retry-After"] == seconds


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
def test_json_is_read_whatever_the_content_type_says(content_type: str | None) -> None:
    req = request('{"text": "Grüße"}'.encode(), content_type)

    assert endpoint.json_object(req, LIMIT) == {"text": "Grüße"}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"   ", id="blank"),
        pytest.param(b"text=hello", id="form"),
        pytest.param(b'{"text": "a"', id="cut-off"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte-order-mark"),
        pytest.param(b'{"text": "\xff"}', id="not-utf-8"),
        pytest.param('{"text": "a"}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"account_id": NaN}', id="NaN"),
        pytest.param(b'{"account_id": -Infinity}', id="Infinity"),
        pytest.param(b'{"account_id": ' + b"9" * 5000 + b"}", id="endless-number"),
        pytest.param(b'{"text": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", id="deep-nesting"),
    ],
)
def test_a_body_that_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedRequest, match="not JSON"):
        endpoint.json_object(request(raw), max_bytes=1_000_000)


@pytest.mark.parametrize("raw", [b"[]", b'[{"text": "a"}]', b'"text"', b"7", b"null", b"true"])
def test_json_that_is_no_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedRequest, match="must be a JSON object"):
        endpoint.json_object(request(raw), LIMIT)


def test_a_body_of_exactly_the_limit_is_read() -> None:
    raw = b'{"text": "' + b"a" * (LIMIT - 12) + b'"}'

    assert len(raw) == LIMIT
    assert endpoint.json_object(request(raw), LIMIT) == {"text": "a" * (LIMIT - 12)}


def test_a_body_over_the_limit_is_refused_by_its_bytes_and_without_being_read() -> None:
    raw = ("é" * (LIMIT // 2) + "é").encode()

    with pytest.raises(BodyTooLarge, match="102 bytes; at most 100"):
        endpoint.json_object(request(raw), LIMIT)


def test_a_request_of_a_unit_test_without_a_body_is_answered_as_one_with_an_empty_body() -> None:
    """As in Microsoft's examples, ``func.HttpRequest(body=None)``."""

    def handle(req: func.HttpRequest) -> func.HttpResponse:
        return endpoint.json_response(HTTPStatus.OK, endpoint.json_object(req, LIMIT))

    none: Any = None
    for body in (none, b""):
        problem = assert_problem(endpoint.answer(request(body), CONTEXT, handle), 400, INVOCATION_ID)
        assert problem["detail"] == "The body is not JSON."


def test_a_context_that_a_unit_test_mocks_is_good_enough() -> None:
    response = endpoint.answer(request(), mock.Mock(), raising(MalformedRequest("x")))

    assert response.status_code == 400
    assert "Mock" in json.loads(response.get_body())["request_id"]
