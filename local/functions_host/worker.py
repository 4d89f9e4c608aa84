"""Loads functions and calls them, as Azure's Python worker does.

``def`` is called in a pool of threads, ``async def`` on the one event loop.
"""

import asyncio
import importlib
import inspect
import logging
import os
import sys
import types
import typing
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import azure.functions as func

from local.functions_host.function_app import Function
from local.functions_host.invocations import InvocationContext, Invocations, TraceContext

_log = logging.getLogger("functions")


class LoadError(Exception):
    """The worker would refuse to load the function; the message says why."""


class Worker:
    """The loaded functions of one app."""

    def __init__(self, root: Path, invocations: Invocations) -> None:
        self._entry_points: dict[str, Callable[..., Any]] = {}
        self._failures: dict[str, BaseException] = {}
        self._threads = ThreadPoolExecutor(_thread_count(), thread_name_prefix="function")
        self._invocations = invocations
        self._calls: set[Future[Any]] = set()
        _open_app_package(root)

    def load(self, function: Function) -> None:
        """Loads one function. A failure is logged now, and each call fails with it again."""
        try:
            self._entry_points[function.name] = _load(function)
        except (Exception, SystemExit) as error:
            self._failures[function.name] = error
            _log.error("%s cannot be loaded, so it answers 500", function.name, exc_info=error)
        self._invocations.report_dropped(function.name)

    async def call(self, function: Function, request: func.HttpRequest) -> Any:
        """What the function returns for the request. Raises what it raises; LoadError when it is not loaded."""
        if failure := self._failures.get(function.name):
            raise LoadError(f"it could not be loaded: {type(failure).__name__}: {failure}")
        entry_point = self._entry_points[function.name]
        context = self._context(function, request)
        arguments: dict[str, Any] = {function.parameter: request}
        if "context" in inspect.signature(entry_point).parameters:
            arguments["context"] = context
        try:
            if inspect.iscoroutinefunction(entry_point):
                with self._invocations.running(context.invocation_id):
                    return await entry_point(**arguments)
            return await self._call_in_thread(entry_point, arguments, context.invocation_id)
        finally:
            self._invocations.report_dropped(function.name)

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
            thread_local_storage=self._invocations.thread_local_storage,
        )

    async def _call_in_thread(
        self, entry_point: Callable[..., Any], arguments: dict[str, Any], invocation_id: str
    ) -> Any:
        def call() -> Any:
            with self._invocations.running(invocation_id):
                return entry_point(**arguments)

        future = self._threads.submit(call)
        self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        return await asyncio.wrap_future(future)


def _open_app_package(root: Path) -> None:
    """Makes the folders below `root` importable as ``__app__.FOLDER``, the name the worker gives them."""
    package = types.ModuleType("__app__")
    package.__path__ = [str(root)]
    sys.modules["__app__"] = package


def _load(function: Function) -> Callable[..., Any]:
    """The function's entry point. Raises LoadError, or whatever the import raises."""
    module_name = f"__app__.{function.name}"
    if function.script.name != "__init__.py":
        module_name += f".{function.script.stem}"
    module = importlib.import_module(module_name)
    entry_point = getattr(module, function.entry_point, None)
    if not inspect.isfunction(entry_point):
        raise LoadError(f"{function.script.name} has no function {function.entry_point}")
    _check(entry_point, function.parameter)
    return entry_point


def _check(entry_point: Callable[..., Any], parameter: str) -> None:
    parameters = set(inspect.signature(entry_point).parameters) - {"context"}
    if parameters != {parameter}:
        raise LoadError(
            f"function.json binds {parameter}, the function takes {', '.join(sorted(parameters)) or 'nothing'};"
            " it must take what is bound, may take context, and nothing else"
        )
    try:
        annotations = typing.get_type_hints(entry_point)
    except Exception as error:
        raise LoadError(f"its annotations cannot be evaluated: {error}") from error
    if not _is_class(annotations.get(parameter, func.HttpRequest), func.HttpRequest):
        raise LoadError(f"{parameter} must be annotated with func.HttpRequest, or not at all")
    if getattr(annotations.get("context", func.Context), "__name__", "") != "Context":
        raise LoadError("context must be annotated with func.Context, or not at all")
    if not _is_class(annotations.get("return", func.HttpResponse), func.HttpResponse, str):
        raise LoadError("what it returns must be annotated with func.HttpResponse, or not at all")


def _is_class(annotation: object, *classes: type) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, classes)


def _thread_count() -> int | None:
    """PYTHON_THREADPOOL_THREAD_COUNT; None is Python's own default, min(32, cores + 4), as in the worker."""
    wanted = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    if not wanted:
        return None
    if not wanted.isdecimal() or int(wanted) < 1:
        _log.warning("PYTHON_THREADPOOL_THREAD_COUNT is not a number above 0, so the default stands")
        return None
    return int(wanted)
