"""Control routes, ``/_local/...``: people and tests create users, read what was published, and inject faults.

They take no credentials, so a web page in a browser must not reach them. POST takes JSON only and no CORS header is
ever sent: this keeps other origins out, also from DELETE. The ``Host`` must be a loopback name: this keeps host names
out that resolve to this machine (DNS rebinding).
"""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeGuard

from aiohttp import web

from local import loopback
from local.x_api.authorization import USERNAME, Authorization
from local.x_api.endpoints import ENDPOINTS
from local.x_api.faults import ANY_ENDPOINT, KINDS, KINDS_BY_GROUP, Fault, Faults
from local.x_api.rate_limits import RateLimits
from local.x_api.snowflakes import rfc3339
from local.x_api.storage import Storage, User

Answer = tuple[int, object]

_AT_MOST = 1_000_000_000

_WRONG_USERNAME = '"username" must be 1 to 15 letters, digits or underscores, as at X, not {!r}.'
_WRONG_REQUEST_TOKEN = "This request token is unknown, too old, or was decided on already."

log = logging.getLogger(__name__)


class BadRequest(Exception):
    """The message tells the caller what to do; `status` is the answer's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Reads and changes `storage`, `limits` and `faults`, and answers for a user whether the app may act for them."""

    def __init__(self, storage: Storage, limits: RateLimits, faults: Faults, authorization: Authorization) -> None:
        self._storage = storage
        self._limits = limits
        self._faults = faults
        self._authorization = authorization

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/_local/users", _reading_json(self._link_user, {"username"})),
            web.post("/_local/fail", _reading_json(self._fail, {"kind", "times", "endpoint", "username", "ms"})),
            web.post("/_local/reset", _reading_json(self._reset, set())),
            web.post("/_local/revoke", _reading_json(self._revoke, {"username"})),
            web.post("/_local/authorize", _reading_json(self._authorize, {"oauth_token", "username"})),
            web.post("/_local/deny", _reading_json(self._deny, {"oauth_token"})),
            web.post("/_local/suspend", _reading_json(self._suspend, {"username"})),
            web.delete("/_local/fail", _reading_query(self._clear_faults, set())),
            web.get("/_local/tweets", _reading_query(self._tweets, {"username", "limit"})),
            web.get("/_local/fail", _reading_query(self._pending_faults, set())),
            web.get("/_local/kinds", _reading_query(self._kinds, set())),
            web.route("*", "/_local/{path:.*}", _answering(_unknown)),
        ]

    def _link_user(self, body: Mapping[str, Any]) -> Answer:
        """The user, created when new, with tokens for our app; new ones after a revocation."""
        username = body.get("username")
        if not _is_username(username):
            raise BadRequest(_WRONG_USERNAME.format(username))
        known = self._storage.user_named(username)
        user = known or self._storage.add_user(username)
        if user.access_token is None:
            user = self._storage.authorise(user.id)
        if user != known:
            log.info("@%s: authorised the app", user.username)
        return 200 if known else 201, {
            "id": str(user.id),
            "username": user.username,
            "access_token": user.access_token,
            "access_token_secret": user.access_token_secret,
        }

    def _revoke(self, body: Mapping[str, Any]) -> Answer:
        user = self._known_user(body)
        self._storage.revoke(user.id)
        log.info("@%s: revoked the app's tokens", user.username)
        return 200, {"username": user.username}

    def _authorize(self, body: Mapping[str, Any]) -> Answer:
        """What a person does on the authorize page: the PIN of the user, who is created when new."""
        username = body.get("username")
        if not _is_username(username):
            raise BadRequest(_WRONG_USERNAME.format(username))
        pin = self._authorization.authorise(str(body.get("oauth_token")), username)
        if pin is None:
            raise BadRequest(_WRONG_REQUEST_TOKEN, 404)
        return 200, {"pin": pin}

    def _deny(self, body: Mapping[str, Any]) -> Answer:
        """What a person does on the authorize page who does not want the app to act for them."""
        if not self._authorization.deny(str(body.get("oauth_token"))):
            raise BadRequest(_WRONG_REQUEST_TOKEN, 404)
        return 200, {}

    def _suspend(self, body: Mapping[str, Any]) -> Answer:
        user = self._known_user(body)
        self._storage.suspend(user.id)
        log.info("@%s: suspended", user.username)
        return 200, {"username": user.username}

    def _reset(self, _: Mapping[str, Any]) -> Answer:
        self._storage.reset()
        self._limits.clear()
        self._faults.clear()
        log.info("reset: no tweets, no faults, nobody suspended, full rate limits")
        return 200, {}

    def _fail(self, body: Mapping[str, Any]) -> Answer:
        kind = body.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise BadRequest(f'"kind" must be one of {", ".join(KINDS)}, not {kind!r}.')
        fault = Fault(
            kind=kind,
            times=_number(body, "times", 1, default=1),
            endpoint=_endpoint(body, kind),
            username=self._known_user(body).username if "username" in body else None,
            ms=_milliseconds(body, kind),
        )
        self._faults.add(fault)
        log.info(
            "fault for the next %d of %s by %s: %s",
            fault.times,
            fault.endpoint,
            f"@{fault.username}" if fault.username else "anybody",
            fault.kind,
        )
        return 201, _shown(fault)

    def _pending_faults(self, _: Mapping[str, Any]) -> Answer:
        return 200, [_shown(fault) for fault in self._faults.pending]

    def _clear_faults(self, _: Mapping[str, Any]) -> Answer:
        self._faults.clear()
        log.info("no fault is to come any more")
        return 200, []

    def _kinds(self, _: Mapping[str, Any]) -> Answer:
        return 200, [
            {"kind": name, "sort": group, "words": kind.description, "ms": kind.default_ms}
            for group, kinds in KINDS_BY_GROUP.items()
            for name, kind in kinds.items()
        ]

    def _tweets(self, query: Mapping[str, Any]) -> Answer:
        limit = query.get("limit")
        if limit is not None and not re.fullmatch("[1-9][0-9]{0,8}", limit):
            raise BadRequest(f'"limit" must be a whole number from 1 on, not {limit!r}.')
        return 200, [
            {
                "id": str(tweet.id),
                "text": tweet.sent_text,
                "username": tweet.username,
                "created_at": rfc3339(tweet.created_at),
            }
            for tweet in self._storage.tweets(query.get("username"), limit and int(limit))
        ]

    def _known_user(self, body: Mapping[str, Any]) -> User:
        username = body.get("username")
        user = self._storage.user_named(username) if _is_username(username) else None
        if not user:
            raise BadRequest(f"There is no user {username!r}. POST /_local/users creates one.", 404)
        return user


def _is_username(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(USERNAME, value) is not None


def _number(body: Mapping[str, Any], key: str, least: int, default: int) -> int:
    value = body.get(key, default)
    if type(value) is not int or not least <= value <= _AT_MOST:
        raise BadRequest(f'"{key}" must be a whole number from {least} to {_AT_MOST}, not {value!r}.')
    return value


def _endpoint(body: Mapping[str, Any], kind: str) -> str:
    only_at = KINDS[kind].only_at
    endpoints = [only_at] if only_at else [*ENDPOINTS, ANY_ENDPOINT]
    value = body.get("endpoint", endpoints[0])
    if value not in endpoints:
        raise BadRequest(f'"endpoint" must be one of {", ".join(endpoints)}, not {value!r}.')
    return str(value)


def _milliseconds(body: Mapping[str, Any], kind: str) -> int | None:
    default = KINDS[kind].default_ms
    if default is not None:
        return _number(body, "ms", 0, default)
    if "ms" in body:
        timed = ", ".join(name for name, kind in KINDS.items() if kind.default_ms is not None)
        raise BadRequest(f'"ms" means nothing to {kind}; it does to {timed}.')
    return None


def _shown(fault: Fault) -> dict[str, Any]:
    return {name: value for name, value in asdict(fault).items() if value is not None}


def _reading_json(
    answer: Callable[[Mapping[str, Any]], Answer], known: set[str]
) -> Callable[..., Awaitable[web.Response]]:
    async def read(request: web.Request) -> Answer:
        if request.content_type != "application/json":
            raise BadRequest("Send the content type application/json.", 415)
        try:
            body = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError):
            raise BadRequest("The body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise BadRequest("The body must be a JSON object.")
        return answer(_only(known, body))

    return _answering(read)


def _reading_query(
    answer: Callable[[Mapping[str, Any]], Answer], known: set[str]
) -> Callable[..., Awaitable[web.Response]]:
    async def read(request: web.Request) -> Answer:
        return answer(_only(known, request.query))

    return _answering(read)


def _only(known: set[str], given: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadRequest(f"{', '.join(unknown)} means nothing here; known: {', '.join(sorted(known)) or 'nothing'}.")
    return given


async def _unknown(request: web.Request) -> Answer:
    raise BadRequest(f"There is no {request.method} {request.path}.", 404)


def _answering(handle: Callable[[web.Request], Awaitable[Answer]]) -> Callable[..., Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            if not loopback.is_meant(request.host):
                raise BadRequest(f"Reach these routes under {', '.join(loopback.NAMES)} only.", 421)
            status, body = await handle(request)
        except BadRequest as error:
            status, body = error.status, {"error": str(error)}
        return web.json_response(body, status=status)

    return answer
