"""One SQL statement in the making: its parameters, its aliases, its conditions, and the session that it runs for."""

from typing import Any, LiteralString

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.model import (
    And,
    Compare,
    CompareColumns,
    Condition,
    Exists,
    IsNull,
    Not,
    Or,
    Related,
    Relationship,
    SessionVariable,
    Table,
    Value,
)
from local.hasura.graphql_api.postgres_catalog import PgType
from local.hasura.graphql_api.scalars import TEXT, Operand
from local.hasura.session import Session

_CAST, _ARRAY = sql.SQL("::"), sql.SQL("[]")


class Row(sql.Identifier):
    """A row by its alias in a statement."""

    def __init__(self, alias: str) -> None:
        super().__init__(alias)
        self._alias = alias

    def column(self, name: str) -> sql.Identifier:
        return sql.Identifier(self._alias, name)


class Statement:
    """Every value of a request or a session becomes a parameter; the SQL text is our own."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.parameters: dict[str, Any] = {}
        self._rows = 0

    @property
    def role(self) -> str:
        return self.session.role

    def value(self, value: Value, type_: PgType) -> sql.Composable:
        """`value`, cast to a type. Raises not-found when the session lacks the variable."""
        return sql.Composed([self._parameter(value), _CAST, type_.identifier])

    def array(self, value: Value, type_: PgType) -> sql.Composable:
        """A list of values, cast to an array of a type; a session variable holds an array literal, ``{1,2}``."""
        return sql.Composed([self._parameter(value), _CAST, type_.identifier, _ARRAY])

    def new_row(self) -> Row:
        """A row with an alias that nothing else in the statement has."""
        self._rows += 1
        return Row(f"_{self._rows}")

    def _parameter(self, value: Value) -> sql.Placeholder:
        if isinstance(value, SessionVariable):
            value = self._session_variable(value.name)
        name = str(len(self.parameters))
        self.parameters[name] = value
        return sql.Placeholder(name)

    def _session_variable(self, name: str) -> str:
        try:
            return self.session.variables[name]
        except KeyError:
            raise HasuraError("not-found", f'missing session variable: "{name}"') from None


def condition_sql(condition: Condition, statement: Statement, row: Row, root: Row | None = None) -> sql.Composable:
    """The condition on the row of alias `row`; `root` is the row that the outermost condition is about."""
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


def join_sql(relationship: Relationship, row: Row, other: Row) -> sql.Composable:
    """The condition that `other`, a row of the remote table, belongs to `row`."""
    keys: list[sql.Composable] = [
        sql.SQL("{} = {}").format(other.column(remote), row.column(local))
        for local, remote in relationship.columns.items()
    ]
    return _joined(" and ", "true", keys)


def _joined(operator: LiteralString, when_empty: LiteralString, parts: list[sql.Composable]) -> sql.Composable:
    if not parts:
        return sql.SQL(when_empty)
    if len(parts) == 1:
        return parts[0]
    return sql.SQL("({})").format(sql.SQL(operator).join(parts))


def _exists(table: Table, other: Row, where: sql.Composable) -> sql.Composable:
    return sql.SQL("exists (select 1 from {} as {} where {})").format(table.name.identifier, other, where)


def _comparison(compare: Compare, statement: Statement, row: Row) -> sql.Composable:
    left = sql.SQL("{}::text" if compare.as_text else "{}").format(row.column(compare.column.name))
    operand = compare.operator.operand
    is_text = compare.as_text or operand in (Operand.TEXT, Operand.TEXT_LIST)
    is_list = operand in (Operand.SAME_LIST, Operand.TEXT_LIST)
    type_ = TEXT if is_text else compare.column.type
    right = statement.array(compare.value, type_) if is_list else statement.value(compare.value, type_)
    return compare.operator.template.format(left, right)
