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
from local.hasura.metadata_directory import Inconsistency, refuse_unknown_keys

Tables = dict[QualifiedName, Table]
"""The tracked tables by name."""

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
    known: Permissions,
    block: str,
    definition: dict[str, Any],
    table: Table,
    tables: Tables,
) -> Permissions:
    """`known` with the permission of one entry of a block, such as ``select_permissions``. Raises Inconsistency."""
    if definition.get("backend_only"):
        raise Inconsistency("backend_only is not emulated")
    if any(definition.get(key) is not None for key in ("query_root_fields", "subscription_root_fields")):
        raise Inconsistency("a choice of root fields is not emulated")
    match block:
        case "select_permissions":
            return replace(known, select=_select(definition, table, tables))
        case "insert_permissions":
            return replace(known, insert=_insert(definition, table, tables))
        case "update_permissions":
            return replace(known, update=_update(definition, table, tables))
        case _:
            refuse_unknown_keys(definition, {"filter"})
            return replace(known, delete=DeletePermission(_required_condition(definition, "filter", table, tables)))


def _select(definition: dict[str, Any], table: Table, tables: Tables) -> SelectPermission:
    refuse_unknown_keys(definition, {"columns", "filter", "limit", "allow_aggregations"})
    return SelectPermission(
        _columns(definition, table),
        _required_condition(definition, "filter", table, tables),
        definition.get("limit"),
        definition.get("allow_aggregations", False),
    )


def _insert(definition: dict[str, Any], table: Table, tables: Tables) -> InsertPermission:
    refuse_unknown_keys(definition, {"columns", "check", "set"})
    presets = _presets(definition, table)
    return InsertPermission(
        _writable(_columns(definition, table), table, presets),
        _required_condition(definition, "check", table, tables),
        presets,
    )


def _update(definition: dict[str, Any], table: Table, tables: Tables) -> UpdatePermission:
    refuse_unknown_keys(definition, {"columns", "filter", "check", "set"})
    presets = _presets(definition, table)
    check = definition.get("check")
    return UpdatePermission(
        _writable(_columns(definition, table), table, presets),
        _required_condition(definition, "filter", table, tables),
        TRUE if check is None else permission_condition(check, table, tables),
        presets,
    )


def _required_condition(definition: dict[str, Any], key: str, table: Table, tables: Tables) -> Condition:
    if definition.get(key) is None:
        raise Inconsistency(f"{key} is missing")
    return permission_condition(definition[key], table, tables)


def _columns(definition: dict[str, Any], table: Table) -> list[str]:
    columns = definition.get("columns", [])
    if columns == "*":
        return list(table.columns)
    for name in columns:
        if name not in table.columns:
            raise Inconsistency(f'there is no column "{name}"')
    return [name for name in table.columns if name in columns]


def _writable(columns: list[str], table: Table, presets: dict[str, Value]) -> list[str]:
    return [name for name in columns if table.columns[name].writable and name not in presets]


def _presets(definition: dict[str, Any], table: Table) -> dict[str, Value]:
    presets = {}
    for name, value in (definition.get("set") or {}).items():
        if name not in table.columns:
            raise Inconsistency(f'there is no column "{name}"')
        presets[name] = metadata_value(value, table.columns[name].type)
    return presets


def tracked_table(name: QualifiedName, tables: Tables) -> Table:
    """Raises Inconsistency when no tracked table has that name."""
    if name not in tables:
        raise Inconsistency(f'table "{name}" is not tracked')
    return tables[name]


def permission_condition(expression: Any, table: Table, tables: Tables, root: Table | None = None) -> Condition:
    """The condition of a ``filter`` or ``check`` on a row of `table`. Raises Inconsistency."""
    if not isinstance(expression, dict):
        raise Inconsistency(f"a boolean expression is an object, not {expression!r}")
    root = root or table
    return And(tuple(_part(key, value, table, tables, root) for key, value in expression.items()))


def metadata_value(value: Any, type_: PgType) -> Value:
    """A literal, or a session variable, whose name may be in any case."""
    if isinstance(value, str) and value.lower().startswith("x-hasura-"):
        return SessionVariable(value.lower())
    if value is None:
        return None
    try:
        return text_for(scalar_name(type_), value, "$")
    except HasuraError as error:
        raise Inconsistency(error.message) from None


def _part(key: str, value: Any, table: Table, tables: Tables, root: Table) -> Condition:
    match key:
        case "_and":
            return And(tuple(permission_condition(each, table, tables, root) for each in value))
        case "_or":
            return Or(tuple(permission_condition(each, table, tables, root) for each in value))
        case "_not":
            return Not(permission_condition(value, table, tables, root))
        case "_exists":
            other = tracked_table(QualifiedName.from_metadata(value["_table"]), tables)
            return Exists(other, permission_condition(value["_where"], other, tables, root))
    if key in table.relationships:
        relationship = table.relationships[key]
        return Related(relationship, permission_condition(value, relationship.remote, tables, root))
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
        return metadata_value(operand, item)
    values = [metadata_value(each, item) for each in operand]
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
