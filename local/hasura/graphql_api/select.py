"""SQL that lets PostgreSQL build the JSON of a selection: one expression, however deep the selection goes."""

import json
from collections.abc import Callable
from typing import Any

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.model import (
    And,
    Compare,
    Condition,
    IsNull,
    Not,
    Or,
    Related,
    SelectPermission,
    Table,
    TrackedFunction,
)
from local.hasura.graphql_api.postgres_catalog import Column
from local.hasura.graphql_api.scalars import BIGINT, TEXT, operators_of
from local.hasura.graphql_api.selection import TYPENAME, Field
from local.hasura.graphql_api.statement import Row, Statement, condition_sql, join_sql

_ROW_NUMBER = "_row_number"
_DIRECTIONS = {
    "asc": sql.SQL("asc nulls last"),
    "asc_nulls_first": sql.SQL("asc nulls first"),
    "asc_nulls_last": sql.SQL("asc nulls last"),
    "desc": sql.SQL("desc nulls first"),
    "desc_nulls_first": sql.SQL("desc nulls first"),
    "desc_nulls_last": sql.SQL("desc nulls last"),
}


def select_many(
    statement: Statement, table: Table, field: Field, source: sql.Composable | None = None
) -> sql.Composable:
    """A JSON array of the rows that match the field's arguments. `source` is a function call in place of the table."""
    row, limit = statement.new_row(), _select_permission(statement.role, table).limit
    rows = _rows(statement, table, row, field, field.arguments, source=source, limit=limit)
    return _array(statement, table, rows, row, field.selection)


def select_first(statement: Statement, table: Table, field: Field, source: sql.Composable) -> sql.Composable:
    """A JSON object of the one row that a function call returns; null when it returns none."""
    row = statement.new_row()
    is_row = sql.SQL("not ({}.* is null)").format(row)
    rows = _rows(statement, table, row, field, field.arguments, source=source, condition=is_row)
    return _object_of_row(statement, table, rows, row, field.selection)


def select_by_primary_key(statement: Statement, table: Table, field: Field) -> sql.Composable:
    """A JSON object of the row, or null."""
    row = statement.new_row()
    has_key = condition_sql(primary_key_condition(table, field.arguments), statement, row)
    rows = _rows(statement, table, row, field, {}, condition=has_key)
    return _object_of_row(statement, table, rows, row, field.selection)


def select_aggregate(
    statement: Statement, table: Table, field: Field, source: sql.Composable | None = None
) -> sql.Composable:
    """The JSON object of an ``_aggregate`` field. `source` is a function call in place of the table."""
    row = statement.new_row()
    rows = _rows(statement, table, row, field, field.arguments, source=source)
    return _aggregate(statement, table, rows, row, field.selection)


def select_returned(statement: Statement, table: Table, selection: list[Field], rows: str) -> sql.Composable:
    """A JSON array of the rows that a mutation returned; `rows` is a JSON array of all their columns.

    As in Hasura, the role's row filter is not applied to them; it is applied to the rows of their relationships.
    """
    row = statement.new_row()
    source = sql.SQL("json_populate_recordset(null::{}, {}::json)").format(
        table.name.identifier, statement.value(rows, TEXT)
    )
    return _array(statement, table, sql.SQL("select * from {} as {}").format(source, row), row, selection)


def _array(
    statement: Statement, table: Table, rows: sql.Composable, row: Row, selection: list[Field]
) -> sql.Composable:
    each = _row_object(statement, table, row, selection)
    return sql.SQL("(select coalesce(json_agg({}), '[]') from ({}) as {})").format(each, rows, row)


def _object_of_row(
    statement: Statement, table: Table, rows: sql.Composable, row: Row, selection: list[Field]
) -> sql.Composable:
    each = _row_object(statement, table, row, selection)
    return sql.SQL("(select {} from ({}) as {} limit 1)").format(each, rows, row)


def _row_object(statement: Statement, table: Table, row: Row, selection: list[Field]) -> sql.Composable:
    return _json_object(statement, selection, lambda field: _row_field(statement, table, row, field))


def _row_field(statement: Statement, table: Table, row: Row, field: Field) -> sql.Composable:
    if field.name in table.columns:
        return row.column(field.name)
    is_aggregate = field.name not in table.relationships
    relationship = table.relationships[field.name.removesuffix("_aggregate") if is_aggregate else field.name]
    remote, other = relationship.remote, statement.new_row()
    is_cut = relationship.is_list and not is_aggregate
    limit = _select_permission(statement.role, remote).limit if is_cut else None
    joined = join_sql(relationship, row, other)
    rows = _rows(statement, remote, other, field, field.arguments, condition=joined, limit=limit)
    build = _aggregate if is_aggregate else _array if relationship.is_list else _object_of_row
    return build(statement, remote, rows, other, field.selection)


def _aggregate(
    statement: Statement, table: Table, rows: sql.Composable, row: Row, selection: list[Field]
) -> sql.Composable:
    """A permission's limit cuts the nodes but not the aggregates; both are made of the one result of `rows`."""
    limit = _select_permission(statement.role, table).limit

    def part(field: Field) -> sql.Composable:
        if field.name == "aggregate":
            return _json_object(statement, field.selection, lambda each: _aggregate_field(statement, row, each))
        nodes = sql.SQL("json_agg({})").format(_row_object(statement, table, row, field.selection))
        if limit is not None:
            nodes = sql.SQL("{} filter (where {} <= {})").format(nodes, row.column(_ROW_NUMBER), sql.Literal(limit))
        return sql.SQL("coalesce({}, '[]')").format(nodes)

    numbered = sql.SQL("select *, row_number() over () as {} from ({}) as {}").format(
        sql.Identifier(_ROW_NUMBER), rows, row
    )
    return sql.SQL("(select {} from ({}) as {} group by ())").format(
        _json_object(statement, selection, part), rows if limit is None else numbered, row
    )


def _aggregate_field(statement: Statement, row: Row, field: Field) -> sql.Composable:
    if field.name == "count":
        return _count(row, field.arguments)
    function = sql.Identifier(field.name)

    def of_column(column: Field) -> sql.Composable:
        return sql.SQL("{}({})").format(function, row.column(column.name))

    return _json_object(statement, field.selection, of_column)


def _count(row: Row, arguments: dict[str, Any]) -> sql.Composable:
    columns = [row.column(name) for name in arguments.get("columns") or []]
    if not columns:
        return sql.SQL("count(*)")
    counted = columns[0] if len(columns) == 1 else sql.SQL("({})").format(sql.SQL(", ").join(columns))
    return sql.SQL("count(distinct {})" if arguments.get("distinct") else "count({})").format(counted)


def _json_object(
    statement: Statement, selection: list[Field], expression: Callable[[Field], sql.Composable]
) -> sql.Composable:
    """Uses ``json_object``, because ``json_build_object`` takes no more than fifty keys."""
    entries = [
        sql.SQL("({}) value {}").format(
            statement.value(field.key, TEXT),
            statement.value(field.parent, TEXT) if field.name == TYPENAME else expression(field),
        )
        for field in selection
    ]
    return sql.SQL("json_object({} returning json)").format(sql.SQL(", ").join(entries))


def call_sql(
    statement: Statement, function: TrackedFunction, given: dict[str, str | None], path: str
) -> sql.Composable:
    """``function(1, name => 2)``: an omitted argument is not passed, an explicit null is.

    Raises not-supported at `path` when an argument without a default is omitted.
    """
    passed: list[sql.Composable] = []
    after_gap = False
    for name, argument in function.named_arguments:
        value: str | None
        if function.is_session_argument(argument):
            value = json.dumps(dict(statement.session.variables))
        elif name in given:
            value = given[name]
        elif argument.has_default:
            after_gap = True
            continue
        else:
            raise HasuraError("not-supported", "Non default arguments cannot be omitted", path)
        sent = statement.value(value, argument.type)
        if after_gap:
            if argument.name is None:
                raise HasuraError("not-supported", "Only last set of positional arguments can be omitted", path)
            sent = sql.SQL("{} => {}").format(sql.Identifier(argument.name), sent)
        passed.append(sent)
    return sql.SQL("{}({})").format(function.function.name.identifier, sql.SQL(", ").join(passed))


def _rows(
    statement: Statement,
    table: Table,
    row: Row,
    field: Field,
    arguments: dict[str, Any],
    *,
    source: sql.Composable | None = None,
    condition: sql.Composable | None = None,
    limit: int | None = None,
) -> sql.Composable:
    """``select * from source as row ...``: rows that the role may see, that match the arguments and the condition.

    `limit` is that of the permission; the smaller of the two limits counts.
    """
    wheres = [] if condition is None else [condition]
    wheres.append(condition_sql(_select_permission(statement.role, table).filter, statement, row))
    wheres.append(condition_sql(request_condition(statement.role, table, arguments.get("where")), statement, row))
    order_by = arguments.get("order_by") or []
    distinct_on = arguments.get("distinct_on") or []
    _require_distinct_first(distinct_on, order_by, field.path)
    columns = sql.SQL(", ").join(row.column(name) for name in distinct_on)
    limits = [each for each in (limit, arguments.get("limit")) if each is not None]
    clauses = [
        sql.SQL("select distinct on ({}) *").format(columns) if distinct_on else sql.SQL("select *"),
        sql.SQL("from {} as {}").format(source or table.name.identifier, row),
        sql.SQL("where {}").format(sql.SQL(" and ").join(wheres)),
    ]
    keys = [key for each in order_by for key in _order_keys(statement, table, row, each)]
    if keys:
        clauses.append(sql.SQL("order by {}").format(sql.SQL(", ").join(keys)))
    if limits:
        clauses.append(sql.SQL("limit {}").format(statement.value(str(min(limits)), BIGINT)))
    if arguments.get("offset") is not None:
        clauses.append(sql.SQL("offset {}").format(statement.value(str(arguments["offset"]), BIGINT)))
    return sql.SQL(" ").join(clauses)


def _select_permission(role: str, table: Table) -> SelectPermission:
    """The schema has no field for a role without this permission."""
    select = table.permissions_of(role).select
    assert select is not None
    return select


def request_condition(role: str, table: Table, where: dict[str, Any] | None) -> Condition:
    """The condition of a ``where``. Through a relationship it sees only the rows that the role may see."""
    return And(tuple(_part(role, table, key, value) for key, value in (where or {}).items()))


def primary_key_condition(table: Table, key: dict[str, Any]) -> Condition:
    """True for the row with that primary key."""
    columns = [table.columns[name] for name in table.relation.primary_key]
    return And(tuple(Compare(each, operators_of(each.type)["_eq"], key[each.name]) for each in columns))


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
        visible = _select_permission(role, relationship.remote).filter
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
    return [
        sql.SQL("{} {}").format(expression, _DIRECTIONS[direction])
        for name, value in order_by.items()
        for expression, direction in _ordered(statement, table, row, name, value)
    ]


def _ordered(statement: Statement, table: Table, row: Row, name: str, value: Any) -> list[tuple[sql.Composable, str]]:
    """Expressions with their directions: a column, or columns of the row that a relationship leads to."""
    if value is None:
        return []
    if name in table.columns:
        return [(row.column(name), value)]
    relationship = table.relationships[name]
    remote = relationship.remote
    ordered: list[tuple[sql.Composable, str]] = []
    for remote_name, remote_value in value.items():
        other = statement.new_row()
        visible = condition_sql(_select_permission(statement.role, remote).filter, statement, other)
        joined = join_sql(relationship, row, other)
        for expression, direction in _ordered(statement, remote, other, remote_name, remote_value):
            template = sql.SQL("(select {} from {} as {} where {} and {} limit 1)")
            selected = template.format(expression, remote.name.identifier, other, joined, visible)
            ordered.append((selected, direction))
    return ordered
