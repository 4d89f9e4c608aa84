"""``__schema`` and ``__type``, which graphql-core answers from the role's schema."""

from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, SelectionSetNode, execute_sync

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.request import Operation, used_variables
from local.hasura.graphql_api.selection import Field


def introspect(schema: GraphQLSchema, operation: Operation, field: Field) -> Any:
    """The answer to one of the two root fields. Raises validation-failed when its arguments are wrong."""
    selection_set = SelectionSetNode(selections=tuple(field.nodes))
    used = used_variables(operation, selection_set)
    definition = OperationDefinitionNode(
        operation=operation.kind,
        name=None,
        variable_definitions=tuple(operation.variables[name] for name in used),
        directives=(),
        selection_set=selection_set,
    )
    document = DocumentNode(definitions=(definition, *operation.fragments.values()))
    result = execute_sync(schema, document, variable_values={name: operation.values.get(name) for name in used})
    if result.errors:
        raise HasuraError("validation-failed", result.errors[0].message, field.path)
    return (result.data or {}).get(field.key)
