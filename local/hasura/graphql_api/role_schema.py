"""The GraphQL schema of one role. A field or type that the role may not use does not exist in it.

Each root field carries in its definition what it does (`RootField`), which is read when a request is executed.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
)

from local.hasura.graphql_api.arguments import read_boolean
from local.hasura.graphql_api.input_types import InputTypes, argument, list_of
from local.hasura.graphql_api.model import TRUE, And, Relationship, Source, Table, TrackedFunction
from local.hasura.graphql_api.scalars import NUMBERS, SUMMABLE, is_comparable

AVERAGES = ("avg", "stddev", "stddev_pop", "stddev_samp", "var_pop", "var_samp", "variance")
AGGREGATE_FUNCTIONS = ("sum", "min", "max", *AVERAGES)

_NOTHING_AVAILABLE = (
    "There are no queries available to the current role. Either there are no sources or remote schemas configured, or "
    "the current role doesn't have the required permissions."
)


class Action(Enum):
    SELECT = auto()
    SELECT_BY_PK = auto()
    AGGREGATE = auto()
    INSERT = auto()
    INSERT_ONE = auto()
    UPDATE = auto()
    UPDATE_BY_PK = auto()
    UPDATE_MANY = auto()
    DELETE = auto()
    DELETE_BY_PK = auto()


@dataclass(frozen=True)
class TableField:
    action: Action
    table: Table


@dataclass(frozen=True)
class FunctionField:
    function: TrackedFunction
    is_aggregate: bool


@dataclass(frozen=True)
class FixedText:
    """A field whose answer is always the same text."""

    text: str


RootField = TableField | FunctionField | FixedText


def root_field(
    meaning: RootField,
    type_: GraphQLOutputType,
    arguments: dict[str, GraphQLArgument] | None = None,
    description: str | None = None,
) -> GraphQLField:
    return GraphQLField(type_, arguments, description=description, extensions={"root_field": meaning})


def meaning_of(definition: GraphQLField) -> Any:
    """The RootField that a definition carries; None for GraphQL's own fields, such as ``__schema``."""
    return definition.extensions.get("root_field")


def role_schema(source: Source, role: str) -> GraphQLSchema:
    """The schema of `role`; it is empty when the metadata does not know the role."""
    types = OutputTypes(role)
    query: dict[str, GraphQLField] = {}
    mutation: dict[str, GraphQLField] = {}
    for table in source.tables.values():
        query |= _queries(types, table)
        mutation |= _inserts(types, table) | _updates(types, table) | _deletes(types, table)
    for function in source.functions:
        if function.is_allowed(role) and types.may(function.table).select is not None:
            (mutation if function.is_mutation else query).update(_calls(types, function))
    nothing = {"no_queries_available": root_field(FixedText(_NOTHING_AVAILABLE), GraphQLNonNull(GraphQLString))}
    return GraphQLSchema(
        GraphQLObjectType("query_root", query or nothing),
        GraphQLObjectType("mutation_root", mutation) if mutation else None,
        GraphQLObjectType("subscription_root", query) if query else None,
        assume_valid=True,  # Hasura, too, publishes an input type without keys when all columns are preset.
    )


class OutputTypes(InputTypes):
    """The input types of a role, and the types of the answers that it gets."""

    def row(self, table: Table) -> GraphQLObjectType:
        name = table.name.graphql

        def fields() -> dict[str, GraphQLField]:
            select = self.may(table).select
            columns = [table.columns[each] for each in (select.columns if select else [])]
            shown = {
                each.name: GraphQLField(
                    self.scalar(each.type) if each.nullable else GraphQLNonNull(self.scalar(each.type)),
                    description=each.comment,
                )
                for each in columns
            }
            for relationship in self.visible_relationships(table):
                shown |= self._relationship_fields(table, relationship)
            return shown

        return self.once(name, lambda: GraphQLObjectType(name, fields, description=table.relation.comment))

    def rows(self, table: Table) -> Any:
        """``[row!]!``"""
        return GraphQLNonNull(list_of(self.row(table)))

    def may_aggregate(self, table: Table) -> bool:
        select = self.may(table).select
        return select is not None and select.allow_aggregations

    def aggregate(self, table: Table) -> GraphQLObjectType:
        name = f"{table.name.graphql}_aggregate"
        fields = {"aggregate": GraphQLField(self._aggregate_fields(table)), "nodes": GraphQLField(self.rows(table))}
        return self.once(name, lambda: GraphQLObjectType(name, fields))

    def mutation_response(self, table: Table) -> GraphQLObjectType:
        name = f"{table.name.graphql}_mutation_response"
        fields = {"affected_rows": GraphQLField(GraphQLNonNull(GraphQLInt))}
        if self.may(table).select is not None:
            fields["returning"] = GraphQLField(self.rows(table))
        return self.once(name, lambda: GraphQLObjectType(name, fields))

    def _relationship_fields(self, table: Table, relationship: Relationship) -> dict[str, GraphQLField]:
        remote = relationship.remote
        if not relationship.is_list:
            row = self.row(remote)
            is_sure = _always_found(table, relationship, self.role)
            return {relationship.name: GraphQLField(GraphQLNonNull(row) if is_sure else row)}
        arguments = self.row_arguments(remote)
        fields = {relationship.name: GraphQLField(self.rows(remote), arguments)}
        if self.may_aggregate(remote):
            aggregate = GraphQLNonNull(self.aggregate(remote))
            fields[f"{relationship.name}_aggregate"] = GraphQLField(aggregate, arguments)
        return fields

    def _aggregate_fields(self, table: Table) -> GraphQLObjectType:
        name = f"{table.name.graphql}_aggregate_fields"

        def fields() -> dict[str, GraphQLField]:
            count_arguments = {
                "columns": argument(list_of(self.select_column(table))),
                "distinct": argument(GraphQLBoolean, reader=read_boolean),
            }
            shown = {"count": GraphQLField(GraphQLNonNull(GraphQLInt), count_arguments)}
            for function in AGGREGATE_FUNCTIONS:
                columns = self._aggregated_columns(table, function)
                if columns:
                    own_name = f"{table.name.graphql}_{function}_fields"
                    shown[function] = GraphQLField(GraphQLObjectType(own_name, columns))
            return shown

        return self.once(name, lambda: GraphQLObjectType(name, fields))

    def _aggregated_columns(self, table: Table, function: str) -> dict[str, GraphQLField]:
        select = self.may(table).select
        columns = [table.columns[name] for name in (select.columns if select else [])]
        if function in AVERAGES:
            return {each.name: GraphQLField(GraphQLFloat) for each in columns if each.type.name in NUMBERS}
        if function == "sum":
            return {each.name: GraphQLField(self.scalar(each.type)) for each in columns if each.type.name in SUMMABLE}
        return {each.name: GraphQLField(self.scalar(each.type)) for each in columns if is_comparable(each.type)}


def _always_found(table: Table, relationship: Relationship, role: str) -> bool:
    select = relationship.remote.permissions_of(role).select
    hides_nothing = select is not None and select.filter in (TRUE, And((TRUE,)))
    is_set = not any(table.relation.columns[name].nullable for name in relationship.columns)
    return relationship.is_held_here and is_set and hides_nothing


def _queries(types: OutputTypes, table: Table) -> dict[str, GraphQLField]:
    if types.may(table).select is None:
        return {}
    name = table.name.graphql
    arguments = types.row_arguments(table)
    fields = {name: root_field(TableField(Action.SELECT, table), types.rows(table), arguments)}
    if types.may_aggregate(table):
        aggregate = GraphQLNonNull(types.aggregate(table))
        fields[f"{name}_aggregate"] = root_field(TableField(Action.AGGREGATE, table), aggregate, arguments)
    key = types.primary_key_arguments(table)
    if key is not None:
        fields[f"{name}_by_pk"] = root_field(TableField(Action.SELECT_BY_PK, table), types.row(table), key)
    return fields


def _inserts(types: OutputTypes, table: Table) -> dict[str, GraphQLField]:
    if types.may(table).insert is None or not table.relation.is_insertable:
        return {}
    name = f"insert_{table.name.graphql}"
    row, on_conflict = types.insert_input(table), types.insert_arguments(table)
    objects = {"objects": argument(GraphQLNonNull(list_of(row)))} | on_conflict
    fields = {name: root_field(TableField(Action.INSERT, table), types.mutation_response(table), objects)}
    if types.may(table).select is not None:
        one = {"object": argument(GraphQLNonNull(row))} | on_conflict
        fields[f"{name}_one"] = root_field(TableField(Action.INSERT_ONE, table), types.row(table), one)
    return fields


def _updates(types: OutputTypes, table: Table) -> dict[str, GraphQLField]:
    operators = types.update_operators(table)
    if not operators or not table.relation.is_updatable:
        return {}
    name, response = f"update_{table.name.graphql}", types.mutation_response(table)
    given: dict[str, GraphQLArgument] = {operator: argument(type_) for operator, type_ in operators.items()}
    where = {"where": argument(GraphQLNonNull(types.bool_exp(table)))}
    many = {"updates": argument(GraphQLNonNull(list_of(types.updates(table))))}
    fields = {
        name: root_field(TableField(Action.UPDATE, table), response, given | where),
        f"{name}_many": root_field(TableField(Action.UPDATE_MANY, table), GraphQLList(response), many),
    }
    if types.primary_key_arguments(table) is not None:
        key = {"pk_columns": argument(GraphQLNonNull(types.pk_columns_input(table)))}
        fields[f"{name}_by_pk"] = root_field(TableField(Action.UPDATE_BY_PK, table), types.row(table), given | key)
    return fields


def _deletes(types: OutputTypes, table: Table) -> dict[str, GraphQLField]:
    if types.may(table).delete is None or not table.relation.is_updatable:
        return {}
    name = f"delete_{table.name.graphql}"
    where = {"where": argument(GraphQLNonNull(types.bool_exp(table)))}
    fields = {name: root_field(TableField(Action.DELETE, table), types.mutation_response(table), where)}
    key = types.primary_key_arguments(table)
    if key is not None:
        fields[f"{name}_by_pk"] = root_field(TableField(Action.DELETE_BY_PK, table), types.row(table), key)
    return fields


def _calls(types: OutputTypes, function: TrackedFunction) -> dict[str, GraphQLField]:
    arguments = types.function_arguments(function)
    result = types.rows(function.table) if function.function.returns_set else types.row(function.table)
    call = root_field(FunctionField(function, is_aggregate=False), result, arguments, function.comment)
    fields = {function.field_name: call}
    if not function.is_mutation and function.function.returns_set and types.may_aggregate(function.table):
        aggregate = GraphQLNonNull(types.aggregate(function.table))
        meaning = FunctionField(function, is_aggregate=True)
        fields[function.aggregate_name] = root_field(meaning, aggregate, arguments, function.comment)
    return fields
