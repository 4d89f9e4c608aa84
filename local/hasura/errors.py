"""Hasura's errors: each has a code, a message and the path into the request, and what PostgreSQL's errors become."""

from typing import Any

import psycopg


class HasuraError(Exception):
    """A refusal. `code` is Hasura's code for it, e.g. ``validation-failed``; `path` is a JSON path, ``$...``.

    `internal` is shown to the admin alone. `status` is the HTTP status of ``/v1/query`` and ``/v1/metadata``;
    ``/v1/graphql`` always answers 200.
    """

    def __init__(self, code: str, message: str, path: str = "$", *, internal: Any = None, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.internal = internal
        self.status = status

    def as_graphql(self) -> dict[str, Any]:
        """The error as GraphQL answers have it, without what the admin alone is shown."""
        return {"message": self.message, "extensions": {"path": self.path, "code": self.code}}


_CONSTRAINTS = {
    "23001": ("constraint-violation", "Can not delete or update due to data being referred. "),
    "23502": ("constraint-violation", "Not-NULL violation. "),
    "23503": ("constraint-violation", "Foreign key violation. "),
    "23505": ("constraint-violation", "Uniqueness violation. "),
    "23514": ("permission-error", "Check constraint violation. "),
    "23P01": ("constraint-violation", "Exclusion violation. "),
}


def as_hasura_error(error: psycopg.Error, path: str, statement: str | None = None) -> HasuraError:
    """The answer to a request whose statement the database refused.

    Constraint violations have `path`, all others ``$``. The statement is shown to the admin alone, without its
    parameters.
    """
    state, message = error.sqlstate, error.diag.message_primary or str(error)
    internal = {"error": detail(error), "statement": statement} if statement else {"error": detail(error)}
    if state in _CONSTRAINTS:
        code, prefix = _CONSTRAINTS[state]
        return HasuraError(code, prefix + message, path, internal=internal)
    if (state or "").startswith("23"):
        return HasuraError("constraint-violation", message, path, internal=internal)
    if (state or "").startswith("22") or (state is None and isinstance(error, psycopg.DataError)):
        return HasuraError("data-exception", message, "$", internal=internal)
    if state in ("42704", "42P10"):
        return HasuraError("constraint-error", message, path, internal=internal)
    if state is None and isinstance(error, psycopg.OperationalError):
        return HasuraError("postgres-error", "connection error", "$", internal={"error": str(error)}, status=500)
    return HasuraError("unexpected", "database query error", "$", internal=internal, status=500)


def detail(error: psycopg.Error) -> dict[str, Any]:
    """The database's message, in the form that Hasura puts into ``internal.error``."""
    return {
        "exec_status": "FatalError",
        "status_code": error.sqlstate,
        "message": error.diag.message_primary or str(error),
        "description": error.diag.message_detail,
        "hint": error.diag.message_hint,
    }
