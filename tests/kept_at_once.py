"""What stands in for the event keeper where a test goes on at once."""

from shared.core.event_keeper import SetEvent
from shared.core.model import EventStore


class KeptAtOnce:
    """Writes an event down before it returns."""

    def keep(self, event: SetEvent, store: EventStore) -> None:
        store.keep_event(event.post_id, event.id, event.at, instead_of=None)
