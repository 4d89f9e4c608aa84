"""The rows that a field is about: from which table or call, filtered, ordered and cut."""

from typing import Any

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.conditions import (
    And,
    Compare,
    Condition,
    IsNull,
    Not,
    Or,
    Related,
    condition_sql,
    join_sql,
)
from local.hasura.graphql_api.metadata import Table
from local.hasura.graphql_api.operators import operators_of
from local.hasura.graphql_api.permissions import SelectPermission
from local.hasura.graphql_api.postgres_catalog import Column
from local.hasura.graphql_api.scalars import BIGINT, TEXT
from local.hasura.graphql_api.sql_statement import Row, Statement

_DIRECTIONS = {
    "asc": sql.SQL("asc nulls last"),
    "asc_nulls_first": sql.SQL("asc nulls first"),
    "asc_nulls_last": sql.SQL("asc nulls last"),
    "desc": sql.SQL("desc nulls first"),
    "desc_nulls_first": sql.SQL("desc nulls first"),
    "desc_nulls_last": sql.SQL("desc nulls last"),
}


def select_permission(role: str, table: Table) -> SelectPermission:
    """What the role may see of the table; the schema has let nobody come here who may see nothing."""
    select = table.permissions_of(role).select
    assert select is not None
    return select


def rows_sql(
    statement: Statement,
    table: Table,
    source: sql.Composable,
    row: Row,
    conditions: list[sql.Composable],
    arguments: dict[str, Any],
    path: str,
    limit: int | None = None,
) -> sql.Composable:
    """``select * from source as row ...``, with the row arguments applied to what the conditions let through.

    `limit` is the permission's, the smaller one counts.
    """
    where = request_condition(statement.role, table, arguments.get("where"))
    wheres = [*conditions, condition_sql(where, statement, row)]
    order_by = arguments.get("order_by") or []
    distinct_on = arguments.get("distinct_on") or []
    _require_distinct_first(distinct_on, order_by, path)
    columns = sql.SQL(", ").join(row.column(name) for name in distinct_on)
    limits = [each for each in (limit, arguments.get("limit")) if each is not None]
    clauses = [
        sql.SQL("select distinct on ({}) *").format(columns) if distinct_on else sql.SQL("select *"),
        sql.SQL("from {} as {} where {}").format(source, row, sql.SQL(" and ").join(wheres)),
    ]
    if order_by:
        keys = [key for each in order_by for key in _order_keys(statement, table, row, each)]
        clauses += [sql.SQL("order by {}").format(sql.SQL(", ").join(keys))] if keys else []
    if limits:
        clauses.append(sql.SQL("limit {}").format(statement.value(str(min(limits)), BIGINT)))
    if arguments.get("offset") is not None:
        clauses.append(sql.SQL("offset {}").format(statement.value(str(arguments["offset"]), BIGINT)))
    return sql.SQL(" ").join(clauses)


def request_condition(role: str, table: Table, where: dict[str, Any] | None) -> Condition:
    """The condition of a ``where``. What it looks at through a relationship is only what the role may see there."""
    return And(tuple(_part(role, table, key, value) for key, value in (where or {}).items()))


def primary_key_condition(table: Table, key: dict[str, Any]) -> Condition:
    """True for the row of that primary key."""
    return And(
        tuple(
            Compare(table.columns[name], operators_of(table.columns[name].type)["_eq"], key[name])
            for name in table.relation.primary_key
        )
    )


def _part(role: str, table: Table, key: str, value: Any) -> Condition:
    match key:
        case "_and":
            return And(tuple(request_condition(role, table, each) for each in value))
        case "_or":
            return Or(tuple(request_condition(role, table, each) for each in value))
        case "_not":
            return Not(request_condition(role, table, value))
    if key in table.relationships:
        relationship = table.relationships[key]
        visible = select_permission(role, relationship.remote).filter
        return Related(relationship, And((visible, request_condition(role, relationship.remote, value))))
    return And(tuple(_operation(table.columns[key], name, operand) for name, operand in value.items()))


def _operation(column: Column, name: str, operand: Any) -> Condition:
    if name == "_is_null":
        return IsNull(column, operand)
    if name == "_cast":
        casts = operand.get("String", {})
        return And(tuple(Compare(column, operators_of(TEXT)[each], casts[each], as_text=True) for each in casts))
    return Compare(column, operators_of(column.type)[name], operand)


def _require_distinct_first(distinct_on: list[str], order_by: list[dict[str, Any]], path: str) -> None:
    first = [name for each in order_by for name in each][: len(distinct_on)]
    if order_by and not set(distinct_on) <= set(first):
        message = '"distinct_on" columns must match initial "order_by" columns'
        raise HasuraError("validation-failed", message, f"{path}.args")


def _order_keys(statement: Statement, table: Table, row: Row, order_by: dict[str, Any]) -> list[sql.Composable]:
    keys: list[sql.Composable] = []
    for name, value in order_by.items():
        if value is None:
            continue
        for expression, direction in _ordered(statement, table, row, name, value):
            keys.append(sql.SQL("{} {}").format(expression, _DIRECTIONS[direction]))
    return keys


def _ordered(statement: Statement, table: Table, row: Row, name: str, value: Any) -> list[tuple[sql.Composable, str]]:
    """What to order by, and the direction: a column, or columns of the row that a relationship leads to."""
    if name in table.columns:
        return [(row.column(name), value)]
    relationship = table.relationships[name]
    ordered: list[tuple[sql.Composable, str]] = []
    for remote_name, remote_value in value.items():
        if remote_value is None:
            continue
        other = statement.new_row()
        where = sql.SQL("{} and {}").format(
            join_sql(relationship, row, other),
            condition_sql(select_permission(statement.role, relationship.remote).filter, statement, other),
        )
        for expression, direction in _ordered(statement, relationship.remote, other, remote_name, remote_value):
            source = relationship.remote.name.identifier
            template = sql.SQL("(select {} from {} as {} where {} limit 1)")
            ordered.append((template.format(expression, source, other, where), direction))
    return ordered
