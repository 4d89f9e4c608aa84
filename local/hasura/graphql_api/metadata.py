"""Hasura's metadata joined to the catalog: tables with their relationships and permissions, and functions.

A part that does not fit the database, or is not emulated, is left out and reported as an inconsistent object.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from local.hasura.graphql_api.model import Relationship, Source, Table, TrackedFunction
from local.hasura.graphql_api.permissions import (
    PERMISSION_KEYS,
    Tables,
    full_permissions,
    permissions_of_role,
    tracked_table,
)
from local.hasura.graphql_api.postgres_catalog import Catalog, ForeignKey, Function, QualifiedName
from local.hasura.graphql_api.scalars import JSON, is_legal_name
from local.hasura.inconsistencies import Inconsistency, InconsistentObject, refuse_unknown_keys
from local.hasura.session import ADMIN

Reporter = Callable[[str, str], AbstractContextManager[None]]
"""Takes the type and the name of an object; an Inconsistency raised in the context is reported and ends there."""


def read_metadata(
    tables: list[dict[str, Any]], functions: list[dict[str, Any]], catalog: Catalog
) -> tuple[Source, list[InconsistentObject]]:
    """The source, and the inconsistent objects that were found."""
    inconsistencies: list[InconsistentObject] = []
    reported = _reporter(inconsistencies)
    tracked: dict[QualifiedName, tuple[Table, dict[str, Any]]] = {}
    for entry in tables:
        name = QualifiedName.from_metadata(entry["table"])
        with reported("table", str(name)):
            if any(other.graphql == name.graphql for other in tracked):
                raise Inconsistency("another table has the same name in GraphQL")
            tracked[name] = _table(name, entry, catalog), entry
    by_name = {name: table for name, (table, _) in tracked.items()}
    for table, entry in tracked.values():
        _add_relationships(table, entry, by_name, reported)
    for table, entry in tracked.values():
        table.permissions[ADMIN] = full_permissions(table)
        _add_permissions(table, entry, by_name, reported)
    source = Source(by_name, [])
    for entry in functions:
        name = QualifiedName.from_metadata(entry["function"])
        with reported("function", str(name)):
            source.functions.append(_tracked_function(name, entry, catalog, by_name))
    return source, inconsistencies


def _reporter(inconsistencies: list[InconsistentObject]) -> Reporter:
    @contextmanager
    def reported(type_: str, name: str) -> Iterator[None]:
        full_name = f"{type_} {name} in source default"
        try:
            yield
        except Inconsistency as inconsistency:
            inconsistencies.append(InconsistentObject(type_, full_name, str(inconsistency)))
        except KeyError as missing:
            inconsistencies.append(InconsistentObject(type_, full_name, f"{missing} is missing"))

    return reported


def _table(name: QualifiedName, entry: dict[str, Any], catalog: Catalog) -> Table:
    if name not in catalog.relations:
        raise Inconsistency(f'no such table/view exists in source: "{name}"')
    if not is_legal_name(name.graphql):
        raise Inconsistency("its name is not a legal GraphQL name")
    known = {"table", "object_relationships", "array_relationships", "event_triggers", *PERMISSION_KEYS}
    refuse_unknown_keys(entry, known)
    return Table(catalog.relations[name])


def _add_relationships(table: Table, entry: dict[str, Any], tables: Tables, reported: Reporter) -> None:
    for type_, is_list in (("object_relation", False), ("array_relation", True)):
        for definition in entry.get(f"{type_}ships") or []:
            with reported(type_, f"{definition['name']} in table {table.name}"):
                refuse_unknown_keys(definition, {"name", "using", "comment"})
                if definition["name"] in table.columns or not is_legal_name(definition["name"]):
                    raise Inconsistency("a column has this name, or it is not a legal GraphQL name")
                relationship = _relationship(table, definition, is_list, tables)
                table.relationships[relationship.name] = relationship


def _relationship(table: Table, definition: dict[str, Any], is_list: bool, tables: Tables) -> Relationship:
    using = definition["using"]
    if "manual_configuration" in using:
        manual = using["manual_configuration"]
        remote = tracked_table(QualifiedName.from_metadata(manual["remote_table"]), tables)
        mapping: dict[str, str] = manual["column_mapping"]
        _require_columns(table, mapping.keys())
        _require_columns(remote, mapping.values())
        held_here = not is_list and manual.get("insertion_order") != "after_parent"
        return Relationship(definition["name"], remote, mapping, is_list, held_here)
    constraint = using["foreign_key_constraint_on"]
    if isinstance(constraint, dict):
        remote = tracked_table(QualifiedName.from_metadata(constraint["table"]), tables)
        columns = constraint.get("columns") or [constraint["column"]]
        key = _foreign_key(remote, columns, table.name)
        mapping = dict(zip(key.remote_columns, key.columns, strict=True))
        return Relationship(definition["name"], remote, mapping, is_list, is_held_here=False)
    key = _foreign_key(table, [constraint] if isinstance(constraint, str) else constraint, None)
    remote = tracked_table(key.remote, tables)
    mapping = dict(zip(key.columns, key.remote_columns, strict=True))
    return Relationship(definition["name"], remote, mapping, is_list, is_held_here=True)


def _foreign_key(holder: Table, columns: list[str], remote: QualifiedName | None) -> ForeignKey:
    for key in holder.relation.foreign_keys:
        if set(key.columns) == set(columns) and remote in (None, key.remote):
            return key
    raise Inconsistency(f'"{holder.name}" has no such foreign key on {", ".join(columns)}')


def _require_columns(table: Table, names: Iterable[str]) -> None:
    for name in names:
        if name not in table.columns:
            raise Inconsistency(f'"{table.name}" has no column "{name}"')


def _add_permissions(table: Table, entry: dict[str, Any], tables: Tables, reported: Reporter) -> None:
    for block in PERMISSION_KEYS:
        for definition in entry.get(block) or []:
            role = definition["role"]
            with reported(block.removesuffix("s"), f"{role} in table {table.name}"):
                if role == ADMIN:
                    raise Inconsistency("the admin has all permissions, and needs none")
                known = table.permissions_of(role)
                table.permissions[role] = permissions_of_role(known, block, definition["permission"], table, tables)


def _tracked_function(name: QualifiedName, entry: dict[str, Any], catalog: Catalog, tables: Tables) -> TrackedFunction:
    """Raises Inconsistency, with Hasura's reason, when the function may not be tracked."""
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
    for each in function.arguments:
        if not each.is_scalar or not is_legal_name(each.type.name):
            raise Inconsistency(f"an argument of the type {each.type.name} is not emulated")
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
