"""The files that describe a function app: ``host.json`` and each ``FOLDER/function.json``."""

import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_log = logging.getLogger("functions")

_IRRELEVANT_HERE = {"version", "logging", "telemetryMode", "extensionBundle", "watchDirectories", "managedDependency"}
_PARAMETER = re.compile(r"\{([A-Za-z_]\w*)\}")
_METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


class InvalidApp(Exception):
    """The app's files are wrong, or ask for what this host does not emulate. The message names the file."""


class RouteNotEmulated(Exception):
    """A route template uses more than literals and plain ``{name}`` segments."""


class Route:
    """A template such as ``/api/posts/{id}``. Literals match in any case; one trailing slash is ignored."""

    def __init__(self, template: str) -> None:
        segments = template.strip("/").split("/")
        self._pattern = re.compile("".join(f"/{_segment_pattern(segment)}" for segment in segments) + "/?", re.I)
        self.precedence = tuple("{" in segment for segment in segments)
        """Sorts literals before parameters, segment by segment: the more exact route is tried first."""

    def match(self, path: str) -> dict[str, str] | None:
        """The route's parameters when the (decoded) path fits, else None."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None


@dataclass(frozen=True)
class Function:
    """One HTTP-triggered function as its ``function.json`` declares it."""

    name: str
    script: Path
    entry_point: str
    parameter: str
    """The name of the trigger's binding: the parameter that takes the request."""
    methods: tuple[str, ...]
    """Upper case; empty when every method is allowed."""
    path: str
    """Route prefix and route, with a leading slash."""
    route: Route = field(repr=False)

    def takes(self, method: str) -> bool:
        """Whether it answers this method (upper case)."""
        return not self.methods or method in self.methods


@dataclass(frozen=True)
class FunctionApp:
    """The functions below a root folder, those with the more literal routes first."""

    root: Path
    functions: tuple[Function, ...]


def read_function_app(root: Path) -> FunctionApp:
    """Reads ``host.json`` and every function.json right below `root`. Raises InvalidApp."""
    prefix = _route_prefix(root / "host.json")
    files = sorted(root.glob("*/function.json"))
    if not files:
        raise InvalidApp(f"{root}: no folder here holds a function.json.")
    functions = [_function(file, prefix) for file in files]
    return FunctionApp(root, tuple(sorted(functions, key=lambda function: function.route.precedence)))


def read_json_object(file: Path) -> dict[str, Any]:
    """The JSON object in `file`. Raises InvalidApp."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InvalidApp(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise InvalidApp(f"{file}: expected a JSON object.")
    return content


def _route_prefix(file: Path) -> str:
    if not file.exists():
        raise InvalidApp(f"{file.parent}: there is no host.json. Is this the root of the function app? (--app DIR)")
    host = read_json_object(file)
    if host.get("version") != "2.0":
        raise InvalidApp(f'{file}: "version" must be "2.0".')
    http = host.get("extensions", {}).get("http", {})
    for key in [*(host.keys() - _IRRELEVANT_HERE - {"extensions"}), *(http.keys() - {"routePrefix"})]:
        _log.warning("host.json: %s has no effect here, it is not emulated", key)
    prefix = http.get("routePrefix", "api").strip("/")
    return f"/{prefix}" if prefix else ""


def _function(file: Path, prefix: str) -> Function:
    declared = read_json_object(file)
    name = file.parent.name
    trigger = _http_trigger(file, declared.get("bindings", []))
    path = f"{prefix}/{trigger.get('route') or name}"
    try:
        route = Route(path)
    except RouteNotEmulated as error:
        raise InvalidApp(f"{file}: {error}") from error
    methods = [method.lower() for method in trigger.get("methods", [])]
    if not _METHODS.issuperset(methods):
        raise InvalidApp(f"{file}: methods must be of {', '.join(sorted(_METHODS))}.")
    return Function(
        name=name,
        script=_script(file, declared.get("scriptFile")),
        entry_point=declared.get("entryPoint") or "main",
        parameter=trigger["name"],
        methods=tuple(method.upper() for method in methods),
        path=path,
        route=route,
    )


def _http_trigger(file: Path, bindings: list[dict[str, Any]]) -> dict[str, Any]:
    """The trigger among the bindings: there must be this and an HTTP answer as the return value, nothing else."""
    triggers = [binding for binding in bindings if str(binding.get("type", "")).lower().endswith("trigger")]
    if len(triggers) != 1:
        raise InvalidApp(f"{file}: a function has exactly one trigger, this has {len(triggers)}.")
    [trigger] = triggers
    if trigger["type"].lower() != "httptrigger":
        raise InvalidApp(f"{file}: trigger type {trigger['type']} is not emulated here, httpTrigger alone is.")
    if not trigger.get("name"):
        raise InvalidApp(f"{file}: the trigger needs a name, that of the parameter which takes the request.")
    others = [(other.get("type"), other.get("direction"), other.get("name")) for other in bindings if other != trigger]
    if others != [("http", "out", "$return")]:
        raise InvalidApp(f'{file}: besides the trigger, the binding "http", "out", "$return" alone is emulated here.')
    return trigger


def _script(file: Path, declared: str | None) -> Path:
    script = file.parent / (declared or "__init__.py")
    if not script.is_file():
        raise InvalidApp(f"{file}: the script {script.name} does not exist.")
    return script


def _segment_pattern(segment: str) -> str:
    if parameter := _PARAMETER.fullmatch(segment):
        return f"(?P<{parameter[1]}>[^/]+)"
    if "{" in segment or "}" in segment:
        raise RouteNotEmulated(
            f"route segment {segment} is not emulated here: no constraints, defaults, optional or catch-all parameters."
        )
    return re.escape(segment)
