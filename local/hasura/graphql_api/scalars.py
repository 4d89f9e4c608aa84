"""PostgreSQL's types in GraphQL: the names of the scalars, the values that they take, and their comparison operators.

A JSON value becomes PostgreSQL's input text; the database alone decides whether the text is valid. Names and rules are
Hasura's (its docs, "Postgres: Data Types" and "Filter Based on Operators"), messages are those of its JSON parser.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Any, LiteralString

from psycopg import sql

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.postgres_catalog import PgType
from local.hasura.json_arguments import json_type

TEXT = PgType("pg_catalog", "text")
BIGINT = PgType("pg_catalog", "int8")
JSON = PgType("pg_catalog", "json")

NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
SUMMABLE = NUMBERS | {"money"}
STRINGS = {"text", "varchar", "bpchar", "char", "citext"}

_GRAPHQL_NAMES = {
    "int2": "smallint",
    "int4": "Int",
    "int8": "bigint",
    "float4": "Float",
    "bool": "Boolean",
    "text": "String",
    "varchar": "String",
}
_INTEGERS = {"smallint": ("Int16", 16), "Int": ("Int32", 32), "bigint": ("Int64", 64)}
_FRACTIONS = {"Float": "Float", "float8": "Double", "numeric": "Scientific"}
_STRINGS = {
    "String": "Text",
    "bpchar": "Text",
    "citext": "Text",
    "uuid": "UUID",
    "date": "Day",
    "timestamptz": "UTCTime",
    "timestamp": "LocalTime",
    "timetz": "ZonedTimeOfDay",
    "time": "TimeOfDay",
}
_LEGAL_NAME = re.compile("[_A-Za-z][_A-Za-z0-9]*")


def scalar_name(type_: PgType) -> str:
    """The GraphQL name of a type: ``text`` is String, ``int8`` is bigint; most keep their name in the catalog."""
    return _GRAPHQL_NAMES.get(type_.name, type_.name)


def is_legal_name(name: str) -> bool:
    """Whether `name` is a name in GraphQL; Hasura's schema leaves out everything that has none."""
    return bool(_LEGAL_NAME.fullmatch(name)) and not name.startswith("__")


def is_comparable(type_: PgType) -> bool:
    """Whether Hasura offers ``min`` and ``max`` of the type."""
    return type_.name not in {"bool", "json", "jsonb"} and not type_.name.startswith("_")


def text_for(scalar: str, value: Any, path: str) -> str:
    """The input text of a JSON value, which is not null, for the GraphQL scalar of a column.

    Any string passes as it is. Raises parse-failed at `path` when the JSON type cannot be a value of the scalar.
    """
    if scalar in ("json", "jsonb"):
        return json.dumps(value, default=float)
    if isinstance(value, str):
        return value
    try:
        return _text_of_no_string(scalar, value)
    except _Mismatch as mismatch:
        raise HasuraError("parse-failed", str(mismatch), path) from None


class _Mismatch(Exception):
    pass


def _text_of_no_string(scalar: str, value: Any) -> str:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if scalar in _INTEGERS:
        reader, bits = _INTEGERS[scalar]
        if not is_number:
            raise _Mismatch(_unexpected(reader, "Number", value))
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) or value != int(value):
            message = f"parsing {reader} failed, value is either floating or will cause over or underflow {value}"
            raise _Mismatch(message)
        return str(int(value))
    if scalar in _FRACTIONS:
        if not is_number:
            raise _Mismatch(_unexpected(_FRACTIONS[scalar], "Number", value))
        return str(value)
    if scalar == "Boolean":
        if not isinstance(value, bool):
            raise _Mismatch(_unexpected("Bool", "Boolean", value))
        return "true" if value else "false"
    if scalar in _STRINGS:
        raise _Mismatch(_unexpected(_STRINGS[scalar], "String", value))
    raise _Mismatch(f"A string is expected for type: {scalar}")


def _unexpected(reader: str, expected: str, value: Any) -> str:
    return f"parsing {reader} failed, expected {expected}, but encountered {json_type(value)}"


class Operand(Enum):
    """The type of an operator's right side, given the column's type."""

    SAME = auto()
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
