"""Hasura's HTTP endpoints: authentication, the JSON of requests, and the form of answers and errors."""

import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import psycopg
from aiohttp import web
from aiohttp.typedefs import Handler
from psycopg_pool import AsyncConnectionPool

from local.hasura.authentication import Authentication
from local.hasura.errors import HasuraError
from local.hasura.events.faults import EVENT_KINDS, DeliveryFaults
from local.hasura.graphql_api.request import persisted_queries_are_not_supported
from local.hasura.json_arguments import count, mapping, one_of, optional, required
from local.hasura.metadata_api.commands import SUCCESS, MetadataApi
from local.hasura.schema_cache import SchemaCache
from local.hasura.session import ADMIN, Session
from local.hasura.strict_json import parsed_json
from local.hasura.subscriptions.endpoint import WebSockets, is_upgrade

log = logging.getLogger(__name__)

_GZIP_FROM = 700
Work = Callable[[Any, Session], Awaitable[Any]]


class HttpApi:
    """The routes. Those under ``/_local`` are no part of Hasura: they are control routes that inject faults."""

    def __init__(
        self,
        authentication: Authentication,
        pool: AsyncConnectionPool,
        schema_cache: SchemaCache,
        metadata_endpoints: Mapping[str, MetadataApi],
        faults: DeliveryFaults,
        web_sockets: WebSockets,
        server_version: str,
    ) -> None:
        self._authentication = authentication
        self._pool = pool
        self._schema_cache = schema_cache
        self._metadata_endpoints = metadata_endpoints
        self._faults = faults
        self._web_sockets = web_sockets
        self._server_version = server_version

    def routes(self) -> list[web.RouteDef]:
        """All routes; the last one answers 404 to every other request."""
        return [
            web.get("/healthz", self._health),
            web.get("/v1/version", self._version),
            web.post("/v1/graphql", self._graphql),
            web.get("/v1/graphql", self._graphql_by_get),
            *(web.post(path, self._answering(api.run)) for path, api in self._metadata_endpoints.items()),
            web.post("/_local/drop_next", self._inject(self._faults.drop_next)),
            web.post("/_local/duplicate_next", self._inject(self._faults.duplicate_next)),
            web.route("*", "/{path:.*}", self._not_found),
        ]

    async def _health(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(text="OK")

    async def _version(self, request: web.Request) -> web.Response:
        return _answer(request, {"server_type": "ce", "version": self._server_version})

    async def _not_found(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _flat_error(HasuraError("not-found", "resource does not exist", status=404))

    async def _graphql(self, request: web.Request) -> web.Response:
        """Always answers HTTP 200."""
        try:
            session = await self._authentication.session(request.headers, request.cookies)
            answer = await self._schema_cache.graphql.execute(self._pool, session, await _json_body(request))
        except HasuraError as error:
            return _graphql_error(error)
        failed = isinstance(answer, dict) and "errors" in answer
        return _json(answer) if failed else _answer(request, answer)

    async def _graphql_by_get(self, request: web.Request) -> web.StreamResponse:
        if is_upgrade(request):
            return await self._web_sockets.serve(request)
        return _graphql_error(persisted_queries_are_not_supported())

    def _inject(self, fault: Callable[[str, int], None]) -> Handler:
        """A control route. Its body is ``{"times": 1, "kind": "one_off"}``; both keys are optional."""

        async def inject(body: Any, session: Session) -> dict[str, str]:
            if session.role != ADMIN:
                raise HasuraError("access-denied", "restricted access : admin only")
            given = mapping(body, "$")
            times = required(given, "times", count, "$") if "times" in given else 1
            fault(optional(given, "kind", one_of(*EVENT_KINDS), "$") or "one_off", times)
            return SUCCESS

        return self._answering(inject)

    def _answering(self, work: Work) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                session = await self._authentication.session(request.headers, request.cookies)
                return _answer(request, await work(await _json_body(request), session))
            except HasuraError as error:
                return _flat_error(error)
            except psycopg.Error as error:
                log.warning("%s: the database refused or does not answer (%s)", request.path, type(error).__name__)
                return _flat_error(HasuraError("unexpected", "database query error", status=500))

        return handle


async def _json_body(request: web.Request) -> Any:
    try:
        return parsed_json(await request.read())
    except ValueError as error:
        raise HasuraError("invalid-json", f"the body is not JSON: {error}") from error


def _answer(request: web.Request, content: Any) -> web.Response:
    """A success has the caller's request id, or a new one, and is compressed if the caller accepts that."""
    response = _json(content)
    response.headers["x-request-id"] = request.headers.get("x-request-id") or str(uuid.uuid4())
    if (response.content_length or 0) >= _GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _flat_error(error: HasuraError) -> web.Response:
    content: dict[str, Any] = {"path": error.path, "error": error.message, "code": error.code}
    if error.internal is not None:
        content["internal"] = error.internal
    return _json(content, error.status)


def _graphql_error(error: HasuraError) -> web.Response:
    return _json({"errors": [error.as_graphql()]})


def _json(content: Any, status: int = 200) -> web.Response:
    return web.json_response(content, status=status)
