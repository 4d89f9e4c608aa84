"""The comparison operators of Hasura's boolean expressions (its docs, "Postgres: Filter Based on Operators")."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import LiteralString

from psycopg import sql

from local.hasura.graphql_api.postgres_catalog import PgType
from local.hasura.graphql_api.scalars import STRINGS


class Operand(Enum):
    """What stands on the right of an operator."""

    SAME = auto()
    """A value of the column's type."""
    SAME_LIST = auto()
    TEXT = auto()
    TEXT_LIST = auto()


@dataclass(frozen=True)
class Operator:
    name: str
    operand: Operand
    template: sql.SQL
    """Takes the left and the right side, in this order."""


def operators_of(type_: PgType) -> dict[str, Operator]:
    """The operators that a column of the type has, by name. ``_is_null`` and ``_cast`` are not among them."""
    if type_.name in STRINGS:
        return _COMPARISONS | _PATTERNS
    if type_.name == "jsonb":
        return _COMPARISONS | _CONTAINMENT | _KEYS
    if type_.name.startswith("_"):
        return _COMPARISONS | _CONTAINMENT
    return _COMPARISONS


def _table(operand: Operand, templates: dict[str, LiteralString]) -> dict[str, Operator]:
    return {name: Operator(name, operand, sql.SQL(template)) for name, template in templates.items()}


_COMPARISONS = _table(
    Operand.SAME,
    {"_eq": "{} = {}", "_neq": "{} <> {}", "_gt": "{} > {}", "_gte": "{} >= {}", "_lt": "{} < {}", "_lte": "{} <= {}"},
) | _table(Operand.SAME_LIST, {"_in": "{} = any ({})", "_nin": "not {} = any ({})"})

_PATTERNS = _table(
    Operand.SAME,
    {
        "_like": "{} like {}",
        "_nlike": "{} not like {}",
        "_ilike": "{} ilike {}",
        "_nilike": "{} not ilike {}",
        "_similar": "{} similar to {}",
        "_nsimilar": "{} not similar to {}",
        "_regex": "{} ~ {}",
        "_iregex": "{} ~* {}",
        "_nregex": "{} !~ {}",
        "_niregex": "{} !~* {}",
    },
)

_CONTAINMENT = _table(Operand.SAME, {"_contains": "{} @> {}", "_contained_in": "{} <@ {}"})

_KEYS = _table(Operand.TEXT, {"_has_key": "{} ? {}"}) | _table(
    Operand.TEXT_LIST, {"_has_keys_any": "{} ?| {}", "_has_keys_all": "{} ?& {}"}
)
