"""X's error answers, with X's exact text where a real answer is known.

They differ as X's own do: some bodies lack ``status``, ``type`` begins with one of two hosts, the order of the keys
varies. A client must accept all of that. Sources: X's documentation and answers quoted in public issues.
"""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

_BACKEND = "application/json"
_GATEWAY = "application/problem+json"
_EDGE = "text/html"
_XML = "application/xml"


class Problem(Exception):
    """An error answer: a status with a JSON object, or with the page that the edge of X's network sends instead."""

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any] | str,
        content_type: str = _BACKEND,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_summary(status, body))
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers or {}

    @property
    def is_from_the_edge(self) -> bool:
        """Whether X's API never saw the request, so that its headers are missing, too."""
        return self.content_type == _EDGE

    def response(self) -> web.Response:
        """The answer on the wire."""
        if isinstance(self.body, str):
            return web.Response(
                status=self.status, text=self.body, headers=self.headers, content_type=self.content_type
            )
        return web.Response(
            status=self.status,
            body=json.dumps(self.body).encode(),
            headers=self.headers,
            content_type=self.content_type,
            charset="utf-8" if self.content_type == _BACKEND else None,
        )


def invalid_request(message: str, parameters: Mapping[str, list[str]] | None = None) -> Problem:
    """400: the form of the request is wrong. X sends no ``status`` in this body."""
    return Problem(
        400,
        {
            "errors": [{"parameters": dict(parameters or {}), "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request",
        },
    )


def unauthorized() -> Problem:
    """401: one body for every fault of keys, tokens, signature and clock."""
    body = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
    return Problem(401, body, _GATEWAY)


def invalid_or_expired_token() -> Problem:
    """401 in the form of API v1.1."""
    return _legacy(401, 89, "Invalid or expired token.")


def could_not_authenticate() -> Problem:
    """401 in the form of API v1.1, as the endpoints under ``/oauth`` answer a wrong key, signature or clock."""
    return _legacy(401, 32, "Could not authenticate you.")


def invalid_verifier() -> Problem:
    """401: the PIN is wrong, or the user has not authorised the app. X answers it as a bare sentence."""
    return Problem(401, "Error processing your OAuth request: Invalid oauth_verifier parameter", _EDGE)


def callback_not_approved() -> Problem:
    """403: the callback is not in the app's settings. X answers it as XML."""
    words = (
        "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your "
        "application settings"
    )
    return Problem(
        403, f"<?xml version='1.0' encoding='UTF-8'?><errors><error code=\"415\">{words}</error></errors>", _XML
    )


def credits_depleted() -> Problem:
    """402: a pay-per-use app has used up its credits."""
    return Problem(
        402,
        {
            "account_id": 1234567890123456789,
            "title": "CreditsDepleted",
            "detail": "Your enrolled account [1234567890123456789] does not have any credits to fulfill this request.",
            "type": "https://api.twitter.com/2/problems/credits",
        },
    )


def payment_required() -> Problem:
    """402 in its other form."""
    return Problem(
        402,
        {
            "title": "Payment Required",
            "detail": "credits depleted",
            "type": "https://api.x.com/2/problems/credits-depleted",
        },
    )


def duplicate() -> Problem:
    """403: the author posted the same text recently. X does not say which tweet that is."""
    return _forbidden("You are not allowed to create a Tweet with duplicate content.")


def read_only_app() -> Problem:
    """403: the user authorised the app when it could only read."""
    return Problem(
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "Your client app is not configured with the appropriate oauth1 app permissions for this "
            "endpoint.",
            "type": "https://api.twitter.com/2/problems/oauth1-permissions",
        },
        _GATEWAY,
        {"x-access-level": "read"},
    )


def app_cannot_write() -> Problem:
    """403 in the form of API v1.1: the app, not the account, has no permission to write."""
    return _legacy(403, 261, "Application cannot perform write actions.")


def not_enrolled() -> Problem:
    """403: the app belongs to no project."""
    return Problem(
        403,
        {
            "client_id": "12345",
            "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from "
            "a Twitter developer App that is attached to a Project. You can create a project via the developer portal.",
            "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": "https://api.twitter.com/2/problems/client-forbidden",
        },
        _GATEWAY,
    )


def unsupported_authentication(used: str) -> Problem:
    """403: `used` is ``OAuth 2.0 Application-Only``, or ``Unknown`` in X's sporadic glitch."""
    return Problem(
        403,
        {
            "title": "Unsupported Authentication",
            "detail": f"Authenticating with {used} is forbidden for this endpoint.  Supported authentication types are "
            "[OAuth 1.0a User Context, OAuth 2.0 User Context].",
            "type": "https://api.twitter.com/2/problems/unsupported-authentication",
            "status": 403,
        },
        _GATEWAY,
    )


def user_suspended() -> Problem:
    """403: X has suspended the author."""
    return Problem(
        403,
        {
            "detail": "The user used for authentication is suspended",
            "title": "Forbidden",
            "status": 403,
            "type": "https://api.twitter.com/2/problems/user-suspended",
        },
    )


def not_permitted() -> Problem:
    """403: X's general rejection, for example of a text that is empty, too long or has forbidden characters."""
    return _forbidden("You are not permitted to perform this action.")


def reply_not_allowed() -> Problem:
    """403: self-serve apps may reply only to who mentioned or quoted the author."""
    return _forbidden(
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the "
        "author of the post you are replying to."
    )


def too_many_cashtags() -> Problem:
    """403: self-serve apps may post one cashtag."""
    return _forbidden("Posts are limited to a maximum of one cashtag.")


def missing_scope() -> Problem:
    """403: the OAuth 2.0 token lacks a scope."""
    body = {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"}
    return Problem(403, body, _GATEWAY)


def account_locked() -> Problem:
    """403 in the form of API v1.1: the author has to log in and unlock the account."""
    return _legacy(
        403, 326, "To protect our users from spam and other malicious activity, this account is temporarily locked."
    )


def moved() -> Problem:
    """301: the base URL is not the one of the API. The path leads nowhere in the development stack."""
    return Problem(301, "", _EDGE, {"Location": "/moved"})


def not_found() -> Problem:
    """404: X does not know the path."""
    return Problem(404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"})


def method_not_allowed() -> Problem:
    """405: X knows the path, but not with this method."""
    body = {"title": "Method Not Allowed", "type": "about:blank", "status": 405, "detail": "Method Not Allowed"}
    return Problem(405, body)


def not_emulated(method: str, path: str) -> Problem:
    """404: X may know this endpoint; the development stack does not."""
    detail = f"The development stack does not emulate {method} {path}."
    return Problem(404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": detail})


def too_many_requests(headers: Mapping[str, str] | None = None) -> Problem:
    """429: a rate limit; which one, the headers tell."""
    body = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    return Problem(429, body, headers=headers)


def usage_capped() -> Problem:
    """429: the app has used up its month."""
    return Problem(
        429,
        {
            "title": "UsageCapExceeded",
            "period": "Monthly",
            "scope": "Product",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": "https://api.x.com/2/problems/usage-capped",
        },
    )


def internal_server_error() -> Problem:
    """500."""
    detail = "Something is broken. This is usually a temporary error, for example in a high load situation."
    return Problem(500, {"title": "Internal Server Error", "detail": detail, "type": "about:blank", "status": 500})


def service_unavailable() -> Problem:
    """503: over capacity."""
    body = {"title": "Service Unavailable", "detail": "Service Unavailable", "type": "about:blank", "status": 503}
    return Problem(503, body)


def edge_error(status: int, page: str) -> Problem:
    """502, 504, 520: the edge of X's network got no answer from X. `page` is HTML or empty."""
    return Problem(status, page, _EDGE)


def _forbidden(detail: str) -> Problem:
    return Problem(403, {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403})


def _legacy(status: int, code: int, message: str) -> Problem:
    return Problem(status, {"errors": [{"code": code, "message": message}]})


def _summary(status: int, body: Mapping[str, Any] | str) -> str:
    if isinstance(body, str):
        return f"{status} {body[:200]}" if status in (401, 403) else f"{status} from the edge"
    return f"{status} {body['errors'][0]['message'] if 'errors' in body else body['detail']}"
