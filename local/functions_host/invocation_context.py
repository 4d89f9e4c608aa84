"""What a function learns of its own call through a parameter named ``context``."""

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TraceContext:
    """The caller's W3C trace context; empty texts when it sent none."""

    trace_parent: str
    trace_state: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InvocationContext:
    """One call. There is no retry context: HTTP triggers are not retried by the host."""

    invocation_id: str
    function_name: str
    function_directory: str
    trace_context: TraceContext
    thread_local_storage: threading.local
    retry_context: None = None
