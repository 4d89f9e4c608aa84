"""The one shape of every error our functions answer: a problem, as RFC 9457 has it.

Content-Type: application/problem+json
{"type": "/problems/invalid-draft", "title": ..., "status": 422, "detail": ..., "request_id": ...,
 "errors": [{"field": ..., "detail": ...}, ...]}      errors: for an invalid draft alone
"""

import json
from typing import Any

import azure.functions as func
import requests


def assert_problem(response: func.HttpResponse, status: int, request_id: str | None = None) -> dict[str, Any]:
    """The problem in `response`, after everything that holds for all problems has been checked."""
    body: dict[str, Any] = json.loads(response.get_body())

    assert response.mimetype == "application/problem+json"
    assert response.status_code == status
    assert body["status"] == status
    assert body["type"].startswith("/problems/")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"]
    assert request_id in (None, body["request_id"])
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail", "request_id"}
    assert ("errors" in body) == (status == 422)
    assert all(fault.keys() == {"field", "detail"} for fault in body.get("errors", []))
    return body


def assert_refused(response: requests.Response, status: int) -> dict[str, Any]:
    """The same for an answer that came over the wire."""
    as_answered = func.HttpResponse(
        response.content, status_code=response.status_code, mimetype=response.headers["Content-Type"]
    )
    return assert_problem(as_answered, status)
