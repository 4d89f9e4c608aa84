"""Imports a function and checks its signature by the rules of Azure's Python worker."""

import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.functions as func

from local.functions_host.function_app import Function


class LoadError(Exception):
    """The worker would refuse to load the function; the message says why."""


def open_app_package(root: Path) -> None:
    """Makes the folders below `root` importable as ``__app__.FOLDER``, the name the worker gives them."""
    package = types.ModuleType("__app__")
    package.__path__ = [str(root)]
    sys.modules["__app__"] = package


def load(function: Function) -> Callable[..., Any]:
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
