"""PostgreSQL's errors in Hasura's words: which are told to users, and which only to the admin."""

from typing import Any

import psycopg

from local.hasura.errors import HasuraError

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

    Constraint violations carry `path`, everything else ``$``. The statement is shown to the admin alone, without its
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
    """What the database said, as Hasura puts it into ``internal.error``."""
    return {
        "exec_status": "FatalError",
        "status_code": error.sqlstate,
        "message": error.diag.message_primary or str(error),
        "description": error.diag.message_detail,
        "hint": error.diag.message_hint,
    }
