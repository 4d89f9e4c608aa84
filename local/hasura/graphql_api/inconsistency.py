"""Metadata that the database, or this emulation, cannot honour."""

from typing import Any

from local.hasura.metadata_directory import says_something


class Inconsistency(Exception):
    """Why a part of the metadata is left out, as a sentence without its subject."""


def refuse_unknown_keys(definition: dict[str, Any], known: set[str]) -> None:
    """Raises Inconsistency when the definition asks for something that is not emulated."""
    for key, value in definition.items():
        if key not in known and says_something(value):
            raise Inconsistency(f"{key} is not emulated")
