"""A request's body, read up to the operation that is to run: its document, fragments and variables."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ListTypeNode,
    ListValueNode,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
)

from local.hasura.errors import HasuraError
from local.hasura.json_arguments import json_type


@dataclass(frozen=True)
class Operation:
    """The operation that is to run, its fragments, and the values of its variables."""

    definition: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, VariableDefinitionNode]
    values: dict[str, Any]
    """The values of the variables as JSON, as they were sent."""

    @property
    def kind(self) -> OperationType:
        return self.definition.operation

    def fragment(self, name: str) -> FragmentDefinitionNode:
        """Raises validation-failed when there is none of that name."""
        if name not in self.fragments:
            raise HasuraError("validation-failed", f'reference to undefined fragment "{name}"')
        return self.fragments[name]


def read_request(body: object) -> Operation:
    """The operation of ``{"query", "variables", "operationName"}``. Raises parse-failed and validation-failed."""
    request = _mapping(body)
    document, values = read_document(body), request.get("variables")
    if values is not None and not isinstance(values, dict):
        raise HasuraError("parse-failed", "parsing HashMap failed, expected Object", "$.variables")
    operation = _operation(document, request.get("operationName"), values or {})
    _check_variables(operation)
    return operation


def read_document(body: object) -> DocumentNode:
    """The whole document of a request. Raises parse-failed and validation-failed."""
    request = _mapping(body)
    if "query" not in request:
        extensions = request.get("extensions")
        if isinstance(extensions, dict) and "persistedQuery" in extensions:
            raise persisted_queries_are_not_supported()
        raise _unreadable('key "query" not found')
    if not isinstance(request["query"], str):
        raise HasuraError("parse-failed", "parsing Text failed, expected String", "$.query")
    return parsed(request["query"])


def persisted_queries_are_not_supported() -> HasuraError:
    """What tells Apollo's client to send the query itself from now on."""
    return HasuraError("not-supported", "PersistedQueryNotSupported")


def _mapping(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise _unreadable(f"expected Object, but encountered {json_type(body)}")
    return body


def _unreadable(reason: str) -> HasuraError:
    return HasuraError(
        "parse-failed", f"parsing Hasura.GraphQL.Transport.HTTP.Protocol.GQLReq(GQLReq) failed, {reason}"
    )


@lru_cache(maxsize=256)
def parsed(query: str) -> DocumentNode:
    """A document from its text. Raises HasuraError validation-failed."""
    try:
        return parse(query, no_location=True)
    except (GraphQLSyntaxError, RecursionError):
        raise HasuraError("validation-failed", "not a valid graphql query", "$.query") from None


def _operation(document: DocumentNode, name: Any, values: dict[str, Any]) -> Operation:
    definitions = document.definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    definition = _chosen(operations, name)
    variables: dict[str, VariableDefinitionNode] = {}
    for each in definition.variable_definitions or ():
        if each.variable.name.value in variables:
            raise HasuraError("validation-failed", f'multiple definitions for variable "{each.variable.name.value}"')
        variables[each.variable.name.value] = each
    return Operation(definition, fragments, variables, values)


def _chosen(operations: list[OperationDefinitionNode], name: Any) -> OperationDefinitionNode:
    if name is None:
        if len(operations) == 1:
            return operations[0]
        message = "exactly one operation has to be present in the document when operationName is not specified"
        raise HasuraError("validation-failed", message)
    if any(each.name is None for each in operations):
        message = "operationName cannot be used when an anonymous operation exists in the document"
        raise HasuraError("validation-failed", message)
    for each in operations:
        if each.name is not None and each.name.value == name:
            return each
    raise HasuraError("validation-failed", f'no such operation found in the document: "{name}"')


def _check_variables(operation: Operation) -> None:
    for name, definition in operation.variables.items():
        if isinstance(definition.type, NonNullTypeNode):
            if name not in operation.values and definition.default_value is None:
                raise HasuraError("validation-failed", f'expecting a value for non-nullable variable: "{name}"')
            if name in operation.values and operation.values[name] is None:
                declared = declared_type(definition.type)
                raise HasuraError("validation-failed", f'null value found for non-nullable type: "{declared}"')
    used = used_variables(operation, operation.definition.selection_set)
    for name in used:
        if name not in operation.variables:
            raise HasuraError("validation-failed", f'unbound variable "{name}"')
    unexpected = [name for name in operation.values if name not in used]
    if unexpected:
        message = f"unexpected variables in variableValues: {', '.join(unexpected)}"
        raise HasuraError("validation-failed", message)


def declared_type(type_: Any) -> str:
    """A type in GraphQL's notation: ``[uuid!]!``."""
    if isinstance(type_, NonNullTypeNode):
        return f"{declared_type(type_.type)}!"
    if isinstance(type_, ListTypeNode):
        return f"[{declared_type(type_.type)}]"
    name: str = type_.name.value
    return name


def used_variables(operation: Operation, selection_set: SelectionSetNode) -> set[str]:
    """The names of all variables in the selection set and its fragments. Raises validation-failed for bad fragments."""
    return set(_in_selection_set(operation, selection_set, ()))


def _in_selection_set(
    operation: Operation, selection_set: SelectionSetNode, open_fragments: tuple[str, ...]
) -> Iterator[str]:
    for selection in selection_set.selections:
        yield from _in_directives(selection.directives)
        match selection:
            case FieldNode():
                for argument in selection.arguments or ():
                    yield from _in_value(argument.value)
                if selection.selection_set:
                    yield from _in_selection_set(operation, selection.selection_set, open_fragments)
            case InlineFragmentNode():
                yield from _in_selection_set(operation, selection.selection_set, open_fragments)
            case FragmentSpreadNode():
                name = selection.name.value
                if name in open_fragments:
                    message = f"the fragment definition(s) {', '.join(open_fragments)} form a cycle"
                    raise HasuraError("validation-failed", message)
                fragment = operation.fragment(name)
                yield from _in_selection_set(operation, fragment.selection_set, (*open_fragments, name))


def _in_directives(directives: tuple[DirectiveNode, ...] | None) -> Iterator[str]:
    for directive in directives or ():
        for argument in directive.arguments or ():
            yield from _in_value(argument.value)


def _in_value(value: ValueNode) -> Iterator[str]:
    match value:
        case VariableNode():
            yield value.name.value
        case ListValueNode():
            for item in value.values:
                yield from _in_value(item)
        case ObjectValueNode():
            for field in value.fields:
                yield from _in_value(field.value)
