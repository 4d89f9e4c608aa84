"""``run_sql``: SQL from the admin, as text in and text out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError, detail
from local.hasura.json_arguments import boolean, optional, required, text
from local.hasura.metadata_api.commands import Command, on_default_source
from local.hasura.session import ADMIN_SESSION, act_for


@dataclass(frozen=True)
class RunSql:
    """Runs SQL in one transaction. `rebuild` is called afterwards: tables may have changed.

    Not emulated: refusing changes that the metadata depends on; they show up as inconsistencies instead.
    """

    pool: AsyncConnectionPool
    rebuild: Callable[[], Awaitable[None]]

    def run_sql(self, args: Any, path: str) -> Command:
        """``{"result_type": "TuplesOk", "result": [[names], [texts], ...]}``, or ``CommandOk`` with null."""
        given = on_default_source(args, path)
        read_only = optional(given, "read_only", boolean, path) or False
        return partial(self._run, required(given, "sql", text, path), read_only)

    async def _run(self, statement: str, read_only: bool) -> dict[str, Any]:
        try:
            async with self.pool.connection() as connection, connection.transaction():
                await act_for(connection, ADMIN_SESSION)
                if read_only:
                    await connection.execute("set transaction read only")
                cursor = await connection.execute(statement)
                result = _last_result(cursor)
        except psycopg.Error as error:
            internal = {"statement": statement, "prepared": False, "error": detail(error), "arguments": []}
            raise HasuraError("postgres-error", "query execution failed", internal=internal) from error
        if not read_only:
            await self.rebuild()
        return result


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
