"""``run_sql``: any SQL as the admin, with a check that the metadata still fits (Hasura's docs, Schema API, Run SQL)."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import ExecStatus
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError, detail
from local.hasura.json_arguments import boolean, optional, required, text
from local.hasura.metadata_api.commands import Command, on_default_source
from local.hasura.schema_cache import SchemaCache
from local.hasura.session import ADMIN_SESSION, act_for

_MAY_CHANGE_THE_SCHEMA = re.compile(r"\b(alter|drop|replace|create function|comment on)\b", re.IGNORECASE)
"""Hasura looks for these words, anywhere. A ``create table`` alone is not seen."""

_Run = Callable[[AsyncConnection], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class RunSql:
    """Reads the arguments of the call and returns the command."""

    pool: AsyncConnectionPool
    schema_cache: SchemaCache

    def run(self, args: Any, path: str) -> Command:
        """``{"result_type": "TuplesOk", "result": [[names], [texts], ...]}``, or ``CommandOk`` with null.

        Where ``check_metadata_consistency`` does not say it, the words of the SQL decide whether the metadata is
        checked and the schema cache built again.
        """
        given = on_default_source(args, path)
        statement = required(given, "sql", text, path)
        if optional(given, "cascade", boolean, path):
            raise HasuraError("not-supported", "cascade is not emulated", f"{path}.cascade")
        if optional(given, "read_only", boolean, path):
            return partial(self._run_alone, partial(_run_read_only, statement))
        run = partial(_run, statement)
        is_checked = optional(given, "check_metadata_consistency", boolean, path)
        if is_checked is None:
            is_checked = bool(_MAY_CHANGE_THE_SCHEMA.search(statement))
        return partial(self.schema_cache.run_and_check, run) if is_checked else partial(self._run_alone, run)

    async def _run_alone(self, run: _Run) -> dict[str, Any]:
        async with self.pool.connection() as connection, connection.transaction():
            return await run(connection)


async def _run_read_only(statement: str, connection: AsyncConnection) -> dict[str, Any]:
    await connection.execute("set transaction read only")
    return await _run(statement, connection)


async def _run(statement: str, connection: AsyncConnection) -> dict[str, Any]:
    try:
        await act_for(connection, ADMIN_SESSION)
        return _last_result(await connection.execute(statement.encode()))
    except psycopg.Error as error:
        internal = {"statement": statement, "prepared": False, "error": detail(error), "arguments": []}
        raise HasuraError("postgres-error", "query execution failed", internal=internal) from error


def _last_result(cursor: psycopg.AsyncCursor[Any]) -> dict[str, Any]:
    while cursor.nextset():
        pass
    result = cursor.pgresult
    if result is None or result.status != ExecStatus.TUPLES_OK:
        return {"result_type": "CommandOk", "result": None}
    columns = range(result.nfields)
    names = [(result.fname(column) or b"").decode() for column in columns]
    rows = [[_text(result.get_value(row, column)) for column in columns] for row in range(result.ntuples)]
    return {"result_type": "TuplesOk", "result": [names, *rows]}


def _text(value: bytes | None) -> str:
    return "NULL" if value is None else value.decode()
