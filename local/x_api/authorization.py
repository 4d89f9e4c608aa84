"""How an app gets the tokens of a user: OAuth 1.0a with a PIN (X's documentation, "PIN-based authorization").

The app asks for a request token. The user opens the authorize page with it, authorises the app and gets a PIN. The app
exchanges request token and PIN for the user's access token. The page asks for no password: a person chooses a user.
"""

import html
import logging
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from oauthlib.oauth1 import AccessTokenEndpoint, RequestTokenEndpoint

from local import loopback
from local.x_api import problems
from local.x_api.oauth import OneApp, Signatures, signed_parts
from local.x_api.problems import Problem
from local.x_api.request_tokens import RequestToken, RequestTokens
from local.x_api.storage import Storage, User

PIN_BASED = "oob"
"""The one callback that is emulated: no page of the app is called, the user carries a PIN."""

USERNAME = "[A-Za-z0-9_]{1,15}"

log = logging.getLogger(__name__)


class Authorization:
    """The three endpoints, and what the authorize page does, for scripts."""

    def __init__(self, storage: Storage, signatures: Signatures, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._tokens = RequestTokens(now)
        app = _PinFlow(signatures, storage, self._tokens)
        self._request_token_endpoint = _RequestTokens(app)
        self._access_token_endpoint = _AccessTokens(app, storage, self._tokens)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth/request_token", self._create_request_token),
            web.get("/oauth/authorize", self._show_page),
            web.post("/oauth/authorize", self._read_form),
            web.post("/oauth/access_token", self._create_access_token),
        ]

    def authorise(self, request_token: str, username: str) -> str | None:
        """The PIN of the user, who is created when new; None when the request token cannot be used."""
        token = self._tokens.undecided(request_token)
        if not token:
            return None
        user = self._storage.user_named(username) or self._storage.add_user(username)
        log.info("@%s: authorised the app and got a PIN", user.username)
        return self._tokens.authorise(token, user.id)

    def deny(self, request_token: str) -> bool:
        """Whether the request token could be denied."""
        token = self._tokens.undecided(request_token)
        if token:
            self._tokens.deny(token)
            log.info("a user denied the app access")
        return token is not None

    async def _create_request_token(self, request: web.Request) -> web.Response:
        parts = signed_parts(request, await request.read())
        return _answer(request, partial(self._request_token_endpoint.create_request_token_response, *parts))

    async def _create_access_token(self, request: web.Request) -> web.Response:
        parts = signed_parts(request, await request.read())
        return _answer(request, partial(self._access_token_endpoint.create_access_token_response, *parts))

    async def _show_page(self, request: web.Request) -> web.Response:
        token = (
            self._tokens.undecided(request.query.get("oauth_token", "")) if loopback.is_meant(request.host) else None
        )
        return _page(_QUESTION.format(**self._choices(token))) if token else _invalid_page()

    def _choices(self, token: RequestToken) -> dict[str, str]:
        options = "".join(f"<option>{html.escape(name)}</option>" for name in self._storage.usernames())
        return {"token": html.escape(token.token), "options": options, "pattern": USERNAME}

    async def _read_form(self, request: web.Request) -> web.Response:
        form = await request.post()
        token, username = str(form.get("oauth_token", "")), str(form.get("username", "")).removeprefix("@")
        if not loopback.is_meant(request.host):
            return _invalid_page()
        if "deny" in form:
            return _page(_DENIED) if self.deny(token) else _invalid_page()
        if not re.fullmatch(USERNAME, username):
            return _page("<h1>A username has 1 to 15 letters, digits or underscores.</h1>", 400)
        pin = self.authorise(token, username)
        return _page(_PIN.format(pin=pin)) if pin else _invalid_page()


class _PinFlow(OneApp):
    """What oauthlib needs to know about request tokens, beside what it knows about the app."""

    request_token_length = (1, 128)
    verifier_length = (1, 128)
    dummy_request_token = "nobody"

    def __init__(self, signatures: Signatures, storage: Storage, tokens: RequestTokens) -> None:
        super().__init__(signatures.consumer_key, signatures.consumer_secret, storage)
        self._tokens = tokens

    def get_default_realms(self, *_: Any) -> list[str]:
        return []

    def get_realms(self, *_: Any) -> list[str]:
        return []

    def validate_requested_realms(self, *_: Any) -> bool:
        return True

    def validate_redirect_uri(self, _client_key: str, redirect_uri: str, _request: Any) -> bool:
        return redirect_uri == PIN_BASED

    def save_request_token(self, token: Any, _request: Any) -> None:
        self._tokens.add(token["oauth_token"], token["oauth_token_secret"])

    def validate_request_token(self, _client_key: str, token: str, _request: Any) -> bool:
        return self._tokens.find(token) is not None

    def get_request_token_secret(self, _client_key: str, token: str, _request: Any) -> str:
        found = self._tokens.find(token)
        return found.secret if found else "nobody"

    def validate_verifier(self, _client_key: str, token: str, verifier: str, _request: Any) -> bool:
        found = self._tokens.find(token)
        return found is not None and found.pin == verifier

    def invalidate_request_token(self, _client_key: str, request_token: str, _request: Any) -> None:
        self._tokens.use(request_token)


class _RequestTokens(RequestTokenEndpoint):
    def validate_request_token_request(self, request: Any) -> tuple[bool, Any]:
        """Raises Problem as X does when all is well but the callback."""
        valid, request = super().validate_request_token_request(request)  # type: ignore[no-untyped-call]
        checks = request.validator_log
        if checks and not checks["callback"] and checks["client"] and checks["signature"]:
            raise problems.callback_not_approved()
        return valid, request


class _AccessTokens(AccessTokenEndpoint):
    def __init__(self, app: _PinFlow, storage: Storage, tokens: RequestTokens) -> None:
        super().__init__(app)
        self._storage = storage
        self._tokens = tokens

    def validate_access_token_request(self, request: Any) -> tuple[bool, Any]:
        """Raises Problem as X does for a request token or a PIN that is not valid."""
        valid, request = super().validate_access_token_request(request)  # type: ignore[no-untyped-call]
        checks = request.validator_log
        if checks and checks["client"] and not checks["resource_owner"]:
            raise problems.invalid_or_expired_token()
        if checks and checks["client"] and checks["signature"] and not checks["verifier"]:
            raise problems.invalid_verifier()
        return valid, request

    def create_access_token(self, request: Any, _credentials: Any) -> str:
        """As X, it gives the tokens that the user's authorisation already has, and new ones after a revocation."""
        user = self._user_of(request.resource_owner_key)
        log.info("@%s: the app got the access token", user.username)
        return urlencode(
            {
                "oauth_token": user.access_token,
                "oauth_token_secret": user.access_token_secret,
                "user_id": user.id,
                "screen_name": user.username,
            }
        )

    def _user_of(self, request_token: str) -> User:
        token = self._tokens.find(request_token)
        assert token
        assert token.user_id
        user = self._storage.user(token.user_id)
        assert user
        return user if user.access_token else self._storage.authorise(user.id)


def _answer(request: web.Request, respond: Callable[[], tuple[Any, str | None, int]]) -> web.Response:
    """oauthlib's answer where it grants what was asked, X's where it does not."""
    try:
        _, form, status = respond()
        if status != 200:
            raise problems.could_not_authenticate()
    except ValueError:  # oauthlib's answer to a header that it cannot read
        problem = problems.could_not_authenticate()
    except Problem as raised:
        problem = raised
    else:
        return web.Response(text=form, content_type="text/html", charset="utf-8")  # X calls this form HTML
    log.info("rejected %s %s: %s", request.method, request.path, problem)
    return problem.response()


_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}

_LAYOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>X of the local stack</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 30rem; padding: 0 1rem }}
label, input, button, code {{ font-size: 1.1rem }} code {{ letter-spacing: .2em }}</style>
<main>{content}</main>
</html>
"""

_QUESTION = """<h1>Authorize the app to access your account?</h1>
<form method="post" action="/oauth/authorize">
<input type="hidden" name="oauth_token" value="{token}">
<p><label>Your username on the local X <input name="username" list="users" pattern="@?{pattern}" autofocus></label>
<datalist id="users">{options}</datalist></p>
<p>A name that is not there yet is created.</p>
<p><button name="authorize">Authorize app</button> <button name="deny" formnovalidate>Cancel</button></p>
</form>"""

_PIN = "<h1>You have granted access to the app.</h1><p>Enter this PIN there: <code>{pin}</code></p>"

_DENIED = "<h1>You have denied the app access.</h1>"


def _page(content: str, status: int = 200) -> web.Response:
    text = _LAYOUT.format(content=content)
    return web.Response(status=status, text=text, headers=_HEADERS, content_type="text/html")


def _invalid_page() -> web.Response:
    words = (
        "The request token for this page is invalid. It may have been used already, or expired because it is too old."
    )
    return _page(f"<h1>{words}</h1>", 403)
