"""Running the INSERT, UPDATE or DELETE of a mutation, and answering with the rows it left behind."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from local.hasura.database_errors import as_hasura_error
from local.hasura.errors import HasuraError
from local.hasura.graphql_api.metadata import Table
from local.hasura.graphql_api.select import select_returned
from local.hasura.graphql_api.selection import TYPENAME, Field
from local.hasura.graphql_api.sql_statement import Row, Statement
from local.hasura.session import Session

TARGET = Row("_target")
"""The alias of the row that a statement changes."""


@dataclass(frozen=True)
class Changed:
    """The rows as they are now (or were, when deleted), each a JSON text."""

    affected: int
    rows: list[str]

    @property
    def as_array(self) -> str:
        return f"[{','.join(self.rows)}]"


NOTHING_CHANGED = Changed(0, [])


@dataclass(frozen=True)
class Transaction:
    """The one transaction of a request, and whose it is."""

    connection: psycopg.AsyncConnection
    session: Session

    async def run(self, statement: Statement, query: sql.Composed, path: str) -> list[tuple[Any, ...]]:
        """The result rows. Raises HasuraError, with `path` where Hasura gives one, for what the database refuses."""
        try:
            cursor = await self.connection.execute(query, statement.parameters)
            return await cursor.fetchall()
        except psycopg.Error as error:
            raise as_hasura_error(error, path, query.as_string(self.connection)) from error

    async def change(self, statement: Statement, change: sql.Composable, check: sql.Composable, path: str) -> Changed:
        """Runs INSERT, UPDATE or DELETE of rows with the alias TARGET.

        Raises permission-error when `check` is false on one of the rows as they are now. As with an SQL check
        constraint, and as in Hasura, a check that is null lets the row pass.
        """
        returning = sql.SQL("{} returning row_to_json({}.*)::text, {}").format(change, TARGET, check)
        results = await self.run(statement, returning, path)
        if any(passed is False for _, passed in results):
            message = "check constraint of an insert/update permission has failed"
            raise HasuraError("permission-error", message, path)
        return Changed(len(results), [row for row, _ in results])

    async def one(self, table: Table, changed: Changed, selection: list[Field], path: str) -> Any:
        """The answer of a field that returns the changed row itself, or null."""
        returned = await self._returned(table, changed, selection, path)
        return returned[0] if returned else None

    async def response(self, table: Table, changed: Changed, selection: list[Field], path: str) -> dict[str, Any]:
        """The answer of a field of type ``_mutation_response``."""
        response: dict[str, Any] = {}
        for field in selection:
            match field.name:
                case "affected_rows":
                    response[field.key] = changed.affected
                case "returning":
                    response[field.key] = await self._returned(table, changed, field.selection, path)
                case name if name == TYPENAME:
                    response[field.key] = field.parent
        return response

    async def _returned(self, table: Table, changed: Changed, selection: list[Field], path: str) -> list[Any]:
        """A statement of its own, so that relationships show what the change has done."""
        if not changed.rows:
            return []
        statement = Statement(self.session)
        query = sql.SQL("select {}").format(select_returned(statement, table, selection, changed.as_array))
        [[rows]] = await self.run(statement, query, path)
        returned: list[Any] = rows
        return returned
