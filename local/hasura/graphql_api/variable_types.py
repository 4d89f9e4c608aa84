"""Whether a variable may stand where it stands (GraphQL specification, "All Variable Usages Are Allowed")."""

from typing import Any

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    ListTypeNode,
    NonNullTypeNode,
    NullValueNode,
    VariableDefinitionNode,
)

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.request import declared_type


def require_usable(variable: VariableDefinitionNode, location: Any, location_has_default: bool, path: str) -> None:
    """Raises validation-failed unless a variable of its declared type fits the GraphQL type `location`."""
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
