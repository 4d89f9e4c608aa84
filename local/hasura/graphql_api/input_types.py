"""The GraphQL types of a role's input about a table: ``_bool_exp``, ``_order_by``, ``_insert_input`` and so on."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
)

from local.hasura.graphql_api.arguments import read_bigint, read_boolean, read_limit
from local.hasura.graphql_api.model import Permissions, Relationship, Table, TrackedFunction
from local.hasura.graphql_api.postgres_catalog import PgType
from local.hasura.graphql_api.scalars import NUMBERS, TEXT, Operand, is_legal_name, operators_of, scalar_name

PLACEHOLDER = "_PLACEHOLDER"
"""Hasura's value of an enum that would be empty."""

_Type = TypeVar("_Type", bound=GraphQLNamedType)

_BUILT_IN = {"Int": GraphQLInt, "Float": GraphQLFloat, "String": GraphQLString, "Boolean": GraphQLBoolean}


def list_of(type_: Any) -> Any:
    """``[type!]``"""
    return GraphQLList(GraphQLNonNull(type_))


def argument(type_: Any, *, nullable: bool = False, reader: Any = None) -> GraphQLArgument:
    """`nullable`: an explicit null counts as not given. Otherwise Hasura refuses null, although the type allows it."""
    return GraphQLArgument(type_, extensions={"nullable": nullable, "reader": reader})


def input_field(type_: Any, *, nullable: bool = False, reader: Any = None, **more: Any) -> GraphQLInputField:
    """As `argument`, for a key of an input object."""
    return GraphQLInputField(type_, extensions={"nullable": nullable, "reader": reader}, **more)


class InputTypes:
    """The input types of one role. Each is made once, when it is first needed."""

    def __init__(self, role: str) -> None:
        self.role = role
        self._types: dict[str, GraphQLNamedType] = {}

    def may(self, table: Table) -> Permissions:
        return table.permissions_of(self.role)

    def once(self, name: str, make: Callable[[], _Type]) -> _Type:
        """The type of that name; `make` is called the first time."""
        if name not in self._types:
            self._types[name] = make()
        return cast(_Type, self._types[name])

    def scalar(self, type_: PgType) -> Any:
        name = scalar_name(type_)
        return _BUILT_IN.get(name) or self.once(name, lambda: GraphQLScalarType(name))

    def row_arguments(self, table: Table) -> dict[str, GraphQLArgument]:
        """``where``, ``order_by``, ``limit``, ``offset``, ``distinct_on``."""
        return {
            "distinct_on": argument(list_of(self.select_column(table)), nullable=True),
            "limit": argument(GraphQLInt, nullable=True, reader=read_limit),
            "offset": argument(GraphQLInt, nullable=True, reader=read_bigint),
            "order_by": argument(list_of(self.order_by(table)), nullable=True),
            "where": argument(self.bool_exp(table), nullable=True),
        }

    def primary_key_arguments(self, table: Table) -> dict[str, GraphQLArgument] | None:
        """None when there is no primary key, or the role may not see all of it."""
        key, select = table.relation.primary_key, self.may(table).select
        if not key or select is None or not set(key) <= set(select.columns):
            return None
        return {name: argument(GraphQLNonNull(self.scalar(table.columns[name].type))) for name in key}

    def select_column(self, table: Table) -> GraphQLEnumType:
        select = self.may(table).select
        return self._names(f"{table.name.graphql}_select_column", select.columns if select else [])

    def bool_exp(self, table: Table) -> GraphQLInputObjectType:
        name = f"{table.name.graphql}_bool_exp"

        def fields() -> dict[str, GraphQLInputField]:
            own = self.bool_exp(table)
            logical = {"_and": input_field(list_of(own)), "_not": input_field(own), "_or": input_field(list_of(own))}
            select = self.may(table).select
            columns = {
                each: input_field(self.comparison_exp(table.columns[each].type))
                for each in (select.columns if select else [])
            }
            related = {each.name: input_field(self.bool_exp(each.remote)) for each in self.visible_relationships(table)}
            return logical | columns | related

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def order_by(self, table: Table) -> GraphQLInputObjectType:
        name = f"{table.name.graphql}_order_by"

        def fields() -> dict[str, GraphQLInputField]:
            select = self.may(table).select
            direction = self._names("order_by", _DIRECTIONS)
            columns = {each: input_field(direction, nullable=True) for each in (select.columns if select else [])}
            related = {
                each.name: input_field(self.order_by(each.remote), nullable=True)
                for each in self.visible_relationships(table)
                if not each.is_list
            }
            return columns | related

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def comparison_exp(self, type_: PgType) -> GraphQLInputObjectType:
        name = f"{scalar_name(type_)}_comparison_exp"

        def fields() -> dict[str, GraphQLInputField]:
            operand_types = {
                Operand.SAME: self.scalar(type_),
                Operand.SAME_LIST: list_of(self.scalar(type_)),
                Operand.TEXT: GraphQLString,
                Operand.TEXT_LIST: list_of(GraphQLString),
            }
            operators = {each.name: input_field(operand_types[each.operand]) for each in operators_of(type_).values()}
            cast = {"_cast": input_field(self._jsonb_cast())} if type_.name == "jsonb" else {}
            return operators | {"_is_null": input_field(GraphQLBoolean, reader=read_boolean)} | cast

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def insert_input(self, table: Table) -> GraphQLInputObjectType:
        name = f"{table.name.graphql}_insert_input"

        def fields() -> dict[str, GraphQLInputField]:
            insert = self.may(table).insert
            columns = self._column_inputs(table, insert.columns if insert else [])
            nested = {
                each.name: input_field(self._nested_insert_input(each), nullable=True)
                for each in table.relationships.values()
                if self.may(each.remote).insert is not None
            }
            return columns | nested

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def insert_arguments(self, table: Table) -> dict[str, GraphQLArgument]:
        """``on_conflict``, where there is a constraint to conflict with."""
        on_conflict = self.on_conflict(table)
        return {"on_conflict": argument(on_conflict)} if on_conflict else {}

    def on_conflict(self, table: Table) -> GraphQLInputObjectType | None:
        names = [each.name for each in table.relation.unique_constraints if is_legal_name(each.name)]
        if not names:
            return None
        name = f"{table.name.graphql}_on_conflict"

        def fields() -> dict[str, GraphQLInputField]:
            update = self.may(table).update
            constraint = self._names(f"{table.name.graphql}_constraint", names)
            column = self._names(f"{table.name.graphql}_update_column", update.columns if update else [])
            return {
                "constraint": input_field(GraphQLNonNull(constraint)),
                "update_columns": input_field(GraphQLNonNull(list_of(column)), default_value=[]),
                "where": input_field(self.bool_exp(table)),
            }

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def update_operators(self, table: Table) -> dict[str, GraphQLInputObjectType]:
        """``_set`` and, when there are numbers, ``_inc``."""
        update = self.may(table).update
        columns = update.columns if update else []
        numbers = [name for name in columns if table.columns[name].type.name in NUMBERS]
        operators = {"_set": columns, "_inc": numbers}
        return {each: self._operator_input(table, each, names) for each, names in operators.items() if names}

    def updates(self, table: Table) -> GraphQLInputObjectType:
        """One element of ``update_..._many``."""
        name = f"{table.name.graphql}_updates"

        def fields() -> dict[str, GraphQLInputField]:
            operators = {operator: input_field(type_) for operator, type_ in self.update_operators(table).items()}
            return operators | {"where": input_field(GraphQLNonNull(self.bool_exp(table)))}

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def pk_columns_input(self, table: Table) -> GraphQLInputObjectType:
        name = f"{table.name.graphql}_pk_columns_input"
        key = table.relation.primary_key
        fields = {each: input_field(GraphQLNonNull(self.scalar(table.columns[each].type))) for each in key}
        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def function_arguments(self, function: TrackedFunction) -> dict[str, GraphQLArgument]:
        """``args`` (required as soon as there is an argument) and the row arguments."""
        arguments = self.row_arguments(function.table)
        if not function.request_arguments:
            return arguments
        fields = {name: input_field(self.scalar(each.type), nullable=True) for name, each in function.request_arguments}
        type_ = self.once(function.arguments_type, lambda: GraphQLInputObjectType(function.arguments_type, fields))
        return {"args": argument(GraphQLNonNull(type_))} | arguments

    def visible_relationships(self, table: Table) -> list[Relationship]:
        """Those to tables whose rows the role may see."""
        if self.may(table).select is None:
            return []
        return [each for each in table.relationships.values() if self.may(each.remote).select is not None]

    def _operator_input(self, table: Table, operator: str, names: list[str]) -> GraphQLInputObjectType:
        name = f"{table.name.graphql}{operator}_input"
        return self.once(name, lambda: GraphQLInputObjectType(name, self._column_inputs(table, names)))

    def _column_inputs(self, table: Table, names: list[str]) -> dict[str, GraphQLInputField]:
        columns = [table.columns[name] for name in names]
        return {
            each.name: input_field(self.scalar(each.type), nullable=each.nullable, description=each.comment)
            for each in columns
        }

    def _nested_insert_input(self, relationship: Relationship) -> GraphQLInputObjectType:
        remote = relationship.remote
        name = f"{remote.name.graphql}_{'arr' if relationship.is_list else 'obj'}_rel_insert_input"

        def fields() -> dict[str, GraphQLInputField]:
            data = self.insert_input(remote)
            on_conflict = self.on_conflict(remote)
            return {"data": input_field(GraphQLNonNull(list_of(data) if relationship.is_list else data))} | (
                {"on_conflict": input_field(on_conflict)} if on_conflict else {}
            )

        return self.once(name, lambda: GraphQLInputObjectType(name, fields))

    def _jsonb_cast(self) -> GraphQLInputObjectType:
        fields = {"String": input_field(self.comparison_exp(TEXT))}
        return self.once("jsonb_cast_exp", lambda: GraphQLInputObjectType("jsonb_cast_exp", fields))

    def _names(self, name: str, values: list[str]) -> GraphQLEnumType:
        members = {value: GraphQLEnumValue(value) for value in values or [PLACEHOLDER]}
        return self.once(name, lambda: GraphQLEnumType(name, members))


_DIRECTIONS = ["asc", "asc_nulls_first", "asc_nulls_last", "desc", "desc_nulls_first", "desc_nulls_last"]
