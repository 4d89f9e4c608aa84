"""All WebSockets: which upgrades are accepted, and when all connections are closed."""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import hdrs, web
from psycopg_pool import AsyncConnectionPool

from local.hasura.authentication import Authentication
from local.hasura.cors import AllowedOrigins
from local.hasura.errors import HasuraError
from local.hasura.schema_cache import SchemaCache
from local.hasura.subscriptions.connection import SECONDS_TO_CLOSE, Connection, Limits, Services
from local.hasura.subscriptions.live_queries import LiveQueries
from local.hasura.subscriptions.messages import Subprotocol

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 1000
LARGEST_MESSAGE = 4 * 2**20
"""Bytes. A larger one ends its connection with the code 1009."""

_RESTART = 1012


class WebSockets:
    """The connections of one server."""

    def __init__(
        self,
        authentication: Authentication,
        pool: AsyncConnectionPool,
        schema_cache: SchemaCache,
        allowed_origins: AllowedOrigins,
        environment: Mapping[str, str],
    ) -> None:
        """Raises ValueError when a setting in the environment is no number."""
        interval = _seconds(environment, "HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL", "1000") / 1000
        limits = Limits(
            to_initialise=_seconds(environment, "HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT", "3"),
            between_keep_alives=_seconds(environment, "HASURA_GRAPHQL_WEBSOCKET_KEEPALIVE", "5"),
        )
        self._services = Services(authentication, pool, schema_cache, LiveQueries(pool, interval), limits)
        self._allowed_origins = allowed_origins
        self._connections: set[Connection] = set()
        self._closings: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        schema_cache.when_changed = self.metadata_has_changed

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Upgrades the request and serves the connection to its end, or refuses the upgrade."""
        if self._is_stopping:
            return web.Response(status=503, headers={hdrs.RETRY_AFTER: "0"}, text="Server is shutting down")
        if self._allowed_origins.refuses(request):
            message = "received origin header does not match configured CORS domains"
            return _refused(HasuraError("access-denied", message), 400)
        if len(self._connections) >= MOST_CONNECTIONS:
            log.warning("refused a WebSocket: %d are open, which is the most that this server holds", MOST_CONNECTIONS)
            return _refused(HasuraError("unexpected", "too many WebSockets are open"), 503)
        subprotocol = _subprotocol(request)
        socket = web.WebSocketResponse(
            protocols=[subprotocol.value], max_msg_size=LARGEST_MESSAGE, compress=False, timeout=SECONDS_TO_CLOSE
        )
        await socket.prepare(request)
        connection = Connection(request, socket, subprotocol, self._services)
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
        return socket

    def metadata_has_changed(self) -> None:
        """Closes all connections, so that no operation outlives the permissions that it was checked against."""
        self._services.live_queries.forget()
        self._close_all(b"Server state changed, restarting the server")

    async def stop(self, _: web.Application) -> None:
        """Closes all connections and accepts no more."""
        self._is_stopping = True
        self._close_all(b"shutting server down")
        await asyncio.gather(*self._closings)

    def _close_all(self, reason: bytes) -> None:
        for connection in self._connections:
            closing = asyncio.create_task(connection.close(_RESTART, reason))
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)


def is_upgrade(request: web.Request) -> bool:
    """Whether the request asks for a WebSocket."""
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _subprotocol(request: web.Request) -> Subprotocol:
    """The newer one for a client that offers it alone; Hasura takes all others for clients of the older one."""
    offered = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    is_newer = offered == [Subprotocol.GRAPHQL_TRANSPORT_WS.value]
    return Subprotocol.GRAPHQL_TRANSPORT_WS if is_newer else Subprotocol.GRAPHQL_WS


def _refused(error: HasuraError, status: int) -> web.Response:
    return web.json_response({"errors": [error.as_graphql()]}, status=status)


def _seconds(environment: Mapping[str, str], name: str, default: str) -> float:
    value = environment.get(name) or default
    if not value.isdecimal() or int(value) == 0:
        raise ValueError(f"{name}: {value} is not a whole number above 0")
    return float(value)
