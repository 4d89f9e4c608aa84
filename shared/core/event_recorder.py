"""Writes down which scheduled event a new post has, while its author has the answer already."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared import log
from shared.core.event_store import EventStore
from shared.limits import MAX_UNRECORDED_EVENTS
from shared.log import LogEvent


@dataclass(frozen=True)
class CreatedEvent:
    """A scheduled event that was created for a post."""

    post_id: int
    id: str
    at: datetime


class EventRecorder:
    """Writes the ids of events on their posts, best effort: a post that has another event by now is left alone.

    One thread of its own does it, and logs nothing, because Azure drops the lines of such threads: the next call logs
    what went wrong. What does not fit into MAX_UNRECORDED_EVENTS is done in the caller's thread, and so is all of it
    while no thread can be started.
    """

    def __init__(self) -> None:
        self._work: queue.Queue[Callable[[], None]] = queue.Queue(MAX_UNRECORDED_EVENTS)
        self._failures: deque[tuple[CreatedEvent, Exception]] = deque(maxlen=MAX_UNRECORDED_EVENTS)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def record(self, event: CreatedEvent, store: EventStore) -> None:
        """Has it written down soon. Raises nothing."""

        def work() -> None:
            self._record(event, store)

        try:
            self._start()
            self._work.put_nowait(work)
        except (RuntimeError, queue.Full):  # the system has no thread left, or ours has too much to do
            work()
        self._log_failures()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._do_all, name="event recorder", daemon=True)
                thread.start()
                self._thread = thread

    def _do_all(self) -> None:
        while True:
            self._work.get()()

    def _record(self, event: CreatedEvent, store: EventStore) -> None:
        try:
            store.record_event(event.post_id, event.id, event.at, instead_of=None)
        except Exception as error:  # whatever it is, the next event is recorded
            self._failures.append((event, error))

    def _log_failures(self) -> None:
        while self._failures:
            event, error = self._failures.popleft()
            log.warning(
                LogEvent.EVENT_NOT_RECORDED,
                f"post {event.post_id}: its event is set, but not written down: {error}",
                post_id=event.post_id,
                event_id=event.id,
            )
