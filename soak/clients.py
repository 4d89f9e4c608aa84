"""What all clients of a soak share: the services' addresses, the time since the start, and a list of all answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from soak.judging import Answer

PATIENCE = 60.0
"""How long a client waits for an answer."""


Dialogue = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[str]]
"""What a client does on its connection; returns what happened."""


@dataclass
class Clients:
    """Where clients send their requests, until when, and what they were answered."""

    http: aiohttp.ClientSession
    urls: Mapping[str, str]
    seconds: float
    answers: list[Answer] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    async def each(self, pause: float, first_after: float = 0.0, at_least: int = 1) -> AsyncIterator[int]:
        """Counts, with a pause before each further number, until the run is over, and to `at_least` in any case."""
        await asyncio.sleep(first_after)
        number = 0
        while number < at_least or self.now() < self.seconds:
            yield number
            number += 1
            await asyncio.sleep(pause)

    async def create_post(self, who: str, token: str, body: Any) -> Any:
        """What createPost answers, when that is JSON; `body` is sent as JSON, or as it is when it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self._post(who, f"{self.urls['functions']}/api/createPost", token, data)

    async def graphql(self, who: str, token: str, document: str, variables: Mapping[str, Any] | None = None) -> Any:
        """What Hasura answers, when that is JSON."""
        data = json.dumps({"query": document, "variables": variables or {}}).encode()
        return await self._post(who, f"{self.urls['hasura']}/v1/graphql", token, data)

    async def _post(self, who: str, url: str, token: str, data: bytes) -> Any:
        at = self.now()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content: Any = None
        try:
            async with self.http.post(url, data=data, headers=headers) as answer:
                status, text = str(answer.status), await answer.text()
                content = json.loads(text) if text.startswith(("{", "[")) else None
        except (aiohttp.ClientError, TimeoutError) as error:
            status = f"no answer ({type(error).__name__})"
        self.answers.append(Answer(who, at, self.now() - at, status, _cause(content)))
        return content

    async def raw(self, who: str, service: str, dialogue: Dialogue) -> None:
        """A connection without an HTTP client."""
        at, address = self.now(), urlsplit(self.urls[service])
        try:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            status = await dialogue(reader, writer)
        except OSError as error:
            status = type(error).__name__
        else:
            writer.close()
        self.answers.append(Answer(who, at, self.now() - at, status))


def session() -> aiohttp.ClientSession:
    """Each request gets a connection of its own when it needs one: clients do not wait for each other here."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(PATIENCE), trust_env=False
    )


def _cause(content: Any) -> str:
    """A problem's type, or the code of a refusal by GraphQL."""
    if not isinstance(content, dict):
        return ""
    errors = content.get("errors")
    if isinstance(errors, list) and errors and "extensions" in errors[0]:
        return str(errors[0]["extensions"].get("code"))
    return str(content.get("type") or "")
