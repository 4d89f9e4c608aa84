"""Who is calling: an author with a token that Hasura would accept, or Hasura itself with the webhook's secret."""

import functools
import hmac
import json
import math
import threading
import time
from dataclasses import dataclass
from typing import Any

import jwt

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
"""What each `type` of HASURA_GRAPHQL_JWT_SECRET accepts (Hasura's docs, JWT configuration): never a choice of two."""

PUBLISHED_KEY_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
"""What a key from `jwk_url` may have signed with: never HMAC: a public key is no secret."""

_KEYS_TIMEOUT, _KEYS_COOLDOWN = 5, 30


def bearer_token(authorization: str | None, jwt_secret: str) -> str:
    """The token in an Authorization header, verified as Hasura does it: `jwt_secret` is HASURA_GRAPHQL_JWT_SECRET.

    What the token allows is Hasura's to say. Raises Unauthorized with what is wrong in words, KeysUnavailable when the
    keys at `jwk_url` cannot be read, ConfigurationError when `jwt_secret` is unusable.
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
        raise Unauthorized(_words(error)) from error
    return token


def check_webhook_secret(given: str | None, expected: str) -> None:
    """Raises Unauthorized unless the caller knows the secret; takes the same time whatever was given."""
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
    """Read once in the life of a process: a PEM key takes a while."""
    try:
        given = {name: value for name, value in json.loads(jwt_secret).items() if value is not None}
    except (ValueError, AttributeError) as error:
        raise _unusable("it is no JSON object") from error
    if given.get("header", {"type": "Authorization"}) != {"type": "Authorization"}:
        raise _unusable("tokens are read from the Authorization header alone")

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
    key = given.get("key")
    if not isinstance(key, str):
        raise _unusable("without jwk_url it needs a key")
    try:
        if key.startswith("-----BEGIN CERTIFICATE-----"):
            from cryptography.x509 import load_pem_x509_certificate  # slow to import, rarely needed

            key = load_pem_x509_certificate(key.encode()).public_key()
        return jwt.get_algorithm_by_name(_algorithm(given)).prepare_key(key)
    except (ValueError, TypeError, jwt.InvalidKeyError) as error:
        raise _unusable(f"its key is none for {given['type']}") from error


def _jwk_url(given: dict[str, Any]) -> str | None:
    url = _text(given, "jwk_url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise _unusable("jwk_url must begin with http:// or https://")
    return url


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
    if not isinstance(value, int | float):
        raise _unusable("allowed_skew must be a number of seconds")
    return value


def _published_key(url: str, token: str) -> Any:
    kid = jwt.get_unverified_header(token).get("kid")
    published = _published_keys(url)
    key = published.find(kid) or published.find_after_asking_again(kid)
    if key is None:
        raise jwt.PyJWKClientError("no such key")
    return key


class _PublishedKeys:
    """An issuer's keys. They are asked for again when one is unknown, but not for each token that somebody makes up."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, timeout=_KEYS_TIMEOUT)
        self._asking = threading.Lock()
        self._asked_at = -math.inf

    def find(self, kid: str | None) -> Any:
        """The key, among those that are known by now; the only one for a token that names none; or None."""
        keys = self._read(refresh=False)
        matching = [key for key in keys if key.key_id == kid] if kid is not None else keys
        return matching[0].key if len(matching) == 1 else None

    def find_after_asking_again(self, kid: str | None) -> Any:
        """None at once while somebody else is asking, or did a moment ago: the caller may come again."""
        if time.monotonic() - self._asked_at < _KEYS_COOLDOWN or not self._asking.acquire(blocking=False):
            return None
        try:
            self._read(refresh=True)
        finally:
            self._asked_at = time.monotonic()
            self._asking.release()
        return self.find(kid)

    def _read(self, refresh: bool) -> list[jwt.PyJWK]:
        try:
            return self._client.get_jwk_set(refresh=refresh).keys
        except (jwt.PyJWTError, ValueError, OSError) as error:
            raise KeysUnavailable("The keys that verify your token cannot be read just now. Try again soon.") from error


@functools.cache
def _published_keys(url: str) -> _PublishedKeys:
    """Kept for the life of the process."""
    return _PublishedKeys(url)


def _check_issuer(claims: dict[str, Any], issuer: str | None) -> None:
    """A token that does not say its issuer passes, as at Hasura (docs, JWT configuration: issuer)."""
    if issuer is not None and claims.get("iss", issuer) != issuer:
        raise jwt.InvalidIssuerError


_WORDS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired. Sign in again."),
    (jwt.ImmatureSignatureError, "The token is not valid yet. Check the clocks, or sign in again."),
    (jwt.InvalidAudienceError, "The token is for another audience."),
    (jwt.InvalidIssuerError, "The token is from another issuer."),
    (jwt.InvalidAlgorithmError, "The token is signed with an algorithm that is not accepted here."),
    (jwt.InvalidSignatureError, "The token's signature is wrong."),
    (jwt.PyJWKClientError, "The token is signed with a key that its issuer does not publish."),
)


def _words(error: Exception) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "The token cannot be read.")
