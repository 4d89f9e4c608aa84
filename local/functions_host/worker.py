"""Calls functions as Azure's Python worker does: ``def`` in a pool of threads, ``async def`` on the one loop."""

import asyncio
import inspect
import logging
import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import azure.functions as func

from local.functions_host.function_app import Function
from local.functions_host.invocation_context import InvocationContext, TraceContext
from local.functions_host.loading import LoadError, load, open_app_package

_log = logging.getLogger("functions")


class Worker:
    """The loaded functions of one app."""

    def __init__(self, root: Path) -> None:
        self._entry_points: dict[str, Callable[..., Any]] = {}
        self._failures: dict[str, BaseException] = {}
        self._threads = ThreadPoolExecutor(_thread_count(), thread_name_prefix="function")
        self._thread_local_storage = threading.local()
        self._calls: set[Future[Any]] = set()
        open_app_package(root)

    def load(self, function: Function) -> None:
        """Loads one function. A failure is logged now, and met again by each call."""
        try:
            self._entry_points[function.name] = load(function)
        except (Exception, SystemExit) as error:
            self._failures[function.name] = error
            _log.error("%s cannot be loaded, so it answers 500", function.name, exc_info=error)

    async def call(self, function: Function, request: func.HttpRequest) -> Any:
        """What the function returns for the request. Raises what it raises; LoadError when it is not loaded."""
        if failure := self._failures.get(function.name):
            raise LoadError(f"it could not be loaded: {type(failure).__name__}: {failure}")
        entry_point = self._entry_points[function.name]
        context = self._context(function, request)
        arguments: dict[str, Any] = {function.parameter: request}
        if "context" in inspect.signature(entry_point).parameters:
            arguments["context"] = context
        if inspect.iscoroutinefunction(entry_point):
            self._thread_local_storage.invocation_id = context.invocation_id
            return await entry_point(**arguments)
        return await self._call_in_thread(entry_point, arguments, context.invocation_id)

    def abandon_running_calls(self) -> None:
        """Ends the process when calls outlasted the shutdown: a thread cannot be stopped, and would be waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._calls:
            _log.warning("%d calls did not end in time and are abandoned", len(self._calls))
            logging.shutdown()
            os._exit(0)

    def _context(self, function: Function, request: func.HttpRequest) -> InvocationContext:
        return InvocationContext(
            invocation_id=str(uuid.uuid4()),
            function_name=function.name,
            function_directory=str(function.script.parent),
            trace_context=TraceContext(request.headers.get("traceparent", ""), request.headers.get("tracestate", "")),
            thread_local_storage=self._thread_local_storage,
        )

    async def _call_in_thread(
        self, entry_point: Callable[..., Any], arguments: dict[str, Any], invocation_id: str
    ) -> Any:
        def call() -> Any:
            self._thread_local_storage.invocation_id = invocation_id
            return entry_point(**arguments)

        future = self._threads.submit(call)
        self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        return await asyncio.wrap_future(future)


def _thread_count() -> int | None:
    """PYTHON_THREADPOOL_THREAD_COUNT; None is Python's own default, min(32, cores + 4), as in the worker."""
    wanted = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    if not wanted:
        return None
    if not wanted.isdecimal() or int(wanted) < 1:
        _log.warning("PYTHON_THREADPOOL_THREAD_COUNT is not a number above 0, so the default stands")
        return None
    return int(wanted)
