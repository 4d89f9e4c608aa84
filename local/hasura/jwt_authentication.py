"""JSON Web Tokens as ``HASURA_GRAPHQL_JWT_SECRET`` describes them (Hasura's docs, Authentication using JWTs)."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web

from local.hasura.errors import HasuraError
from local.hasura.jwt_claims import ClaimsLocation, session_from_claims, wrong_setting
from local.hasura.session import Session

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

    keys: "_StaticKey | _FetchedKeys"
    claims: ClaimsLocation
    audience: list[str]
    issuer: str | None
    leeway: float
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
            keys=_FetchedKeys(_string(given, "jwk_url")) if "jwk_url" in given else _static_key(given),
            claims=ClaimsLocation.from_json(given),
            audience=[audience] if isinstance(audience, str) else audience,
            issuer=given.get("issuer"),
            leeway=given.get("allowed_skew", 0),
            cookie=_cookie_name(given.get("header", {"type": "Authorization"})),
        )

    def has_token(self, request: web.Request) -> bool:
        """Whether the request has the header or cookie."""
        return self.cookie in request.cookies if self.cookie else "Authorization" in request.headers

    async def session(self, request: web.Request) -> Session:
        """The session of the request's token. Raises HasuraError with Hasura's code and message."""
        token = self._token(request)
        verified = await self._verified(token)
        return session_from_claims(self.claims.find(verified), request.headers.get("x-hasura-role"))

    def _token(self, request: web.Request) -> str:
        if not self.has_token(request):
            raise HasuraError(
                "invalid-headers", "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"
            )
        if self.cookie:
            return request.cookies[self.cookie]
        scheme, _, token = request.headers["Authorization"].partition(" ")
        if scheme != "Bearer" or not token or " " in token:
            raise HasuraError("invalid-headers", "Malformed Authorization header")
        return token

    async def _verified(self, token: str) -> dict[str, Any]:
        if token.count(".") != 2:
            parts = token.count(".") + 1
            raise _invalid(f"JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got {parts})")
        for key, algorithm in await self.keys.candidates(token):
            try:
                return self._decode(token, key, algorithm)
            except jwt.InvalidSignatureError:
                continue
        raise _invalid("JWSError JWSInvalidSignature")

    def _decode(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        unchecked = {"verify_aud": False, "verify_iss": False, "verify_iat": False}
        try:
            payload: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                leeway=self.leeway,
                options=unchecked,  # type: ignore[arg-type]
            )
        except jwt.ExpiredSignatureError as error:
            raise _invalid("JWTExpired") from error
        except jwt.ImmatureSignatureError as error:
            raise _invalid("JWTNotYetValid") from error
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
            raise jwt.InvalidSignatureError from error
        except jwt.InvalidTokenError as error:
            raise _invalid(f'JWSError (JSONDecodeError "{error}")') from error
        self._check_origin(payload)
        return payload

    def _check_origin(self, payload: dict[str, Any]) -> None:
        """A token without an audience or without an issuer passes."""
        named = payload.get("aud", [])
        audience = named if isinstance(named, list) else [named]
        if self.audience and audience and not any(name in self.audience for name in audience):
            raise _invalid("JWTNotInAudience")
        if self.issuer and payload.get("iss", self.issuer) != self.issuer:
            raise _invalid("JWTNotInIssuer")


@dataclass(frozen=True)
class _StaticKey:
    key: Any
    algorithm: str

    async def candidates(self, token: str) -> list[tuple[Any, str]]:  # noqa: ARG002 - one key for every token
        return [(self.key, self.algorithm)]


class _FetchedKeys:
    """The keys of a JWKS address, fetched when first needed and again after five minutes."""

    def __init__(self, url: str) -> None:
        try:
            self._client = jwt.PyJWKClient(url)
        except jwt.PyJWKClientError as error:
            raise wrong_setting("jwk_url must be an http or https address") from error

    async def candidates(self, token: str) -> list[tuple[Any, str]]:
        """The key that the token names, or all when it names none."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            fetched = await asyncio.to_thread(self._client.get_jwk_set)
        except jwt.PyJWKClientError as error:
            raise HasuraError("unexpected", "the JWK set could not be fetched from jwk_url", status=500) from error
        except jwt.InvalidTokenError as error:
            raise _invalid(f'JWSError (JSONDecodeError "{error}")') from error
        return [(key, key.algorithm_name) for key in fetched.keys if key_id is None or key.key_id == key_id]


def _static_key(given: dict[str, Any]) -> _StaticKey:
    if given.get("type") not in _ALGORITHMS:
        raise wrong_setting(f"type must be one of {', '.join(_ALGORITHMS)}")
    algorithm, key = _ALGORITHMS[given["type"]], _string(given, "key")
    if algorithm.startswith("HS"):
        if len(key.encode()) * 8 < int(algorithm[2:]):
            raise wrong_setting(f"the key of {algorithm} must have at least {int(algorithm[2:]) // 8} characters")
        return _StaticKey(key, algorithm)
    try:
        return _StaticKey(_public_key(key, algorithm), algorithm)
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


def _invalid(what: str) -> HasuraError:
    return HasuraError("invalid-jwt", f"Could not verify JWT: {what}")
