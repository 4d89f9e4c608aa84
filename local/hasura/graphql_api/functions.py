"""Tracked functions: which may be tracked, and how they are called (Hasura's docs, "Postgres: Custom Functions")."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.inconsistency import Inconsistency, refuse_unknown_keys
from local.hasura.graphql_api.postgres_catalog import Catalog, Function, FunctionArgument, QualifiedName
from local.hasura.graphql_api.scalars import JSON, is_legal_name
from local.hasura.graphql_api.sql_statement import Statement
from local.hasura.session import ADMIN

if TYPE_CHECKING:
    from local.hasura.graphql_api.metadata import Table


@dataclass(frozen=True)
class TrackedFunction:
    function: Function
    table: "Table"
    """Whose rows it returns."""
    is_mutation: bool
    field_name: str
    aggregate_name: str
    arguments_type: str
    session_argument: str | None
    roles: frozenset[str]
    """The roles of its own permissions; the admin needs none."""
    comment: str | None

    @property
    def arguments(self) -> list[tuple[str, FunctionArgument]]:
        """What a request may give: GraphQL name and argument. Nameless ones are ``arg_1``, ``arg_2`` ..."""
        return [(name, each) for name, each in self._named() if each.name is None or name != self.session_argument]

    def is_allowed(self, role: str) -> bool:
        """Queries need no permission of their own beside the table's, mutations always do."""
        if role == ADMIN or role in self.roles:
            return True
        return not self.is_mutation and self.table.permissions_of(role).select is not None

    def call(self, statement: Statement, given: dict[str, str | None], session: str, path: str) -> sql.Composable:
        """``function(1, name => 2)``: what is omitted is not passed, null is.

        `session` is the session's variables as JSON. Raises not-supported at `path` when an argument without a default
        is omitted.
        """
        passed: list[sql.Composable] = []
        after_gap = False
        for name, argument in self._named():
            value: str | None
            if argument.name is not None and name == self.session_argument:
                value = session
            elif name in given:
                value = given[name]
            elif argument.has_default:
                after_gap = True
                continue
            else:
                raise HasuraError("not-supported", "Non default arguments cannot be omitted", path)
            passed.append(_passed(argument.name if after_gap else None, statement.value(value, argument.type)))
            if after_gap and argument.name is None:
                raise HasuraError("not-supported", "Only last set of positional arguments can be omitted", path)
        return sql.SQL("{}({})").format(self.function.name.identifier, sql.SQL(", ").join(passed))

    def _named(self) -> list[tuple[str, FunctionArgument]]:
        nameless = 0
        named = []
        for argument in self.function.arguments:
            nameless += argument.name is None
            named.append((argument.name or f"arg_{nameless}", argument))
        return named


def tracked_function(
    name: QualifiedName, entry: dict[str, Any], catalog: Catalog, tables: "dict[QualifiedName, Table]"
) -> TrackedFunction:
    """The function of a metadata entry. Raises Inconsistency with Hasura's reason when it may not be tracked."""
    refuse_unknown_keys(entry, {"function", "configuration", "permissions", "comment"})
    configuration = entry.get("configuration") or {}
    known = {"exposed_as", "session_argument", "custom_name", "custom_root_fields"}
    refuse_unknown_keys(configuration, known)
    function = _trackable(name, catalog)
    assert function.returns is not None
    if function.returns not in tables:
        raise Inconsistency(f'the table "{function.returns}" whose rows it returns is not tracked')
    is_mutation = configuration.get("exposed_as", "mutation" if function.is_volatile else "query") == "mutation"
    if is_mutation and not function.is_volatile:
        raise Inconsistency("the function was requested to be exposed as a mutation, but is not marked VOLATILE")
    if name in tables:
        raise Inconsistency(f'table with name "{name}" already exists')
    exposed_name = configuration.get("custom_name") or name.graphql
    root_fields = configuration.get("custom_root_fields") or {}
    return TrackedFunction(
        function,
        tables[function.returns],
        is_mutation,
        root_fields.get("function") or exposed_name,
        root_fields.get("function_aggregate") or f"{exposed_name}_aggregate",
        f"{exposed_name}_args",
        _session_argument(configuration.get("session_argument"), function),
        frozenset(permission["role"] for permission in entry.get("permissions") or []),
        entry.get("comment"),
    )


def _trackable(name: QualifiedName, catalog: Catalog) -> Function:
    candidates = catalog.functions.get(name, [])
    if not candidates:
        raise Inconsistency(f'no such function exists: "{name}"')
    if len(candidates) > 1:
        raise Inconsistency(f'function "{name}" is overloaded. Overloaded functions are not supported')
    function = candidates[0]
    if function.returns is None:
        raise Inconsistency('the function does not return a "COMPOSITE" type')
    if function.has_variadic or function.has_output_arguments:
        raise Inconsistency('function with "VARIADIC" or output parameters are not supported')
    if not is_legal_name(name.graphql):
        raise Inconsistency("function name is not a legal GraphQL identifier")
    if any(each.name and not is_legal_name(each.name) for each in function.arguments):
        raise Inconsistency("the function arguments are not in compliance with GraphQL spec")
    return function


def _session_argument(name: str | None, function: Function) -> str | None:
    if name is None:
        return None
    for argument in function.arguments:
        if argument.name == name:
            if argument.type != JSON:
                raise Inconsistency(f'given session argument "{name}" is not of type json')
            return name
    raise Inconsistency(f'given session argument "{name}" is not the input argument of the function')


def _passed(name: str | None, value: sql.Composable) -> sql.Composable:
    return sql.SQL("{} => {}").format(sql.Identifier(name), value) if name else value
