"""Authentication of a request: by the admin secret, by a JSON Web Token, or none (Hasura's docs, Authentication)."""

import hmac
import os
from collections.abc import Mapping

from local.hasura.errors import HasuraError
from local.hasura.jwt_authentication import Headers, JwtAuthentication
from local.hasura.session import ADMIN, Session

_SECRET_HEADERS = ("x-hasura-admin-secret", "x-hasura-access-key")
_ROLE = "x-hasura-role"


class Authentication:
    """Turns the headers of a request into a session.

    With the right admin secret, the role is ``x-hasura-role``, or admin; a wrong secret is refused even beside a valid
    token. When no secret is configured, everybody is admin.
    """

    def __init__(
        self, admin_secret: str | None, jwt: JwtAuthentication | None = None, unauthorized_role: str | None = None
    ) -> None:
        if jwt and not admin_secret:
            raise ValueError("HASURA_GRAPHQL_JWT_SECRET needs HASURA_GRAPHQL_ADMIN_SECRET: set both, or neither.")
        self._admin_secret = admin_secret
        self._jwt = jwt
        self._unauthorized_role = unauthorized_role

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Authentication":
        """Reads HASURA_GRAPHQL_ADMIN_SECRET, _JWT_SECRET and _UNAUTHORIZED_ROLE. Raises ValueError."""
        jwt_secret = environment.get("HASURA_GRAPHQL_JWT_SECRET")
        return cls(
            environment.get("HASURA_GRAPHQL_ADMIN_SECRET") or None,
            JwtAuthentication.from_json(jwt_secret) if jwt_secret else None,
            environment.get("HASURA_GRAPHQL_UNAUTHORIZED_ROLE") or None,
        )

    async def session(self, headers: Headers, cookies: Mapping[str, str]) -> Session:
        """The session of the sender. Raises HasuraError ``access-denied``, ``invalid-headers``, ``invalid-jwt``, ..."""
        if self._admin_secret is None:
            return _session_from_headers(headers, ADMIN)
        secret = next((headers[name] for name in _SECRET_HEADERS if name in headers), None)
        if secret is not None:
            return self._session_by_secret(headers, secret)
        if self._unauthorized_role and not (self._jwt and self._jwt.has_token(headers, cookies)):
            return Session(self._unauthorized_role, {**_variables(headers), _ROLE: self._unauthorized_role})
        if self._jwt:
            return await self._jwt.session(headers, cookies)
        raise HasuraError(
            "access-denied", "x-hasura-admin-secret/x-hasura-access-key required, but not found", status=401
        )

    def _session_by_secret(self, headers: Headers, secret: str) -> Session:
        if not hmac.compare_digest(os.fsencode(secret), os.fsencode(self._admin_secret or "")):
            raise HasuraError("access-denied", 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"', status=401)
        return _session_from_headers(headers, ADMIN)


def _session_from_headers(headers: Headers, default_role: str) -> Session:
    role = headers.get(_ROLE, default_role)
    return Session(role, {**_variables(headers), _ROLE: role})


def _variables(headers: Headers) -> dict[str, str]:
    named = {name.lower(): value for name, value in headers.items()}
    return {
        name: value for name, value in named.items() if name.startswith("x-hasura-") and name not in _SECRET_HEADERS
    }
