"""An HTTP server in the place of Hasura for scripts: it keeps what it was asked, and answers what a test wants."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class FakeHasura(HTTPServer):
    """Answers 200 to everything, but to a command of a type in `answers` what stands there: a status and a code."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[tuple[str, str | None, Any]] = []
        self.answers: dict[str, tuple[int, str]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def types(self) -> list[str]:
        """Of the commands, in their order."""
        return [body["type"] for _, _, body in self.asked if body]


class _Asked(BaseHTTPRequestHandler):
    server: FakeHasura

    def do_GET(self) -> None:
        self._answer((200, "answered"), None)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(self.server.answers.get(body["type"], (200, "answered")), body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not to standard error."""

    def _answer(self, answer: tuple[int, str], body: Any) -> None:
        status, code = answer
        self.server.asked.append((self.path, self.headers["x-hasura-admin-secret"], body))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"code": code}).encode())


@contextmanager
def fake_hasura() -> Iterator[FakeHasura]:
    with FakeHasura() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
