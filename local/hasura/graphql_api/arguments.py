"""The arguments of a request: checked against the schema and read, with Hasura's messages for wrong values."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
)

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.request import Operation, declared_type
from local.hasura.graphql_api.scalars import text_for

_MOST_DIGITS = 1000
"""Python refuses to make an int of a text with many thousand digits."""

Reader = Callable[[Any], Any]
"""Reads a value that does not belong to a column; raises Unfit."""


class Unfit(Exception):
    """The value is not what was expected; the message names that, for example "a boolean"."""


def read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("a boolean")
    return value


def read_limit(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise Unfit("a non-negative 32-bit integer")
    return value


def read_bigint(value: Any) -> int:
    """A bigint of PostgreSQL, as a number or as a string."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise Unfit("a 32-bit integer, or a 64-bit integer represented as a string")
    return value


def read_arguments(
    operation: Operation,
    definitions: Mapping[str, GraphQLArgument],
    nodes: tuple[ArgumentNode, ...],
    field: str,
    path: str,
) -> dict[str, Any]:
    """The values of the arguments that are given; the others are absent.

    A value of a column becomes PostgreSQL's input text, an enum value its name, an object a dict. `path` is that of
    the field. Raises validation-failed or parse-failed with the path of the value.
    """
    given = {node.name.value: node.value for node in nodes}
    for name in given:
        if name not in definitions:
            raise HasuraError("validation-failed", f"'{field}' has no argument named '{name}'", path)
    return _read_fields(operation, definitions, given, f"{path}.args")


def _read_fields(
    operation: Operation,
    definitions: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField],
    given: Mapping[str, Any],
    path: str,
) -> dict[str, Any]:
    read = {}
    for name, definition in definitions.items():
        if name in given and not _is_left_out(operation, given[name]):
            read[name] = _read(operation, definition, definition.type, given[name], f"{path}.{name}")
        elif definition.default_value is not Undefined:
            read[name] = definition.default_value
        elif isinstance(definition.type, GraphQLNonNull):
            raise HasuraError("validation-failed", f"missing required field '{name}'", f"{path}.{name}")
    return {name: read[name] for name in [*given, *read] if name in read}


def _is_left_out(operation: Operation, value: Any) -> bool:
    """An argument is left out when its variable has neither a value nor a default."""
    if not isinstance(value, VariableNode):
        return False
    name = value.name.value
    return name not in operation.values and operation.variables[name].default_value is None


def _read(operation: Operation, definition: Any, type_: Any, value: Any, path: str) -> Any:
    if isinstance(value, VariableNode):
        variable = operation.variables[value.name.value]
        _require_usable(variable, type_, definition.default_value is not Undefined, path)
        value = operation.values.get(value.name.value, variable.default_value)
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    elif definition.extensions["nullable"] and _is_null(value):
        return None
    if isinstance(type_, GraphQLList):
        return _read_list(operation, definition, type_, value, path)
    if isinstance(type_, GraphQLInputObjectType):
        return _read_object(operation, type_, value, path)
    if isinstance(type_, GraphQLEnumType):
        return _read_enum(type_, value, path)
    return _read_scalar(operation, definition.extensions["reader"], type_.name, value, path)


def _require_usable(variable: VariableDefinitionNode, location: Any, location_has_default: bool, path: str) -> None:
    """Raises validation-failed unless the variable's declared type fits the GraphQL type `location`.

    The rule is "All Variable Usages Are Allowed" of the GraphQL specification.
    """
    default = variable.default_value
    has_default = default is not None and not isinstance(default, NullValueNode)
    expected = location
    if isinstance(location, GraphQLNonNull) and (location_has_default or has_default):
        expected = location.of_type
    if not _fits(variable.type, expected):
        name, declared = variable.variable.name.value, declared_type(variable.type)
        message = f"variable '{name}' is declared as '{declared}', but used where '{location}' is expected"
        raise HasuraError("validation-failed", message, path)


def _fits(declared: Any, expected: Any) -> bool:
    if isinstance(expected, GraphQLNonNull):
        return isinstance(declared, NonNullTypeNode) and _fits(declared.type, expected.of_type)
    if isinstance(declared, NonNullTypeNode):
        declared = declared.type
    if isinstance(expected, GraphQLList):
        return isinstance(declared, ListTypeNode) and _fits(declared.type, expected.of_type)
    return not isinstance(declared, ListTypeNode) and bool(declared.name.value == expected.name)


def _read_list(operation: Operation, definition: Any, type_: GraphQLList[Any], value: Any, path: str) -> list[Any]:
    """A single value where a list is expected is a list of one."""
    if _is_null(value):
        raise HasuraError("validation-failed", "expected a list, but found null", path)
    items = value.values if isinstance(value, ListValueNode) else value if isinstance(value, list) else [value]
    return [_read(operation, definition, type_.of_type, item, f"{path}[{index}]") for index, item in enumerate(items)]


def _read_object(operation: Operation, type_: GraphQLInputObjectType, value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, ObjectValueNode):
        value = {field.name.value: field.value for field in value.fields}
    if not isinstance(value, dict):
        raise _mismatch(type_.name, "an object", value, path)
    for key in value:
        if key not in type_.fields:
            message = f"field '{key}' not found in type: '{type_.name}'"
            raise HasuraError("validation-failed", message, f"{path}.{key}")
    return _read_fields(operation, type_.fields, value, path)


def _read_enum(type_: GraphQLEnumType, value: Any, path: str) -> str:
    if isinstance(value, EnumValueNode):
        name = value.value
    elif isinstance(value, str):
        name = value
    else:
        raise _mismatch(type_.name, "an enum value", value, path)
    if name not in type_.values:
        names = ", ".join(f"'{each}'" for each in type_.values)
        message = f"expected one of the values [{names}] for type '{type_.name}', but found '{name}'"
        raise HasuraError("validation-failed", message, path)
    return name


def _read_scalar(operation: Operation, reader: Reader | None, scalar: str, value: Any, path: str) -> Any:
    plain = _json(operation, value) if isinstance(value, ValueNode) else value
    if reader is not None:
        try:
            return reader(plain)
        except Unfit as unfit:
            raise _mismatch(scalar, str(unfit), value, path) from None
    if plain is None:
        raise HasuraError("validation-failed", f"unexpected null value for type '{scalar}'", path)
    return text_for(scalar, plain, path)


def _json(operation: Operation, value: Any) -> Any:
    """The JSON value of a literal; variables in it, as a jsonb literal may have, are replaced by their values."""
    match value:
        case NullValueNode():
            return None
        case VariableNode():
            name = value.name.value
            return _json(operation, operation.values.get(name, operation.variables[name].default_value))
        case ListValueNode():
            return [_json(operation, each) for each in value.values]
        case ObjectValueNode():
            return {field.name.value: _json(operation, field.value) for field in value.fields}
        case IntValueNode() if len(value.value) <= _MOST_DIGITS:
            return int(value.value)
        case IntValueNode() | FloatValueNode():
            return Decimal(value.value)
        case StringValueNode() | BooleanValueNode() | EnumValueNode():
            return value.value
        case _:
            return value


def _is_null(value: Any) -> bool:
    return value is None or isinstance(value, NullValueNode)


def _mismatch(type_: str, expected: str, value: Any, path: str) -> HasuraError:
    message = f"expected {expected} for type '{type_}', but found {_described(value)}"
    return HasuraError("validation-failed", message, path)


def _described(value: Any) -> str:
    if isinstance(value, ValueNode):
        return _NODES[type(value)]
    if isinstance(value, bool):
        return "a boolean"
    return {type(None): "null", str: "a string", list: "a list", dict: "an object"}.get(type(value), "a number")


_NODES: dict[type, str] = {
    NullValueNode: "null",
    BooleanValueNode: "a boolean",
    IntValueNode: "an integer",
    FloatValueNode: "a float",
    StringValueNode: "a string",
    EnumValueNode: "an enum value",
    ListValueNode: "a list",
    ObjectValueNode: "an object",
}
