"""What an author asked for and was promised, post by post: what the verdict compares with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from chaos.plan import PlannedPost

T = TypeVar("T")


@dataclass(frozen=True)
class Said(Generic[T]):
    """A text or a time that an author gave a post.

    The database took it when the post's log had entries up to `after_attempt`, so that every later one must know it.
    `is_sure` is False when no answer came: it may have been taken or not, at any time.
    """

    value: T
    after_attempt: int = 0
    is_sure: bool = True


@dataclass
class Asked:
    """One post as its author knows it. `created` and `deleted` are ``no``, ``yes`` or ``perhaps`` (no answer came)."""

    plan: PlannedPost
    post_id: int | None = None
    created: str = "no"
    texts: list[Said[str]] = field(default_factory=list)
    times: list[Said[datetime]] = field(default_factory=list)
    deleted: str = "no"
    deleted_when: str = ""
    """The state in which it was deleted."""
    was_backdated: bool = False
    """Whether its author moved it to a time that is too late for a post."""

    def texts_at(self, attempt: int) -> set[str]:
        """The texts that this attempt may have sent."""
        return _known_at(attempt, self.texts)

    def times_at(self, attempt: int) -> set[datetime]:
        """The times that this attempt may have waited for."""
        return _known_at(attempt, self.times)


def _known_at(attempt: int, said: list[Said[T]]) -> set[T]:
    """The last that the attempt must know, and what came after it without an answer."""
    last = max(index for index, one in enumerate(said) if one.is_sure and one.after_attempt < attempt)
    return {said[last].value} | {one.value for one in said[last:] if not one.is_sure}
