"""JSON Web Tokens as ``HASURA_GRAPHQL_JWT_SECRET`` describes them (Hasura's docs, Authentication using JWTs)."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jwt
from multidict import CIMultiDict, CIMultiDictProxy

from local.hasura.errors import HasuraError
from local.hasura.jwt_claims import ClaimsLocation, session_from_claims, wrong_setting
from local.hasura.jwt_payload import ClaimsChecks, checked_payload
from local.hasura.jwt_signature import signed_payload
from local.hasura.session import Session

Headers = CIMultiDict[str] | CIMultiDictProxy[str]
"""Of a request; or of a WebSocket, whose client sends more of them in its first message."""

_ALGORITHMS = {
    **{name: name for name in ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512")},
    "Ed25519": "EdDSA",
}
_KNOWN_KEYS = {
    "type", "key", "jwk_url", "audience", "issuer", "claims_namespace", "claims_namespace_path", "claims_map",
    "claims_format", "allowed_skew", "header",
}  # fmt: skip


@dataclass(frozen=True)
class JwtAuthentication:
    """Verifies tokens and makes sessions of their claims."""

    keys: "_StaticKey | FetchedKeys"
    claims: ClaimsLocation
    checks: ClaimsChecks
    cookie: str | None

    @classmethod
    def from_json(cls, text: str) -> "JwtAuthentication":
        """Parses the setting's JSON. Raises ValueError, whose message never contains the key."""
        given = _json_object(text)
        unknown = sorted(set(given) - _KNOWN_KEYS)
        if unknown:
            raise wrong_setting(f"unknown keys {', '.join(unknown)}")
        if ("key" in given) == ("jwk_url" in given):
            raise wrong_setting("exactly one of key and jwk_url is expected")
        audience = given.get("audience", [])
        return cls(
            keys=FetchedKeys(_string(given, "jwk_url")) if "jwk_url" in given else _static_key(given),
            claims=ClaimsLocation.from_json(given),
            checks=ClaimsChecks(
                audience=[audience] if isinstance(audience, str) else audience,
                issuer=given.get("issuer"),
                allowed_skew=given.get("allowed_skew", 0),
            ),
            cookie=_cookie_name(given.get("header", {"type": "Authorization"})),
        )

    def has_token(self, headers: Headers, cookies: Mapping[str, str]) -> bool:
        """Whether the header or cookie is there."""
        return self.cookie in cookies if self.cookie else "Authorization" in headers

    async def session(self, headers: Headers, cookies: Mapping[str, str]) -> Session:
        """The session of the token. Raises HasuraError with Hasura's code and message."""
        verified = await self._verified(self._token(headers, cookies))
        session = session_from_claims(self.claims.find(verified), headers.get("x-hasura-role"))
        return replace(session, expires_at=verified.get("exp"))

    def _token(self, headers: Headers, cookies: Mapping[str, str]) -> str:
        if not self.has_token(headers, cookies):
            raise HasuraError(
                "invalid-headers", "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"
            )
        if self.cookie:
            return cookies[self.cookie]
        match headers["Authorization"].split():
            case ["Bearer", token]:
                return token
            case _:
                raise HasuraError("invalid-headers", "Malformed Authorization header")

    async def _verified(self, token: str) -> dict[str, Any]:
        return checked_payload(signed_payload(token, await self.keys.all()), self.checks, time.time())


@dataclass(frozen=True)
class _StaticKey:
    key: Any

    async def all(self) -> list[Any]:
        return [self.key]


class FetchedKeys:
    """The keys of a JWKS address, fetched when first needed and again after `seconds_kept`.

    While the address does not answer, the keys that it had stay in use.
    """

    def __init__(self, url: str, seconds_kept: float = 300) -> None:
        try:
            self._client = jwt.PyJWKClient(url, lifespan=seconds_kept)
        except jwt.PyJWKClientError as error:
            raise wrong_setting("jwk_url must be an http or https address") from error
        self._last: jwt.PyJWKSet | None = None

    async def all(self) -> list[Any]:
        """Every key of the address. Hasura tries all, whichever a token names."""
        return [key.key for key in (await self._fetched()).keys]

    async def _fetched(self) -> jwt.PyJWKSet:
        try:
            self._last = await asyncio.to_thread(self._client.get_jwk_set)
        except jwt.PyJWKClientError as error:
            if self._last is None:
                raise HasuraError("unexpected", "the JWK set could not be fetched from jwk_url", status=500) from error
        return self._last


def _static_key(given: dict[str, Any]) -> _StaticKey:
    if given.get("type") not in _ALGORITHMS:
        raise wrong_setting(f"type must be one of {', '.join(_ALGORITHMS)}")
    algorithm, key = _ALGORITHMS[given["type"]], _string(given, "key")
    if algorithm.startswith("HS"):
        if len(key.encode()) * 8 < int(algorithm[2:]):
            raise wrong_setting(f"the key of {algorithm} must have at least {int(algorithm[2:]) // 8} characters")
        return _StaticKey(key.encode())
    try:
        return _StaticKey(_public_key(key, algorithm))
    except (ValueError, jwt.InvalidKeyError) as error:
        raise wrong_setting(f"key is neither a PEM public key nor an X509 certificate for {given['type']}") from error


def _public_key(pem: str, algorithm: str) -> Any:
    if "BEGIN CERTIFICATE" in pem:
        from cryptography.x509 import load_pem_x509_certificate

        return load_pem_x509_certificate(pem.encode()).public_key()
    return jwt.get_algorithm_by_name(algorithm).prepare_key(pem)


def _cookie_name(header: dict[str, str]) -> str | None:
    match header:
        case {"type": "Authorization"}:
            return None
        case {"type": "Cookie", "name": str(name)}:
            return name
        case _:
            raise wrong_setting('header must be {"type": "Authorization"} or {"type": "Cookie", "name": ...}')


def _json_object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise wrong_setting("it is not JSON") from error
    if not isinstance(given, dict):
        raise wrong_setting("it is not a JSON object")
    return given


def _string(given: dict[str, Any], name: str) -> str:
    if not isinstance(given[name], str):
        raise wrong_setting(f"{name} must be a string")
    return str(given[name])
