"""The HTTP side of the host: CORS, routing, limits, and an empty 500 for whatever goes wrong in a function."""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import azure.functions as func
from aiohttp import hdrs, web
from azure.functions.http import HttpRequest, HttpResponseConverter
from multidict import CIMultiDict

from local.functions_host.function_app import Function, FunctionApp
from local.functions_host.worker import LoadError, Worker

DEFAULT_BODY_LIMIT = 100 * 1024 * 1024

_LONG_CALL_SECONDS = 1
_SET_BY_THE_SERVER = (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING)

_log = logging.getLogger("functions")


class _NotAResponse(Exception):
    """A function returned something else than func.HttpResponse."""


@dataclass(frozen=True)
class Cors:
    """The origins whose pages may call the functions; none of them = no such layer at all."""

    origins: frozenset[str]
    credentials: bool = False

    @classmethod
    def of(cls, origins: str, *, credentials: bool) -> "Cors":
        """From a comma-separated list, as ``--cors`` and ``Host.CORS`` have it."""
        return cls(
            frozenset(origin.strip().rstrip("/") for origin in origins.split(",") if origin.strip()), credentials
        )

    def is_preflight(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether this layer answers the request, before any routing."""
        asks = method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers
        return asks and bool(self.origins)

    def headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """What the answer to a request with these headers carries; nothing when its origin is not listed."""
        origin = request.get("Origin")
        if origin is None or not self.origins & {origin, "*"}:
            return {}
        allowed = (
            {"Access-Control-Allow-Origin": "*"}
            if "*" in self.origins
            else {
                "Access-Control-Allow-Origin": origin,
                "Vary": "Origin",
            }
        )
        if self.credentials:
            allowed["Access-Control-Allow-Credentials"] = "true"
        return allowed

    def preflight_headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """What the answer to a preflight carries: it allows just what was asked for."""
        allowed = self.headers(request)
        if allowed:
            allowed["Access-Control-Allow-Methods"] = request["Access-Control-Request-Method"]
            if asked := request.get("Access-Control-Request-Headers"):
                allowed["Access-Control-Allow-Headers"] = asked
        return allowed


def application(app: FunctionApp, worker: Worker, cors: Cors, body_limit: int = DEFAULT_BODY_LIMIT) -> web.Application:
    """The server of one function app."""
    host = _Host(app, worker, cors, body_limit)
    # The limit is checked before reading; aiohttp's own would read that much first.
    server = web.Application(client_max_size=0)
    server.router.add_route("*", "/{path:.*}", host.answer)
    return server


class _Host:
    def __init__(self, app: FunctionApp, worker: Worker, cors: Cors, body_limit: int) -> None:
        self._app = app
        self._worker = worker
        self._cors = cors
        self._body_limit = body_limit

    async def answer(self, request: web.Request) -> web.Response:
        if self._cors.is_preflight(request.method, request.headers):
            allowed = self._cors.preflight_headers(request.headers)
            if not allowed:
                _log_blocked(request)
            return web.Response(status=204, headers=allowed)
        response = await self._route(request)
        response.headers.update(self._cors.headers(request.headers))
        return response

    async def _route(self, request: web.Request) -> web.Response:
        if request.path == "/" and request.method == "GET":
            return _home_page()
        for function in self._app.functions:
            parameters = function.route.match(request.path)
            if parameters is not None and function.takes(request.method):
                return await self._call(function, request, parameters)
        _log.info("%s %s -> 404, no function takes this", request.method, request.path)
        return web.Response(status=404)

    async def _call(self, function: Function, request: web.Request, parameters: dict[str, str]) -> web.Response:
        started = time.monotonic()
        if (request.content_length or 0) > self._body_limit:
            response = web.Response(status=413)
        else:
            if request.content_length is None and request.can_read_body:
                _log.warning("%s gets an empty body: as in Azure, chunked ones are dropped", function.name)
            response = await self._invoke(function, request, parameters)
        seconds = time.monotonic() - started
        # Of all other calls the function's own lines tell; one more for each would drown them.
        if response.status >= 400 or seconds > _LONG_CALL_SECONDS:
            _log.info("%s %s -> %d in %.0f ms", request.method, request.path, response.status, seconds * 1000)
        return response

    async def _invoke(self, function: Function, request: web.Request, parameters: dict[str, str]) -> web.Response:
        try:
            return _http_response(await self._worker.call(function, await _function_request(request, parameters)))
        except (LoadError, _NotAResponse) as error:
            _log.error("%s failed: %s", function.name, error)
        except SystemExit:
            _log.error("%s failed: it raised SystemExit, which takes the worker down in Azure", function.name)
        except Exception:
            _log.exception("%s failed", function.name)
        return web.Response(status=500)


def _log_blocked(request: web.Request) -> None:
    """The browser says no more to the page than that the request failed."""
    message = "%s %s is blocked: pages of %s may not call the functions; python -m local --cors %s lets them"
    origin = request.headers["Origin"][:100]
    _log.warning(message, request.method, request.path, origin, origin)


def _home_page() -> web.Response:
    page = "<!doctype html><title>Function app</title><p>The function app is up and running.</p>"
    return web.Response(text=page, content_type="text/html")


async def _function_request(request: web.Request, route_parameters: Mapping[str, str]) -> func.HttpRequest:
    """The request as a function sees it.

    Repeated headers and query keys are joined by commas, query parameters without a value are dropped, and the body is
    empty unless the request says how long it is (azure-functions-host#7930). Raises HTTPRequestEntityTooLarge.
    """
    return HttpRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{request.raw_path}",
        headers=_joined(request.headers.items()),
        params={name: value for name, value in _joined(request.query.items()).items() if value},
        route_params=route_parameters,
        body_type="bytes",
        body=await request.read() if request.content_length else b"",
    )


def _http_response(returned: object) -> web.Response:
    """The answer that the host makes of a function's return value. Raises _NotAResponse."""
    if not isinstance(returned, func.HttpResponse):
        # The host would sniff a plain str for JSON and rewrite it: nothing to rely on, so it is not emulated.
        raise _NotAResponse(f"it returned {type(returned).__name__} where func.HttpResponse is expected")
    answer = HttpResponseConverter.encode(returned, expected_type=None).value
    headers = CIMultiDict((name, datum.value) for name, datum in answer["headers"].items())
    for name in _SET_BY_THE_SERVER:
        headers.popall(name, None)
    for cookie in answer["cookies"] or []:
        headers.extend((hdrs.SET_COOKIE, morsel.OutputString()) for morsel in cookie.values())
    return web.Response(status=returned.status_code, headers=headers, body=answer["body"].value)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a name, names compared without case: the first spelling, the values joined by commas."""
    values: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(spelling.setdefault(name.lower(), name), []).append(value)
    return {name: ",".join(several) for name, several in values.items()}
