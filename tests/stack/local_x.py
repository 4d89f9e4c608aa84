"""A running X of the development stack, its users as clients of it, and the bodies of its most frequent rejections."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from aiohttp import web
from requests_oauthlib import OAuth1
from waiting import wait_until

from local.x_api.oauth import Signatures
from local.x_api.server import build_app
from local.x_api.storage import Storage

CONSUMER_KEY, CONSUMER_SECRET = "K" * 25, "S" * 50
TIMEOUT = 60


@dataclass
class Author:
    """A user of X who has authorised our app."""

    x: "X"
    id: str
    username: str
    access_token: str
    access_token_secret: str

    def auth(self, **changes: Any) -> OAuth1:
        names = {
            "client_key": CONSUMER_KEY,
            "client_secret": CONSUMER_SECRET,
            "resource_owner_key": self.access_token,
            "resource_owner_secret": self.access_token_secret,
        }
        return OAuth1(**(names | changes))

    def call(self, method: str, path: str, timeout: Any = TIMEOUT, **arguments: Any) -> requests.Response:
        return requests.request(method, self.x.url + path, auth=self.auth(), timeout=timeout, **arguments)

    def post(self, text: str, timeout: Any = TIMEOUT, **more: Any) -> requests.Response:
        return self.call("POST", "/2/tweets", timeout, json={"text": text, **more})

    def tweet(self, text: str, **more: Any) -> str:
        """The id of a tweet that X has accepted."""
        answer = self.post(text, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    def timeline(self, **query: Any) -> dict[str, Any]:
        return dict(self.call("GET", f"/2/users/{self.id}/tweets", params=query).json())

    def fail(self, kind: str, **more: Any) -> None:
        self.x.control("fail", kind=kind, username=self.username, **more)

    def published(self) -> list[str]:
        found = requests.get(f"{self.x.url}/_local/tweets", params={"username": self.username}, timeout=TIMEOUT)
        return [tweet["text"] for tweet in found.json()]


@dataclass
class X:
    """A running server."""

    url: str
    log: Path | None = None

    def author(self, username: str | None = None) -> Author:
        return Author(self, **self.control("users", username=username or f"u{secrets.token_hex(5)}"))

    def control(self, route: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_local/{route}", json=body, timeout=TIMEOUT)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def process(data: Path, *options: str) -> Iterator[X]:
    """The server as people start it."""
    ready, log = data / "ready", data / "log"
    command = [sys.executable, "-m", "local.x_api", "--data", str(data), "--port", "x=0"]
    command += ["--ready-file", str(ready), *options]
    settings = {"CONSUMER_API_KEY": CONSUMER_KEY, "CONSUMER_API_SECRET": CONSUMER_SECRET, "PYTHONUNBUFFERED": "1"}
    with log.open("a") as output:
        server = subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=output)
    try:
        wait_until(lambda: ready.exists() or server.poll() is not None, bool, seconds=60)
        yield X(json.loads(ready.read_text())["url"], log)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        ready.unlink(missing_ok=True)


@contextmanager
def thread(data: Path, now: Callable[[], datetime]) -> Iterator[X]:
    """The server with a clock of ours."""
    started, ended, urls = threading.Event(), threading.Event(), []

    async def serve() -> None:
        storage = Storage(data / "x.sqlite3", now)
        runner = web.AppRunner(build_app(Signatures(CONSUMER_KEY, CONSUMER_SECRET, storage), storage, now))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append(f"http://localhost:{runner.addresses[0][1]}")
        started.set()
        await asyncio.to_thread(ended.wait)
        await runner.cleanup()
        storage.close()

    server = threading.Thread(target=asyncio.run, args=(serve(),))
    server.start()
    assert started.wait(60)
    try:
        yield X(urls[0])
    finally:
        ended.set()
        server.join(60)
        assert not server.is_alive()


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


UNAUTHORIZED = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
DUPLICATE = {
    "detail": "You are not allowed to create a Tweet with duplicate content.",
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
}
NOT_PERMITTED = {
    "detail": "You are not permitted to perform this action.",
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
}
SUSPENDED = {
    "detail": "The user used for authentication is suspended",
    "title": "Forbidden",
    "status": 403,
    "type": "https://api.twitter.com/2/problems/user-suspended",
}
TOO_MANY_REQUESTS = {
    "title": "Too Many Requests",
    "detail": "Too Many Requests",
    "type": "about:blank",
    "status": 429,
}


def invalid_request(message: str, parameters: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {
        "errors": [{"parameters": parameters or {}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }
