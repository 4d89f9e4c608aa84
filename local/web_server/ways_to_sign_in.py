"""The two ways to sign in on the page: by name, or at an OpenID Connect provider. Each says what the page must know."""

import logging
import re
from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp import web

from local.oidc_settings import origin_of
from local.web_server.access_token import AccessTokens
from local.web_server.refusals import refusal
from local.web_server.sign_in import SignIn, SignInFailed

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")

_log = logging.getLogger("web")


class ByName:
    """Whoever gives a name gets a token for it, and an account on X when the name is new."""

    config: Mapping[str, object] = {"token": "/_local/token"}
    origins: tuple[str, ...] = ()

    def __init__(self, settings: Mapping[str, str], tokens: AccessTokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """Below ``/_local``."""
        return [web.post("/token", self._token)]

    async def connections(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            self._sign_in = SignIn(session, self._settings)
            yield

    async def _token(self, request: web.Request) -> web.Response:
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


class AtProvider:
    """The page gets its tokens from the provider; this server takes no part in it."""

    def __init__(self, oidc: Mapping[str, str]) -> None:
        """`oidc` is as local.oidc_settings reads it."""
        self.config: Mapping[str, object] = {"oidc": oidc}
        self.origins: tuple[str, ...] = (origin_of(oidc),)

    def routes(self) -> list[web.RouteDef]:
        """None."""
        return []

    async def connections(self, _app: web.Application) -> AsyncIterator[None]:
        yield


WayToSignIn = ByName | AtProvider


async def _json(request: web.Request) -> object:
    """The body; None when it is not JSON, too deeply nested, or in an unknown charset."""
    try:
        return await request.json()
    except (ValueError, RecursionError, LookupError):
        return None


def _username(body: object) -> str | None:
    given = body.get("username") if isinstance(body, dict) else None
    return given if isinstance(given, str) and _USERNAME.fullmatch(given) else None
