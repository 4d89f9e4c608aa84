"""The port to the scheduled events, and the time for which one is set. Creating and delivering a post share both."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

Row = dict[str, Any]
"""A JSON object, as Hasura takes and answers it; createPost hands a stored one on as it is."""


class EventStore(Protocol):
    """Where the scheduled events are. Everything may raise a Problem."""

    early: timedelta
    """How long before its post is due an event is set."""

    def create_event(self, at: datetime, payload: Mapping[str, Any]) -> Row:
        """Has the webhook called at that time; answers what Hasura says of the event: ``event_id`` among it."""

    def delete_event(self, event_id: str) -> None:
        """Takes a scheduled event back; one that is gone already is no error."""

    def forget_event(self, post_id: int, event_id: str) -> None:
        """Takes the event off its post, unless the post has another one by now."""

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        """Writes the event down on its post; False when the post has another event than `instead_of` by now."""


def event_time(due_at: datetime, store: EventStore) -> datetime:
    """The time for which the event of a post is set that is due at `due_at`: its delivery waits for the post."""
    return due_at - store.early
