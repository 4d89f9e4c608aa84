"""Inserts, updates and deletes: the statements, and the answers of the rows that they changed."""

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from local.hasura.errors import HasuraError, as_hasura_error
from local.hasura.graphql_api.input_types import PLACEHOLDER
from local.hasura.graphql_api.model import And, Condition, InsertPermission, Relationship, Table, Value
from local.hasura.graphql_api.select import request_condition, select_returned
from local.hasura.graphql_api.selection import TYPENAME, Field
from local.hasura.graphql_api.statement import Row, Statement, condition_sql
from local.hasura.session import Session

TARGET = Row("_target")
"""The alias of the row that a statement changes."""

_MOST_PARAMETERS = 50_000
"""PostgreSQL takes 65,535 in a statement; this leaves room for those of the permissions."""

Object = dict[str, Any]
"""An ``_insert_input``: columns as PostgreSQL's input text, relationships as ``{"data", "on_conflict"}``."""


@dataclass(frozen=True)
class Changed:
    """The rows after the change (deleted rows: before it), each a JSON text."""

    affected: int
    rows: list[str]


NOTHING_CHANGED = Changed(0, [])


@dataclass(frozen=True)
class Transaction:
    """The transaction of a request, and the session that it runs for."""

    connection: psycopg.AsyncConnection
    session: Session

    async def run(self, statement: Statement, query: sql.Composed, path: str) -> list[tuple[Any, ...]]:
        """The result rows. Raises HasuraError when the database refuses; `path` is used where Hasura gives one."""
        try:
            cursor = await self.connection.execute(query, statement.parameters)
            return await cursor.fetchall()
        except psycopg.Error as error:
            raise as_hasura_error(error, path, query.as_string(self.connection)) from error

    async def change(self, statement: Statement, change: sql.Composable, check: sql.Composable, path: str) -> Changed:
        """Runs INSERT, UPDATE or DELETE of rows with the alias TARGET.

        Raises permission-error when `check` is false on a changed row. A check that is null lets the row pass, as in
        Hasura, and as a check constraint of SQL does.
        """
        returning = sql.SQL("{} returning row_to_json({}.*)::text, {}").format(change, TARGET, check)
        results = await self.run(statement, returning, path)
        if any(passed is False for _, passed in results):
            message = "check constraint of an insert/update permission has failed"
            raise HasuraError("permission-error", message, path)
        return Changed(len(results), [row for row, _ in results])

    async def one(self, table: Table, changed: Changed, field: Field) -> Any:
        """The answer of a field that returns the changed row itself, or null."""
        returned = await self._returned(table, changed, field.selection, field.path)
        return returned[0] if returned else None

    async def response(self, table: Table, changed: Changed, field: Field) -> dict[str, Any]:
        """The answer of a field of type ``_mutation_response``."""
        response: dict[str, Any] = {}
        for part in field.selection:
            match part.name:
                case "affected_rows":
                    response[part.key] = changed.affected
                case "returning":
                    response[part.key] = await self._returned(table, changed, part.selection, field.path)
                case name if name == TYPENAME:
                    response[part.key] = part.parent
        return response

    async def _returned(self, table: Table, changed: Changed, selection: list[Field], path: str) -> list[Any]:
        """Selects in a second statement, so that relationships show what the change has done."""
        if not changed.rows:
            return []
        statement = Statement(self.session)
        rows = select_returned(statement, table, selection, f"[{','.join(changed.rows)}]")
        [[returned]] = await self.run(statement, sql.SQL("select {}").format(rows), path)
        return list(returned)


async def insert(
    transaction: Transaction, table: Table, objects: list[Object], on_conflict: dict[str, Any] | None, path: str
) -> Changed:
    """Inserts the objects: in one statement, unless they are very many or contain rows of related tables.

    Parents are inserted before, children after. `path` is that of the argument. Raises HasuraError.
    """
    if not any(name in table.relationships for each in objects for name in each):
        batch = _MOST_PARAMETERS // max(len(table.columns), 1)
        batches = [objects[start : start + batch] for start in range(0, len(objects), batch)]
        return _combined([await _insert_rows(transaction, table, each, on_conflict, path) for each in batches])
    return _combined(
        [
            await _insert_nested(transaction, table, each, on_conflict, f"{path}[{index}]")
            for index, each in enumerate(objects)
        ]
    )


def _combined(all_changed: list[Changed]) -> Changed:
    return Changed(sum(each.affected for each in all_changed), [row for each in all_changed for row in each.rows])


async def _insert_nested(
    transaction: Transaction, table: Table, given: Object, on_conflict: dict[str, Any] | None, path: str
) -> Changed:
    """Inserts one object and its related rows. Returns its own row alone; counts all."""
    nested = [
        (table.relationships[name], value)
        for name, value in given.items()
        if name in table.relationships and value is not None
    ]
    columns = {name: value for name, value in given.items() if name in table.columns}
    affected = 0
    for relationship, value in nested:
        if relationship.is_held_here:
            parent = await _insert_parent(transaction, relationship, columns, value, f"{path}.{relationship.name}")
            affected += parent.affected
            columns |= _key_values(parent.rows[0], relationship.columns, reverse=True)
    inserted = await _insert_rows(transaction, table, [columns], on_conflict, path)
    affected += inserted.affected
    for relationship, value in nested:
        if not relationship.is_held_here:
            if not inserted.rows:
                message = "cannot proceed to insert array relations since insert to table"
                raise HasuraError("not-supported", f'{message} "{table.name}" affects zero rows', path)
            keys = _key_values(inserted.rows[0], relationship.columns)
            affected += await _insert_children(
                transaction, relationship, keys, value, f"{path}.{relationship.name}.data"
            )
    return Changed(affected, inserted.rows)


async def _insert_parent(
    transaction: Transaction, relationship: Relationship, columns: Object, value: Object, path: str
) -> Changed:
    determined = [name for name in relationship.columns if name in columns]
    if determined:
        message = (
            f'cannot insert object relationship "{relationship.name}" as "{", ".join(determined)}" column values are '
            "already determined"
        )
        raise HasuraError("validation-failed", message, path)
    inserted = await _insert_nested(
        transaction, relationship.remote, value["data"], value.get("on_conflict"), f"{path}.data"
    )
    if not inserted.rows:
        message = (
            f'cannot proceed to insert object relation "{relationship.name}" since insert to table '
            f'"{relationship.remote.name}" affects zero rows'
        )
        raise HasuraError("not-supported", message, path)
    return inserted


async def _insert_children(
    transaction: Transaction, relationship: Relationship, keys: Object, value: Object, path: str
) -> int:
    data = value["data"]
    children: list[Object] = data if isinstance(data, list) else [data]
    for each in children:
        determined = [name for name in keys if name in each]
        if determined:
            message = (
                f'cannot insert "{", ".join(determined)}" columns as their values are already being determined by '
                "parent insert"
            )
            raise HasuraError("validation-failed", message, path)
    with_keys = [each | keys for each in children]
    inserted = await insert(transaction, relationship.remote, with_keys, value.get("on_conflict"), path)
    return inserted.affected


def _key_values(row: str, columns: dict[str, str], *, reverse: bool = False) -> Object:
    """The values of a row's key, under the column names of the other side of the relationship."""
    values = json.loads(row, parse_int=str, parse_float=str)
    pairs = ((remote, local) if reverse else (local, remote) for local, remote in columns.items())
    return {other: _text(values[own]) for own, other in pairs}


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or isinstance(value, str) else json.dumps(value)


async def _insert_rows(
    transaction: Transaction, table: Table, objects: list[Object], on_conflict: dict[str, Any] | None, path: str
) -> Changed:
    permissions = table.permissions_of(transaction.session.role)
    assert permissions.insert is not None
    statement = Statement(transaction.session)
    inserting = _values(statement, table, permissions.insert, objects)
    check = condition_sql(permissions.insert.check, statement, TARGET)
    if on_conflict:
        conflict, update_check = _conflict(statement, table, on_conflict, path)
        inserting = sql.SQL("{} {}").format(inserting, conflict)
        # A row that PostgreSQL has updated instead of inserting it carries an xmax.
        check = sql.SQL("case when {} = 0 then {} else {} end").format(TARGET.column("xmax"), check, update_check)
    return await transaction.change(statement, inserting, check, path)


def _values(statement: Statement, table: Table, permission: InsertPermission, objects: list[Object]) -> sql.Composable:
    """``insert into ... values``, with DEFAULT where one object leaves out what another one gives."""
    rows: list[dict[str, Value]] = [each | permission.presets for each in objects]
    names = [name for name in table.columns if any(name in each for each in rows)] or list(table.columns)[:1]
    tuples = [
        sql.SQL("({})").format(
            sql.SQL(", ").join(
                statement.value(each[name], table.columns[name].type) if name in each else sql.SQL("default")
                for name in names
            )
        )
        for each in rows
    ]
    return sql.SQL("insert into {} as {} ({}) values {}").format(
        table.name.identifier,
        TARGET,
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(tuples),
    )


def _conflict(
    statement: Statement, table: Table, on_conflict: dict[str, Any], path: str
) -> tuple[sql.Composable, sql.Composable]:
    """The ON CONFLICT clause, and the check on rows that it updates."""
    constraint = sql.Identifier(on_conflict["constraint"])
    columns: list[str] = on_conflict["update_columns"]
    if PLACEHOLDER in columns:
        raise HasuraError("validation-failed", "erroneous column name", path.rpartition(".")[0] + ".on_conflict")
    update = table.permissions_of(statement.role).update
    if not columns or update is None:
        return sql.SQL("on conflict on constraint {} do nothing").format(constraint), sql.SQL("true")
    sets = [
        sql.SQL("{} = excluded.{}").format(sql.Identifier(name), sql.Identifier(name))
        for name in dict.fromkeys(columns)
        if name not in update.presets
    ]
    sets += [
        sql.SQL("{} = {}").format(sql.Identifier(name), statement.value(value, table.columns[name].type))
        for name, value in update.presets.items()
    ]
    where = And((update.filter, request_condition(statement.role, table, on_conflict.get("where"))))
    clause = sql.SQL("on conflict on constraint {} do update set {} where {}").format(
        constraint, sql.SQL(", ").join(sets), condition_sql(where, statement, TARGET)
    )
    return clause, condition_sql(update.check, statement, TARGET)


async def update(
    transaction: Transaction, table: Table, where: Condition, arguments: dict[str, Any], path: str
) -> Changed:
    """Applies ``_set`` and ``_inc`` to the rows that meet the condition; with nothing to set, changes none.

    Raises HasuraError; a database error or a failed check has Hasura's path ``$``.
    """
    permission = table.permissions_of(transaction.session.role).update
    assert permission is not None
    statement = Statement(transaction.session)
    given = [*arguments.get("_set", {}), *arguments.get("_inc", {}), *permission.presets]
    _require_once_each(given, path)
    sets = [
        sql.SQL("{} = {}").format(sql.Identifier(name), statement.value(value, table.columns[name].type))
        for name, value in (arguments.get("_set", {}) | permission.presets).items()
    ]
    sets += [
        sql.SQL("{} = {} + {}").format(
            sql.Identifier(name), TARGET.column(name), statement.value(value, table.columns[name].type)
        )
        for name, value in arguments.get("_inc", {}).items()
    ]
    if not sets:
        return NOTHING_CHANGED
    change = sql.SQL("update {} as {} set {} where {}").format(
        table.name.identifier,
        TARGET,
        sql.SQL(", ").join(sets),
        condition_sql(And((permission.filter, where)), statement, TARGET),
    )
    return await transaction.change(statement, change, condition_sql(permission.check, statement, TARGET), "$")


async def delete(transaction: Transaction, table: Table, where: Condition) -> Changed:
    """Deletes the rows that meet the condition. Raises HasuraError with the path ``$``."""
    permission = table.permissions_of(transaction.session.role).delete
    assert permission is not None
    statement = Statement(transaction.session)
    condition = condition_sql(And((permission.filter, where)), statement, TARGET)
    change = sql.SQL("delete from {} as {} where {}").format(table.name.identifier, TARGET, condition)
    return await transaction.change(statement, change, sql.SQL("true"), "$")


def _require_once_each(names: list[str], path: str) -> None:
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        listed = ", ".join(f"'{name}'" for name in repeated)
        message = f"Column found in multiple operators: [{listed}]."
        raise HasuraError("validation-failed", message, f"{path}.args")
