"""The SQL triggers that write ``hdb_catalog.event_log`` inside the writer's own transaction.

One function and one trigger for each operation of an event trigger, named ``notify_hasura_<name>_<OPERATION>``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import LiteralString

from psycopg import AsyncConnection, sql

from local.hasura.events.event_triggers import Columns, EventTrigger, Operation

_TEMPLATE = Path(__file__).with_name("event_trigger.sql")


async def columns_of(connection: AsyncConnection, schema: str, table: str) -> list[str]:
    """The columns of a table, in their order; none when there is no such table."""
    cursor = await connection.execute(
        "select attname from pg_attribute join pg_class on pg_class.oid = attrelid"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname = %s and relname = %s and attnum > 0 and not attisdropped order by attnum",
        [schema, table],
    )
    return [name for (name,) in await cursor.fetchall()]


async def install(connection: AsyncConnection, trigger: EventTrigger) -> None:
    """Writes the SQL triggers of an event trigger anew; columns are spelled out as the table has them now."""
    columns = await columns_of(connection, trigger.schema, trigger.table)
    template = _TEMPLATE.read_text()
    for operation in trigger.operations:
        await connection.execute(
            sql.SQL(template).format(
                function=sql.Identifier(_function_name(trigger.name, operation.name)),
                operation=sql.SQL(operation.name),
                table=sql.Identifier(trigger.schema, trigger.table),
                schema_name=sql.Literal(trigger.schema),
                table_name=sql.Literal(trigger.table),
                trigger_name=sql.Literal(trigger.name),
                watched_old=_columns("old", operation.watched, columns),
                watched_new=_columns("new", operation.watched, columns),
                old=_captured("old", operation, columns),
                new=_captured("new", operation, columns),
            )
        )


async def uninstall_others(connection: AsyncConnection, triggers: Iterable[EventTrigger]) -> None:
    """Drops the SQL triggers that belong to none of `triggers`; their pending events are archived, never delivered."""
    wanted = list(triggers)
    functions = [_function_name(trigger.name, operation.name) for trigger in wanted for operation in trigger.operations]
    cursor = await connection.execute(
        "select proname from pg_proc where pronamespace = 'hdb_catalog'::regnamespace"
        r" and proname like 'notify\_hasura\_%%' and proname <> all(%s)",
        [functions],
    )
    for (name,) in await cursor.fetchall():
        await connection.execute(sql.SQL("drop function hdb_catalog.{}() cascade").format(sql.Identifier(name)))
    await connection.execute(
        "update hdb_catalog.event_log set archived = true where trigger_name <> all(%s) and not archived",
        [[trigger.name for trigger in wanted]],
    )


def _function_name(trigger: str, operation: str) -> str:
    return f"notify_hasura_{trigger}_{operation}"


def _captured(row: LiteralString, operation: Operation, columns: list[str]) -> sql.Composable:
    """The JSON of the old or new row; an insert has no old one, a delete no new one."""
    if (row, operation.name) in (("old", "INSERT"), ("new", "DELETE")):
        return sql.SQL("null::json")
    chosen = _columns(row, operation.payload, columns)
    return sql.SQL("row_to_json((select captured from (select {}) as captured))").format(chosen)


def _columns(row: LiteralString, named: Columns, all_columns: list[str]) -> sql.Composable:
    names = all_columns if named is None else named
    return sql.SQL(", ").join(sql.SQL(row) + sql.SQL(".") + sql.Identifier(name) for name in names)
