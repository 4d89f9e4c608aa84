"""The messages of both subprotocols, read and written as Hasura does it (its WebSocket/Protocol.hs).

``graphql-transport-ws`` is that of the npm package graphql-ws, ``graphql-ws`` that of subscriptions-transport-ws.
Hasura takes the messages of either on each connection; its answers are in the words of the subprotocol.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from local.hasura.errors import HasuraError
from local.hasura.json_arguments import anything, mapping, optional, parse_failed, required, text
from local.hasura.strict_json import parsed_json

_LONGEST_REASON = 123
"""Bytes: what a close frame holds (RFC 6455, section 5.5)."""

_PATH = "$"


class Subprotocol(Enum):
    GRAPHQL_TRANSPORT_WS = "graphql-transport-ws"
    GRAPHQL_WS = "graphql-ws"


@dataclass(frozen=True)
class Init:
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Start:
    id: str
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Stop:
    id: str


@dataclass(frozen=True)
class Ping:
    payload: Mapping[str, Any] | None


@dataclass(frozen=True)
class Pong:
    pass


@dataclass(frozen=True)
class Terminate:
    pass


ClientMessage = Init | Start | Stop | Ping | Pong | Terminate


def client_message(data: str | bytes) -> ClientMessage:
    """The message that a client sent. Raises HasuraError ``parse-failed``."""
    try:
        given = mapping(parsed_json(data), _PATH)
    except ValueError as error:
        raise parse_failed(f"not JSON: {error}", _PATH) from error
    match required(given, "type", text, _PATH):
        case "connection_init":
            return Init(_headers(given))
        case "subscribe" | "start":
            return Start(required(given, "id", text, _PATH), required(given, "payload", _request, _PATH))
        case "complete" | "stop":
            return Stop(required(given, "id", text, _PATH))
        case "ping":
            return Ping(_ping_payload(given))
        case "pong":
            return Pong()
        case "connection_terminate":
            return Terminate()
        case unknown:
            raise parse_failed(f"unexpected type for ClientMessage: {unknown[:40]}", _PATH)


def _headers(given: Mapping[str, Any]) -> Mapping[str, str]:
    headers = optional(optional(given, "payload", mapping, _PATH) or {}, "headers", mapping, f"{_PATH}.payload") or {}
    return {name: _header(value, f"{_PATH}.payload.headers") for name, value in headers.items()}


def _header(value: Any, path: str) -> str:
    """JSON can escape what no text holds, and no header."""
    header = text(value, path)
    try:
        header.encode()
    except UnicodeEncodeError:
        raise parse_failed("half of a surrogate pair", path) from None
    return header


def _request(value: Any, path: str) -> Mapping[str, Any]:
    request = mapping(value, path)
    required(request, "query", text, path)
    return request


def _ping_payload(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Hasura keeps one key of it, which no specification names."""
    payload = optional(given, "payload", mapping, _PATH)
    return None if payload is None else {"message": optional(payload, "message", anything, _PATH)}


@dataclass(frozen=True)
class ServerMessages:
    """The texts of the messages to the client of a subprotocol."""

    subprotocol: Subprotocol

    @property
    def _is_older(self) -> bool:
        return self.subprotocol is Subprotocol.GRAPHQL_WS

    def acknowledgement(self) -> str:
        return json.dumps({"type": "connection_ack"})

    def keep_alive(self) -> str:
        return json.dumps({"type": "ka"} if self._is_older else {"type": "ping", "payload": {"message": "keepalive"}})

    def pong(self, payload: Mapping[str, Any] | None) -> str:
        return json.dumps({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})

    def answer(self, operation: str, answer: str) -> str:
        """`answer`: ``{"data": ...}`` as JSON, which many subscribers share."""
        kind = "data" if self._is_older else "next"
        return f'{{"type": "{kind}", "id": {json.dumps(operation)}, "payload": {answer}}}'

    def refusal(self, operation: str, error: HasuraError) -> str:
        """The answer to an operation that was not run."""
        return self._error(operation, {"errors": [error.as_graphql()]} if self._is_older else [error.as_graphql()])

    def failure(self, operation: str, error: HasuraError) -> str:
        """The answer to a query or mutation that failed while it ran."""
        return self.answer(operation, failed_answer(error)) if self._is_older else self.refusal(operation, error)

    def protocol_error(self, operation: str, error: HasuraError) -> str:
        """The answer to an operation that should not have been sent; not in the form that clients expect."""
        return self._error(operation, error.as_graphql())

    def complete(self, operation: str) -> str:
        return json.dumps({"type": "complete", "id": operation})

    def connection_error(self, message: str) -> str:
        """In the older subprotocol alone."""
        return json.dumps({"type": "connection_error", "payload": message})

    def _error(self, operation: str, payload: Any) -> str:
        return json.dumps({"type": "error", "id": operation, "payload": payload})


def failed_answer(error: HasuraError) -> str:
    """The answer of a live query that could not be polled."""
    return json.dumps({"data": None, "errors": [error.as_graphql()]})


def close_reason(message: str) -> bytes:
    """The reason in a close frame, as Hasura words most of them, cut to what fits in."""
    reason = json.dumps({"server_error_msg": message}, separators=(",", ":")).encode()
    return reason[:_LONGEST_REASON]
