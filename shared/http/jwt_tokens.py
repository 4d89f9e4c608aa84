"""Authors' tokens (JSON Web Tokens), verified as Hasura verifies them, by the same HASURA_GRAPHQL_JWT_SECRET.

PyJWT verifies the signature alone. Its own checks of the claims are switched off, because they are not Hasura's: it
takes times that are written as strings, drops fractions of a second, knows no null, and demands `aud` as soon as an
audience is configured. Where this module decides otherwise than Hasura, docs/errors.md lists it.
"""

import functools
import json
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from shared import log
from shared.errors import KeysUnavailable, Unauthorized
from shared.http import client as http_client
from shared.limits import CONNECT_TIMEOUT
from shared.log import LogEvent

ALGORITHMS = {
    "HS256": "HS256",
    "HS384": "HS384",
    "HS512": "HS512",
    "RS256": "RS256",
    "RS384": "RS384",
    "RS512": "RS512",
    "ES256": "ES256",
    "ES384": "ES384",
    "ES512": "ES512",
    "Ed25519": "EdDSA",
}
"""The one algorithm that each `type` of HASURA_GRAPHQL_JWT_SECRET accepts (Hasura's docs, JWT configuration)."""

PUBLISHED_KEY_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
"""The algorithms that a key from `jwk_url` verifies. HMAC is none of them, because a published key is no secret."""

_KEYS_TIMEOUT = timedelta(seconds=5)
"""How long the issuer may take to answer."""

_FIRST_KEYS_WAIT = CONNECT_TIMEOUT + 2 * _KEYS_TIMEOUT
"""How long a token waits for the very first keys, while another one has them fetched: as long as that can take."""

_KEYS_LIFETIME, _KEYS_COOLDOWN = 300, 30
"""Seconds: after how long the issuer's keys are fetched again; how long they are not, whatever tokens come."""

_PEM = re.compile(r"\s*-----BEGIN (CERTIFICATE|(?:RSA )?PUBLIC KEY)-----[^-]+-----END \1-----\s*")

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")

_ADDRESS = re.compile(r"https?://[^<>\\\s\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class JwtSecret:
    """HASURA_GRAPHQL_JWT_SECRET, read. `key` is ready for use; without one, keys are published at `jwk_url`."""

    algorithms: tuple[str, ...]
    key: Any = field(repr=False)
    jwk_url: str | None
    audience: tuple[str, ...] | None
    issuer: str | None
    allowed_skew: float


@functools.cache
def read_jwt_secret(text: str) -> JwtSecret:
    """Raises ValueError with what is wrong, without the key. Read once per process: a PEM key takes a while."""
    try:
        given = {name: value for name, value in json.loads(text).items() if value is not None}
    except (ValueError, AttributeError, RecursionError) as error:
        raise _unusable("it is no JSON object") from error
    if given.get("header", {"type": "Authorization"}) != {"type": "Authorization"}:
        raise _unusable("tokens are read from the Authorization header alone")
    if ("key" in given) == ("jwk_url" in given):
        raise _unusable("it needs either a key or a jwk_url")

    jwk_url = _jwk_url(given)
    return JwtSecret(
        algorithms=PUBLISHED_KEY_ALGORITHMS if jwk_url else (_algorithm(given),),
        key=None if jwk_url else _key(given),
        jwk_url=jwk_url,
        audience=_audience(given.get("audience")),
        issuer=_text(given, "issuer"),
        allowed_skew=_seconds(given.get("allowed_skew", 0)),
    )


def verify(token: str, secret: JwtSecret) -> None:
    """Raises Unauthorized with what is wrong with a token, KeysUnavailable when the keys at `jwk_url` cannot be read.

    What the token allows is Hasura's to decide: its claims for Hasura are not read here.
    """
    if not token.isascii():
        raise Unauthorized("The token cannot be read.")
    try:
        _check_claims(_signed_claims(token, secret), secret, time.time())
    except (jwt.PyJWTError, TypeError) as error:  # TypeError: the published key does not fit the token's algorithm
        raise Unauthorized(_message(error)) from error


def _signed_claims(token: str, secret: JwtSecret) -> dict[str, Any]:
    if secret.jwk_url is None:
        return _decoded(token, secret.key, secret)
    *others, last = _published_keys(secret.jwk_url).keys_for(token)
    for key in others:  # a token that names no key may be signed with any of them
        try:
            return _decoded(token, key, secret)
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError, TypeError):
            continue
    return _decoded(token, last, secret)


def _decoded(token: str, key: Any, secret: JwtSecret) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=secret.algorithms,
        options={f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},  # type: ignore[arg-type]
    )
    return claims


def _check_claims(given: Mapping[str, Any], secret: JwtSecret, now: float) -> None:
    """In Hasura's order. A claim that is null or missing passes, even when an issuer or an audience is configured."""
    claims = {name: value for name, value in given.items() if value is not None}
    for name in ("exp", "nbf", "iat"):
        if not _is_number(claims.get(name, 0)):
            raise Unauthorized(f"The token's claim {name} must be a number.")
    for name in ("iss", "sub"):
        if not _is_name(claims.get(name, "")):
            raise Unauthorized(f"The token's claim {name} must be a string; one with a colon must be a URI.")
    if not isinstance(claims.get("jti", ""), str):
        raise Unauthorized("The token's claim jti must be a string.")
    audiences = claims.get("aud")
    if isinstance(audiences, str):
        audiences = [audiences]
    if audiences is not None and not (isinstance(audiences, list) and all(map(_is_name, audiences))):
        raise Unauthorized("The token's claim aud must be a string or a list of strings.")

    if claims.get("exp", math.inf) <= now - secret.allowed_skew:
        raise Unauthorized("The token has expired. Sign in again.")
    if claims.get("iat", -math.inf) > now + secret.allowed_skew:
        raise Unauthorized("The token was issued in the future. Check the clocks, or sign in again.")
    if claims.get("nbf", -math.inf) > now + secret.allowed_skew:
        raise Unauthorized("The token is not valid yet. Check the clocks, or sign in again.")
    if secret.issuer is not None and claims.get("iss", secret.issuer) != secret.issuer:
        raise Unauthorized("The token is from another issuer.")
    if audiences is not None and not any(secret.audience is None or one in secret.audience for one in audiences):
        raise Unauthorized("The token is for another audience.")


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)  # Python reads NaN, which is no JSON, and would never expire
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(value: Any) -> bool:
    """A string; with a colon in it a URI (RFC 7519, StringOrURI)."""
    return isinstance(value, str) and (":" not in value or bool(_URI.fullmatch(value)))


_MESSAGES: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.InvalidAlgorithmError, "The token is signed with an algorithm that is not accepted here."),
    (jwt.InvalidSignatureError, "The token's signature is wrong."),
    (jwt.PyJWKClientError, "The token is signed with a key that its issuer does not publish."),
)


def _message(error: Exception) -> str:
    return next((message for kind, message in _MESSAGES if isinstance(error, kind)), "The token cannot be read.")


_NO_KEYS = "The keys that verify your token cannot be read just now. Try again soon."


class PublishedKeys:
    """An issuer's keys, fetched from `url` when first needed and again when they are old or a token names a new one.

    While they cannot be fetched, the last good ones stay in use; without any, KeysUnavailable comes at once. They are
    not fetched for each token that somebody invents, and never twice at a time. `clock` tells seconds.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._fetched_at = self._tried_at = -math.inf
        self._fetching = threading.Lock()

    def keys_for(self, token: str) -> list[Any]:
        """The key that the token names, or every key when it names none.

        Raises KeysUnavailable when no keys are known, or the named one is not known and they cannot be fetched;
        jwt.PyJWTError when the token cannot be read, or its issuer does not publish its key.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        if not self._keys:
            self._fetch_first()
        elif not self._named(kid):
            self._fetch_again()
        elif self._clock() - self._fetched_at > _KEYS_LIFETIME:
            try:
                self._fetch_again()
            except KeysUnavailable as error:
                log.warning(
                    LogEvent.KEYS_NOT_FETCHED,
                    f"the keys at jwk_url cannot be fetched; the last good ones stay in use: {error.__cause__}",
                )
        found = self._named(kid)
        if not found:
            raise jwt.PyJWKClientError("no such key")
        return found

    def _named(self, kid: Any) -> list[Any]:
        return [_public_half(key.key) for key in self._keys if kid is None or key.key_id == kid]

    def _fetch_first(self) -> None:
        """Of the tokens that come together at the start, one has the keys fetched, and the others wait for them."""
        is_tried = self._tried_at > -math.inf
        if not self._fetching.acquire(timeout=0 if is_tried else _FIRST_KEYS_WAIT.total_seconds()):
            raise KeysUnavailable(_NO_KEYS)
        try:
            if self._keys:  # another thread has fetched them meanwhile
                return
            if self._is_cooling_down():
                raise KeysUnavailable(_NO_KEYS)
            self._fetch()
        finally:
            self._fetching.release()

    def _fetch_again(self) -> None:
        """Does nothing while another thread fetches them, or when one did so a moment ago."""
        if self._is_cooling_down() or not self._fetching.acquire(blocking=False):
            return
        try:
            self._fetch()
            self._tried_at = self._fetched_at
        finally:
            self._fetching.release()

    def _is_cooling_down(self) -> bool:
        return self._clock() - self._tried_at < _KEYS_COOLDOWN

    def _fetch(self) -> None:
        try:
            answer = http_client.get(self._url, params={}, timeout=_KEYS_TIMEOUT)
            if answer.status != HTTPStatus.OK or not isinstance(answer.json, dict):
                raise ValueError(f"their issuer answers {answer.status}, without keys")
            self._keys = tuple(jwt.PyJWKSet.from_dict(answer.json).keys)
        except (http_client.TransportError, jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            self._tried_at = self._clock()
            raise KeysUnavailable(_NO_KEYS) from error
        self._fetched_at = self._clock()


def _public_half(key: Any) -> Any:
    """`key`, or the public key of a private key that its issuer published by mistake."""
    return key.public_key() if hasattr(key, "public_key") else key


@functools.cache
def _published_keys(url: str) -> PublishedKeys:
    """Kept for the life of the process."""
    return PublishedKeys(url)


def _unusable(why: str) -> ValueError:
    return ValueError(f"cannot be used: {why}")


def _algorithm(given: dict[str, Any]) -> str:
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in ALGORITHMS:
        raise _unusable(f"without jwk_url it needs a type, one of {', '.join(ALGORITHMS)}")
    return ALGORITHMS[kind]


def _key(given: dict[str, Any]) -> Any:
    """The key, ready for use, and of the kind and length that its `type` needs."""
    algorithm = jwt.get_algorithm_by_name(_algorithm(given))
    text, kind = given["key"], given["type"]
    if not isinstance(text, str):
        raise _unusable("its key must be a string")
    if "PRIVATE KEY-----" in text and not kind.startswith("HS"):
        raise _unusable("its key is a private key; give the public key")
    try:
        key = algorithm.prepare_key(text if kind.startswith("HS") else _public_key(text))
    except (ValueError, TypeError, jwt.InvalidKeyError, UnsupportedAlgorithm) as error:
        raise _unusable(f"its key is none for {kind}") from error
    if kind == "Ed25519" and not isinstance(key, Ed25519PublicKey):  # EdDSA has Ed448, too
        raise _unusable(f"its key is none for {kind}")
    if algorithm.check_key_length(key) is not None:
        raise _unusable(f"its key is too short for {kind}")
    return key


def _public_key(text: str) -> Any:
    """The key in a PEM block or certificate. Raises ValueError or UnsupportedAlgorithm."""
    match = _PEM.fullmatch(text)
    if match is None:
        raise ValueError("not one PEM block with a public key or a certificate")
    if match[1] == "CERTIFICATE":
        return load_pem_x509_certificate(text.encode()).public_key()
    return load_pem_public_key(text.encode())


def _jwk_url(given: dict[str, Any]) -> str | None:
    url = _text(given, "jwk_url")
    if url is not None and not _is_address(url):
        raise _unusable("jwk_url must be an address that begins with http:// or https://, without a user's name")
    return url


def _is_address(url: str) -> bool:
    """Whether each library that reads it finds the same host in it."""
    try:
        parts = urlsplit(url)
        return bool(_ADDRESS.fullmatch(url) and "@" not in parts.netloc and parts.hostname and parts.port != 0)
    except ValueError:  # a port that is none, a bracket without its other half
        return False


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise _unusable(f"{name} must be a string")
    return value


def _audience(value: Any) -> tuple[str, ...] | None:
    values = [value] if isinstance(value, str) else value
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise _unusable("audience must be a string or a list of strings")
    return tuple(values)


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise _unusable("allowed_skew must be a number of seconds")
    return value
