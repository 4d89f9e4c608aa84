"""Hasura's metadata joined to the catalog: tables with their relationships and permissions, and functions.

What does not fit the database, or is not emulated, is left out and told as an inconsistency, one sentence each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local.hasura.graphql_api.functions import TrackedFunction, tracked_function
from local.hasura.graphql_api.inconsistency import Inconsistency, refuse_unknown_keys
from local.hasura.graphql_api.permissions import Permissions, full_permissions, permissions_of_role
from local.hasura.graphql_api.postgres_catalog import Catalog, Column, ForeignKey, QualifiedName, Relation
from local.hasura.graphql_api.scalars import is_legal_name, scalar_name
from local.hasura.session import ADMIN

PERMISSION_BLOCKS = ("insert_permissions", "select_permissions", "update_permissions", "delete_permissions")


@dataclass(frozen=True, eq=False)
class Relationship:
    name: str
    remote: "Table"
    columns: dict[str, str]
    """Column of the table -> column of the remote table."""
    is_list: bool
    is_held_here: bool
    """Whether the foreign key is on this side, so that the remote row must be there first."""


@dataclass(eq=False)
class Table:
    """A tracked table or view."""

    relation: Relation
    relationships: dict[str, Relationship] = field(default_factory=dict)
    permissions: dict[str, Permissions] = field(default_factory=dict)

    @property
    def name(self) -> QualifiedName:
        return self.relation.name

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Those that GraphQL can spell."""
        return {
            column.name: column
            for column in self.relation.columns.values()
            if is_legal_name(column.name) and is_legal_name(scalar_name(column.type))
        }

    def permissions_of(self, role: str) -> Permissions:
        """What the role may do; the admin everything, a role without permissions nothing."""
        return self.permissions.get(role, Permissions())


@dataclass(frozen=True)
class Source:
    """What there is to build schemas of."""

    tables: dict[QualifiedName, Table]
    functions: list[TrackedFunction]

    @property
    def roles(self) -> set[str]:
        return {ADMIN, *(role for table in self.tables.values() for role in table.permissions)}


def read_metadata(
    tables: list[dict[str, Any]], functions: list[dict[str, Any]], catalog: Catalog
) -> tuple[Source, list[str]]:
    """The source, and its inconsistencies."""
    inconsistencies: list[str] = []
    reported = _reporter(inconsistencies)
    tracked: dict[QualifiedName, tuple[Table, dict[str, Any]]] = {}
    for entry in tables:
        name = _qualified(entry["table"])
        with reported(f'table "{name}"'):
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
        name = _qualified(entry["function"])
        with reported(f'in function "{name}"'):
            source.functions.append(tracked_function(name, entry, catalog, by_name))
    return source, inconsistencies


def _reporter(inconsistencies: list[str]) -> Any:
    @contextmanager
    def reported(subject: str) -> Iterator[None]:
        try:
            yield
        except Inconsistency as inconsistency:
            inconsistencies.append(f"{subject}: {inconsistency}")
        except KeyError as missing:
            inconsistencies.append(f"{subject}: {missing} is missing")

    return reported


def _qualified(name: str | dict[str, str]) -> QualifiedName:
    """Metadata names a thing of ``public`` by its bare name, too."""
    if isinstance(name, str):
        return QualifiedName("public", name)
    return QualifiedName(name.get("schema", "public"), name["name"])


def _table(name: QualifiedName, entry: dict[str, Any], catalog: Catalog) -> Table:
    if name not in catalog.relations:
        raise Inconsistency("no such table or view exists in the database")
    if not is_legal_name(name.graphql):
        raise Inconsistency("its name is not a legal GraphQL name")
    known = {"table", "object_relationships", "array_relationships", "event_triggers", *PERMISSION_BLOCKS}
    refuse_unknown_keys(entry, known)
    return Table(catalog.relations[name])


def _add_relationships(table: Table, entry: dict[str, Any], tables: dict[QualifiedName, Table], reported: Any) -> None:
    for key, is_list in (("object_relationships", False), ("array_relationships", True)):
        for definition in entry.get(key) or []:
            with reported(f'table "{table.name}", relationship "{definition["name"]}"'):
                refuse_unknown_keys(definition, {"name", "using", "comment"})
                if definition["name"] in table.columns or not is_legal_name(definition["name"]):
                    raise Inconsistency("a column has this name, or GraphQL cannot spell it")
                relationship = _relationship(table, definition, is_list, tables)
                table.relationships[relationship.name] = relationship


def _relationship(
    table: Table, definition: dict[str, Any], is_list: bool, tables: dict[QualifiedName, Table]
) -> Relationship:
    using = definition["using"]
    if "manual_configuration" in using:
        manual = using["manual_configuration"]
        remote = _tracked(_qualified(manual["remote_table"]), tables)
        mapping: dict[str, str] = manual["column_mapping"]
        _require_columns(table, mapping.keys())
        _require_columns(remote, mapping.values())
        held_here = not is_list and manual.get("insertion_order") != "after_parent"
        return Relationship(definition["name"], remote, mapping, is_list, held_here)
    constraint = using["foreign_key_constraint_on"]
    if isinstance(constraint, dict):
        remote = _tracked(_qualified(constraint["table"]), tables)
        columns = constraint.get("columns") or [constraint["column"]]
        key = _foreign_key(remote, columns, table.name)
        mapping = dict(zip(key.remote_columns, key.columns, strict=True))
        return Relationship(definition["name"], remote, mapping, is_list, is_held_here=False)
    key = _foreign_key(table, [constraint] if isinstance(constraint, str) else constraint, None)
    remote = _tracked(key.remote, tables)
    mapping = dict(zip(key.columns, key.remote_columns, strict=True))
    return Relationship(definition["name"], remote, mapping, is_list, is_held_here=True)


def _foreign_key(holder: Table, columns: list[str], remote: QualifiedName | None) -> ForeignKey:
    for key in holder.relation.foreign_keys:
        if set(key.columns) == set(columns) and remote in (None, key.remote):
            return key
    raise Inconsistency(f'"{holder.name}" has no such foreign key on {", ".join(columns)}')


def _tracked(name: QualifiedName, tables: dict[QualifiedName, Table]) -> Table:
    if name not in tables:
        raise Inconsistency(f'table "{name}" is not tracked')
    return tables[name]


def _require_columns(table: Table, names: Any) -> None:
    for name in names:
        if name not in table.columns:
            raise Inconsistency(f'"{table.name}" has no column "{name}"')


def _add_permissions(table: Table, entry: dict[str, Any], tables: dict[QualifiedName, Table], reported: Any) -> None:
    for block in PERMISSION_BLOCKS:
        for definition in entry.get(block) or []:
            role = definition["role"]
            with reported(f'table "{table.name}", {block} of role "{role}"'):
                if role == ADMIN:
                    raise Inconsistency("the admin has all permissions, and needs none")
                known = table.permissions_of(role)
                table.permissions[role] = permissions_of_role(known, block, definition["permission"], table, tables)
