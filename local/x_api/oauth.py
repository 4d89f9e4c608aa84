"""Who is calling: OAuth 1.0a, user context, as oauthlib verifies it.

X's documentation, "Authentication": HMAC-SHA1; the signature covers the URL and the query but no JSON body; the nonce
tells repeated submissions apart. X does not publish how far a clock may be off; 300 s is our choice.
"""

import string
from time import monotonic
from typing import Any, ClassVar

from aiohttp import web
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, ResourceEndpoint

from local.x_api.problems import Problem, unauthorized, unsupported_authentication
from local.x_api.storage import Storage, User

_CLOCK_TOLERANCE = 300
_NOBODY = "nobody"
_FORM = "application/x-www-form-urlencoded"
_APP_ONLY_TOKEN_PREFIX = "AAAAAAAAAA"


class Refused(Exception):
    """The request has no valid signature of a known user. `problem` is the answer; the message is for the log."""

    def __init__(self, reason: str, problem: Problem) -> None:
        super().__init__(reason)
        self.problem = problem


class Signatures:
    """Verifies the requests of one app, known by its consumer key and secret, in the name of the users in `storage`."""

    def __init__(self, consumer_key: str, consumer_secret: str, storage: Storage) -> None:
        self.consumer_key = consumer_key
        self.consumer_secret = consumer_secret
        self._storage = storage
        self._endpoint = ResourceEndpoint(OneApp(consumer_key, consumer_secret, storage))

    def signer_of(self, request: web.Request, body: bytes) -> User:
        """The user in whose name the request is signed. Raises Refused when there is none."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            raise _refused_bearer(credentials)
        if scheme.lower() != "oauth":
            raise Refused("it is not signed", unauthorized())
        return self._verified(request, body)

    def _verified(self, request: web.Request, body: bytes) -> User:
        try:
            valid, signed = self._endpoint.validate_protected_resource_request(*signed_parts(request, body), [])
        except ValueError as error:  # oauthlib's answer to a header or a query that it cannot read
            raise Refused("the Authorization header or the query is malformed", unauthorized()) from error
        user = self._storage.user_with_token(signed.resource_owner_key) if valid else None
        if not user:
            raise Refused(_reason(signed), unauthorized())
        return user


def _refused_bearer(token: str) -> Refused:
    if token.startswith(_APP_ONLY_TOKEN_PREFIX):
        return Refused(
            "app-only tokens cannot act for a user", unsupported_authentication("OAuth 2.0 Application-Only")
        )
    return Refused("OAuth 2.0 is not emulated, sign with OAuth 1.0a", unauthorized())


def signed_parts(request: web.Request, body: bytes) -> tuple[str, str, str, dict[str, str]]:
    """What oauthlib verifies of a request: its URL, method, body and headers."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    return (
        f"{scheme}://{request.host}{request.raw_path}",
        request.method,
        body.decode(errors="replace") if request.content_type == _FORM else "",
        {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers},
    )


def _reason(signed: Any) -> str:
    checks = signed.validator_log if signed else None
    if not checks:
        return "its nonce was used before, its time is off by more than 5 minutes, or an OAuth parameter is wrong"
    if not checks["client"]:
        return "unknown consumer key"
    if not checks["resource_owner"]:
        return "unknown or revoked access token"
    return "the signature does not match (secrets, method, URL)"


class OneApp(RequestValidator):
    """What oauthlib needs to know about one app and its users. For unknown names too, so that both take equal time."""

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    safe_characters: ClassVar[set[str]] = set(string.ascii_letters + string.digits + "-_.~+/=")
    client_key_length = (1, 128)
    access_token_length = (1, 128)
    nonce_length = (1, 128)
    timestamp_lifetime = _CLOCK_TOLERANCE
    enforce_ssl = False  # the stack is plain HTTP on loopback
    dummy_client = _NOBODY
    dummy_access_token = _NOBODY

    def __init__(self, consumer_key: str, consumer_secret: str, storage: Storage) -> None:
        super().__init__()
        self._consumer_key = consumer_key
        self._consumer_secret = consumer_secret
        self._storage = storage
        self._seen_nonces: dict[tuple[str, str, str], float] = {}

    def validate_timestamp_and_nonce(
        self,
        _client_key: str,
        timestamp: Any,
        nonce: str,
        _request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        self._forget_old_nonces()
        key = (access_token or request_token or "", timestamp, nonce)
        if key in self._seen_nonces:
            return False
        self._seen_nonces[key] = monotonic()
        return True

    def _forget_old_nonces(self) -> None:
        outdated = (
            monotonic() - 2 * _CLOCK_TOLERANCE
        )  # a timestamp may be one tolerance ahead, and is valid for one more
        while self._seen_nonces and (oldest := next(iter(self._seen_nonces))) and self._seen_nonces[oldest] < outdated:
            del self._seen_nonces[oldest]

    def validate_client_key(self, client_key: str, _request: Any) -> bool:
        return client_key == self._consumer_key

    def validate_access_token(self, _client_key: str, token: str, _request: Any) -> bool:
        return self._storage.user_with_token(token) is not None

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, _request: Any) -> str:
        return self._consumer_secret if client_key == self._consumer_key else _NOBODY

    def get_access_token_secret(self, _client_key: str, token: str, _request: Any) -> str:
        user = self._storage.user_with_token(token)
        return (user and user.access_token_secret) or _NOBODY
