"""The HTTP side of the host: CORS, routing, limits, and an empty 500 for whatever goes wrong in a function."""

import logging
import time

from aiohttp import web

from local.functions_host.cors import Cors
from local.functions_host.function_app import Function, FunctionApp
from local.functions_host.http_messages import NotAResponse, function_request, http_response
from local.functions_host.loading import LoadError
from local.functions_host.worker import Worker

DEFAULT_BODY_LIMIT = 100 * 1024 * 1024

_LONG_CALL_SECONDS = 1

_log = logging.getLogger("functions")


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
            return web.Response(status=204, headers=self._cors.preflight_headers(request.headers))
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
            return http_response(await self._worker.call(function, await function_request(request, parameters)))
        except (LoadError, NotAResponse) as error:
            _log.error("%s failed: %s", function.name, error)
        except SystemExit:
            _log.error("%s failed: it raised SystemExit, which takes the worker down in Azure", function.name)
        except Exception:
            _log.exception("%s failed", function.name)
        return web.Response(status=500)


def _home_page() -> web.Response:
    page = "<!doctype html><title>Function app</title><p>The function app is up and running.</p>"
    return web.Response(text=page, content_type="text/html")
