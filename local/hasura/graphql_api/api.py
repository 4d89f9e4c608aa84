"""The GraphQL endpoint without its HTTP: requests in, answers out."""

from typing import Any

import psycopg
import psycopg_pool
from graphql import GraphQLSchema

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.execution import run_operation
from local.hasura.graphql_api.metadata import Source, read_metadata
from local.hasura.graphql_api.postgres_catalog import read_catalog
from local.hasura.graphql_api.request import read_request
from local.hasura.graphql_api.role_schema import role_schema
from local.hasura.graphql_api.selection import check_operation
from local.hasura.session import ADMIN, Session


class GraphQLApi:
    """``/v1/graphql`` of Hasura v2, queries and mutations, for the tables and functions that metadata tracks."""

    def __init__(self, tables: list[dict[str, Any]], functions: list[dict[str, Any]]) -> None:
        """Takes the parsed YAML of ``tables/*.yaml`` and ``functions/*.yaml``, one dict a file."""
        self._tables = tables
        self._functions = functions
        self._schemas: dict[str, GraphQLSchema] = {}
        self._schema_of_unknown_roles = role_schema(Source({}, []), "")

    async def load(self, connection: psycopg.AsyncConnection) -> list[str]:
        """Reads the live catalog and builds a schema for each role; call it again when the database has changed.

        Returns the inconsistencies as sentences: what the metadata says and the database, or this emulation, does not
        have. The parts concerned are missing from the schemas.
        """
        source, inconsistencies = read_metadata(self._tables, self._functions, await read_catalog(connection))
        self._schemas = {role: role_schema(source, role) for role in source.roles}
        return inconsistencies

    async def execute(
        self, pool: psycopg_pool.AsyncConnectionPool, session: Session, body: object
    ) -> dict[str, Any] | list[Any]:
        """The answer's JSON to the parsed JSON of a request; a list of requests gets a list of answers.

        ``{"data": {...}}`` or ``{"errors": [{"message", "extensions": {"path", "code"}}]}``, with ``internal`` in the
        extensions when the admin asks and the database is to blame. Raises no HasuraError: it answers it.
        """
        if isinstance(body, list):
            return [await self.execute(pool, session, each) for each in body]
        try:
            return {"data": await self._data(pool, session, body)}
        except HasuraError as error:
            return _refusal(error, session)
        except RecursionError:
            return _refusal(HasuraError("validation-failed", "the request is nested too deeply"), session)
        except UnicodeEncodeError:
            message = "a text contains half of a surrogate pair, which UTF-8 cannot hold"
            return _refusal(HasuraError("data-exception", message), session)

    async def _data(self, pool: psycopg_pool.AsyncConnectionPool, session: Session, body: object) -> dict[str, Any]:
        schema = self._schemas.get(session.role, self._schema_of_unknown_roles)
        operation = read_request(body)
        fields = check_operation(schema, operation)
        return await run_operation(pool, session, schema, operation, fields)


def _refusal(error: HasuraError, session: Session) -> dict[str, Any]:
    extensions: dict[str, Any] = {"path": error.path, "code": error.code}
    if error.internal is not None and session.role == ADMIN:
        extensions["internal"] = error.internal
    return {"errors": [{"message": error.message, "extensions": extensions}]}
