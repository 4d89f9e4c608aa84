"""What a root field of the schema does: carried by its GraphQL definition, read when a request is executed."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from graphql import GraphQLArgument, GraphQLField, GraphQLOutputType

if TYPE_CHECKING:
    from local.hasura.graphql_api.functions import TrackedFunction
    from local.hasura.graphql_api.metadata import Table


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
    table: "Table"


@dataclass(frozen=True)
class FunctionField:
    function: "TrackedFunction"
    is_aggregate: bool


@dataclass(frozen=True)
class FixedText:
    """Answers with a text of its own."""

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
    """The RootField of a definition; None for GraphQL's own fields, such as ``__schema``."""
    return definition.extensions.get("root_field")
