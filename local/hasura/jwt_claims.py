"""Finds Hasura's claims in a token and makes a session of them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.hasura.errors import HasuraError
from local.hasura.json_arguments import Parser, T, list_of, text
from local.hasura.session import Session

_DEFAULT_NAMESPACE = "https://hasura.io/jwt/claims"
_ALLOWED_ROLES = "x-hasura-allowed-roles"
_DEFAULT_ROLE = "x-hasura-default-role"
_JSON_PATH_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
)
_Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class ClaimsLocation:
    """Where a token has Hasura's claims: under a namespace, at a path, or each at its own place (a map)."""

    namespace: str
    path: _Steps | None
    as_text: bool
    map: "Mapping[str, _Source] | None"

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "ClaimsLocation":
        """Reads the ``claims_*`` keys of the JWT setting. Raises ValueError when they contradict each other."""
        if "claims_namespace" in given and "claims_namespace_path" in given:
            raise wrong_setting("claims_namespace and claims_namespace_path exclude each other")
        if given.get("claims_format", "json") not in ("json", "stringified_json"):
            raise wrong_setting("claims_format must be json or stringified_json")
        claims_map = given.get("claims_map")
        if claims_map is not None:
            claims_map = {name.lower(): value for name, value in claims_map.items()}
            if not {_ALLOWED_ROLES, _DEFAULT_ROLE} <= claims_map.keys():
                raise wrong_setting(f"claims_map must have {_ALLOWED_ROLES} and {_DEFAULT_ROLE}")
            claims_map = {name: _Source.from_json(value) for name, value in claims_map.items()}
        path = given.get("claims_namespace_path")
        return cls(
            namespace=given.get("claims_namespace", _DEFAULT_NAMESPACE),
            path=None if path is None else _steps(path),
            as_text=given.get("claims_format") == "stringified_json",
            map=claims_map,
        )

    def find(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Hasura's claims in a token's payload, names in lower case. Raises HasuraError ``jwt-invalid-claims``."""
        if self.map is not None:
            found = {name: source.find(payload) for name, source in self.map.items()}
            return {name: value for name, value in found.items() if value is not None}
        claims = payload.get(self.namespace) if self.path is None else _at(payload, self.path)
        if claims is None:
            raise HasuraError("jwt-invalid-claims", self._not_found())
        if self.as_text:
            claims = _from_text(claims)
        if not isinstance(claims, Mapping):
            raise HasuraError("jwt-invalid-claims", "claims: expected an object")
        return {name.lower(): value for name, value in claims.items() if name.lower().startswith("x-hasura-")}

    def _not_found(self) -> str:
        if self.path is None:
            return f"claims key: '{self.namespace}' not found"
        return "claims not found at claims_namespace_path"


@dataclass(frozen=True)
class _Source:
    """The source of one variable of ``claims_map``: a path in the token and a default. A literal has no path."""

    path: _Steps | None
    default: Any

    @classmethod
    def from_json(cls, given: Any) -> "_Source":
        if not isinstance(given, Mapping):
            return cls(None, given)
        if not isinstance(given.get("path"), str):
            raise wrong_setting("a value of claims_map must be a literal or have a path")
        return cls(_steps(given["path"]), given.get("default"))

    def find(self, payload: Mapping[str, Any]) -> Any:
        found = None if self.path is None else _at(payload, self.path)
        return self.default if found is None else found


def session_from_claims(claims: Mapping[str, Any], requested_role: str | None) -> Session:
    """The session for `claims`: the requested role if the token allows it, else its default role."""
    for name in (_ALLOWED_ROLES, _DEFAULT_ROLE):
        if name not in claims:
            raise _missing(name)
    allowed = _parsed(list_of(text), claims[_ALLOWED_ROLES], f"invalid {_ALLOWED_ROLES}; should be a list of roles: ")
    role = requested_role or _parsed(text, claims[_DEFAULT_ROLE], f"invalid {_DEFAULT_ROLE}; should be a role: ")
    if role not in allowed:
        raise HasuraError("access-denied", "Your requested role is not in allowed roles")
    variables = {
        name: _parsed(text, value, "x-hasura-* claims: ")
        for name, value in claims.items()
        if name not in (_ALLOWED_ROLES, _DEFAULT_ROLE)
    }
    return Session(role, {**variables, "x-hasura-role": role})


def _parsed(parser: Parser[T], value: Any, prefix: str) -> T:
    try:
        return parser(value, "$")
    except HasuraError as error:
        raise HasuraError("jwt-invalid-claims", prefix + error.message) from error


def _from_text(claims: Any) -> Any:
    try:
        return json.loads(_parsed(text, claims, "claims of format stringified_json: "))
    except ValueError as error:
        raise HasuraError("jwt-invalid-claims", "claims of format stringified_json: not JSON") from error


def _steps(path: str) -> _Steps:
    """``$.hasura['the claims'][0]`` as ``("hasura", "the claims", 0)``."""
    steps: list[str | int] = []
    end = 1
    while path.startswith("$") and (step := _JSON_PATH_STEP.match(path, end)):
        steps.append(int(step["index"]) if step["index"] else step["name"] or step["quoted"])
        end = step.end()
    if path[:1] != "$" or end != len(path):
        raise wrong_setting(f"{path} is not a JSON path")
    return tuple(steps)


def _at(value: Any, steps: _Steps) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _missing(name: str) -> HasuraError:
    return HasuraError("jwt-missing-role-claims", f"JWT claim does not contain {name}")


def wrong_setting(what: str) -> ValueError:
    """The error for a wrong HASURA_GRAPHQL_JWT_SECRET."""
    return ValueError(f"HASURA_GRAPHQL_JWT_SECRET: {what}.")
