"""The page's server: the files of the page, the addresses of the APIs, and under /_local the local stack's routes."""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import PurePosixPath

import aiohttp
from aiohttp import web

from local import REPOSITORY
from local.web_server.access_token import AccessTokens
from local.web_server.developer_tools import DeveloperTools
from local.web_server.refusals import loopback_only, own_page_only, refusal
from local.web_server.sign_in import SignIn, SignInFailed

PAGE = REPOSITORY / "web"

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_ADDRESSES = ("APP_BASE_API", "ACTIONS_BASE_URL", "X_BASE_URL")

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Set here, because the table of some systems has other types, with which a browser refuses to run a module."""

_log = logging.getLogger("web")


def application(settings: Mapping[str, str], tokens: AccessTokens) -> web.Application:
    """The server, for APIs at the addresses in `settings`."""
    settings = {**settings, **{name: settings[name].rstrip("/") for name in _ADDRESSES}}
    server, developer_tools = _Server(settings, tokens), DeveloperTools(settings)

    local = web.Application(middlewares=[own_page_only])
    local.cleanup_ctx.extend([server.connections, developer_tools.connections])
    local.add_routes([web.post("/token", server.token), *developer_tools.routes()])

    app = web.Application(middlewares=[loopback_only])
    app.on_response_prepare.append(server.add_headers)
    app.add_subapp("/_local", local)
    app.add_routes([web.get("/", server.page), web.get("/config.json", server.config), web.static("/", PAGE)])
    return app


class _Server:
    def __init__(self, settings: Mapping[str, str], tokens: AccessTokens) -> None:
        self._settings = settings
        self._tokens = tokens
        self._policy = _content_security_policy(settings["ACTIONS_BASE_URL"], settings["APP_BASE_API"])

    async def connections(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            self._sign_in = SignIn(session, self._settings)
            yield

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store" if request.path.startswith("/_local/") else "no-cache"
        if isinstance(response, web.FileResponse) and (known := _TYPES.get(PurePosixPath(request.path).suffix)):
            response.headers["Content-Type"] = f"{known}; charset=utf-8"

    async def page(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / "index.html", headers={"Content-Type": "text/html; charset=utf-8"})

    async def config(self, _request: web.Request) -> web.Response:
        """The addresses of the APIs, in place of the example for other hosts in the page's folder."""
        return web.json_response(
            {
                "createPost": f"{self._settings['ACTIONS_BASE_URL']}/api/createPost",
                "graphql": f"{self._settings['APP_BASE_API']}/v1/graphql",
                "token": "/_local/token",
                "developerTools": "/_local/",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        """``{"username": "alice"}`` -> ``{"access_token", "user_id"}``."""
        username = _username(await _json(request))
        if username is None:
            return refusal(400, "A username has 1 to 15 letters, digits and underscores, as on X.")
        try:
            user_id = await self._sign_in.user_id(username)
        except SignInFailed as failure:
            _log.warning("@%s could not sign in: %s", username, failure)
            return refusal(502, f"Signing in needs Hasura and the local X. {failure}.")
        _log.info("@%s signed in", username)
        return web.json_response({"access_token": self._tokens.token_for(username), "user_id": user_id})


def _content_security_policy(*apis: str) -> str:
    """Everything comes from this server, nothing is inline, and no text becomes markup."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        f" connect-src 'self' {' '.join(apis)}; object-src 'none'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


async def _json(request: web.Request) -> object:
    """The body; None when it is not JSON, too deeply nested, or in an unknown charset."""
    try:
        return await request.json()
    except (ValueError, RecursionError, LookupError):
        return None


def _username(body: object) -> str | None:
    given = body.get("username") if isinstance(body, dict) else None
    return given if isinstance(given, str) and _USERNAME.fullmatch(given) else None
