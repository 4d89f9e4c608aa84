"""Writes down which scheduled event a new post has, while its author has the answer already."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared import log
from shared.core.model import EventStore
from shared.limits import EVENTS_TO_KEEP
from shared.log import LogEvent


@dataclass(frozen=True)
class SetEvent:
    """A scheduled event that was set for a post."""

    post_id: int
    id: str
    at: datetime


class EventKeeper:
    """Keeps events on their posts, best effort: a post that has another event by now is left alone.

    One thread of its own does it, and logs nothing, because Azure drops the lines of such threads: the next call logs
    what went wrong. What does not fit into EVENTS_TO_KEEP is done in the caller's thread, and so is all of it while no
    thread can be started.
    """

    def __init__(self) -> None:
        self._work: queue.Queue[Callable[[], None]] = queue.Queue(EVENTS_TO_KEEP)
        self._failures: deque[tuple[SetEvent, Exception]] = deque(maxlen=EVENTS_TO_KEEP)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def keep(self, event: SetEvent, store: EventStore) -> None:
        """Has it written down soon. Raises nothing."""

        def work() -> None:
            self._keep(event, store)

        try:
            self._start()
            self._work.put_nowait(work)
        except (RuntimeError, queue.Full):  # the system has no thread left, or ours has too much to do
            work()
        self._log_failures()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._do_all, name="event keeper", daemon=True)
                thread.start()
                self._thread = thread

    def _do_all(self) -> None:
        while True:
            self._work.get()()

    def _keep(self, event: SetEvent, store: EventStore) -> None:
        try:
            store.keep_event(event.post_id, event.id, event.at, instead_of=None)
        except Exception as error:  # whatever it is, the next event is kept
            self._failures.append((event, error))

    def _log_failures(self) -> None:
        while self._failures:
            event, error = self._failures.popleft()
            log.warning(
                LogEvent.EVENT_NOT_KEPT,
                f"post {event.post_id}: its event is set, but not written down: {error}",
                post_id=event.post_id,
                event_id=event.id,
            )
