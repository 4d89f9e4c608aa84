"""The running invocations: what a function learns of its own, and which log records belong to one.

Azure keeps a log record of the app when it carries the id of a running invocation, and drops it otherwise. The Python
worker takes the id of the current task, or else of the current thread; the host ignores the id of an ended invocation.
"""

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_HOST_LOGGERS = ("functions", "local", "aiohttp.server", "aiohttp.web", "asyncio")
"""What this host logs itself, beside the app. All other loggers are the app's."""

_SYSTEM_LOGGERS = ("azure.functions", "azure_functions_worker")
"""What the libraries of the worker log; the host does not show it to the user."""

_log = logging.getLogger("functions")


@dataclass(frozen=True)
class TraceContext:
    """The caller's W3C trace context; empty texts when it sent none."""

    trace_parent: str
    trace_state: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InvocationContext:
    """The parameter ``context`` of a function. There is no retry context: the host does not retry HTTP triggers."""

    invocation_id: str
    function_name: str
    function_directory: str
    trace_context: TraceContext
    thread_local_storage: threading.local
    retry_context: None = None


class Invocations(logging.Filter):
    """As a filter of the log handler, it drops what Azure drops and adds the invocation id to what the app logs.

    A line that is a JSON object, as Application Insights reads it, is shown as a sentence with its fields.
    A thread that a function started has no id, unless it sets ``context.thread_local_storage.invocation_id`` itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thread_local_storage = threading.local()
        self._id_of_task: ContextVar[str | None] = ContextVar("invocation_id", default=None)
        self._running: set[str] = set()
        self._dropped: deque[tuple[str, str]] = deque()

    @contextmanager
    def running(self, invocation_id: str) -> Iterator[None]:
        """The current thread, or the current task on an event loop, runs this invocation until the block ends."""
        self._running.add(invocation_id)
        in_task = _is_on_event_loop()
        token = self._id_of_task.set(invocation_id if in_task else None)
        self.thread_local_storage.invocation_id = invocation_id
        try:
            yield
        finally:
            self._running.discard(invocation_id)
            self._id_of_task.reset(token)
            if not in_task:
                self.thread_local_storage.invocation_id = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        if _is_of(_HOST_LOGGERS, record):
            return True
        if record.name.startswith(_SYSTEM_LOGGERS):
            return False
        invocation_id = self._current_id()
        if invocation_id not in self._running:
            self._dropped.append((record.name, record.threadName or "?"))
            return False
        record.msg, record.args = f"[{invocation_id}] {_for_people(record.getMessage(), invocation_id)}", None
        return True

    def report_dropped(self, function_name: str) -> None:
        """Logs how many records were dropped since the last report, and where they were logged; not what they said."""
        dropped = [self._dropped.popleft() for _ in range(len(self._dropped))]
        if dropped:
            places = ", ".join(f"logger {name} in thread {thread}" for name, thread in sorted(set(dropped)))
            _log.warning(
                "%s: %d log %s without the id of a running invocation %s dropped, as Azure drops them (%s)",
                function_name, len(dropped), *(("record", "is") if len(dropped) == 1 else ("records", "are")), places,
            )  # fmt: skip

    def _current_id(self) -> str | None:
        of_thread: str | None = getattr(self.thread_local_storage, "invocation_id", None)
        return (self._id_of_task.get() or of_thread) if _is_on_event_loop() else of_thread


def _for_people(line: str, invocation_id: str) -> str:
    """Of a JSON object with a ``message``: that sentence, and then the other fields. Any other line stays as it is."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(fields, dict) or not isinstance(fields.get("message"), str):
        return line
    message, traceback = fields.pop("message"), fields.pop("traceback", None)
    if fields.get("invocation_id") == invocation_id:
        del fields["invocation_id"]
    details = ", ".join(f"{name} {value}" for name, value in fields.items())
    return "\n".join(part for part in (f"{message}  ({details})" if details else message, traceback) if part)


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _is_of(loggers: tuple[str, ...], record: logging.LogRecord) -> bool:
    return any(f"{record.name}.".startswith(f"{name}.") for name in loggers)
