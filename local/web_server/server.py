"""The page's server: the page, where the APIs are and what they take, and under /_local the local stack's routes."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from aiohttp import web

from local import REPOSITORY
from local.loopback import is_of_this_machine
from local.web_server.developer_tools import DeveloperTools
from local.web_server.refusals import loopback_only, own_page_only
from local.web_server.ways_to_sign_in import WayToSignIn

PAGE = REPOSITORY / "web"
API_DESCRIPTION = REPOSITORY / "docs" / "openapi.yaml"

_ADDRESSES = ("APP_BASE_API", "ACTIONS_BASE_URL", "X_BASE_URL")

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Set here, because the table of some systems has other types, with which a browser refuses to run a module."""


def application(settings: Mapping[str, str], sign_in: WayToSignIn) -> web.Application:
    """The server, for APIs at the addresses in `settings`."""
    settings = {**settings, **{name: settings[name].rstrip("/") for name in _ADDRESSES}}
    server, developer_tools = _Server(settings, sign_in), DeveloperTools(settings)

    local = web.Application(middlewares=[own_page_only])
    local.cleanup_ctx.extend([sign_in.connections, developer_tools.connections])
    local.add_routes([*sign_in.routes(), *developer_tools.routes()])

    app = web.Application(middlewares=[loopback_only])
    app.on_response_prepare.append(server.add_headers)
    app.add_subapp("/_local", local)
    app.add_routes(
        [
            web.get("/", server.page),
            web.get("/index.html", server.page),
            web.get("/config.json", server.config),
            web.get("/openapi.yaml", server.api_description),
            web.static("/", PAGE),
        ]
    )
    return app


class _Server:
    def __init__(self, settings: Mapping[str, str], sign_in: WayToSignIn) -> None:
        self._settings = settings
        self._sign_in = sign_in
        hasura = settings["APP_BASE_API"]
        socket = re.sub("^http", "ws", hasura)
        origins = settings["ACTIONS_BASE_URL"], hasura, socket, *sign_in.origins
        self._connections = f"connect-src 'self' {' '.join(origins)}"
        self._policy = _content_security_policy(self._connections)

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store" if request.path.startswith("/_local/") else "no-cache"
        if isinstance(response, web.FileResponse) and (known := _TYPES.get(PurePosixPath(request.path).suffix)):
            response.headers["Content-Type"] = f"{known}; charset=utf-8"

    async def page(self, _request: web.Request) -> web.Response:
        """The page, whose own policy names the addresses of this stack in place of the example's."""
        text = re.sub(r"connect-src [^;]+;", f"{self._connections};", (PAGE / "index.html").read_text(), count=1)
        return web.Response(text=text, content_type="text/html", charset="utf-8")

    async def api_description(self, _request: web.Request) -> web.FileResponse:
        """What the two functions take and answer (OpenAPI), for the tools that read it from an address."""
        return web.FileResponse(API_DESCRIPTION, headers={"Content-Type": "application/yaml"})

    async def config(self, _request: web.Request) -> web.Response:
        """The addresses of the APIs, in place of the example for other hosts in the page's folder."""
        return web.json_response(
            {
                "createPost": f"{self._settings['ACTIONS_BASE_URL']}/api/createPost",
                "graphql": f"{self._settings['APP_BASE_API']}/v1/graphql",
                **self._sign_in.config,
                "developerTools": "/_local/",
                "simulatedX": is_of_this_machine(self._settings["X_BASE_URL"]),
            }
        )


def _content_security_policy(connections: str) -> str:
    """Everything comes from this server, nothing is inline, and no text becomes markup."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        f" {connections}; object-src 'none'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
