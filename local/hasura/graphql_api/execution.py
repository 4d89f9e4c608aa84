"""Running the checked root fields of an operation against the database."""

import json
from typing import Any

import psycopg
import psycopg_pool
from graphql import GraphQLSchema, OperationType
from psycopg import sql

from local.hasura.database_errors import as_hasura_error
from local.hasura.graphql_api.changes import Changed, Transaction
from local.hasura.graphql_api.conditions import Condition
from local.hasura.graphql_api.insert import insert
from local.hasura.graphql_api.introspection import introspect
from local.hasura.graphql_api.metadata import Table
from local.hasura.graphql_api.request import Operation
from local.hasura.graphql_api.root_fields import Action, FixedText, FunctionField, TableField, meaning_of
from local.hasura.graphql_api.row_source import primary_key_condition, request_condition
from local.hasura.graphql_api.select import (
    select_aggregate,
    select_by_primary_key,
    select_first,
    select_many,
)
from local.hasura.graphql_api.selection import Field
from local.hasura.graphql_api.sql_statement import Statement
from local.hasura.graphql_api.update import delete, update
from local.hasura.session import Session, act_for


async def run_operation(
    pool: psycopg_pool.AsyncConnectionPool,
    session: Session,
    schema: GraphQLSchema,
    operation: Operation,
    fields: list[Field],
) -> dict[str, Any]:
    """The ``data`` of the answer, keys in request order. Raises HasuraError."""
    known = {field.key: _without_database(schema, operation, field) for field in fields}
    if all(value is not _ASK for value in known.values()):
        return known
    try:
        async with pool.connection() as connection:
            transaction = Transaction(connection, session)
            if operation.kind is OperationType.MUTATION:
                return await _mutate(transaction, fields, known)
            for field in fields:
                if known[field.key] is _ASK:
                    known[field.key] = await _query(transaction, field)
            return known
    except psycopg.Error as error:  # The transaction's own: a lost connection, a constraint deferred to its end.
        raise as_hasura_error(error, "$") from error


_ASK = object()
"""In place of what only the database knows."""


def _without_database(schema: GraphQLSchema, operation: Operation, field: Field) -> Any:
    if field.definition is None:
        return field.parent
    meaning = meaning_of(field.definition)
    if meaning is None:
        return introspect(schema, operation, field)
    return meaning.text if isinstance(meaning, FixedText) else _ASK


async def _mutate(transaction: Transaction, fields: list[Field], answers: dict[str, Any]) -> dict[str, Any]:
    """All fields in one transaction, in order; what reads the setting ``hasura.user`` learns whose it is."""
    async with transaction.connection.transaction():
        await act_for(transaction.connection, transaction.session)
        for field in fields:
            if answers[field.key] is _ASK:
                answers[field.key] = await _answer_mutation(transaction, field)
    return answers


async def _answer_mutation(transaction: Transaction, field: Field) -> Any:
    assert field.definition is not None
    meaning = meaning_of(field.definition)
    if isinstance(meaning, FunctionField):
        return await _query(transaction, field)
    table: Table = meaning.table
    if meaning.action is Action.UPDATE_MANY:
        return [
            await transaction.response(
                table, await _update(transaction, table, each, field.path), field.selection, field.path
            )
            for each in field.arguments["updates"]
        ]
    changed = await _change(transaction, meaning, field)
    answers_row = meaning.action in (Action.INSERT_ONE, Action.UPDATE_BY_PK, Action.DELETE_BY_PK)
    answer = transaction.one if answers_row else transaction.response
    return await answer(table, changed, field.selection, field.path)


async def _change(transaction: Transaction, meaning: TableField, field: Field) -> Changed:
    table, arguments = meaning.table, field.arguments
    match meaning.action:
        case Action.INSERT:
            path = f"{field.path}.args.objects"
            return await insert(transaction, table, arguments["objects"], arguments.get("on_conflict"), path)
        case Action.INSERT_ONE:
            path = f"{field.path}.args.object"
            return await insert(transaction, table, [arguments["object"]], arguments.get("on_conflict"), path)
        case Action.UPDATE:
            return await _update(transaction, table, arguments, field.path)
        case Action.UPDATE_BY_PK:
            where = primary_key_condition(table, arguments["pk_columns"])
            return await update(transaction, table, where, arguments, field.path)
        case Action.DELETE:
            return await delete(transaction, table, _where(transaction, table, arguments))
        case _:
            return await delete(transaction, table, primary_key_condition(table, arguments))


async def _update(transaction: Transaction, table: Table, arguments: dict[str, Any], path: str) -> Changed:
    return await update(transaction, table, _where(transaction, table, arguments), arguments, path)


def _where(transaction: Transaction, table: Table, arguments: dict[str, Any]) -> Condition:
    return request_condition(transaction.session.role, table, arguments["where"])


async def _query(transaction: Transaction, field: Field) -> Any:
    """One statement for the whole field."""
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
    session = json.dumps(dict(statement.session.variables))
    call = function.call(statement, field.arguments.get("args", {}), session, f"{field.path}.args.args")
    if meaning.is_aggregate:
        return select_aggregate(statement, function.table, field, call)
    if function.function.returns_set:
        return select_many(statement, function.table, field, call)
    return select_first(statement, function.table, field, call)
