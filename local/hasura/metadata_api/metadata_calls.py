"""The metadata calls on the metadata itself, which is read from files and never written, and ``run_sql``."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError, detail
from local.hasura.events import cron_triggers
from local.hasura.json_arguments import boolean, optional, required, text
from local.hasura.metadata_api.commands import SUCCESS, Command, on_default_source
from local.hasura.metadata_directory import MetadataRefused
from local.hasura.schema_cache import SchemaCache
from local.hasura.session import ADMIN_SESSION, act_for


@dataclass(frozen=True)
class MetadataCalls:
    """Each method reads the arguments of one call and returns the command."""

    pool: AsyncConnectionPool
    schema_cache: SchemaCache

    def export(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``export_metadata``: one document, its version 3."""
        return self._export

    def reload(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``reload_metadata``: reads the files and replaces all SQL triggers."""
        return self._reload

    def inconsistencies(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``get_inconsistent_metadata``."""
        return self._inconsistencies

    def run_sql(self, args: Any, path: str) -> Command:
        """``{"result_type": "TuplesOk", "result": [[names], [texts], ...]}``, or ``CommandOk`` with null.

        Runs the SQL in one transaction and then rebuilds the schema cache. Not emulated: refusing a change that the
        metadata depends on, which becomes an inconsistency instead.
        """
        given = on_default_source(args, path)
        read_only = optional(given, "read_only", boolean, path) or False
        return partial(self._run_sql, required(given, "sql", text, path), read_only)

    async def _export(self) -> dict[str, Any]:
        async with self.pool.connection() as connection:
            triggers = (await cron_triggers.stored(connection)).values()
        exported = [trigger.as_exported() for trigger in triggers if trigger.include_in_metadata]
        return {"version": 3, "sources": [self.schema_cache.metadata.database], "cron_triggers": exported}

    async def _reload(self) -> dict[str, Any]:
        try:
            await self.schema_cache.build()
        except MetadataRefused as error:
            raise HasuraError("invalid-configuration", str(error)) from error
        return {**SUCCESS, "is_consistent": not self.schema_cache.inconsistencies}

    async def _inconsistencies(self) -> dict[str, Any]:
        found = [{"reason": sentence} for sentence in self.schema_cache.inconsistencies]
        return {"is_consistent": not found, "inconsistent_objects": found}

    async def _run_sql(self, statement: str, read_only: bool) -> dict[str, Any]:
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
            await self.schema_cache.rebuild()
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
