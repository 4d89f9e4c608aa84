"""The permissions of a role on a table, read from metadata (Hasura's docs, "Permission Rules")."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from local.hasura.graphql_api.conditions import TRUE, Condition
from local.hasura.graphql_api.inconsistency import Inconsistency, refuse_unknown_keys
from local.hasura.graphql_api.permission_conditions import metadata_value, permission_condition
from local.hasura.graphql_api.postgres_catalog import QualifiedName
from local.hasura.graphql_api.sql_statement import Value

if TYPE_CHECKING:
    from local.hasura.graphql_api.metadata import Table


@dataclass(frozen=True)
class SelectPermission:
    columns: list[str]
    filter: Condition = TRUE
    limit: int | None = None
    allow_aggregations: bool = False


@dataclass(frozen=True)
class InsertPermission:
    columns: list[str]
    """Those a request may give: preset ones are not among them."""
    check: Condition = TRUE
    presets: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class UpdatePermission:
    columns: list[str]
    """Those a request may give: preset ones are not among them."""
    filter: Condition = TRUE
    check: Condition = TRUE
    presets: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class DeletePermission:
    filter: Condition = TRUE


@dataclass(frozen=True)
class Permissions:
    """None where a role may not at all."""

    select: SelectPermission | None = None
    insert: InsertPermission | None = None
    update: UpdatePermission | None = None
    delete: DeletePermission | None = None


def full_permissions(table: "Table") -> Permissions:
    """The admin's."""
    writable = [column.name for column in table.columns.values() if column.writable]
    return Permissions(
        SelectPermission(list(table.columns), allow_aggregations=True),
        InsertPermission(writable),
        UpdatePermission(writable),
        DeletePermission(),
    )


def permissions_of_role(
    known: Permissions,
    block: str,
    definition: dict[str, Any],
    table: "Table",
    tables: "dict[QualifiedName, Table]",
) -> Permissions:
    """`known` and what one entry of a block, such as ``select_permissions``, adds to it. Raises Inconsistency."""
    if definition.get("backend_only"):
        raise Inconsistency("backend_only is not emulated")
    if any(definition.get(key) is not None for key in ("query_root_fields", "subscription_root_fields")):
        raise Inconsistency("a choice of root fields is not emulated")
    match block:
        case "select_permissions":
            return replace(known, select=_select(definition, table, tables))
        case "insert_permissions":
            return replace(known, insert=_insert(definition, table, tables))
        case "update_permissions":
            return replace(known, update=_update(definition, table, tables))
        case _:
            refuse_unknown_keys(definition, {"filter"})
            return replace(known, delete=DeletePermission(_required_condition(definition, "filter", table, tables)))


def _select(definition: dict[str, Any], table: "Table", tables: "dict[QualifiedName, Table]") -> SelectPermission:
    refuse_unknown_keys(definition, {"columns", "filter", "limit", "allow_aggregations"})
    return SelectPermission(
        _columns(definition, table),
        _required_condition(definition, "filter", table, tables),
        definition.get("limit"),
        definition.get("allow_aggregations", False),
    )


def _insert(definition: dict[str, Any], table: "Table", tables: "dict[QualifiedName, Table]") -> InsertPermission:
    refuse_unknown_keys(definition, {"columns", "check", "set"})
    presets = _presets(definition, table)
    return InsertPermission(
        _writable(_columns(definition, table), table, presets),
        _required_condition(definition, "check", table, tables),
        presets,
    )


def _update(definition: dict[str, Any], table: "Table", tables: "dict[QualifiedName, Table]") -> UpdatePermission:
    refuse_unknown_keys(definition, {"columns", "filter", "check", "set"})
    presets = _presets(definition, table)
    check = definition.get("check")
    return UpdatePermission(
        _writable(_columns(definition, table), table, presets),
        _required_condition(definition, "filter", table, tables),
        TRUE if check is None else permission_condition(check, table, tables),
        presets,
    )


def _required_condition(
    definition: dict[str, Any], key: str, table: "Table", tables: "dict[QualifiedName, Table]"
) -> Condition:
    if definition.get(key) is None:
        raise Inconsistency(f"{key} is missing")
    return permission_condition(definition[key], table, tables)


def _columns(definition: dict[str, Any], table: "Table") -> list[str]:
    columns = definition.get("columns", [])
    if columns == "*":
        return list(table.columns)
    for name in columns:
        if name not in table.columns:
            raise Inconsistency(f'there is no column "{name}"')
    return [name for name in table.columns if name in columns]


def _writable(columns: list[str], table: "Table", presets: dict[str, Value]) -> list[str]:
    return [name for name in columns if table.columns[name].writable and name not in presets]


def _presets(definition: dict[str, Any], table: "Table") -> dict[str, Value]:
    presets = {}
    for name, value in (definition.get("set") or {}).items():
        if name not in table.columns:
            raise Inconsistency(f'there is no column "{name}"')
        presets[name] = metadata_value(value, table.columns[name].type)
    return presets
