"""SQL that lets PostgreSQL build the JSON of a selection: one expression, however deep the selection goes."""

from collections.abc import Callable
from typing import Any

from psycopg import sql

from local.hasura.graphql_api.conditions import condition_sql, join_sql
from local.hasura.graphql_api.metadata import Relationship, Table
from local.hasura.graphql_api.row_source import primary_key_condition, rows_sql, select_permission
from local.hasura.graphql_api.scalars import TEXT
from local.hasura.graphql_api.selection import TYPENAME, Field
from local.hasura.graphql_api.sql_statement import Row, Statement

_ROW_NUMBER = "_row_number"


def select_many(
    statement: Statement, table: Table, field: Field, source: sql.Composable | None = None
) -> sql.Composable:
    """A JSON array of the rows that the field's arguments ask for and the role may see.

    They come from the table, or from a call in its stead.
    """
    row = statement.new_row()
    permission = select_permission(statement.role, table)
    conditions = [condition_sql(permission.filter, statement, row)]
    source = source or table.name.identifier
    rows = rows_sql(statement, table, source, row, conditions, field.arguments, field.path, permission.limit)
    return _array(statement, table, rows, row, field.selection)


def select_first(statement: Statement, table: Table, field: Field, source: sql.Composable) -> sql.Composable:
    """A JSON object of the one row that a call returns; null when it returns none."""
    row = statement.new_row()
    is_row = sql.SQL("not ({}.* is null)").format(row)
    conditions = [is_row, condition_sql(select_permission(statement.role, table).filter, statement, row)]
    rows = rows_sql(statement, table, source, row, conditions, field.arguments, field.path)
    return _object_of_row(statement, table, rows, row, field.selection)


def select_by_primary_key(statement: Statement, table: Table, field: Field) -> sql.Composable:
    """A JSON object of the row, or null."""
    row = statement.new_row()
    conditions = [
        condition_sql(select_permission(statement.role, table).filter, statement, row),
        condition_sql(primary_key_condition(table, field.arguments), statement, row),
    ]
    rows = rows_sql(statement, table, table.name.identifier, row, conditions, {}, field.path)
    return _object_of_row(statement, table, rows, row, field.selection)


def select_aggregate(
    statement: Statement, table: Table, field: Field, source: sql.Composable | None = None
) -> sql.Composable:
    """The JSON object of an ``_aggregate`` field."""
    row = statement.new_row()
    conditions = [condition_sql(select_permission(statement.role, table).filter, statement, row)]
    source = source or table.name.identifier
    rows = rows_sql(statement, table, source, row, conditions, field.arguments, field.path)
    return _aggregate(statement, table, rows, row, field.selection)


def select_returned(statement: Statement, table: Table, selection: list[Field], rows: str) -> sql.Composable:
    """A JSON array of rows that a mutation returned, given as a JSON array of theirs.

    Hasura shows them whatever the role's row filter says; what their relationships lead to is filtered.
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
    relationship = table.relationships.get(field.name)
    if relationship is None:
        relationship = table.relationships[field.name.removesuffix("_aggregate")]
        return _related_aggregate(statement, relationship, row, field)
    return _related(statement, relationship, row, field)


def _related(statement: Statement, relationship: Relationship, row: Row, field: Field) -> sql.Composable:
    remote, other = relationship.remote, statement.new_row()
    permission = select_permission(statement.role, remote)
    conditions = [join_sql(relationship, row, other), condition_sql(permission.filter, statement, other)]
    limit = permission.limit if relationship.is_list else None
    rows = rows_sql(statement, remote, remote.name.identifier, other, conditions, field.arguments, field.path, limit)
    build = _array if relationship.is_list else _object_of_row
    return build(statement, remote, rows, other, field.selection)


def _related_aggregate(statement: Statement, relationship: Relationship, row: Row, field: Field) -> sql.Composable:
    remote, other = relationship.remote, statement.new_row()
    filter_ = select_permission(statement.role, remote).filter
    conditions = [join_sql(relationship, row, other), condition_sql(filter_, statement, other)]
    rows = rows_sql(statement, remote, remote.name.identifier, other, conditions, field.arguments, field.path)
    return _aggregate(statement, remote, rows, other, field.selection)


def _aggregate(
    statement: Statement, table: Table, rows: sql.Composable, row: Row, selection: list[Field]
) -> sql.Composable:
    """A permission's limit cuts the nodes, not what is counted; both look at the same one result of `rows`."""
    limit = select_permission(statement.role, table).limit

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
    """``json_object``, not ``json_build_object``, because that one takes no more than fifty keys."""
    entries = [
        sql.SQL("({}) value {}").format(
            statement.value(field.key, TEXT),
            statement.value(field.parent, TEXT) if field.name == TYPENAME else expression(field),
        )
        for field in selection
    ]
    return sql.SQL("json_object({} returning json)").format(sql.SQL(", ").join(entries))
