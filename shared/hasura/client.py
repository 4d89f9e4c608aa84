"""A client of Hasura's two APIs: GraphQL for the rows, metadata for the scheduled events."""

import re
from collections.abc import Mapping
from typing import Any

from shared.config import Settings
from shared.core.event_store import Row
from shared.errors import (
    ConfigurationError,
    Fault,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    ScheduledPostsError,
    TooManyPosts,
    Unauthorized,
)
from shared.http import client as http_client
from shared.limits import HASURA_TIMEOUT


class HasuraRefusal(ScheduledPostsError):
    """Hasura understood the request and refused it. `code` is its own word for why, e.g. ``permission-error``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"Hasura refused: {message} ({code})")
        self.code = code
        self.message = message


class HasuraClient:
    """Asks Hasura as an author, or as admin, and says in the product's errors why it refused.

    Every method may raise HasuraUnavailable, and ConfigurationError when Hasura refuses us rather than the author.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin_headers = {"x-hasura-admin-secret": settings.hasura_graphql_admin_secret}

    def as_author(self, document: str, variables: Mapping[str, Any], token: str) -> Row:
        """The ``data`` that GraphQL answers to the token's author. Raises what the author is to be told of a refusal.

        Asks with the role HASURA_AUTHOR_ROLE alone: a token's default role may be one with more rights.
        """
        headers = {"Authorization": f"Bearer {token}", "X-Hasura-Role": self._settings.hasura_author_role}
        try:
            return self._graphql(document, variables, headers)
        except HasuraRefusal as refusal:
            raise _to_the_author(refusal) from refusal

    def as_admin(self, document: str, variables: Mapping[str, Any]) -> Row:
        """The ``data`` that GraphQL answers to the admin."""
        try:
            return self._graphql(document, variables, self._admin_headers)
        except HasuraRefusal as refusal:
            raise _to_the_operator(refusal) from refusal

    def metadata(self, operation: str, args: Row) -> Row:
        """What an operation of the metadata API answers to the admin. Hasura v1.3 has it under /v1/query alone."""
        request = {"type": operation, "args": args}
        answer = self._post("/v1/metadata", request, self._admin_headers)
        if answer.status == 404:
            answer = self._post("/v1/query", request, self._admin_headers)
        body = answer.json if isinstance(answer.json, dict) else {}
        if 400 <= answer.status < 500 and isinstance(body.get("code"), str):
            raise _to_the_operator(HasuraRefusal(body["code"], str(body.get("error"))))
        if answer.status != 200 or body.get("message") != "success":
            raise HasuraUnavailable(f"Hasura answered {answer.status} to {operation}. Try again soon.")
        return body

    def _graphql(self, document: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> Row:
        """The ``data`` of the answer. Hasura answers errors with status 200, so the body decides."""
        answer = self._post("/v1/graphql", {"query": document, "variables": variables}, headers)
        body = answer.json if isinstance(answer.json, dict) else {}
        if refusal := _graphql_refusal(body.get("errors")):
            raise refusal
        if answer.status != 200 or not isinstance(body.get("data"), dict) or not body["data"]:
            raise HasuraUnavailable(f"Hasura answered {answer.status} without data. Try again soon.")
        data: Row = body["data"]
        return data

    def _post(self, path: str, body: Row, headers: Mapping[str, str]) -> http_client.HttpAnswer:
        try:
            return http_client.post(self._settings.app_base_api + path, body, headers=headers, timeout=HASURA_TIMEOUT)
        except http_client.TransportError as error:
            raise HasuraUnavailable(f"Hasura could not be asked: {error}. Try again soon.") from error


def _graphql_refusal(errors: Any) -> HasuraRefusal | None:
    """None for errors without Hasura's code: somebody else answered in its place."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return HasuraRefusal(code, str(first.get("message"))) if isinstance(code, str) else None


def _to_the_author(refusal: HasuraRefusal) -> ScheduledPostsError:
    """Codes are Hasura's, messages PostgreSQL's or those of the triggers in hasura/migrations."""
    match refusal.code:
        case "invalid-jwt" | "invalid-headers" | "jwt-invalid-claims" | "jwt-missing-role-claims":
            return Unauthorized(f"Hasura does not accept this token: {refusal.message}.")
        case "access-denied":
            return Forbidden(
                "Your token does not allow the role of authors. Sign in as somebody who may schedule posts."
            )
        case "not-found" if "session variable" in refusal.message:
            return Unauthorized(f"Hasura does not accept this token: {refusal.message}.")
        case "permission-error" if "permission" in refusal.message:
            return Forbidden("account_id must be an X account that is linked to you.")
        case "constraint-violation" if "user_id" in refusal.message:
            return Forbidden(
                "Nobody is known under this sign-in or user_id. Sign up first: open the page and sign in there once."
            )
        case "data-exception" if refusal.message.startswith("At most"):
            wait = re.search(r"again in (\d+) seconds", refusal.message)
            return TooManyPosts(refusal.message, int(wait[1])) if wait else TooManyPosts(refusal.message)
        case "data-exception":
            return InvalidDraft([Fault("account_id", refusal.message)])
        case "permission-error":
            return InvalidDraft([Fault("text", f"The database refuses this post: {refusal.message}")])
        case "validation-failed":
            return ConfigurationError(f"{refusal}. Check HASURA_AUTHOR_ROLE, and that hasura/ is applied.")
        case _:
            return HasuraUnavailable(f"Hasura could not do this ({refusal.code}). Try again soon.")


def _to_the_operator(refusal: HasuraRefusal) -> ScheduledPostsError:
    if refusal.code in ("unexpected", "postgres-error"):
        return HasuraUnavailable(f"{refusal}. Try again soon.")
    if refusal.code == "constraint-violation":
        return ConfigurationError(f"{refusal}. Some row stands in the way; `make doctor` names it.")
    return ConfigurationError(f"{refusal}. Check HASURA_GRAPHQL_ADMIN_SECRET, and that hasura/ is applied.")
