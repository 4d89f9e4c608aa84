"""Permissions read from metadata: what a role may do with a table, and the conditions of that.

Unlike a request, the condition of a permission may use every relationship and column, any tracked table, and the
variables of the session (Hasura's docs, "Permission Rules").
"""

from dataclasses import replace
from typing import Any

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.model import (
    TRUE,
    And,
    Compare,
    CompareColumns,
    Condition,
    DeletePermission,
    Exists,
    InsertPermission,
    IsNull,
    Not,
    Or,
    Permissions,
    Related,
    SelectPermission,
    SessionVariable,
    Table,
    UpdatePermission,
    Value,
)
from local.hasura.graphql_api.postgres_catalog import Column, PgType, QualifiedName
from local.hasura.graphql_api.scalars import TEXT, Operand, Operator, operators_of, scalar_name, text_for
from local.hasura.inconsistencies import Inconsistency, refuse_unknown_keys

Tables = dict[QualifiedName, Table]
"""The tracked tables by name."""

PERMISSION_KEYS = {
    "select_permissions": {"columns", "filter", "limit", "allow_aggregations"},
    "insert_permissions": {"columns", "check", "set"},
    "update_permissions": {"columns", "filter", "check", "set"},
    "delete_permissions": {"filter"},
}
"""The blocks of permissions of a table, and the keys that are emulated in each."""

_COLUMN_OPERATORS = {
    "_ceq": "_eq",
    "_cneq": "_neq",
    "_cgt": "_gt",
    "_cgte": "_gte",
    "_clt": "_lt",
    "_clte": "_lte",
}


def full_permissions(table: Table) -> Permissions:
    """The permissions of the admin."""
    writable = [column.name for column in table.columns.values() if column.writable]
    return Permissions(
        SelectPermission(list(table.columns), allow_aggregations=True),
        InsertPermission(writable),
        UpdatePermission(writable),
        DeletePermission(),
    )


def permissions_of_role(
    known: Permissions, block: str, definition: dict[str, Any], table: Table, tables: Tables
) -> Permissions:
    """`known` with the permission of one entry of a block, such as ``select_permissions``. Raises Inconsistency."""
    if definition.get("backend_only"):
        raise Inconsistency("backend_only is not emulated")
    if any(definition.get(key) is not None for key in ("query_root_fields", "subscription_root_fields")):
        raise Inconsistency("a choice of root fields is not emulated")
    refuse_unknown_keys(definition, PERMISSION_KEYS[block])

    def condition(key: str) -> Condition:
        if definition.get(key) is None:
            raise Inconsistency(f"{key} is missing")
        return _condition(definition[key], table, tables, table)

    columns, presets = _columns(definition, table), _presets(definition, table)
    writable = [name for name in columns if table.columns[name].writable and name not in presets]
    match block:
        case "select_permissions":
            limit, may_aggregate = definition.get("limit"), definition.get("allow_aggregations", False)
            return replace(known, select=SelectPermission(columns, condition("filter"), limit, may_aggregate))
        case "insert_permissions":
            return replace(known, insert=InsertPermission(writable, condition("check"), presets))
        case "update_permissions":
            check = TRUE if definition.get("check") is None else condition("check")
            return replace(known, update=UpdatePermission(writable, condition("filter"), check, presets))
        case _:
            return replace(known, delete=DeletePermission(condition("filter")))


def tracked_table(name: QualifiedName, tables: Tables) -> Table:
    """Raises Inconsistency when no tracked table has that name."""
    if name not in tables:
        raise Inconsistency(f'table "{name}" is not tracked')
    return tables[name]


def _columns(definition: dict[str, Any], table: Table) -> list[str]:
    columns = definition.get("columns", [])
    if columns == "*":
        return list(table.columns)
    for name in columns:
        if name not in table.columns:
            raise Inconsistency(f'there is no column "{name}"')
    return [name for name in table.columns if name in columns]


def _presets(definition: dict[str, Any], table: Table) -> dict[str, Value]:
    presets = {}
    for name, value in (definition.get("set") or {}).items():
        if name not in table.columns:
            raise Inconsistency(f'there is no column "{name}"')
        presets[name] = _value(value, table.columns[name].type)
    return presets


def _condition(expression: Any, table: Table, tables: Tables, root: Table) -> Condition:
    """The condition of a boolean expression on a row of `table`; `root` is the table of the outermost one."""
    if not isinstance(expression, dict):
        raise Inconsistency(f"a boolean expression is an object, not {expression!r}")
    return And(tuple(_part(key, value, table, tables, root) for key, value in expression.items()))


def _part(key: str, value: Any, table: Table, tables: Tables, root: Table) -> Condition:
    match key:
        case "_and":
            return And(tuple(_condition(each, table, tables, root) for each in value))
        case "_or":
            return Or(tuple(_condition(each, table, tables, root) for each in value))
        case "_not":
            return Not(_condition(value, table, tables, root))
        case "_exists":
            other = tracked_table(QualifiedName.from_metadata(value["_table"]), tables)
            return Exists(other, _condition(value["_where"], other, tables, root))
    if key in table.relationships:
        relationship = table.relationships[key]
        return Related(relationship, _condition(value, relationship.remote, tables, root))
    if key in table.columns:
        return _column_condition(table.columns[key], value, table, root)
    raise Inconsistency(f'"{key}" is neither a column nor a relationship of "{table.name}"')


def _column_condition(column: Column, value: Any, table: Table, root: Table) -> Condition:
    operations = value if isinstance(value, dict) else {"_eq": value}
    return And(tuple(_operation(column, key, operand, table, root) for key, operand in operations.items()))


def _operation(column: Column, key: str, operand: Any, table: Table, root: Table) -> Condition:
    if key == "_is_null":
        return IsNull(column, bool(operand))
    if operand is None and key in ("_eq", "_neq"):
        return IsNull(column, key == "_eq")
    if key in _COLUMN_OPERATORS:
        return _column_comparison(column, key, operand, table, root)
    if key == "_cast":
        casts = [_compare(column, text_key, each, as_text=True) for text_key, each in operand.get("String", {}).items()]
        return And(tuple(casts))
    return _compare(column, key, operand)


def _compare(column: Column, key: str, operand: Any, as_text: bool = False) -> Compare:
    type_ = TEXT if as_text else column.type
    operator = operators_of(type_).get(key)
    if operator is None:
        raise Inconsistency(f'column "{column.name}" has no operator {key}')
    return Compare(column, operator, _operand(operator, operand, type_), as_text)


def _operand(operator: Operator, operand: Any, type_: PgType) -> Value:
    item = TEXT if operator.operand in (Operand.TEXT, Operand.TEXT_LIST) else type_
    if not isinstance(operand, list):
        return _value(operand, item)
    values = [_value(each, item) for each in operand]
    if any(not isinstance(each, str) for each in values):
        raise Inconsistency(f"{operator.name} takes literals, or one session variable that holds them all")
    return [each for each in values if isinstance(each, str)]


def _column_comparison(column: Column, key: str, operand: Any, table: Table, root: Table) -> CompareColumns:
    is_of_root = isinstance(operand, list) and operand[0] == "$"
    name = operand[-1] if isinstance(operand, list) else operand
    columns = (root if is_of_root else table).columns
    if name not in columns:
        raise Inconsistency(f'there is no column "{name}" to compare with')
    return CompareColumns(column, operators_of(column.type)[_COLUMN_OPERATORS[key]], columns[name], is_of_root)


def _value(value: Any, type_: PgType) -> Value:
    """A literal, or a session variable, whose name may be in any case."""
    if isinstance(value, str) and value.lower().startswith("x-hasura-"):
        return SessionVariable(value.lower())
    if value is None:
        return None
    try:
        return text_for(scalar_name(type_), value, "$")
    except HasuraError as error:
        raise Inconsistency(error.message) from None
