"""X's PIN-based sign-in (OAuth 1.0a): a user of X lets our app act for them, without a page of ours in between."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from admin.connection import CommandRefused
from shared.config import Settings
from shared.http import client as http_client
from shared.http.client import TransportError
from shared.x.sealed_tokens import AccessTokens
from shared.x.signature import signature

TIMEOUT = timedelta(seconds=30)

PIN_BASED = "oob"

HANDLE = "[^\x01-\x1f\x7f-\x9f]{1,50}"
"""As the database takes it: account.account_name."""


@dataclass(frozen=True)
class RequestToken:
    """A user of X authorizes it at `url`, which holds the token, as X's protocol wants it, and not its secret."""

    url: str
    token: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class SignedIn:
    """Who signed in at X, and the tokens to act for them. A handle can change hands, the id cannot."""

    x_user_id: str
    handle: str
    tokens: AccessTokens


class XSignIn:
    """Every method raises CommandRefused, in words for the operator."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.x_base_url
        self._app = (settings.consumer_api_key, settings.consumer_api_secret)

    def request_token(self) -> RequestToken:
        """A new request token."""
        status, form = self._post("/oauth/request_token", signature(self._app, callback=PIN_BASED))
        if status == 401:
            raise CommandRefused(
                "X rejects our app: compare CONSUMER_API_KEY and CONSUMER_API_SECRET with X's developer portal, and "
                "see that the clock of this machine is right."
            )
        if status == 403:
            raise CommandRefused(
                "X does not let our app sign users in (HTTP 403): set up its user authentication in X's developer "
                "portal, with a callback URL, which X wants for PINs, too."
            )
        if status != 200 or not {"oauth_token", "oauth_token_secret"} <= form.keys():
            raise CommandRefused(f"X gave no request token (HTTP {status}).")
        query = urlencode({"oauth_token": form["oauth_token"]})
        url = f"{self._address}/oauth/authorize?{query}"
        return RequestToken(url, form["oauth_token"], form["oauth_token_secret"])

    def access_token(self, request_token: RequestToken, pin: str) -> SignedIn:
        """Who authorized the request token, proven by the PIN that X showed them."""
        signing = signature(self._app, (request_token.token, request_token.secret), pin=pin)
        status, form = self._post("/oauth/access_token", signing)
        if status == 401:
            raise CommandRefused("X does not accept this PIN: it is wrong, too old, or the authorization was denied.")
        if status != 200:
            raise CommandRefused(f"X gave no access token (HTTP {status}).")
        x_user_id, handle = form.get("user_id", ""), form.get("screen_name", "")
        tokens = AccessTokens(form.get("oauth_token", ""), form.get("oauth_token_secret", ""))
        is_known = re.fullmatch("[1-9][0-9]{0,18}", x_user_id) and re.fullmatch(HANDLE, handle)
        if not is_known or not tokens.access_token or not tokens.access_token_secret:
            raise CommandRefused("X's answer with the access token could not be read.")
        return SignedIn(x_user_id, handle, tokens)

    def _post(self, path: str, signing: http_client.Sign) -> tuple[int, dict[str, str]]:
        """The status, and the form that X answers with."""
        try:
            answer = http_client.post(self._address + path, None, auth=signing, timeout=TIMEOUT)
        except TransportError as error:
            raise CommandRefused(f"X at {self._address} could not be asked: {error}.") from error
        return answer.status, dict(parse_qsl(answer.body.decode(errors="replace")))
