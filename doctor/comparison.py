"""Objects with their parts, as they should be and as they are."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Objects = Mapping[str, Mapping[str, Any]]
"""By name, e.g. ``table account``, its parts by name, e.g. ``column id``."""


def differences(
    expected: Objects, actual: Objects, is_same: Callable[[Any, Any], bool] = operator.eq
) -> Iterator[tuple[str, str]]:
    """Each expected object that is missing or has a part missing or otherwise; and a sentence that says which."""
    for name, parts in expected.items():
        if name not in actual:
            yield name, "It is missing."
            continue
        missing = [part for part in parts if part not in actual[name]]
        other = [
            _other(part, value, actual[name][part])
            for part, value in parts.items()
            if part in actual[name] and not is_same(value, actual[name][part])
        ]
        wrong = [f"it has no {', '.join(missing)}"] * bool(missing) + other
        if wrong:
            yield name, f"It is not as it should be: {'; '.join(wrong)}."


def additional_parts(expected: Objects, actual: Objects) -> dict[str, list[str]]:
    """By object, what it has besides the expected parts."""
    additional = {name: sorted(actual.get(name, {}).keys() - parts.keys()) for name, parts in expected.items()}
    return {name: parts for name, parts in additional.items() if parts}


def _other(part: str, expected: Any, actual: Any) -> str:
    if isinstance(expected, str) and isinstance(actual, str):
        return f'its {part} is "{actual}" instead of "{expected}"'
    return f"its {part} is another"
