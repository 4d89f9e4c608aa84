"""One WebSocket: its first message says who it is, each further one starts or ends an operation."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMessage, WSMsgType, web
from multidict import CIMultiDict
from psycopg_pool import AsyncConnectionPool

from local.hasura.authentication import Authentication
from local.hasura.errors import HasuraError
from local.hasura.graphql_api import CheckedOperation
from local.hasura.schema_cache import SchemaCache
from local.hasura.session import Session
from local.hasura.subscriptions.live_queries import Answer, LiveQueries, Receive
from local.hasura.subscriptions.messages import (
    ClientMessage,
    Init,
    Ping,
    Pong,
    ServerMessages,
    Start,
    Stop,
    Subprotocol,
    Terminate,
    client_message,
    close_reason,
)

MOST_SUBSCRIPTIONS = 100
SECONDS_TO_TAKE_A_MESSAGE = 30
"""A client that has not taken a message by then is gone."""

SECONDS_TO_CLOSE = 2
"""A client has so long to take the close frame, and as long to answer it."""

_NORMAL, _BAD_REQUEST, _FORBIDDEN, _NOT_INITIALISED_IN_TIME = 1000, 4400, 4403, 4408


@dataclass(frozen=True)
class Limits:
    """Hasura's own, in seconds."""

    to_initialise: float
    between_keep_alives: float


@dataclass(frozen=True)
class Services:
    """What the operations of all connections use."""

    authentication: Authentication
    pool: AsyncConnectionPool
    schema_cache: SchemaCache
    live_queries: LiveQueries
    limits: Limits


class Connection:
    """An accepted connection. As in Hasura, a message is handled when the one before it is done with."""

    def __init__(
        self, request: web.Request, socket: web.WebSocketResponse, subprotocol: Subprotocol, services: Services
    ) -> None:
        self._request = request
        self._socket = socket
        self._is_older = subprotocol is Subprotocol.GRAPHQL_WS
        self._messages = ServerMessages(subprotocol)
        self._services = services
        self._session: Session | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._subscriptions: dict[str, Callable[[], None]] = {}

    async def serve(self) -> None:
        """Answers messages until either side ends the connection."""
        tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._require_initialisation())]
        try:
            async for message in self._socket:
                await self._take(message)
        finally:
            for task in tasks:
                task.cancel()
            if self._expiry:
                self._expiry.cancel()
            for unsubscribe in self._subscriptions.values():
                unsubscribe()

    async def close(self, code: int, reason: bytes) -> None:
        """Closes it; clients open a new one after some codes and not after others."""
        await self._within(2 * SECONDS_TO_CLOSE, self._socket.close(code=code, message=reason))

    async def _take(self, received: WSMessage) -> None:
        if received.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        try:
            message = client_message(received.data)
        except HasuraError as error:
            await self._could_not_parse(error)
        else:
            await self._handle(message)

    async def _could_not_parse(self, error: HasuraError) -> None:
        message = f"parsing ClientMessage failed: Error in {error.path}: {error.message}"
        if self._is_older:
            await self._send(self._messages.connection_error(message))
        else:
            await self.close(_BAD_REQUEST, close_reason(f"4400: Parsing client message failed: {message}"))

    async def _handle(self, message: ClientMessage) -> None:
        match message:
            case Init(headers):
                await self._initialise(headers)
            case Start(operation, request):
                await self._start(operation, request)
            case Stop(operation):
                self._end_subscription(operation)
            case Ping(payload):
                await self._send(self._messages.pong(payload))
            case Pong():
                pass
            case Terminate():
                await self.close(_NORMAL, b"GQL_CONNECTION_TERMINATE received")

    async def _initialise(self, given: Mapping[str, str]) -> None:
        try:
            session = await self._authenticated(given)
        except HasuraError as error:
            await self._refuse_initialisation(error)
        else:
            if self._session is None and session.expires_at is not None:
                seconds = session.expires_at - time.time()
                self._expiry = asyncio.get_running_loop().call_later(seconds, self._abort)
            self._session = session
            await self._send(self._messages.acknowledgement())
            await self._send(self._messages.keep_alive())

    async def _authenticated(self, given: Mapping[str, str]) -> Session:
        """Hasura also takes headers of the upgrade; not for a later session, whose expiry does not count either."""
        headers = CIMultiDict(self._request.headers if self._session is None else {})
        headers.update(given)
        return await self._services.authentication.session(headers, self._request.cookies)

    async def _refuse_initialisation(self, error: HasuraError) -> None:
        if self._is_older:
            await self._send(self._messages.connection_error(error.message))
            message = f"4400: Connection initialization failed: {error.message}"
            await self.close(_BAD_REQUEST, close_reason(message))
        else:
            await self.close(_FORBIDDEN, close_reason("4403: Forbidden"))

    async def _start(self, operation: str, request: Mapping[str, Any]) -> None:
        if operation in self._subscriptions:
            await self._refuse_start(operation, f"an operation already exists with this id: {operation}")
        elif self._session is None:
            await self._refuse_start(operation, "start received before the connection is initialised")
        else:
            try:
                checked = self._services.schema_cache.graphql.checked(self._session, request)
                if checked.is_subscription:
                    self._subscribe(operation, checked)
                else:
                    await self._run(operation, checked)
            except HasuraError as error:
                await self._refuse(operation, error)

    def _subscribe(self, operation: str, checked: CheckedOperation) -> None:
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            message = f"more than {MOST_SUBSCRIPTIONS} subscriptions on one connection are not emulated"
            raise HasuraError("not-supported", message)
        receive = self._receiver(operation)
        self._subscriptions[operation] = self._services.live_queries.subscribe(checked, receive)

    async def _run(self, operation: str, checked: CheckedOperation) -> None:
        """Answers a query or a mutation."""
        try:
            answer = json.dumps({"data": await checked.data(self._services.pool)})
        except HasuraError as error:
            await self._send(self._messages.failure(operation, error))
        else:
            await self._send(self._messages.answer(operation, answer))
        await self._send(self._messages.complete(operation))

    def _receiver(self, operation: str) -> Receive:
        async def receive(answer: Answer) -> None:
            if answer.error and answer.error.code == "data-exception":
                # A value that its type does not take; Hasura tries the values before it starts to poll.
                self._end_subscription(operation)
                await self._refuse(operation, answer.error)
            else:
                await self._send(self._messages.answer(operation, answer.text))

        return receive

    def _end_subscription(self, operation: str) -> None:
        if unsubscribe := self._subscriptions.pop(operation, None):
            unsubscribe()

    async def _refuse(self, operation: str, error: HasuraError) -> None:
        await self._send(self._messages.refusal(operation, error))
        await self._send(self._messages.complete(operation))

    async def _refuse_start(self, operation: str, message: str) -> None:
        """A client that breaks the protocol; with the newer one this ends the connection, with Hasura's odd code."""
        await self._send(self._messages.protocol_error(operation, HasuraError("start-failed", message)))
        if self._is_older:
            await self._send(self._messages.complete(operation))
        else:
            await self.close(_NORMAL, close_reason(f"4400: {message}"))

    async def _keep_alive(self) -> None:
        while True:
            await self._send(self._messages.keep_alive())
            await asyncio.sleep(self._services.limits.between_keep_alives)

    async def _require_initialisation(self) -> None:
        await asyncio.sleep(self._services.limits.to_initialise)
        if self._session is None and not self._is_older:
            await self.close(_NOT_INITIALISED_IN_TIME, b"Connection initialisation timed out")

    async def _send(self, text: str) -> None:
        """Sends what the client still wants to have."""
        await self._within(SECONDS_TO_TAKE_A_MESSAGE, self._socket.send_str(text))

    async def _within(self, seconds: float, sending: Awaitable[object]) -> None:
        """Sends; a client that takes nothing for so long loses its connection."""
        try:
            async with asyncio.timeout(seconds):
                await sending
        except ConnectionError:
            pass
        except TimeoutError:
            self._abort()

    def _abort(self) -> None:
        """Ends it without a close frame, as Hasura does when the token expires: clients connect again."""
        if self._request.transport:
            self._request.transport.abort()
