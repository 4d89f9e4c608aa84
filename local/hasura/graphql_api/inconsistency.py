"""Metadata that the database, or this emulation, cannot honour."""

from typing import Any


class Inconsistency(Exception):
    """Why a part of the metadata is left out, as a sentence without its subject."""


def refuse_unknown_keys(definition: dict[str, Any], known: set[str]) -> None:
    """Raises Inconsistency when the definition asks for something that is not emulated."""
    for key, value in definition.items():
        if key not in known and not _is_empty(value):
            raise Inconsistency(f"{key} is not emulated")


def _is_empty(value: Any) -> bool:
    """``hasura metadata export`` writes ``{column_config: {}}`` where nothing was configured."""
    if isinstance(value, dict):
        return all(_is_empty(each) for each in value.values())
    return value in (None, False, [], "")
