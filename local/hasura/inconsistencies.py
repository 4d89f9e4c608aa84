"""Inconsistent metadata: parts that the database or the environment does not have, or that are not emulated.

Hasura leaves such an object out of its schema and goes on with the rest (Hasura's docs, Resolving Metadata
Inconsistencies).
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


class Inconsistency(Exception):
    """Why a part of the metadata is left out, as a sentence without its subject."""


@dataclass(frozen=True)
class InconsistentObject:
    """An object that is left out. `type` is Hasura's word for its kind; `name` names it, its kind included."""

    type: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"

    def as_json(self) -> dict[str, str]:
        """As ``get_inconsistent_metadata`` lists it, without its definition."""
        return {"type": self.type, "name": self.name, "reason": f"Inconsistent object: {self.reason}"}


def log_inconsistent(found: Iterable[InconsistentObject]) -> None:
    """One warning for each."""
    for one in found:
        log.warning("inconsistent metadata: %s", one)


def refuse_unknown_keys(definition: Mapping[str, Any], known: set[str]) -> None:
    """Raises Inconsistency when the definition has a key that is not emulated, with any content."""
    for key, value in definition.items():
        if key not in known and has_content(value):
            raise Inconsistency(f"{key} is not emulated")


def has_content(content: Any) -> bool:
    """Whether anything is configured; the CLI writes ``{column_config: {}}`` where nothing is."""
    if isinstance(content, Mapping):
        return any(has_content(value) for value in content.values())
    return bool(content)
