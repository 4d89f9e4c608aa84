"""Faults on demand: the kinds there are, the faults that are pending, and how one is injected into a call.

"after" in the name of a kind means that X did what it was asked to (the tweet is published), and that the client does
not learn it.
"""

import asyncio
import json
import logging
import math
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiohttp import web

from local.x_api import problems
from local.x_api.problems import Problem
from local.x_api.rate_limits import WINDOW_SECONDS, bucket_headers
from local.x_api.storage import User

ANY_ENDPOINT = "any"

STOPPING = web.AppKey("stopping", asyncio.Event)
"""Set when the server stops, so that no delayed answer keeps it running."""

_DAY_SECONDS = 24 * 60 * 60

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A request with a valid signature, received `at` that time. It sees no tweet younger than `lag`."""

    request: web.Request
    body: bytes
    user: User
    at: datetime
    lag: timedelta = timedelta()


@dataclass
class Fault:
    """A fault for the next `times` calls of `endpoint` by `username` (None = anybody); `ms` is its duration, if any."""

    kind: str
    times: int
    endpoint: str
    username: str | None
    ms: int | None

    def concerns(self, endpoint: str, username: str) -> bool:
        return self.endpoint in (ANY_ENDPOINT, endpoint) and self.username in (None, username)


class Faults:
    """The pending faults, in the order in which they were requested."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.pending.append(fault)

    def clear(self) -> None:
        self.pending.clear()

    async def answer(self, endpoint: str, call: Call, work: Callable[[Call], web.Response]) -> web.StreamResponse:
        """The answer of `work`, or of the pending fault for this call. Both may raise Problem."""
        fault = self._take(endpoint, call.user.username)
        if fault is None:
            return work(call)
        method, path = call.request.method, call.request.path
        log.info("@%s: %s %s: injected fault %s", call.user.username, method, path, fault.kind)
        try:
            return await KINDS[fault.kind].inject(FaultyCall(call, fault.ms or 0, work))
        except NotAccepted as rejected:
            self._give_back(fault)
            raise rejected.problem from None

    def _take(self, endpoint: str, username: str) -> Fault | None:
        fault = next((fault for fault in self.pending if fault.concerns(endpoint, username)), None)
        if fault:
            fault.times -= 1
            if not fault.times:
                self.pending.remove(fault)
        return fault

    def _give_back(self, fault: Fault) -> None:
        if not fault.times:
            self.pending.insert(0, fault)
        fault.times += 1


@dataclass(frozen=True)
class FaultyCall:
    """A call with a fault of `ms` milliseconds. `work` does what the call asks for, or raises Problem."""

    call: Call
    ms: int
    work: Callable[[Call], web.Response]

    def accepted(self) -> web.Response:
        """The answer to a call that X accepts. Raises NotAccepted when X rejects it."""
        try:
            return self.work(self.call)
        except Problem as problem:
            raise NotAccepted(problem) from None

    async def wait(self) -> None:
        """Returns after `ms`, or when the server stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.call.request.app[STOPPING].wait(), self.ms / 1000)


class NotAccepted(Exception):
    """X rejects the call by its own rules, so a fault that follows an acceptance stays pending for another call."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class FaultKind:
    """What happens, and how it is injected. Without `default_ms` it has no duration; `only_at` is its one endpoint."""

    description: str
    inject: Callable[[FaultyCall], Awaitable[web.StreamResponse]]
    default_ms: int | None = None
    only_at: str | None = None


def _rejection(description: str, problem: Callable[[], Problem]) -> FaultKind:
    async def reject(_faulty: FaultyCall) -> web.StreamResponse:
        raise problem()

    return FaultKind(description, reject)


def _accepted_with(description: str, body: Callable[[str], str]) -> FaultKind:
    """The call is accepted, and `body` makes the body of the answer from the right one."""

    async def accept(faulty: FaultyCall) -> web.StreamResponse:
        response = faulty.accepted()
        response.text = body(response.text or "")
        return response

    return FaultKind(description, accept)


async def _rate_limited(faulty: FaultyCall) -> web.StreamResponse:
    reset = math.ceil(faulty.call.at.timestamp() + faulty.ms / 1000)
    raise problems.too_many_requests(bucket_headers("x-rate-limit", 100, 0, reset))


async def _rate_limited_for_the_day(faulty: FaultyCall) -> web.StreamResponse:
    """The bucket of the day is empty, the one of the window is not."""
    now = faulty.call.at.timestamp()
    window = bucket_headers("x-rate-limit", 100, 99, math.ceil(now) + WINDOW_SECONDS)
    day = bucket_headers("x-user-limit-24hour", 100, 0, math.ceil(now + faulty.ms / 1000))
    raise problems.too_many_requests(window | day)


async def _unavailable_after(faulty: FaultyCall) -> web.StreamResponse:
    faulty.accepted()
    raise problems.service_unavailable()


async def _time_out_before(faulty: FaultyCall) -> web.StreamResponse:
    await faulty.wait()
    return _closed(faulty.call)


async def _time_out_after(faulty: FaultyCall) -> web.StreamResponse:
    faulty.accepted()
    return await _time_out_before(faulty)


async def _reset_before(faulty: FaultyCall) -> web.StreamResponse:
    """Ends the connection with a TCP reset."""
    transport = faulty.call.request.transport
    if transport:
        linger_no_time = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
        transport.abort()
    return web.Response()


async def _reset_after(faulty: FaultyCall) -> web.StreamResponse:
    faulty.accepted()
    return await _reset_before(faulty)


async def _slow(faulty: FaultyCall) -> web.StreamResponse:
    await faulty.wait()
    return faulty.work(faulty.call)


async def _slow_body(faulty: FaultyCall) -> web.StreamResponse:
    begun, rest = await _send_half(faulty.call, faulty.accepted())
    await faulty.wait()
    await begun.write(rest)
    return begun


async def _truncated(faulty: FaultyCall) -> web.StreamResponse:
    await _send_half(faulty.call, faulty.accepted())
    return _closed(faulty.call)


async def _only_errors(_faulty: FaultyCall) -> web.StreamResponse:
    return web.json_response({"errors": [_PARTIAL_ERROR]}, status=201)


async def _timeline_lag(faulty: FaultyCall) -> web.StreamResponse:
    return faulty.work(replace(faulty.call, lag=timedelta(milliseconds=faulty.ms)))


def _with_errors(body: str) -> str:
    return json.dumps({**json.loads(body), "errors": [_PARTIAL_ERROR]})


async def _send_half(call: Call, response: web.Response) -> tuple[web.StreamResponse, bytes]:
    """Sends the head and half of the body; returns the response and the other half."""
    content = (response.text or "").encode()
    begun = web.StreamResponse(status=response.status, headers=response.headers)
    begun.content_length = len(content)
    await begun.prepare(call.request)
    half = len(content) // 2
    await begun.write(content[:half])
    return begun, content[half:]


def _closed(call: Call) -> web.StreamResponse:
    """Closes the connection without an answer; nobody receives the response that is returned."""
    if call.request.transport:
        call.request.transport.close()
    return web.Response()


_PARTIAL_ERROR = {
    "title": "Field Authorization Error",
    "detail": "Sorry, you are not authorized to access 'edit_controls' on the Tweet.",
    "type": "https://api.x.com/2/problems/not-authorized-for-field",
}
_PAGE_502 = "<html><body><h1>502 Bad Gateway</h1></body></html>\n"
_PAGE_520 = (
    "<!DOCTYPE html>\n<html><head><title>api.x.com | 520: Web server is returning an unknown error</title></head>\n"
    "<body><h1>Web server is returning an unknown error</h1><p>Error code 520</p></body></html>\n"
)

KINDS_BY_GROUP: dict[str, dict[str, FaultKind]] = {
    "X rejects the call": {
        "401": _rejection("the sign-in is rejected", problems.unauthorized),
        "401_legacy": _rejection(
            "the sign-in is rejected, in the older body with a code", problems.invalid_or_expired_token
        ),
        "402": _rejection("the app's credits are used up", problems.credits_depleted),
        "402_payment_required": _rejection(
            "the app's credits are used up, in the other body", problems.payment_required
        ),
        "403": _rejection("the general rejection: not permitted", problems.not_permitted),
        "403_scope": _rejection("a plain Forbidden", problems.missing_scope),
        "404": _rejection("X does not know the path", problems.not_found),
        "405": _rejection("X does not allow the method", problems.method_not_allowed),
        "301": _rejection("X redirects to another path", problems.moved),
        "duplicate": _rejection("the author has posted this text already", problems.duplicate),
        "too_many_cashtags": _rejection("the text has more than one cashtag", problems.too_many_cashtags),
        "read_only_app": _rejection("the app may only read", problems.read_only_app),
        "app_cannot_write": _rejection(
            "the app may only read, in the older body with the code 261", problems.app_cannot_write
        ),
        "not_enrolled": _rejection("the app is not attached to a project", problems.not_enrolled),
        "unsupported_authentication": _rejection(
            "an error that does not last: the authentication is Unknown",
            lambda: problems.unsupported_authentication("Unknown"),
        ),
        "suspended": _rejection("the author's account is suspended", problems.user_suspended),
        "account_locked": _rejection("the author must log in at x.com", problems.account_locked),
        "429": FaultKind("the window of 15 minutes is used up", _rate_limited, default_ms=WINDOW_SECONDS * 1000),
        "429_day": FaultKind(
            "the day's limit is used up, the window is not", _rate_limited_for_the_day, default_ms=_DAY_SECONDS * 1000
        ),
        "usage_capped": _rejection("the app's monthly cap is used up", problems.usage_capped),
    },
    "X or its edge has an error": {
        "500": _rejection("internal error, nothing done", problems.internal_server_error),
        "503": _rejection("over capacity, nothing done", problems.service_unavailable),
        "html_502": _rejection("an HTML page, nothing done", lambda: problems.edge_error(502, _PAGE_502)),
        "empty_504": _rejection("no body, nothing done", lambda: problems.edge_error(504, "")),
        "html_520": _rejection("an HTML page of the edge, nothing done", lambda: problems.edge_error(520, _PAGE_520)),
        "commit_then_503": FaultKind("accepted, then 503", _unavailable_after),
    },
    "The connection breaks": {
        "timeout_before": FaultKind("no answer, nothing done", _time_out_before, default_ms=60_000),
        "timeout_after": FaultKind("accepted, then no answer", _time_out_after, default_ms=60_000),
        "reset_before": FaultKind("TCP reset, nothing done", _reset_before),
        "reset_after": FaultKind("accepted, then TCP reset", _reset_after),
    },
    "The answer is late, or not as expected": {
        "slow": FaultKind("X waits, then does it and answers", _slow, default_ms=2_000),
        "slow_body": FaultKind("accepted; the second half of the body comes late", _slow_body, default_ms=2_000),
        "truncated_201": FaultKind("accepted; the connection ends in the middle of the body", _truncated),
        "unreadable_201": _accepted_with("accepted; the JSON is incomplete", lambda body: body[:20]),
        "201_without_id": _accepted_with("accepted; the JSON has no id", lambda _body: '{"data":{}}'),
        "201_with_errors": _accepted_with("accepted; the JSON has the tweet and errors", _with_errors),
        "201_only_errors": FaultKind("201, but nothing done; the JSON has errors alone", _only_errors),
        "timeline_lag": FaultKind(
            "the timeline does not show the latest yet", _timeline_lag, default_ms=10_000, only_at="timeline"
        ),
    },
}
"""All kinds of faults, by group."""

KINDS = {name: kind for kinds in KINDS_BY_GROUP.values() for name, kind in kinds.items()}
