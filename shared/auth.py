"""Who is calling: an author with a token that Hasura would accept, or Hasura itself with the webhook's secret."""

import functools
import hmac
import json
from typing import Any

import jwt

from shared.errors import ConfigurationError, KeysUnavailable, Unauthorized

ALGORITHMS = {
    "HS256": ["HS256"],
    "HS384": ["HS384"],
    "HS512": ["HS512"],
    "RS256": ["RS256"],
    "RS384": ["RS384"],
    "RS512": ["RS512"],
    "ES256": ["ES256"],
    "ES384": ["ES384"],
    "ES512": ["ES512"],
    "Ed25519": ["EdDSA"],
}
"""What each `type` of HASURA_GRAPHQL_JWT_SECRET accepts (Hasura's docs, JWT configuration): never a choice of two."""

PUBLISHED_KEY_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"]
"""What a key from `jwk_url` may have signed with: never HMAC: a public key is no secret."""

_KEYS_TIMEOUT = 5


def bearer_token(authorization: str | None, jwt_secret: str) -> str:
    """The token in an Authorization header, verified as Hasura does it: `jwt_secret` is HASURA_GRAPHQL_JWT_SECRET.

    What the token allows is Hasura's to say. Raises Unauthorized with what is wrong in words, KeysUnavailable when the
    keys at `jwk_url` cannot be read, ConfigurationError when `jwt_secret` is unusable.
    """
    token = _token_of(authorization)
    config = _config(jwt_secret)
    try:
        key, algorithms = _key_for(token, config)
        jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=config.get("audience"),
            issuer=config.get("issuer"),
            leeway=config.get("allowed_skew", 0),
            options={"verify_aud": "audience" in config, "verify_sub": False, "verify_jti": False},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise KeysUnavailable("The keys that verify your token cannot be read just now. Try again soon.") from error
    except jwt.PyJWTError as error:
        raise Unauthorized(_words(error)) from error
    return token


def check_webhook_secret(given: str | None, expected: str) -> None:
    """Raises Unauthorized unless the caller knows the secret; takes the same time whatever was given."""
    if not hmac.compare_digest((given or "").encode(), expected.encode()):
        raise Unauthorized("The header x-webhook-secret is missing or wrong: Hasura must send WEBHOOK_SECRET in it.")


def _token_of(authorization: str | None) -> str:
    if not authorization:
        raise Unauthorized("The Authorization header is missing. Sign in, and send: Authorization: Bearer <token>.")
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise Unauthorized("The Authorization header is malformed. Send: Authorization: Bearer <token>.")
    return token.strip()


def _config(jwt_secret: str) -> dict[str, Any]:
    try:
        config = json.loads(jwt_secret)
    except ValueError as error:
        raise ConfigurationError("HASURA_GRAPHQL_JWT_SECRET is no JSON.") from error
    if not isinstance(config, dict) or not ("jwk_url" in config or {"key", "type"} <= config.keys()):
        raise ConfigurationError("HASURA_GRAPHQL_JWT_SECRET needs jwk_url, or type and key.")
    if "key" in config and config["type"] not in ALGORITHMS:
        raise ConfigurationError(f"HASURA_GRAPHQL_JWT_SECRET has a type other than {', '.join(ALGORITHMS)}.")
    return config


def _key_for(token: str, config: dict[str, Any]) -> tuple[Any, list[str]]:
    if "jwk_url" in config:
        return _published_keys(config["jwk_url"]).get_signing_key_from_jwt(token).key, PUBLISHED_KEY_ALGORITHMS
    key = config["key"]
    if key.startswith("-----BEGIN CERTIFICATE-----"):
        from cryptography.x509 import load_pem_x509_certificate  # slow to import, rarely needed

        key = load_pem_x509_certificate(key.encode()).public_key()
    return key, ALGORITHMS[config["type"]]


@functools.cache
def _published_keys(url: str) -> jwt.PyJWKClient:
    """Kept for the life of the process: it caches the keys."""
    return jwt.PyJWKClient(url, timeout=_KEYS_TIMEOUT)


_WORDS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired. Sign in again."),
    (jwt.ImmatureSignatureError, "The token is not valid yet. Check the clocks, or sign in again."),
    (jwt.InvalidAudienceError, "The token is for another audience."),
    (jwt.InvalidIssuerError, "The token is from another issuer."),
    (jwt.InvalidAlgorithmError, "The token is signed with an algorithm that is not accepted here."),
    (jwt.InvalidSignatureError, "The token's signature is wrong."),
    (jwt.PyJWKClientError, "The token is signed with a key that its issuer does not publish."),
)


def _words(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "The token cannot be read.")
