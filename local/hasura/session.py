"""The session of a request, and how the database is told of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg import AsyncConnection

ADMIN = "admin"


@dataclass(frozen=True)
class Session:
    """A role and its session variables: names in lower case, values strings, the role among them."""

    role: str
    variables: Mapping[str, str] = field(default_factory=dict)
    expires_at: float | None = field(default=None, compare=False)
    """When the token behind it expires, in seconds since 1970."""


ADMIN_SESSION = Session(ADMIN, {"x-hasura-role": ADMIN})


async def act_for(connection: AsyncConnection, session: Session) -> None:
    """Sets ``hasura.user`` for the open transaction: the session variables as JSON, which SQL triggers read."""
    variables = {"x-hasura-role": session.role, **session.variables}
    await connection.execute("select set_config('hasura.user', %s, true)", [json.dumps(variables)])
