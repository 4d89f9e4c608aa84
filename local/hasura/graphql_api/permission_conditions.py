"""The boolean expressions of permissions, from their metadata form.

They may look further than a request: through every relationship, at every column, into any tracked table, and at the
session's variables.
"""

from typing import TYPE_CHECKING, Any

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.conditions import (
    And,
    Compare,
    CompareColumns,
    Condition,
    Exists,
    IsNull,
    Not,
    Or,
    Related,
)
from local.hasura.graphql_api.inconsistency import Inconsistency
from local.hasura.graphql_api.operators import Operand, Operator, operators_of
from local.hasura.graphql_api.postgres_catalog import Column, PgType, QualifiedName
from local.hasura.graphql_api.scalars import TEXT, scalar_name, text_for
from local.hasura.graphql_api.sql_statement import SessionVariable, Value

if TYPE_CHECKING:
    from local.hasura.graphql_api.metadata import Table

_COLUMN_OPERATORS = {
    "_ceq": "_eq",
    "_cneq": "_neq",
    "_cgt": "_gt",
    "_cgte": "_gte",
    "_clt": "_lt",
    "_clte": "_lte",
}


def permission_condition(
    expression: Any, table: "Table", tables: "dict[QualifiedName, Table]", root: "Table | None" = None
) -> Condition:
    """The condition that a ``filter`` or ``check`` states on a row of `table`. Raises Inconsistency."""
    if not isinstance(expression, dict):
        raise Inconsistency(f"a boolean expression is an object, not {expression!r}")
    root = root or table
    return And(tuple(_part(key, value, table, tables, root) for key, value in expression.items()))


def metadata_value(value: Any, type_: PgType) -> Value:
    """A value of metadata: a session variable, in any case, or a literal."""
    if isinstance(value, str) and value.lower().startswith("x-hasura-"):
        return SessionVariable(value.lower())
    if value is None:
        return None
    try:
        return text_for(scalar_name(type_), value, "$")
    except HasuraError as error:
        raise Inconsistency(error.message) from None


def _part(key: str, value: Any, table: "Table", tables: "dict[QualifiedName, Table]", root: "Table") -> Condition:
    match key:
        case "_and":
            return And(tuple(permission_condition(each, table, tables, root) for each in value))
        case "_or":
            return Or(tuple(permission_condition(each, table, tables, root) for each in value))
        case "_not":
            return Not(permission_condition(value, table, tables, root))
        case "_exists":
            other = _table(value["_table"], tables)
            return Exists(other, permission_condition(value["_where"], other, tables, root))
    if key in table.relationships:
        relationship = table.relationships[key]
        return Related(relationship, permission_condition(value, relationship.remote, tables, root))
    if key in table.columns:
        return _column_condition(table.columns[key], value, table, root)
    raise Inconsistency(f'"{key}" is neither a column nor a relationship of "{table.name}"')


def _table(name: Any, tables: "dict[QualifiedName, Table]") -> "Table":
    qualified = QualifiedName("public", name) if isinstance(name, str) else QualifiedName(name["schema"], name["name"])
    if qualified not in tables:
        raise Inconsistency(f'table "{qualified}" is not tracked')
    return tables[qualified]


def _column_condition(column: Column, value: Any, table: "Table", root: "Table") -> Condition:
    operations = value if isinstance(value, dict) else {"_eq": value}
    return And(tuple(_operation(column, key, operand, table, root) for key, operand in operations.items()))


def _operation(column: Column, key: str, operand: Any, table: "Table", root: "Table") -> Condition:
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


def _column_comparison(column: Column, key: str, operand: Any, table: "Table", root: "Table") -> CompareColumns:
    is_of_root = isinstance(operand, list) and operand[0] == "$"
    name = operand[-1] if isinstance(operand, list) else operand
    columns = (root if is_of_root else table).columns
    if name not in columns:
        raise Inconsistency(f'there is no column "{name}" to compare with')
    return CompareColumns(column, operators_of(column.type)[_COLUMN_OPERATORS[key]], columns[name], is_of_root)
