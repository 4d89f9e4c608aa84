"""For tests: a WebSocket to the local Hasura whose test sees every message, and how the connection ends."""

import array
import asyncio
import fcntl
import json
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

DEADLINE = 60
_KEEP_ALIVES = ({"type": "ka"}, {"type": "ping", "payload": {"message": "keepalive"}})


@dataclass(frozen=True)
class Closed:
    """How the connection ended. Without a close frame the code is 1006, as browsers have it."""

    code: int
    reason: str = ""


class GraphQLSocket:
    """An open connection."""

    def __init__(self, runner: asyncio.Runner, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._runner = runner
        self._socket = socket
        self.subprotocol = socket.protocol

    def send(self, type_: str, **rest: Any) -> None:
        """Sends one message."""
        self.send_text(json.dumps({"type": type_, **rest}))

    def send_text(self, text: str) -> None:
        """Sends what may be no message at all."""
        self._runner.run(self._socket.send_str(text))

    def initialise(self, **headers: str) -> None:
        """Says who the client is, and waits until Hasura has taken it; underscores stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.send("connection_init", payload={"headers": sent})
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, operation: str, query: str, **variables: Any) -> None:
        """Starts an operation."""
        self.send("subscribe", id=operation, payload={"query": query, "variables": variables})

    def receive(self) -> Any:
        """The next message that is no keep-alive, or Closed."""
        message = self.receive_any()
        while message in _KEEP_ALIVES:
            message = self.receive_any()
        return message

    def receive_any(self) -> Any:
        """The next message, or Closed."""
        received = self._runner.run(self._socket.receive(DEADLINE))
        if received.type is aiohttp.WSMsgType.TEXT:
            return json.loads(received.data)
        if received.type is aiohttp.WSMsgType.CLOSE:
            return Closed(received.data, received.extra or "")
        return Closed(self._socket.close_code or 1006)

    def unread_bytes(self) -> int:
        """How many bytes have arrived that were not received."""
        count = array.array("i", [0])
        fcntl.ioctl(self._socket.get_extra_info("socket").fileno(), termios.FIONREAD, count)
        return count[0]

    def is_open(self) -> bool:
        """Whether Hasura still answers."""
        self.send("ping", payload={"message": "there?"})
        return bool(self.receive() == {"type": "pong", "payload": {"message": "there?"}})


@contextmanager
def graphql_socket(
    url: str, subprotocol: str = "graphql-transport-ws", headers: Mapping[str, str] | None = None
) -> Iterator[GraphQLSocket]:
    """Connects to ``/v1/graphql`` of a Hasura; raises aiohttp.WSServerHandshakeError when the upgrade is refused."""
    with asyncio.Runner() as runner:
        session = runner.run(_session())
        try:
            address = f"{url}/v1/graphql"
            socket = runner.run(session.ws_connect(address, protocols=[subprotocol], headers=headers).__aenter__())
            yield GraphQLSocket(runner, socket)
            runner.run(socket.close())
        finally:
            runner.run(session.close())


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()
