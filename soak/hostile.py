"""Clients that are slow, broken or flooding. How many of them there are, and how often they come, is bounded here."""

import asyncio
import socket
import struct
import time
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

import jwt

from soak.clients import Clients

SLOW_CONNECTIONS = 20
"""So many bodies come at a byte a second, and as many requests stop within their headers."""

HELD_FOR = 20.0
"""How long a slow client goes on."""

FLOOD_CONNECTIONS, FLOOD_PAUSE = 4, 0.3
"""Of one author, to createPost and as many to GraphQL: about 25 requests a second."""

BETWEEN_CUTS, BETWEEN_TOKENS, BETWEEN_HUGE = 0.5, 0.5, 2.0

HUGE = 3 * 1024 * 1024
"""More than the host takes."""

LARGE = 1024 * 1024
"""More than createPost reads."""

OBJECTS = 100
"""In each insert of the flood by GraphQL."""

_HEADERS = b"POST /api/createPost HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

_INSERT = """mutation ($posts: [scheduled_post_insert_input!]!) {
  insert_scheduled_post(objects: $posts) { affected_rows }
}"""


async def attack(clients: Clients, flooding_token: str) -> None:
    """All of them at once, until the run is over. The token is of the author who floods."""
    slow = [
        partial(one, clients, service) for one in (_slow_bodies, _half_headers) for service in ("functions", "hasura")
    ]
    await asyncio.gather(
        *(client(number) for client in slow for number in range(SLOW_CONNECTIONS // 2)),
        _cut_connections(clients),
        _tokens_of_strangers(clients),
        _huge_bodies(clients, flooding_token),
        *(_flood_create_post(clients, flooding_token) for _ in range(FLOOD_CONNECTIONS)),
        *(_flood_graphql(clients, flooding_token) for _ in range(FLOOD_CONNECTIONS)),
    )


async def _slow_bodies(clients: Clients, service: str, number: int) -> None:
    async def a_byte_a_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        path = b"/v1/graphql" if service == "hasura" else b"/api/createPost"
        writer.write(_HEADERS.replace(b"/api/createPost", path) + b"Content-Length: 1000\r\n\r\n")
        return await _until_answered(reader, writer, b" ")

    async for _ in clients.each(1.0, first_after=0.05 * number):
        await clients.raw("slow body", service, a_byte_a_second)


async def _half_headers(clients: Clients, service: str, number: int) -> None:
    async def no_end_of_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(_HEADERS)
        return await _until_answered(reader, writer, b"X: y\r\n")

    async for _ in clients.each(1.0, first_after=0.05 * number):
        await clients.raw("half headers", service, no_end_of_headers)


async def _until_answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, drop: bytes) -> str:
    """Sends a drop each second. Returns the status, when one comes before HELD_FOR is over."""
    until = time.monotonic() + HELD_FOR
    answered = asyncio.ensure_future(reader.readline())
    try:
        while time.monotonic() < until and not answered.done():
            writer.write(drop)
            await writer.drain()
            await asyncio.wait([answered], timeout=1.0)
        return _status(answered.result()) if answered.done() else "given up by the client"
    finally:
        answered.cancel()


async def _cut_connections(clients: Clients) -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(_HEADERS + b'Content-Length: 1000\r\n\r\n{"text": "')
        await writer.drain()
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() resets it
        return "cut by the client"

    async for _ in clients.each(BETWEEN_CUTS):
        await clients.raw("cut connection", "functions", cut)


async def _tokens_of_strangers(clients: Clients) -> None:
    claims = {
        "sub": "1",
        "https://hasura.io/jwt/claims": {"x-hasura-user-id": "soak0", "x-hasura-default-role": "user"},
    }
    async for number in clients.each(BETWEEN_TOKENS, at_least=2):
        key_id = {"kid": uuid.uuid4().hex} if number % 2 else {}
        who = "token of an unknown kid" if number % 2 else "token that a stranger signed"
        token = jwt.encode(
            {**claims, "exp": int(time.time()) + 600}, uuid.uuid4().hex, algorithm="HS256", headers=key_id
        )
        await clients.create_post(who, token, _draft())
        await clients.graphql(who, token, "{ scheduled_post { id } }")


async def _huge_bodies(clients: Clients, token: str) -> None:
    async for number in clients.each(BETWEEN_HUGE):
        await clients.create_post("huge body", token, b" " * (HUGE if number % 2 else LARGE))


async def _flood_create_post(clients: Clients, token: str) -> None:
    async for _ in clients.each(FLOOD_PAUSE):
        await clients.create_post("flood: createPost", token, _draft())


async def _flood_graphql(clients: Clients, token: str) -> None:
    async for number in clients.each(FLOOD_PAUSE, at_least=2):
        if number % 2:
            await clients.graphql(
                "flood: reads everything", token, "{ scheduled_post { id text post_attempts { text } } }"
            )
        else:
            await clients.graphql("flood: inserts", token, _INSERT, {"posts": [_draft()] * OBJECTS})


def _draft() -> dict[str, str]:
    return {
        "text": f"flood {uuid.uuid4().hex}",
        "schedule_for": (datetime.now(UTC) + timedelta(seconds=5)).isoformat(),
    }


def _status(line: bytes) -> str:
    words = line.decode(errors="replace").split()
    return words[1] if len(words) > 1 else "closed by the server"
