"""The routes of the page's server."""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from local import REPOSITORY, loopback
from local.web_server.access_token import AccessTokens
from local.web_server.sign_in import SignIn, SignInFailed

PAGE = REPOSITORY / "web"

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_ADDRESSES = ("APP_BASE_API", "ACTIONS_BASE_URL", "X_BASE_URL")

_log = logging.getLogger("web")


def application(settings: Mapping[str, str], tokens: AccessTokens) -> web.Application:
    """The server, for APIs at the addresses in `settings`."""
    addresses = {name: settings[name].rstrip("/") for name in _ADDRESSES}
    server = _Server({**settings, **addresses}, tokens)
    app = web.Application(middlewares=[_loopback_only])
    app.cleanup_ctx.append(server.connections)
    app.on_response_prepare.append(server.add_safe_headers)
    app.add_routes(
        [
            web.get("/", server.page),
            web.get("/config.json", server.config),
            web.post("/_local/token", server.token),
            web.get("/_local/tweets", server.tweets),
            web.static("/", PAGE),
        ]
    )
    return app


class _Server:
    def __init__(self, settings: Mapping[str, str], tokens: AccessTokens) -> None:
        self._settings = settings
        self._tokens = tokens

    async def connections(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as self._session:
            self._sign_in = SignIn(self._session, self._settings)
            yield

    async def add_safe_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        apis = " ".join(self._settings[name] for name in _ADDRESSES)
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; connect-src 'self' {apis};"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store" if "/_local/" in request.path else "no-cache"

    async def page(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / "index.html")

    async def config(self, _request: web.Request) -> web.Response:
        """Where the page finds what it talks to."""
        return web.json_response(
            {
                "createPost": f"{self._settings['ACTIONS_BASE_URL']}/api/createPost",
                "graphql": f"{self._settings['APP_BASE_API']}/v1/graphql",
                "token": "/_local/token",
                "timeline": "/_local/tweets",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        """``{"username": "alice"}`` -> ``{"access_token", "user_id"}``."""
        if request.content_type != "application/json":
            return _refusal(415, "Send JSON, with content type application/json.")
        username = _username(await _json(request))
        if username is None:
            return _refusal(400, "A username has 1 to 15 letters, digits and underscores, as on X.")
        try:
            user_id = await self._sign_in.user_id(username)
        except SignInFailed as failure:
            _log.warning("@%s could not sign in: %s", username, failure)
            return _refusal(502, f"Signing in needs Hasura and the local X. {failure}.")
        _log.info("@%s signed in", username)
        return web.json_response({"access_token": self._tokens.token_for(username), "user_id": user_id})

    async def tweets(self, request: web.Request) -> web.Response:
        """What is published, as the local X tells it; the page's origin cannot ask X itself."""
        try:
            url = f"{self._settings['X_BASE_URL']}/_local/tweets"
            async with self._session.get(url, params=request.query) as answer:
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)
        except (aiohttp.ClientError, TimeoutError):
            return _refusal(502, "The local X cannot be reached.")


@web.middleware
async def _loopback_only(request: web.Request, handler: Any) -> web.StreamResponse:
    if not loopback.is_meant(request):
        return _refusal(421, "Open this page as http://localhost, nothing else.")
    response: web.StreamResponse = await handler(request)
    return response


async def _json(request: web.Request) -> object:
    try:
        return await request.json()
    except ValueError:
        return None


def _username(body: object) -> str | None:
    given = body.get("username") if isinstance(body, dict) else None
    return given if isinstance(given, str) and _USERNAME.fullmatch(given) else None


def _refusal(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)
