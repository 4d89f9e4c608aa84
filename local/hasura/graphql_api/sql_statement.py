"""One SQL statement in the making: its parameters, its aliases, whose session it runs for."""

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.postgres_catalog import PgType
from local.hasura.session import Session


@dataclass(frozen=True)
class SessionVariable:
    """A value that a permission takes from the session: ``X-Hasura-User-Id``, in lower case."""

    name: str


class Row(sql.Identifier):
    """A row by its alias in a statement."""

    def __init__(self, alias: str) -> None:
        super().__init__(alias)
        self._alias = alias

    def column(self, name: str) -> sql.Identifier:
        return sql.Identifier(self._alias, name)


Value = str | list[str] | None | SessionVariable
"""PostgreSQL's input text, a list of such texts, null, or whatever the session says."""


_CAST, _ARRAY = sql.SQL("::"), sql.SQL("[]")


class Statement:
    """Whatever comes from a request or a session enters here, as a parameter; only SQL of our own is text."""

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
