"""Boolean expressions as a tree, and the SQL of such a tree.

Filters and checks of permissions and the ``where`` of requests end up in the same tree, so that "and" is all it takes
to join them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from local.hasura.graphql_api.operators import Operand, Operator
from local.hasura.graphql_api.postgres_catalog import Column
from local.hasura.graphql_api.scalars import TEXT
from local.hasura.graphql_api.sql_statement import Row, Statement, Value

if TYPE_CHECKING:
    from local.hasura.graphql_api.metadata import Relationship, Table


@dataclass(frozen=True)
class And:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


@dataclass(frozen=True)
class Compare:
    column: Column
    operator: Operator
    value: Value
    as_text: bool = False
    """Compares ``column::text``."""


@dataclass(frozen=True)
class CompareColumns:
    column: Column
    operator: Operator
    other: Column
    other_is_of_root: bool


@dataclass(frozen=True)
class IsNull:
    column: Column
    expected: bool


@dataclass(frozen=True)
class Related:
    """True when a row on the other side of the relationship meets the condition."""

    relationship: "Relationship"
    where: "Condition"


@dataclass(frozen=True)
class Exists:
    """True when any row of the table meets the condition."""

    table: "Table"
    where: "Condition"


Condition = And | Or | Not | Compare | CompareColumns | IsNull | Related | Exists

TRUE = And(())


def condition_sql(condition: Condition, statement: Statement, row: Row, root: Row | None = None) -> sql.Composable:
    """The condition on the row of alias `row`; `root` is the row that the whole condition is about."""
    root = root or row
    match condition:
        case And(parts):
            return _joined(" and ", "true", [condition_sql(part, statement, row, root) for part in parts])
        case Or(parts):
            return _joined(" or ", "false", [condition_sql(part, statement, row, root) for part in parts])
        case Not(part):
            return sql.SQL("not ({})").format(condition_sql(part, statement, row, root))
        case IsNull(column, expected):
            template = sql.SQL("{} is null") if expected else sql.SQL("{} is not null")
            return template.format(row.column(column.name))
        case Compare():
            return _comparison(condition, statement, row)
        case CompareColumns():
            other_row = root if condition.other_is_of_root else row
            left, right = row.column(condition.column.name), other_row.column(condition.other.name)
            return condition.operator.template.format(left, right)
        case Related(relationship, where):
            other = statement.new_row()
            joined = sql.SQL("{} and {}").format(
                join_sql(relationship, row, other), condition_sql(where, statement, other, root)
            )
            return _exists(relationship.remote, other, joined)
        case Exists(table, where):
            other = statement.new_row()
            return _exists(table, other, condition_sql(where, statement, other, root))


def join_sql(relationship: "Relationship", row: Row, other: Row) -> sql.Composable:
    """What ties `other`, a row of the remote table, to `row`."""
    return _joined(
        " and ",
        "true",
        [
            sql.SQL("{} = {}").format(other.column(remote), row.column(local))
            for local, remote in relationship.columns.items()
        ],
    )


def _joined(word: LiteralString, when_empty: LiteralString, parts: list[sql.Composable]) -> sql.Composable:
    if not parts:
        return sql.SQL(when_empty)
    if len(parts) == 1:
        return parts[0]
    return sql.SQL("({})").format(sql.SQL(word).join(parts))


def _exists(table: "Table", other: Row, where: sql.Composable) -> sql.Composable:
    return sql.SQL("exists (select 1 from {} as {} where {})").format(table.name.identifier, other, where)


def _comparison(compare: Compare, statement: Statement, row: Row) -> sql.Composable:
    left = sql.SQL("{}::text" if compare.as_text else "{}").format(row.column(compare.column.name))
    operand = compare.operator.operand
    wants_text = compare.as_text or operand in (Operand.TEXT, Operand.TEXT_LIST)
    wants_list = operand in (Operand.SAME_LIST, Operand.TEXT_LIST)
    type_ = TEXT if wants_text else compare.column.type
    right = statement.array(compare.value, type_) if wants_list else statement.value(compare.value, type_)
    return compare.operator.template.format(left, right)
