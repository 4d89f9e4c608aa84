"""What a run will do, as data: who writes which posts when, what becomes of them, and what strikes the stack meanwhile.

Times are seconds after the storm's beginning. What the machine makes of them, down to the millisecond at which a signal
strikes, is not repeatable, and need not be: the verdict must be the same.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Act:
    """What an author does with a post: ``edit``, ``move``, ``postpone`` (to tomorrow), ``backdate`` or ``delete``.

    `to` is the new time of a move.
    """

    at: float
    kind: str
    to: float = 0.0


@dataclass(frozen=True)
class PlannedPost:
    """One post that an author asks for. `create_at` is None for those created before the storm.

    `mark` is no other post's. `opening` begins each of its texts: its mark, or the opening of another post of the same
    author, whose text it repeats.
    """

    mark: str
    opening: str
    author: str
    tail: str
    due: float
    create_at: float | None
    when_late: str
    has_key: bool
    creates: int
    acts: tuple[Act, ...]

    def text(self, revision: int) -> str:
        """Its text after so many edits."""
        return f"{self.opening} {self.tail}" + (f", revision {revision}" if revision else "")


@dataclass(frozen=True)
class Blow:
    """What is done to the stack: `kind` is a method of chaos.blows.Blows, `options` its arguments."""

    at: float
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """All of a run, in no particular order."""

    storm_seconds: float
    authors: tuple[str, ...]
    posts: tuple[PlannedPost, ...]
    blows: tuple[Blow, ...]
