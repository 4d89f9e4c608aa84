"""The signature of a JSON Web Token and the header that names its algorithm, read as Hasura's library hs-jose does it.

The key decides which algorithms are accepted: all of its kind, but never `none`. What the header says about keys
(`kid`, `jwk`, `jku`, `x5c`, `x5u`) must be readable and is never used. No extension (`crit`) is understood.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from local.hasura.jwt_payload import URI, invalid_token
from local.hasura.strict_json import parsed_json

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ALGORITHMS = {"none", *_HMAC_BYTES, *_RSA, *_CURVES.values(), "EdDSA"}


def signed_payload(token: str, keys: Iterable[Any]) -> bytes:
    """The payload of a token that one of the keys has signed. Raises HasuraError ``invalid-jwt``."""
    parts = token.split(".")
    if len(parts) != 3:
        raise _unreadable(f"CompactDecodeError Invalid number of parts: Expected 3 parts; got {len(parts)}")
    header, payload, signature = (_decoded(part) for part in parts)
    algorithm = _algorithm(header)
    if algorithm == "none":
        raise invalid_token("JWSError JWSNoSignatures")
    # hs-jose encodes the payload again, without padding, and signs that.
    signed = f"{parts[0]}.{parts[1].rstrip('=')}".encode()
    if not any(_verifies(key, algorithm, signed, signature) for key in keys):
        raise invalid_token("JWSError JWSInvalidSignature")
    return payload


def _verifies(key: Any, algorithm: str, signed: bytes, signature: bytes) -> bool:
    if algorithm not in _algorithms_of(key):
        return False
    verified: bool = jwt.get_algorithm_by_name(algorithm).verify(signed, key, signature)
    return verified


def _algorithms_of(key: Any) -> tuple[str, ...]:
    match key:
        case bytes():
            return tuple(name for name, size in _HMAC_BYTES.items() if len(key) >= size)
        case RSAPublicKey():
            return _RSA
        case EllipticCurvePublicKey():
            return (_CURVES.get(key.curve.name, ""),)
        case Ed25519PublicKey():
            return ("EdDSA",)
        case _:
            return ()


def _algorithm(header: bytes) -> str:
    try:
        given = parsed_json(header.decode())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _unreadable('JSONDecodeError "protected header contains invalid JSON"')
    for name, is_right in _PARAMETERS.items():
        if name in given and not is_right(given[name]):
            raise _unreadable(f'JSONDecodeError "{name} cannot be read"')
    if given.get("alg") not in _ALGORITHMS:
        raise _unreadable('JSONDecodeError "alg is unknown or missing"')
    return str(given["alg"])


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and URI.fullmatch(value) is not None


def _is_jwk(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("kty") in ("RSA", "EC", "OKP", "oct")


def _is_certificates(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_understood(_: Any) -> bool:
    return False


_PARAMETERS: dict[str, Callable[[Any], bool]] = {
    "alg": _is_text,
    "kid": _is_text,
    "typ": _is_text,
    "cty": _is_text,
    "jku": _is_uri,
    "x5u": _is_uri,
    "jwk": _is_jwk,
    "x5c": _is_certificates,
    "crit": _is_understood,
}


def _decoded(part: str) -> bytes:
    try:
        if not _BASE64URL.fullmatch(part):
            raise ValueError("a character that base64url does not have")
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, binascii.Error) as error:
        raise _unreadable('JSONDecodeError "Not valid base64url"') from error


def _unreadable(why: str) -> Exception:
    return invalid_token(f"JWSError ({why})")
