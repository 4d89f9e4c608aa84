"""JSON as its standard has it; Python's own reader takes more."""

import json
from typing import Any, NoReturn


def parsed_json(text: str | bytes) -> Any:
    """The value. Raises ValueError, for NaN and the infinities too, and for what is nested too deeply."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
