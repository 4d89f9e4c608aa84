"""Between Azure's HTTP objects and the core: JSON in, JSON or a problem (RFC 9457) out, with the invocation's id."""

import json
import math
import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import azure.functions as func

from shared import log
from shared.errors import (
    BodyTooLarge,
    ConfigurationError,
    InternalError,
    InvalidDraft,
    MalformedRequest,
    Problem,
    ScheduledPostsError,
    TooManyPosts,
    Unavailable,
)
from shared.log import LogEvent


def answer(
    req: func.HttpRequest, context: func.Context, handle: Callable[[func.HttpRequest], func.HttpResponse]
) -> func.HttpResponse:
    """What `handle` answers; an error as a problem, with the invocation's id, by which the log can be searched."""
    invocation_id = str(context.invocation_id)  # a unit test may pass a mock.Mock()
    with log.bound(invocation_id=invocation_id):
        return _answer(req, invocation_id, handle)


def _answer(
    req: func.HttpRequest, invocation_id: str, handle: Callable[[func.HttpRequest], func.HttpResponse]
) -> func.HttpResponse:
    try:
        return handle(req)
    except ConfigurationError as error:
        log.error(LogEvent.CONFIGURATION_ERROR, f"the operator must act, {error}")
        return _problem(ConfigurationError("The server is not set up right; its log says how."), invocation_id)
    except Unavailable as error:
        why = f" ({error.__cause__})" if isinstance(error.__cause__, ScheduledPostsError) else ""
        log.warning(LogEvent.UNAVAILABLE, f"answered {error.status}: {error}{why}", status=error.status)
        return _problem(error, invocation_id)
    except Problem as error:
        what = _without_its_text(error) if isinstance(error, InvalidDraft) else error
        log.info(LogEvent.REQUEST_REFUSED, f"answered {error.status}: {what}", status=error.status)
        return _problem(error, invocation_id)
    except Exception:
        log.exception(LogEvent.UNEXPECTED_ERROR, "unexpected error")
        return _problem(
            InternalError("Something unexpected happened; the log holds it under this request's id."), invocation_id
        )


def _without_its_text(error: InvalidDraft) -> str:
    """For the log: the faults, and the names of fields that we do not know, may quote the post."""
    return f"{problem_type(type(error))} with {len(error.faults)} faults"


def json_object(req: func.HttpRequest, max_bytes: int) -> dict[str, Any]:
    """The JSON object in the body, whatever its content type says. Raises BodyTooLarge or MalformedRequest."""
    raw = req.get_body() or b""  # a request that was made with body=None has none
    if len(raw) > max_bytes:
        raise BodyTooLarge(f"The body has {len(raw)} bytes; at most {max_bytes} are read.")
    try:
        body = json.loads(raw.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise MalformedRequest("The body must be a JSON object.")
    return body


def idempotency_key(header: str | None) -> str | None:
    """The key in an Idempotency-Key header: a quoted string (IETF draft), or the bare key as many clients send it.

    Raises MalformedRequest when it is empty, not printable ASCII, or longer than 255 characters.
    """
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not re.fullmatch("[ -~]{1,255}", key):
        raise MalformedRequest("The Idempotency-Key must have 1 to 255 printable ASCII characters.")
    return key


def json_response(status: HTTPStatus, body: dict[str, Any], retry_after: timedelta | None = None) -> func.HttpResponse:
    """A JSON answer; `retry_after` as whole seconds, rounded up, at least one (Hasura ignores 0)."""
    headers = {}
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after.total_seconds())))
    return func.HttpResponse(_json(body), status_code=status, headers=headers, mimetype="application/json")


def problem_type(kind: type[Problem]) -> str:
    """What names a kind of problem on the wire: ``/problems/invalid-draft`` for InvalidDraft."""
    return "/problems/" + re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def _problem(error: Problem, invocation_id: str) -> func.HttpResponse:
    body: dict[str, Any] = {
        "type": problem_type(type(error)),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "request_id": invocation_id,
    }
    if isinstance(error, InvalidDraft):
        body["errors"] = [{"field": fault.field, "detail": fault.detail} for fault in error.faults]
    headers = {}
    if isinstance(error, Unavailable | TooManyPosts):
        headers["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return func.HttpResponse(
        _json(body),
        status_code=error.status,
        headers=headers,
        mimetype="application/problem+json",
    )


def _json(body: dict[str, Any]) -> bytes:
    """Readable JSON; a lone surrogate, which UTF-8 cannot write, as its escape."""
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
