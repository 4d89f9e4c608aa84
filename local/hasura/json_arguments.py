"""Parsers for the arguments of a metadata call, with the messages of Hasura's own JSON parser.

A parser takes a value and its JSON path. It returns the parsed value, or raises HasuraError ``parse-failed``.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from local.hasura.errors import HasuraError

T = TypeVar("T")
Parser = Callable[[Any, str], T]


def required(arguments: Mapping[str, Any], key: str, parser: Parser[T], path: str) -> T:
    """The parsed value of a required key."""
    if key not in arguments:
        raise parse_failed(f'key "{key}" not found', path)
    return parser(arguments[key], f"{path}.{key}")


def optional(arguments: Mapping[str, Any], key: str, parser: Parser[T], path: str) -> T | None:
    """The parsed value of a key, or None when it is missing or null."""
    if arguments.get(key) is None:
        return None
    return parser(arguments[key], f"{path}.{key}")


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """A JSON object."""
    return _expect(value, dict, "Object", "Object", path)


def text(value: Any, path: str) -> str:
    """A JSON string."""
    return _expect(value, str, "Text", "String", path)


def boolean(value: Any, path: str) -> bool:
    """A JSON boolean."""
    return _expect(value, bool, "Bool", "Boolean", path)


def anything(value: Any, path: str) -> Any:  # noqa: ARG001 - a parser like the others
    """Any JSON value."""
    return value


def number(value: Any, path: str) -> int | float:
    """A JSON number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unexpected(value, "Number", "Number", path)
    if value < 0:
        raise parse_failed("value cannot be negative", path)
    return value


def count(value: Any, path: str) -> int:
    """A JSON number that is whole and not negative."""
    found = number(value, path)
    if found != int(found):
        raise parse_failed(f"parsing Int failed, expected an integer, but encountered {value}", path)
    return int(found)


def list_of(parser: Parser[T]) -> Parser[list[T]]:
    """A JSON array whose elements `parser` takes."""

    def parse(value: Any, path: str) -> list[T]:
        elements = _expect(value, list, "[]", "Array", path)
        return [parser(element, f"{path}[{index}]") for index, element in enumerate(elements)]

    return parse


def one_of(*words: str) -> Parser[str]:
    """One of the words of an enumeration."""

    def parse(value: Any, path: str) -> str:
        word = text(value, path)
        if word not in words:
            raise parse_failed(f"expected one of {', '.join(words)}, but encountered {word!r}", path)
        return word

    return parse


def parse_failed(message: str, path: str) -> HasuraError:
    """The error for a value that Hasura cannot parse."""
    return HasuraError("parse-failed", message, path)


def json_type(value: Any) -> str:
    """The name of a value's type in Hasura's JSON parser; a Decimal is a number from a GraphQL literal."""
    match value:
        case None:
            return "Null"
        case bool():
            return "Boolean"
        case int() | float() | Decimal():
            return "Number"
        case str():
            return "String"
        case list():
            return "Array"
        case _:
            return "Object"


def _expect(value: Any, kind: type[T], name: str, expected: str, path: str) -> T:
    if not isinstance(value, kind):
        raise _unexpected(value, name, expected, path)
    return value


def _unexpected(value: Any, name: str, expected: str, path: str) -> HasuraError:
    return parse_failed(f"parsing {name} failed, expected {expected}, but encountered {json_type(value)}", path)
