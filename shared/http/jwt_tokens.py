"""Authors' tokens (JSON Web Tokens), verified as Hasura verifies them, by the same HASURA_GRAPHQL_JWT_SECRET.

PyJWT verifies the signature alone. Its checks of the claims are not used, because they are not Hasura's: it takes times
that are written as strings, drops fractions of a second, knows no null, and demands `aud` as soon as an audience is
configured. Where this module decides otherwise than Hasura, docs/security.md lists it.
"""

import functools
import json
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from shared import log
from shared.errors import KeysUnavailable, Unauthorized
from shared.http import client as http_client
from shared.limits import (
    KEYS_BYTES,
    KEYS_COOLDOWN,
    KEYS_LIFETIME,
    KEYS_TIMEOUT,
    KEYS_WAIT,
    KEYS_WAITING,
    MOST_KEYS,
)
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
        raise Unauthorized(_UNREADABLE)
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
    signed = jwt.api_jws.decode_complete(token, key, algorithms=secret.algorithms)
    if "crit" in signed["header"]:
        raise Unauthorized("The token's header demands an extension (crit) that is not known here.")
    try:
        claims = json.loads(signed["payload"].decode(), parse_constant=_refuse_constant, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise jwt.DecodeError("its claims are no JSON") from error
    if not isinstance(claims, dict):
        raise jwt.DecodeError("its claims are no object")
    return claims


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. One in which a name stands twice says different things to different readers (RFC 7519, 4)."""
    read = dict(members)
    if len(read) < len(members):
        raise ValueError("a name stands twice in one object")
    return read


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
        raise Unauthorized("The token is from another issuer. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET.")
    if audiences is not None and not any(secret.audience is None or one in secret.audience for one in audiences):
        raise Unauthorized("The token is for another audience. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(value: Any) -> bool:
    """A string; with a colon in it a URI (RFC 7519, StringOrURI)."""
    return isinstance(value, str) and (":" not in value or bool(_URI.fullmatch(value)))


_UNREADABLE = "The token cannot be read. Sign in again."

_MESSAGES: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (
        jwt.InvalidAlgorithmError,
        "The token is signed with an algorithm that is not accepted here. Check HASURA_GRAPHQL_JWT_SECRET.",
    ),
    (jwt.InvalidSignatureError, "The token's signature is wrong. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET."),
    (jwt.PyJWKClientError, "The token is signed with a key that its issuer does not publish. Sign in again."),
)


def _message(error: Exception) -> str:
    return next((message for kind, message in _MESSAGES if isinstance(error, kind)), _UNREADABLE)


_NO_KEYS = "The keys that verify your token cannot be read just now. Try again soon."


class PublishedKeys:
    """An issuer's keys, fetched from `url` when first needed, and again when they are old or a token names a new one.

    They are fetched in the background, by one thread at a time, and not again before KEYS_COOLDOWN is over, whatever
    tokens come. Those that are known stay in use meanwhile, and for as long as no others can be fetched: Hasura has the
    last word on each token, by keys of its own. Only a token whose key is not known waits, briefly, and only a few at a
    time do. `clock` tells seconds.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._changing = threading.Lock()
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._fetched_at = self._begun_at = -math.inf
        self._fetch_under_way: threading.Event | None = None
        self._failure: str | None = None
        self._failure_to_log: str | None = None
        self._places_to_wait = threading.BoundedSemaphore(KEYS_WAITING)

    def keys_for(self, token: str) -> list[Any]:
        """The key that the token names, or every key when it names none.

        Raises KeysUnavailable when that key is not known, and it is not known either whether its issuer publishes it;
        jwt.PyJWTError when the token cannot be read, or its issuer does not publish its key.
        """
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in PUBLISHED_KEY_ALGORITHMS:
            raise jwt.InvalidAlgorithmError("no key is needed to refuse it")
        kid = header.get("kid")
        if not self._named(kid):
            self._wait_for(self._begin_to_fetch())
        elif self._clock() - self._fetched_at > KEYS_LIFETIME.total_seconds():
            self._begin_to_fetch()
        self._log_failure()
        with self._changing:
            may_be_published = self._fetch_under_way is not None or self._failure is not None
            found = self._named(kid)
        if found:
            return found
        raise KeysUnavailable(_NO_KEYS) if may_be_published else jwt.PyJWKClientError("no such key")

    def _named(self, kid: Any) -> list[Any]:
        return [_public_half(key.key) for key in self._keys if kid is None or key.key_id == kid]

    def _begin_to_fetch(self) -> threading.Event | None:
        """What is set at the end of the fetch that is under way, perhaps since now; None: it is too early for one."""
        with self._changing:
            if self._fetch_under_way is None and self._clock() - self._begun_at >= KEYS_COOLDOWN.total_seconds():
                self._begun_at = self._clock()
                end = threading.Event()
                try:
                    threading.Thread(target=self._fetch, args=[end], daemon=True).start()
                    self._fetch_under_way = end
                except RuntimeError as error:  # the system has no thread left
                    self._failure = self._failure_to_log = str(error)
            return self._fetch_under_way

    def _wait_for(self, fetch: threading.Event | None) -> None:
        if fetch and self._places_to_wait.acquire(blocking=False):
            try:
                fetch.wait(KEYS_WAIT.total_seconds())
            finally:
                self._places_to_wait.release()

    def _fetch(self, end: threading.Event) -> None:
        """Runs in a thread of its own, which logs nothing, because Azure drops the log lines of such threads."""
        keys: tuple[jwt.PyJWK, ...] = ()
        failure = None
        try:
            keys = _fetched_keys(self._url)
        except Exception as error:  # whatever it is, the next fetch must be possible
            failure = str(error) or type(error).__name__
        with self._changing:
            if keys:
                self._keys, self._fetched_at = keys, self._clock()
            self._failure = self._failure_to_log = failure
            self._fetch_under_way = None
        end.set()

    def _log_failure(self) -> None:
        """What the latest fetch found, logged by the next token's thread."""
        with self._changing:
            failure, self._failure_to_log = self._failure_to_log, None
        if failure is not None:
            kept = "the last good ones stay in use" if self._keys else "no token can be verified"
            log.warning(LogEvent.KEYS_NOT_FETCHED, f"the keys at jwk_url cannot be fetched; {kept}: {failure}")


def _fetched_keys(url: str) -> tuple[jwt.PyJWK, ...]:
    """At least one, and not more than anybody publishes. Raises what says why not."""
    answer = http_client.get(url, params={}, timeout=KEYS_TIMEOUT, most_bytes=KEYS_BYTES)
    if answer.status != HTTPStatus.OK or not isinstance(answer.json, dict):
        raise ValueError(f"their issuer answers {answer.status}, without keys")
    published = answer.json.get("keys")
    if isinstance(published, list) and len(published) > MOST_KEYS:
        raise ValueError(f"their issuer publishes {len(published)}; at most {MOST_KEYS} are read")
    return tuple(jwt.PyJWKSet.from_dict(answer.json).keys)


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
