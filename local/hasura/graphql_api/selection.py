"""Selection sets, checked against the schema: fragments spread, directives applied, fields of one name merged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)
from graphql.type import SchemaMetaFieldDef, TypeMetaFieldDef

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.arguments import read_arguments, read_boolean
from local.hasura.graphql_api.request import Operation

TYPENAME = "__typename"


@dataclass(frozen=True)
class Field:
    """One field of the answer."""

    key: str
    """Its key in the answer: its alias, or else its name."""
    name: str
    parent: str
    """The name of the type on which it was selected, which is the answer to ``__typename``."""
    definition: GraphQLField | None
    """None for ``__typename``."""
    arguments: dict[str, Any]
    selection: list["Field"]
    path: str
    nodes: list[FieldNode]


def check_operation(schema: GraphQLSchema, operation: Operation) -> list[Field]:
    """The root fields of the operation. Raises HasuraError for the first error."""
    root = schema.get_root_type(operation.kind)
    if root is None:
        raise HasuraError("validation-failed", f"no {operation.kind.value}s exist")
    fields = _check(schema, operation, [operation.definition.selection_set], root, "$")
    if operation.kind is OperationType.SUBSCRIPTION:
        _require_one_table_field(fields)
    return fields


def _require_one_table_field(fields: list[Field]) -> None:
    if len(fields) != 1:
        raise HasuraError("validation-failed", "subscriptions must select one top level field")
    if fields[0].name == TYPENAME:
        message = "Introspection at root field level is not supported over subscriptions"
        raise HasuraError("not-supported", message)


def _check(
    schema: GraphQLSchema,
    operation: Operation,
    selection_sets: list[SelectionSetNode],
    parent: GraphQLObjectType,
    path: str,
) -> list[Field]:
    path = f"{path}.selectionSet"
    if not selection_sets:
        raise HasuraError("validation-failed", f"missing selection set for '{parent.name}'", path)
    merged: dict[str, list[FieldNode]] = {}
    for selection_set in selection_sets:
        for node in _flattened(operation, selection_set, parent, path):
            key = node.alias.value if node.alias else node.name.value
            _require_mergeable(merged.setdefault(key, []), node, key, path)
            merged[key].append(node)
    return [_check_field(schema, operation, key, nodes, parent, path) for key, nodes in merged.items()]


def _flattened(
    operation: Operation, selection_set: SelectionSetNode, parent: GraphQLObjectType, path: str
) -> Iterator[FieldNode]:
    for selection in selection_set.selections:
        if not _is_included(operation, selection.directives, path):
            continue
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                condition = selection.type_condition
                if condition is None or condition.name.value == parent.name:
                    yield from _flattened(operation, selection.selection_set, parent, path)
            case FragmentSpreadNode():
                fragment = operation.fragment(selection.name.value)
                if fragment.type_condition.name.value == parent.name:
                    yield from _flattened(operation, fragment.selection_set, parent, path)


def _is_included(operation: Operation, directives: tuple[DirectiveNode, ...] | None, path: str) -> bool:
    return all(_allows(operation, directive, path) for directive in directives or ())


def _allows(operation: Operation, directive: DirectiveNode, path: str) -> bool:
    name = directive.name.value
    if name not in (GraphQLIncludeDirective.name, GraphQLSkipDirective.name):
        raise HasuraError("validation-failed", f"directive '{name}' is not defined in the schema", path)
    given = read_arguments(operation, _CONDITION, directive.arguments or (), name, path)
    return bool(given["if"]) is (name == GraphQLIncludeDirective.name)


_CONDITION = {
    "if": GraphQLArgument(GraphQLNonNull(GraphQLBoolean), extensions={"nullable": False, "reader": read_boolean})
}


def _require_mergeable(known: list[FieldNode], node: FieldNode, key: str, path: str) -> None:
    if not known:
        return
    first = known[0]
    if first.name.value != node.name.value:
        message = (
            f"selection of both '{first.name.value}' and '{node.name.value}' specify the same response name, '{key}'"
        )
        raise HasuraError("validation-failed", message, path)
    if _argument_values(first) != _argument_values(node):
        message = f"inconsistent arguments between multiple selections of field '{first.name.value}'"
        raise HasuraError("validation-failed", message, path)


def _argument_values(node: FieldNode) -> dict[str, Any]:
    return {argument.name.value: argument.value for argument in node.arguments or ()}


def _check_field(
    schema: GraphQLSchema,
    operation: Operation,
    key: str,
    nodes: list[FieldNode],
    parent: GraphQLObjectType,
    path: str,
) -> Field:
    name = nodes[0].name.value
    path = f"{path}.{name}"
    if name == TYPENAME:
        return Field(key, name, parent.name, None, {}, [], path, nodes)
    definition = _definition(schema, parent, name)
    if definition is None:
        if parent is schema.subscription_type and name.removesuffix("_stream") in parent.fields:
            raise HasuraError("not-supported", f"'{name}': streaming subscriptions are not emulated", path)
        raise HasuraError("validation-failed", f"field '{name}' not found in type: '{parent.name}'", path)
    selection_sets = [node.selection_set for node in nodes if node.selection_set]
    named = get_named_type(definition.type)
    type_ = named if isinstance(named, GraphQLObjectType) else None
    if selection_sets and type_ is None:
        raise HasuraError("validation-failed", "unexpected subselection set for non-object field", path)
    arguments = _arguments(operation, definition, nodes[0], parent, path)
    selection = _check(schema, operation, selection_sets, type_, path) if type_ else []
    return Field(key, name, parent.name, definition, arguments, selection, path, nodes)


def _definition(schema: GraphQLSchema, parent: GraphQLObjectType, name: str) -> GraphQLField | None:
    introspection = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef} if parent is schema.query_type else {}
    definition: GraphQLField | None = introspection.get(name) or parent.fields.get(name)
    return definition


def _arguments(
    operation: Operation, definition: GraphQLField, node: FieldNode, parent: GraphQLObjectType, path: str
) -> dict[str, Any]:
    name = node.name.value
    if parent.name.startswith("__") or name.startswith("__"):
        return {}  # graphql-core reads the arguments of introspection itself.
    return read_arguments(operation, definition.args, node.arguments or (), name, path)
