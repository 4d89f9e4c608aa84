"""What the metadata means for the database: tables, relationships, conditions, permissions, tracked functions.

These classes are one module because they refer to each other: a table has permissions, a permission has a condition,
a condition may follow a relationship, and a relationship leads to a table. ``metadata`` and ``permissions`` read them;
``statement``, ``select`` and ``mutations`` turn them into SQL.
"""

from dataclasses import dataclass, field
from functools import cached_property

from local.hasura.graphql_api.postgres_catalog import Column, Function, FunctionArgument, QualifiedName, Relation
from local.hasura.graphql_api.scalars import Operator, is_legal_name, scalar_name
from local.hasura.session import ADMIN


@dataclass(eq=False)
class Table:
    """A tracked table or view."""

    relation: Relation
    relationships: dict[str, "Relationship"] = field(default_factory=dict)
    permissions: dict[str, "Permissions"] = field(default_factory=dict)

    @property
    def name(self) -> QualifiedName:
        return self.relation.name

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns whose names and types are legal names in GraphQL."""
        return {
            column.name: column
            for column in self.relation.columns.values()
            if is_legal_name(column.name) and is_legal_name(scalar_name(column.type))
        }

    def permissions_of(self, role: str) -> "Permissions":
        """The permissions of a role; a role that has none gets an empty set."""
        return self.permissions.get(role, Permissions())


@dataclass(frozen=True, eq=False)
class Relationship:
    name: str
    remote: Table
    columns: dict[str, str]
    """Column of the table -> column of the remote table."""
    is_list: bool
    is_held_here: bool
    """Whether the foreign key is on this side, so that the remote row must be inserted first."""


@dataclass(frozen=True)
class SessionVariable:
    """A value that a permission takes from the session: ``X-Hasura-User-Id``, in lower case."""

    name: str


Value = str | list[str] | None | SessionVariable
"""PostgreSQL's input text, a list of such texts, null, or a variable of the session."""


@dataclass(frozen=True)
class And:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


@dataclass(frozen=True)
class Compare:
    column: Column
    operator: Operator
    value: Value
    as_text: bool = False
    """Compares ``column::text``."""


@dataclass(frozen=True)
class CompareColumns:
    column: Column
    operator: Operator
    other: Column
    other_is_of_root: bool


@dataclass(frozen=True)
class IsNull:
    column: Column
    expected: bool


@dataclass(frozen=True)
class Related:
    """True when a row on the other side of the relationship meets the condition."""

    relationship: Relationship
    where: "Condition"


@dataclass(frozen=True)
class Exists:
    """True when any row of the table meets the condition."""

    table: Table
    where: "Condition"


Condition = And | Or | Not | Compare | CompareColumns | IsNull | Related | Exists
"""A boolean expression on a row. Permissions and the ``where`` of requests are both conditions, so And joins them."""

TRUE = And(())


@dataclass(frozen=True)
class SelectPermission:
    columns: list[str]
    filter: Condition = TRUE
    limit: int | None = None
    allow_aggregations: bool = False


@dataclass(frozen=True)
class InsertPermission:
    columns: list[str]
    """The columns that a request may give; preset ones are not among them."""
    check: Condition = TRUE
    presets: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class UpdatePermission:
    columns: list[str]
    """The columns that a request may give; preset ones are not among them."""
    filter: Condition = TRUE
    check: Condition = TRUE
    presets: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class DeletePermission:
    filter: Condition = TRUE


@dataclass(frozen=True)
class Permissions:
    """What one role may do with one table. None: the role may not do it."""

    select: SelectPermission | None = None
    insert: InsertPermission | None = None
    update: UpdatePermission | None = None
    delete: DeletePermission | None = None


@dataclass(frozen=True)
class TrackedFunction:
    function: Function
    table: Table
    """The table whose rows it returns."""
    is_mutation: bool
    field_name: str
    aggregate_name: str
    arguments_type: str
    session_argument: str | None
    roles: frozenset[str]
    """The roles of its own permissions; the admin needs none."""
    comment: str | None

    @property
    def named_arguments(self) -> list[tuple[str, FunctionArgument]]:
        """Each argument with its GraphQL name. Nameless ones are ``arg_1``, ``arg_2`` ..."""
        nameless = 0
        named = []
        for argument in self.function.arguments:
            nameless += argument.name is None
            named.append((argument.name or f"arg_{nameless}", argument))
        return named

    @property
    def request_arguments(self) -> list[tuple[str, FunctionArgument]]:
        """The arguments that a request may give: all but the session argument."""
        return [(name, each) for name, each in self.named_arguments if not self.is_session_argument(each)]

    def is_session_argument(self, argument: FunctionArgument) -> bool:
        return argument.name is not None and argument.name == self.session_argument

    def is_allowed(self, role: str) -> bool:
        """Queries need no permission of their own beside the table's; mutations always do."""
        if role == ADMIN or role in self.roles:
            return True
        return not self.is_mutation and self.table.permissions_of(role).select is not None


@dataclass(frozen=True)
class Source:
    """The tracked tables and functions of the database."""

    tables: dict[QualifiedName, Table]
    functions: list[TrackedFunction]

    @property
    def roles(self) -> set[str]:
        return {ADMIN, *(role for table in self.tables.values() for role in table.permissions)}
