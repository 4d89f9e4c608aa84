"""Who calls: an author with a token that Hasura accepts, or Hasura itself with the webhook's secret."""

import functools
import hmac
import json
import math
import re
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from shared.errors import ConfigurationError, KeysUnavailable, Unauthorized

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

_KEYS_TIMEOUT, _KEYS_COOLDOWN = 5, 30
"""Seconds: how long the issuer may take to answer; how long its keys are not fetched again for an unknown one."""

_PEM = re.compile(r"\s*-----BEGIN (CERTIFICATE|(?:RSA )?PUBLIC KEY)-----[^-]+-----END \1-----\s*")


def bearer_token(authorization: str | None, jwt_secret: str) -> str:
    """The token in an Authorization header, verified as Hasura does it: `jwt_secret` is HASURA_GRAPHQL_JWT_SECRET.

    Hasura decides what the token allows. Raises Unauthorized with what is wrong, KeysUnavailable when the keys at
    `jwk_url` cannot be read, ConfigurationError when `jwt_secret` is unusable.
    """
    token = _token_of(authorization)
    config = _config(jwt_secret)
    try:
        claims = jwt.decode(
            token,
            _published_key(config.jwk_url, token) if config.jwk_url else config.key,
            algorithms=config.algorithms,
            audience=config.audience,
            leeway=config.allowed_skew,
            options={
                "verify_aud": config.audience is not None,
                "verify_iat": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
        _check_issuer(claims, config.issuer)
    except (jwt.PyJWTError, TypeError) as error:  # TypeError: the published key does not fit the token's algorithm
        raise Unauthorized(_message(error)) from error
    return token


def check_webhook_secret(given: str | None, expected: str) -> None:
    """Raises Unauthorized unless the caller sent the secret. The comparison takes the same time for every input."""
    if not hmac.compare_digest((given or "").encode(errors="replace"), expected.encode()):
        raise Unauthorized(
            "The webhook's secret is missing or wrong: Hasura must send its WEBHOOK_SECRET in x-webhook-secret."
        )


def _token_of(authorization: str | None) -> str:
    if not authorization:
        raise Unauthorized("The Authorization header is missing. Sign in, and send: Authorization: Bearer <token>.")
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise Unauthorized("The Authorization header is malformed. Send: Authorization: Bearer <token>.")
    if not token.isascii():
        raise Unauthorized("The token cannot be read.")
    return token.strip()


@dataclass(frozen=True)
class _JwtConfig:
    """HASURA_GRAPHQL_JWT_SECRET, read. `key` is ready for use; without one, keys are published at `jwk_url`."""

    algorithms: tuple[str, ...]
    key: Any
    jwk_url: str | None
    audience: str | tuple[str, ...] | None
    issuer: str | None
    allowed_skew: float


@functools.cache
def _config(jwt_secret: str) -> _JwtConfig:
    """Read once per process, because reading a PEM key takes a while."""
    try:
        given = {name: value for name, value in json.loads(jwt_secret).items() if value is not None}
    except (ValueError, AttributeError, RecursionError) as error:
        raise _unusable("it is no JSON object") from error
    if given.get("header", {"type": "Authorization"}) != {"type": "Authorization"}:
        raise _unusable("tokens are read from the Authorization header alone")
    if ("key" in given) == ("jwk_url" in given):
        raise _unusable("it needs either a key or a jwk_url")

    audience, jwk_url = given.get("audience"), _jwk_url(given)
    return _JwtConfig(
        algorithms=PUBLISHED_KEY_ALGORITHMS if jwk_url else (_algorithm(given),),
        key=None if jwk_url else _key(given),
        jwk_url=jwk_url,
        audience=tuple(_texts(audience)) if isinstance(audience, list) else _text(given, "audience"),
        issuer=_text(given, "issuer"),
        allowed_skew=_seconds(given.get("allowed_skew", 0)),
    )


def _unusable(why: str) -> ConfigurationError:
    return ConfigurationError(f"HASURA_GRAPHQL_JWT_SECRET: {why}.")


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
    if "PRIVATE KEY-----" in text:
        raise _unusable("its key is a private key; give the public key")
    match = _PEM.fullmatch(text)
    if match is None:
        raise ValueError("not one PEM block with a public key or a certificate")
    if match[1] == "CERTIFICATE":
        return load_pem_x509_certificate(text.encode()).public_key()
    return load_pem_public_key(text.encode())


def _jwk_url(given: dict[str, Any]) -> str | None:
    url = _text(given, "jwk_url")
    if url is not None and not _is_address(url):
        raise _unusable("jwk_url must be an address that begins with http:// or https://")
    return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(url.startswith(("http://", "https://")) and parts.hostname and parts.port != 0)
    except ValueError:  # a port that is none, a bracket without its other half
        return False


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise _unusable(f"{name} must be a string")
    return value


def _texts(values: list[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise _unusable("audience must be a string or a list of strings")
    return values


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise _unusable("allowed_skew must be a number of seconds")
    return value


def _published_key(url: str, token: str) -> Any:
    kid = jwt.get_unverified_header(token).get("kid")
    published = _published_keys(url)
    key = published.find(kid) or published.find_after_refresh(kid)
    if key is None:
        raise jwt.PyJWKClientError("no such key")
    return key


class _PublishedKeys:
    """An issuer's keys. An unknown key makes them be fetched again, but not for each token that somebody invents."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, timeout=_KEYS_TIMEOUT)
        self._refreshing = threading.Lock()
        self._refreshed_at = -math.inf

    def find(self, kid: str | None) -> Any:
        """The key among those that were fetched; for a token that names none, the only one; None if there is none."""
        keys = self._read(refresh=False)
        matching = [key for key in keys if key.key_id == kid] if kid is not None else keys
        return _public_half(matching[0].key) if len(matching) == 1 else None

    def find_after_refresh(self, kid: str | None) -> Any:
        """Fetches the keys first. None at once while another thread fetches them, or did so a moment ago."""
        if time.monotonic() - self._refreshed_at < _KEYS_COOLDOWN or not self._refreshing.acquire(blocking=False):
            return None
        try:
            self._read(refresh=True)
        finally:
            self._refreshed_at = time.monotonic()
            self._refreshing.release()
        return self.find(kid)

    def _read(self, refresh: bool) -> list[jwt.PyJWK]:
        try:
            return self._client.get_jwk_set(refresh=refresh).keys
        except (jwt.PyJWTError, ValueError, OSError) as error:
            raise KeysUnavailable("The keys that verify your token cannot be read just now. Try again soon.") from error


def _public_half(key: Any) -> Any:
    """`key`, or the public key of a private key that its issuer published by mistake."""
    return key.public_key() if hasattr(key, "public_key") else key


@functools.cache
def _published_keys(url: str) -> _PublishedKeys:
    """Kept for the life of the process."""
    return _PublishedKeys(url)


def _check_issuer(claims: dict[str, Any], issuer: str | None) -> None:
    """A token that does not say its issuer passes, as at Hasura (docs, JWT configuration: issuer)."""
    if issuer is not None and claims.get("iss", issuer) != issuer:
        raise jwt.InvalidIssuerError


_MESSAGES: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired. Sign in again."),
    (jwt.ImmatureSignatureError, "The token is not valid yet. Check the clocks, or sign in again."),
    (jwt.InvalidAudienceError, "The token is for another audience."),
    (jwt.InvalidIssuerError, "The token is from another issuer."),
    (jwt.InvalidAlgorithmError, "The token is signed with an algorithm that is not accepted here."),
    (jwt.InvalidSignatureError, "The token's signature is wrong."),
    (jwt.PyJWKClientError, "The token is signed with a key that its issuer does not publish."),
)


def _message(error: Exception) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return next((message for kind, message in _MESSAGES if isinstance(error, kind)), "The token cannot be read.")
