"""``update_...`` and ``delete_...``: what a condition or a primary key points at, within what the role may touch."""

from typing import Any

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.changes import NOTHING_CHANGED, TARGET, Changed, Transaction
from local.hasura.graphql_api.conditions import And, Condition, condition_sql
from local.hasura.graphql_api.metadata import Table
from local.hasura.graphql_api.sql_statement import Statement


async def update(
    transaction: Transaction, table: Table, where: Condition, arguments: dict[str, Any], path: str
) -> Changed:
    """Applies ``_set`` and ``_inc`` to the rows that meet the condition; without anything to set, touches none.

    Raises HasuraError, of a database error or a failed check with the path that Hasura gives: ``$``.
    """
    permission = table.permissions_of(transaction.session.role).update
    assert permission is not None
    statement = Statement(transaction.session)
    given = [*arguments.get("_set", {}), *arguments.get("_inc", {}), *permission.presets]
    _require_once_each(given, path)
    sets = [
        sql.SQL("{} = {}").format(sql.Identifier(name), statement.value(value, table.columns[name].type))
        for name, value in (arguments.get("_set", {}) | permission.presets).items()
    ]
    sets += [
        sql.SQL("{} = {} + {}").format(
            sql.Identifier(name), TARGET.column(name), statement.value(value, table.columns[name].type)
        )
        for name, value in arguments.get("_inc", {}).items()
    ]
    if not sets:
        return NOTHING_CHANGED
    change = sql.SQL("update {} as {} set {} where {}").format(
        table.name.identifier,
        TARGET,
        sql.SQL(", ").join(sets),
        condition_sql(And((permission.filter, where)), statement, TARGET),
    )
    return await transaction.change(statement, change, condition_sql(permission.check, statement, TARGET), "$")


async def delete(transaction: Transaction, table: Table, where: Condition) -> Changed:
    """Deletes the rows that meet the condition. Raises HasuraError with the path ``$``."""
    permission = table.permissions_of(transaction.session.role).delete
    assert permission is not None
    statement = Statement(transaction.session)
    condition = condition_sql(And((permission.filter, where)), statement, TARGET)
    change = sql.SQL("delete from {} as {} where {}").format(table.name.identifier, TARGET, condition)
    return await transaction.change(statement, change, sql.SQL("true"), "$")


def _require_once_each(names: list[str], path: str) -> None:
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        listed = ", ".join(f"'{name}'" for name in repeated)
        message = f"Column found in multiple operators: [{listed}]."
        raise HasuraError("validation-failed", message, f"{path}.args")
