"""Stands for Hasura and for X in a process of its own: answers what a client needs to go on, after a settable latency.

``python -m benchmarks.upstream --latency 5 [--tls CERTIFICATE]`` prints its address. It is no emulator: it checks
nothing and stores nothing. ``GET /connections`` answers how many connections were opened to it, and how many requests
came on them.
"""

import argparse
import asyncio
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import cast

ROW = {
    "id": 1,
    "text": "A post",
    "schedule_for": "2030-01-01T00:00:00+00:00",
    "when_late": "skip",
    "state": "scheduled",
    "is_pending": True,
    "user_id": 1,
    "account_id": 1,
    "created_at": "2029-01-01T00:00:00+00:00",
}
GRAPHQL = {
    "insertPost": {"insert_scheduled_post_one": ROW},
    "insertPostOfKey": {"insert_scheduled_post_one": ROW},
    "postOfKey": {"scheduled_post": []},
    "recordEvent": {"update_scheduled_post": {"affected_rows": 1}},
    "claimDuePosts": {"claim_due_posts": []},
    "recordOutcome": {"record_outcome": [{"recorded": True, "state": "tweeted"}]},
}
EVENT = {"message": "success", "event_id": "b918cd10-8853-4e66-91b8-81b5cd16e44b"}

_OPERATION = re.compile(rb'"query": ?"\s*(?:\\n)?\s*(?:mutation|query) (\w+)')
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@contextmanager
def running(latency_ms: float, *options: str) -> Iterator[str]:
    """The address of an upstream that waits so long before each answer, until the block ends."""
    command = [sys.executable, "-m", "benchmarks.upstream", "--latency", str(latency_ms), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upstream", description=__doc__)
    parser.add_argument("--latency", type=float, default=5, help="milliseconds before each answer (5)")
    parser.add_argument("--handshake", type=float, default=0, help="milliseconds before a new connection is read (0)")
    parser.add_argument("--tls", type=Path, help="a file with a private key and its certificate; plain HTTP without it")
    given = parser.parse_args()
    asyncio.run(_serve(given.latency / 1000, given.handshake / 1000, given.tls))


async def _serve(latency: float, handshake: float, certificate: Path | None) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    counts = {"connections": 0, "requests": 0}
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(latency, handshake, counts), "127.0.0.1", 0, ssl=context, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    print(f"https://localhost:{port}" if context else f"http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


class _Connection(asyncio.Protocol):
    """One connection, with one request at a time. Bytes that come before `handshake` is over wait for it."""

    def __init__(self, latency: float, handshake: float, counts: dict[str, int]) -> None:
        self._latency, self._handshake, self._counts = latency, handshake, counts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        wait, self._handshake = self._latency + self._handshake, 0
        asyncio.get_running_loop().call_later(wait, self._answer, head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET /connections"):
            self._counts["connections"] -= 1
            self._send(b"200 OK", self._counts)
            return
        self._counts["requests"] += 1
        path = head.split(b" ", 2)[1]
        if path == b"/v1/graphql":
            operation = _OPERATION.search(body)
            self._send(b"200 OK", {"data": GRAPHQL[operation[1].decode() if operation else "insertPost"]})
        elif path == b"/2/tweets":
            self._send(b"201 Created", {"data": {"id": str(next(_TWEETS)), "text": "A post"}})
        else:
            self._send(b"200 OK", EVENT)
        if b"\r\nconnection: close" in head.lower():
            self._transport.close()

    def _send(self, status: bytes, answer: object) -> None:
        body = json.dumps(answer).encode()
        lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), b"", body]
        if not self._transport.is_closing():
            self._transport.write(b"\r\n".join(lines))


_TWEETS = count(1)

if __name__ == "__main__":
    main()
