"""The GraphQL endpoint without its HTTP: a request's JSON in, the answer's JSON out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import psycopg_pool
from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    execute_sync,
)
from psycopg import sql

from local.hasura.errors import HasuraError, as_hasura_error
from local.hasura.graphql_api.allow_list import AllowList
from local.hasura.graphql_api.metadata import read_metadata
from local.hasura.graphql_api.model import Source, Table
from local.hasura.graphql_api.mutations import Changed, Transaction, delete, insert, update
from local.hasura.graphql_api.postgres_catalog import read_catalog
from local.hasura.graphql_api.request import Operation, read_document, read_request, used_variables
from local.hasura.graphql_api.role_schema import Action, FixedText, FunctionField, TableField, meaning_of, role_schema
from local.hasura.graphql_api.select import (
    call_sql,
    primary_key_condition,
    request_condition,
    select_aggregate,
    select_by_primary_key,
    select_first,
    select_many,
)
from local.hasura.graphql_api.selection import Field, check_operation
from local.hasura.graphql_api.statement import Statement
from local.hasura.inconsistencies import InconsistentObject
from local.hasura.session import ADMIN, Session, act_for


@dataclass(frozen=True)
class CheckedOperation:
    """An operation that its session may run."""

    session: Session
    source: str
    """What was asked, as a text: two operations with the same source do the same in the same session."""
    schema: GraphQLSchema
    operation: Operation
    fields: list[Field]

    @property
    def is_subscription(self) -> bool:
        return self.operation.kind is OperationType.SUBSCRIPTION

    async def data(self, pool: psycopg_pool.AsyncConnectionPool) -> dict[str, Any]:
        """The ``data`` of the answer; of a subscription, as the database is now. Raises HasuraError."""
        with _refusing_what_cannot_be_run():
            return await _run_operation(pool, self.session, self.schema, self.operation, self.fields)


class GraphQLApi:
    """The operations of ``/v1/graphql``, for the tables and functions that the metadata tracks."""

    def __init__(
        self, tables: list[dict[str, Any]], functions: list[dict[str, Any]], allow_list: AllowList | None = None
    ) -> None:
        """Takes the parsed YAML of ``tables/*.yaml`` and ``functions/*.yaml``, one dict for each file.

        With an allow list, every role but the admin may send its documents alone.
        """
        self._tables = tables
        self._functions = functions
        self._allow_list = allow_list
        self._schemas: dict[str, GraphQLSchema] = {}
        self._schema_of_unknown_roles = role_schema(Source({}, []), "")

    async def load(self, connection: psycopg.AsyncConnection) -> list[InconsistentObject]:
        """Reads the live catalog and builds a schema for each role; call it again when the database has changed.

        Returns the inconsistent objects: the parts of the metadata that the database, or this emulation, does not have.
        They are missing from the schemas.
        """
        source, inconsistencies = read_metadata(self._tables, self._functions, await read_catalog(connection))
        self._schemas = {role: role_schema(source, role) for role in source.roles}
        return inconsistencies

    @property
    def admin_schema(self) -> GraphQLSchema:
        """The schema that has everything."""
        return self._schemas[ADMIN]

    async def execute(
        self, pool: psycopg_pool.AsyncConnectionPool, session: Session, body: object
    ) -> dict[str, Any] | list[Any]:
        """The answer's JSON to the parsed JSON of a request; a list of requests gets a list of answers.

        ``{"data": {...}}`` or ``{"errors": [{"message", "extensions": {"path", "code"}}]}``, with ``internal`` in the
        extensions when the session is the admin's and the database refused. Never raises HasuraError.
        """
        if isinstance(body, list):
            return [await self.execute(pool, session, each) for each in body]
        try:
            checked = self.checked(session, body)
            if checked.is_subscription:
                message = "subscriptions are not supported over HTTP, use websockets instead"
                raise HasuraError("unexpected-payload", message)
            return {"data": await checked.data(pool)}
        except HasuraError as error:
            return _refusal(error, session)

    def checked(self, session: Session, body: object) -> CheckedOperation:
        """The operation of a request, which the allow list and the role's schema allow. Raises HasuraError."""
        with _refusing_what_cannot_be_run():
            if self._allow_list and session.role != ADMIN:
                self._allow_list.check(read_document(body))
            schema = self._schemas.get(session.role, self._schema_of_unknown_roles)
            operation = read_request(body)
            return CheckedOperation(
                session,
                json.dumps(body, sort_keys=True),
                schema,
                operation,
                check_operation(schema, operation),
            )


@contextmanager
def _refusing_what_cannot_be_run() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise HasuraError("validation-failed", "the request is nested too deeply") from None
    except UnicodeEncodeError:
        message = "a text contains half of a surrogate pair, which UTF-8 cannot hold"
        raise HasuraError("data-exception", message) from None


def _refusal(error: HasuraError, session: Session) -> dict[str, Any]:
    refusal = error.as_graphql()
    if error.internal is not None and session.role == ADMIN:
        refusal["extensions"]["internal"] = error.internal
    return {"errors": [refusal]}


async def _run_operation(
    pool: psycopg_pool.AsyncConnectionPool,
    session: Session,
    schema: GraphQLSchema,
    operation: Operation,
    fields: list[Field],
) -> dict[str, Any]:
    """The ``data`` of the answer, keys in request order. Raises HasuraError."""
    known = {field.key: _without_database(schema, operation, field) for field in fields}
    if all(value is not _FROM_DATABASE for value in known.values()):
        return known
    try:
        async with pool.connection() as connection:
            transaction = Transaction(connection, session)
            if operation.kind is OperationType.MUTATION:
                return await _mutate(transaction, fields, known)
            for field in fields:
                if known[field.key] is _FROM_DATABASE:
                    known[field.key] = await _query(transaction, field)
            return known
    except psycopg.Error as error:  # A lost connection, or a constraint deferred to the end of the transaction.
        raise as_hasura_error(error, "$") from error


_FROM_DATABASE = object()
"""Stands for an answer that must come from the database."""


def _without_database(schema: GraphQLSchema, operation: Operation, field: Field) -> Any:
    if field.definition is None:
        return field.parent
    meaning = meaning_of(field.definition)
    if meaning is None:
        return _introspect(schema, operation, field)
    return meaning.text if isinstance(meaning, FixedText) else _FROM_DATABASE


async def _mutate(transaction: Transaction, fields: list[Field], answers: dict[str, Any]) -> dict[str, Any]:
    """Runs all fields in order, in one transaction, whose setting ``hasura.user`` holds the session variables."""
    async with transaction.connection.transaction():
        await act_for(transaction.connection, transaction.session)
        for field in fields:
            if answers[field.key] is _FROM_DATABASE:
                answers[field.key] = await _answer_mutation(transaction, field)
    return answers


async def _answer_mutation(transaction: Transaction, field: Field) -> Any:
    assert field.definition is not None
    meaning = meaning_of(field.definition)
    if isinstance(meaning, FunctionField):
        return await _query(transaction, field)
    table: Table = meaning.table
    if meaning.action is Action.UPDATE_MANY:
        answers = []
        for arguments in field.arguments["updates"]:
            changed = await _change(transaction, Action.UPDATE, table, arguments, field.path)
            answers.append(await transaction.response(table, changed, field))
        return answers
    changed = await _change(transaction, meaning.action, table, field.arguments, field.path)
    if meaning.action in (Action.INSERT_ONE, Action.UPDATE_BY_PK, Action.DELETE_BY_PK):
        return await transaction.one(table, changed, field)
    return await transaction.response(table, changed, field)


async def _change(
    transaction: Transaction, action: Action, table: Table, arguments: dict[str, Any], path: str
) -> Changed:
    match action:
        case Action.INSERT:
            objects, at = arguments["objects"], f"{path}.args.objects"
            return await insert(transaction, table, objects, arguments.get("on_conflict"), at)
        case Action.INSERT_ONE:
            objects, at = [arguments["object"]], f"{path}.args.object"
            return await insert(transaction, table, objects, arguments.get("on_conflict"), at)
        case Action.UPDATE:
            where = request_condition(transaction.session.role, table, arguments["where"])
            return await update(transaction, table, where, arguments, path)
        case Action.UPDATE_BY_PK:
            where = primary_key_condition(table, arguments["pk_columns"])
            return await update(transaction, table, where, arguments, path)
        case Action.DELETE:
            where = request_condition(transaction.session.role, table, arguments["where"])
            return await delete(transaction, table, where)
        case _:
            return await delete(transaction, table, primary_key_condition(table, arguments))


async def _query(transaction: Transaction, field: Field) -> Any:
    """Runs one statement for the whole field."""
    assert field.definition is not None
    statement = Statement(transaction.session)
    query = sql.SQL("select {}").format(_expression(statement, meaning_of(field.definition), field))
    [[answer]] = await transaction.run(statement, query, "$")
    return answer


def _expression(statement: Statement, meaning: TableField | FunctionField, field: Field) -> sql.Composable:
    if isinstance(meaning, FunctionField):
        return _call(statement, meaning, field)
    match meaning.action:
        case Action.SELECT:
            return select_many(statement, meaning.table, field)
        case Action.AGGREGATE:
            return select_aggregate(statement, meaning.table, field)
        case _:
            return select_by_primary_key(statement, meaning.table, field)


def _call(statement: Statement, meaning: FunctionField, field: Field) -> sql.Composable:
    function = meaning.function
    call = call_sql(statement, function, field.arguments.get("args", {}), f"{field.path}.args.args")
    if meaning.is_aggregate:
        return select_aggregate(statement, function.table, field, call)
    if function.function.returns_set:
        return select_many(statement, function.table, field, call)
    return select_first(statement, function.table, field, call)


def _introspect(schema: GraphQLSchema, operation: Operation, field: Field) -> Any:
    """The answer to ``__schema`` or ``__type``, by graphql-core. Raises validation-failed for wrong arguments."""
    selection_set = SelectionSetNode(selections=tuple(field.nodes))
    used = used_variables(operation, selection_set)
    definition = OperationDefinitionNode(
        operation=operation.kind,
        name=None,
        variable_definitions=tuple(operation.variables[name] for name in used),
        directives=(),
        selection_set=selection_set,
    )
    document = DocumentNode(definitions=(definition, *operation.fragments.values()))
    result = execute_sync(schema, document, variable_values={name: operation.values.get(name) for name in used})
    if result.errors:
        raise HasuraError("validation-failed", result.errors[0].message, field.path)
    return (result.data or {}).get(field.key)
