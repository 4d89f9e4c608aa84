"""Access tokens that Hasura accepts (Hasura's docs, Authentication using JWTs)."""

import json
import time

import jwt

_NAMESPACE = "https://hasura.io/jwt/claims"
_VALID_SECONDS = 12 * 3600
_SHORTEST_KEY = {"HS256": 32, "HS384": 48, "HS512": 64}
_KEYS_THAT_MOVE_CLAIMS = {"claims_map", "claims_namespace_path", "claims_format"}


class CannotSign(Exception):
    """HASURA_GRAPHQL_JWT_SECRET has no key to sign with, or expects claims in another place."""


class AccessTokens:
    """Signs with the key that Hasura verifies with; so the key must be a shared one (HS256, HS384, HS512)."""

    def __init__(self, jwt_secret: str) -> None:
        """`jwt_secret` is the JSON of HASURA_GRAPHQL_JWT_SECRET. Raises CannotSign."""
        try:
            configured = json.loads(jwt_secret)
            self._algorithm, self._key = configured["type"], configured["key"]
        except (ValueError, KeyError, TypeError):
            raise CannotSign(
                "HASURA_GRAPHQL_JWT_SECRET must be a JSON object with type and key, or the page needs --oidc FILE."
            ) from None
        if self._algorithm not in _SHORTEST_KEY:
            raise CannotSign(
                f"HASURA_GRAPHQL_JWT_SECRET verifies {self._algorithm} tokens, which only its private key can sign. For"
                " sign-in by name use HS256, HS384 or HS512."
            )
        if len(self._key) < _SHORTEST_KEY[self._algorithm]:
            raise CannotSign(f"The key in HASURA_GRAPHQL_JWT_SECRET is too short for {self._algorithm}.")
        if moved := _KEYS_THAT_MOVE_CLAIMS & configured.keys():
            raise CannotSign(
                f"HASURA_GRAPHQL_JWT_SECRET: {', '.join(sorted(moved))} is not emulated by sign-in by name."
            )
        self._namespace = configured.get("claims_namespace", _NAMESPACE)

    def token_for(self, username: str) -> str:
        """A token with the role ``user``, valid for 12 hours."""
        now = int(time.time())
        session = {
            "x-hasura-default-role": "user",
            "x-hasura-allowed-roles": ["user"],
            "x-hasura-user-id": username,
        }
        claims = {"sub": username, "iat": now, "exp": now + _VALID_SECONDS, self._namespace: session}
        return jwt.encode(claims, self._key, self._algorithm)
