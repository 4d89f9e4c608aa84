"""The registered claims of a JSON Web Token (RFC 7519), read and checked as Hasura's library hs-jose does it.

First all are read: one of a wrong type is refused whatever the others say. Then they are checked, in hs-jose's order. A
claim that is null counts as absent, and an absent one is not checked.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.hasura.errors import HasuraError
from local.hasura.strict_json import parsed_json

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~-]|%[0-9A-Fa-f]{2})*")
_LATEST = 10**15
"""Seconds. Later times are all the same, and a float can hold this one."""


@dataclass(frozen=True)
class ClaimsChecks:
    """What the JWT setting asks of the claims. `allowed_skew`: seconds."""

    audience: list[str]
    issuer: str | None
    allowed_skew: float


def checked_payload(payload: bytes, checks: ClaimsChecks, now: float) -> dict[str, Any]:
    """The claims of a token whose signature is right. Raises HasuraError ``invalid-jwt``."""
    claims = _json_object(payload)
    read = {name: reader(name, claims[name]) for name, reader in _READERS.items() if claims.get(name) is not None}
    _check_times(read, checks.allowed_skew, now)
    if checks.issuer is not None and read.get("iss", checks.issuer) != checks.issuer:
        raise invalid_token("JWTNotInIssuer")
    if "aud" in read and not any(not checks.audience or name in checks.audience for name in read["aud"]):
        raise invalid_token("JWTNotInAudience")
    return claims


def invalid_token(what: str) -> HasuraError:
    """The refusal of a token, in the words of hs-jose."""
    return HasuraError("invalid-jwt", f"Could not verify JWT: {what}")


def _check_times(read: Mapping[str, Any], skew: float, now: float) -> None:
    if now >= read.get("exp", _LATEST) + skew:
        raise invalid_token("JWTExpired")
    if read.get("iat", now) > now + skew:
        raise invalid_token("JWTIssuedAtFuture")
    if now < read.get("nbf", now) - skew:
        raise invalid_token("JWTNotYetValid")


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        claims = parsed_json(payload.decode())
    except ValueError as error:
        raise _cannot_decode(str(error)) from error
    if not isinstance(claims, dict):
        raise _cannot_decode("the claims are not an object")
    return claims


def _time(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _cannot_decode(f"{name} is not a number")
    return max(-_LATEST, min(value, _LATEST))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _cannot_decode(f"{name} is not a string")
    return value


def _text_or_uri(name: str, value: Any) -> str:
    """A text with a colon must be a URI."""
    text = _text(name, value)
    if ":" in text and not URI.fullmatch(text):
        raise _cannot_decode(f"{name} has a colon and is no URI")
    return text


def _audience(name: str, value: Any) -> list[str]:
    return [_text_or_uri(name, one) for one in (value if isinstance(value, list) else [value])]


def _cannot_decode(why: str) -> HasuraError:
    return invalid_token(f'JWTClaimsSetDecodeError "{why}"')


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "iss": _text_or_uri,
    "sub": _text_or_uri,
    "aud": _audience,
    "exp": _time,
    "nbf": _time,
    "iat": _time,
    "jti": _text,
}
