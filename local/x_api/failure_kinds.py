"""The kinds of failure that can be asked for, by name.

"After" in a name means that X did what it was asked to (the tweet is out), and that the client does not learn it.
"""

import asyncio
import math
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from aiohttp import web

from local.x_api import problems
from local.x_api.call import Call
from local.x_api.problems import Problem
from local.x_api.rate_limits import WINDOW_SECONDS, bucket_headers

STOPPING = web.AppKey("stopping", asyncio.Event)
"""Set when the server stops, so that no hanging answer delays it."""

_DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Attempt:
    """What a failure befalls: `work` does what `call` asks for, or raises X's refusal; `ms` is how long it takes."""

    call: Call
    ms: int
    work: Callable[[Call], web.Response]

    def accepted(self) -> web.Response:
        """Does the work. Raises NotAccepted when X refuses."""
        try:
            return self.work(self.call)
        except Problem as problem:
            raise NotAccepted(problem) from None


class NotAccepted(Exception):
    """X refused for a reason of its own, so a failure that comes after X's yes has to wait for another call."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class Kind:
    """What happens, in words, and how. Without `default_ms` it takes no time; `only_at` is the endpoint it is for."""

    words: str
    happen: Callable[[Attempt], Awaitable[web.StreamResponse]]
    default_ms: int | None = None
    only_at: str | None = None


def _refusal(words: str, problem: Callable[[], Problem]) -> Kind:
    async def refuse(_attempt: Attempt) -> web.StreamResponse:
        raise problem()

    return Kind(words, refuse)


async def _rate_limited(attempt: Attempt) -> web.StreamResponse:
    reset = math.ceil(attempt.call.at.timestamp() + attempt.ms / 1000)
    raise problems.too_many_requests(bucket_headers("x-rate-limit", 100, 0, reset))


async def _rate_limited_for_the_day(attempt: Attempt) -> web.StreamResponse:
    """The window has plenty left; the day has not."""
    now = attempt.call.at.timestamp()
    window = bucket_headers("x-rate-limit", 100, 99, math.ceil(now) + WINDOW_SECONDS)
    day = bucket_headers("x-user-limit-24hour", 100, 0, math.ceil(now + attempt.ms / 1000))
    raise problems.too_many_requests(window | day)


async def _unavailable_after(attempt: Attempt) -> web.StreamResponse:
    attempt.accepted()
    raise problems.service_unavailable()


async def _time_out_before(attempt: Attempt) -> web.StreamResponse:
    await _hang(attempt)
    return _closed(attempt.call)


async def _time_out_after(attempt: Attempt) -> web.StreamResponse:
    attempt.accepted()
    return await _time_out_before(attempt)


async def _reset_before(attempt: Attempt) -> web.StreamResponse:
    """Ends the connection with a TCP reset."""
    transport = attempt.call.request.transport
    if transport:
        linger_no_time = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
        transport.abort()
    return web.Response()


async def _reset_after(attempt: Attempt) -> web.StreamResponse:
    attempt.accepted()
    return await _reset_before(attempt)


async def _slow(attempt: Attempt) -> web.StreamResponse:
    """X takes its time before it does anything."""
    await _hang(attempt)
    return attempt.work(attempt.call)


async def _slow_body(attempt: Attempt) -> web.StreamResponse:
    begun, rest = await _send_half(attempt.call, attempt.accepted())
    await _hang(attempt)
    await begun.write(rest)
    return begun


async def _truncated(attempt: Attempt) -> web.StreamResponse:
    """The connection ends in the middle of the body."""
    await _send_half(attempt.call, attempt.accepted())
    return _closed(attempt.call)


async def _unreadable(attempt: Attempt) -> web.StreamResponse:
    """The status says yes; the JSON breaks off, though the length is right."""
    response = attempt.accepted()
    response.text = (response.text or "")[:20]
    return response


async def _without_id(attempt: Attempt) -> web.StreamResponse:
    """The status says yes; the JSON does not say what."""
    response = attempt.accepted()
    response.text = '{"data":{}}'
    return response


async def _timeline_lag(attempt: Attempt) -> web.StreamResponse:
    return attempt.work(replace(attempt.call, lag=timedelta(milliseconds=attempt.ms)))


async def _hang(attempt: Attempt) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(attempt.call.request.app[STOPPING].wait(), attempt.ms / 1000)


async def _send_half(call: Call, response: web.Response) -> tuple[web.StreamResponse, bytes]:
    """Sends the head and half of the body; returns the response that was begun and what is left to write."""
    content = (response.text or "").encode()
    begun = web.StreamResponse(status=response.status, headers=response.headers)
    begun.content_length = len(content)
    await begun.prepare(call.request)
    half = len(content) // 2
    await begun.write(content[:half])
    return begun, content[half:]


def _closed(call: Call) -> web.StreamResponse:
    """Ends the connection without a word. The response that is returned finds nobody to read it."""
    if call.request.transport:
        call.request.transport.close()
    return web.Response()


_PAGE_502 = "<html><body><h1>502 Bad Gateway</h1></body></html>\n"
_PAGE_520 = (
    "<!DOCTYPE html>\n<html><head><title>api.x.com | 520: Web server is returning an unknown error</title></head>\n"
    "<body><h1>Web server is returning an unknown error</h1><p>Error code 520</p></body></html>\n"
)

KINDS_BY_SORT: dict[str, dict[str, Kind]] = {
    "X refuses": {
        "401": _refusal("the sign-in is refused", problems.unauthorized),
        "401_legacy": _refusal(
            "the sign-in is refused, in the older body with a code", problems.invalid_or_expired_token
        ),
        "402": _refusal("the app's credits are used up", problems.credits_depleted),
        "402_payment_required": _refusal("the app's credits are used up, in the other body", problems.payment_required),
        "403": _refusal("the catch-all refusal: not permitted", problems.not_permitted),
        "403_scope": _refusal("a plain Forbidden", problems.missing_scope),
        "duplicate": _refusal("X says that the text was posted already", problems.duplicate),
        "read_only_app": _refusal("the app may only read", problems.read_only_app),
        "not_enrolled": _refusal("the app is not attached to a project", problems.not_enrolled),
        "unsupported_authentication": _refusal(
            "a passing glitch: the authentication is Unknown", lambda: problems.unsupported_authentication("Unknown")
        ),
        "suspended": _refusal("the author's account is suspended", problems.user_suspended),
        "account_locked": _refusal("the author must log in at x.com", problems.account_locked),
        "429": Kind("the window of 15 minutes is used up", _rate_limited, default_ms=WINDOW_SECONDS * 1000),
        "429_day": Kind(
            "the day's limit is used up, the window is not", _rate_limited_for_the_day, default_ms=_DAY_SECONDS * 1000
        ),
        "usage_capped": _refusal("the app's monthly cap is used up", problems.usage_capped),
    },
    "X or its edge is ill": {
        "500": _refusal("internal error, nothing done", problems.internal_server_error),
        "503": _refusal("over capacity, nothing done", problems.service_unavailable),
        "html_502": _refusal("an HTML page, nothing done", lambda: problems.edge_error(502, _PAGE_502)),
        "empty_504": _refusal("no body, nothing done", lambda: problems.edge_error(504, "")),
        "html_520": _refusal("an HTML page of the edge, nothing done", lambda: problems.edge_error(520, _PAGE_520)),
        "commit_then_503": Kind("accepted, then 503", _unavailable_after),
    },
    "The connection breaks": {
        "timeout_before": Kind("no answer, nothing done", _time_out_before, default_ms=60_000),
        "timeout_after": Kind("accepted, then no answer", _time_out_after, default_ms=60_000),
        "reset_before": Kind("TCP reset, nothing done", _reset_before),
        "reset_after": Kind("accepted, then TCP reset", _reset_after),
    },
    "The answer is late, or not to be read": {
        "slow": Kind("answers rightly, but late", _slow, default_ms=2_000),
        "slow_body": Kind("accepted; the second half of the body comes late", _slow_body, default_ms=2_000),
        "truncated_201": Kind("accepted; the connection ends in the middle of the body", _truncated),
        "unreadable_201": Kind("accepted; the JSON breaks off", _unreadable),
        "201_without_id": Kind("accepted; the JSON has no id", _without_id),
        "timeline_lag": Kind(
            "the timeline does not show the latest yet", _timeline_lag, default_ms=10_000, only_at="timeline"
        ),
    },
}
"""All that can be asked for, what is alike together."""

KINDS = {name: kind for kinds in KINDS_BY_SORT.values() for name, kind in kinds.items()}
