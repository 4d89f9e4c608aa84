"""The routes of the page's developer tools: Hasura's events, X's tweets, and fault injection at both.

The browser asks this server, which asks Hasura as the admin, so that no secret reaches a browser.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from local.web_server.hasura_events import KINDS, HasuraEvents, HasuraFailed, Selection
from local.web_server.masking import Mask
from local.web_server.refusals import refusal

_SECRETS = ("HASURA_GRAPHQL_ADMIN_SECRET", "WEBHOOK_SECRET", "CONSUMER_API_KEY", "CONSUMER_API_SECRET", "X_TOKEN_KEYS")
_MOST_ROWS = 200

Answer = Callable[[web.Request], Awaitable[web.Response]]


class BadQuery(Exception):
    """The message says what the query must be."""


class DeveloperTools:
    """The routes, for Hasura and X at the addresses in `settings`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._hasura, self._x = settings["APP_BASE_API"], settings["X_BASE_URL"]
        self._as_admin = {"x-hasura-admin-secret": settings["HASURA_GRAPHQL_ADMIN_SECRET"]}
        jwt_key = json.loads(settings["HASURA_GRAPHQL_JWT_SECRET"]).get("key", "")  # none beside jwk_url
        self._mask = Mask([jwt_key, *(settings[name] for name in _SECRETS)])

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/events", _answering(self._pending_and_processed)),
            web.get("/invocations", _answering(self._invocations)),
            web.get("/tweets", self._forward_to_x),
            web.get("/kinds", self._forward_to_x),
            web.get("/fail", self._forward_to_x),
            web.post("/fail", self._forward_to_x),
            web.delete("/fail", self._forward_to_x),
            web.post("/drop_next", self._forward_to_hasura),
            web.post("/duplicate_next", self._forward_to_hasura),
        ]

    async def connections(self, _app: web.Application) -> AsyncIterator[None]:
        """Keeps the connections open while the server runs."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=25)) as self._session:
            self._events = HasuraEvents(self._session, self._hasura, self._as_admin, self._mask)
            yield

    async def _pending_and_processed(self, request: web.Request) -> Any:
        selection = _selection(request)
        pending, processed = await asyncio.gather(self._events.pending(selection), self._events.processed(selection))
        return {"pending": pending, "processed": processed}

    async def _invocations(self, request: web.Request) -> Any:
        return await self._events.invocations(_selection(request))

    async def _forward_to_x(self, request: web.Request) -> web.Response:
        return await self._forward(request, "The local X", self._x, {})

    async def _forward_to_hasura(self, request: web.Request) -> web.Response:
        return await self._forward(request, "Hasura", self._hasura, self._as_admin)

    async def _forward(self, request: web.Request, who: str, base_url: str, headers: Mapping[str, str]) -> web.Response:
        """Hasura and X have control routes of the same names, which refuse the page's origin."""
        json_type = {"Content-Type": "application/json"} if request.can_read_body else {}
        try:
            async with self._session.request(
                request.method,
                base_url + request.path,
                params=request.query,
                data=await request.read(),
                headers={**json_type, **headers},
            ) as answer:
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)
        except (aiohttp.ClientError, TimeoutError):
            return refusal(502, f"{who} cannot be reached.")


def _answering(answer: Callable[[web.Request], Awaitable[Any]]) -> Answer:
    async def respond(request: web.Request) -> web.Response:
        try:
            return web.json_response(await answer(request))
        except BadQuery as error:
            return refusal(400, str(error))
        except HasuraFailed as error:
            return refusal(502, str(error))

    return respond


def _selection(request: web.Request) -> Selection:
    """``?kind=one_off&kind=table&post=7&limit=50``, all optional. Raises BadQuery."""
    if unknown := sorted(request.query.keys() - {"kind", "post", "limit"}):
        raise BadQuery(f"{', '.join(unknown)} is unknown here; known: kind, limit, post.")
    kinds = set(request.query.getall("kind", list(KINDS)))
    if not kinds <= KINDS.keys():
        raise BadQuery(f"kind must be one of {', '.join(KINDS)}.")
    return Selection(
        kinds=tuple(sorted(kinds)),
        post_id=_number(request, "post", 2**63 - 1) if "post" in request.query else None,
        limit=_number(request, "limit", _MOST_ROWS) if "limit" in request.query else 50,
    )


def _number(request: web.Request, name: str, most: int) -> int:
    given = request.query[name]
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and 1 <= int(given) <= most):
        raise BadQuery(f"{name} must be a whole number from 1 to {most}.")
    return int(given)
