"""Starts all services of the stack as child processes, supervises them, and ends them in order."""

import asyncio
import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import REPOSITORY
from local.child_process import ChildProcess, ServiceEnded
from local.left_over_server import end_left_over_server
from local.loopback import is_of_this_machine
from local.ports import DEFAULT_PORTS, choose_ports
from local.service import stop_requested, write_whole
from local.settings import stack_settings, stack_urls

MODULES = {
    "web": "local.web_server",
    "functions": "local.functions_host",
    "hasura": "local.hasura",
    "x": "local.x_api",
    "postgres": "local.postgres_server",
}
"""The services, in the order in which they end: a running call can still reach X and store its outcome."""

_ADDRESS_SETTINGS = {"hasura": "APP_BASE_API", "functions": "ACTIONS_BASE_URL", "x": "X_BASE_URL"}

_STARTS_IN_A_ROW = 5

_log = logging.getLogger("stack")


class DataInUse(Exception):
    """Another stack runs on the same data."""


@dataclass(frozen=True)
class Plan:
    """What to start, and how."""

    data: Path
    ports: Mapping[str, int] = field(default_factory=dict)
    """By service, where they differ from DEFAULT_PORTS; 0 = any free one."""
    without: frozenset[str] = frozenset()
    """Services that run elsewhere: at their port here, or at the address that the environment says."""
    service_options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Further options, by service."""
    origins: Sequence[str] = ()
    """Beside the page's, those whose pages may call Hasura and the functions."""
    restart: bool = False
    """Whether a service that ended is started again."""
    ready_file: Path | None = None
    """Where to write, when everything is ready, ``{"urls": {...}, "settings": {...}, "pids": {...}}``."""


def run(plan: Plan) -> None:
    """Runs the stack until SIGINT or SIGTERM.

    Raises DataInUse, PortTaken, or ServiceEnded when a service ends by itself. No process is left running in any case,
    even when this process is killed.
    """
    plan.data.mkdir(parents=True, exist_ok=True)
    with _locked(plan.data) as lock, _pipe() as lifeline:
        asyncio.run(_run(plan, lock, lifeline))


async def _run(plan: Plan, lock: int, lifeline: int) -> None:
    await _Stack(plan, lock, lifeline).run()


class _Stack:
    def __init__(self, plan: Plan, lock: int, lifeline: int) -> None:
        names = _services_to_start(plan.without)
        wanted = {**DEFAULT_PORTS, **plan.ports}
        self._plan = plan
        self._ports = {**wanted, **choose_ports([name for name in names if name in wanted], wanted)}
        self._settings = stack_settings(plan.data, self._ports, _environment_without_addresses(names))
        self._services = [self._service(name, lock, lifeline) for name in names]
        self._postgres: asyncio.Future[dict[str, Any]] = asyncio.Future()
        self._pids: dict[str, int] = {}

    async def run(self) -> None:
        stop = asyncio.create_task(stop_requested().wait())
        supervised = [asyncio.create_task(self._keep(service)) for service in self._services]
        try:
            done, _ = await asyncio.wait([stop, *supervised], return_when=asyncio.FIRST_COMPLETED)
            for ended in done - {stop}:
                ended.result()
        finally:
            await self._end([stop, *supervised])

    async def _keep(self, service: ChildProcess) -> None:
        """Keeps one service running for as long as the stack runs. Raises ServiceEnded."""
        await self._start(service)
        while True:
            how = await service.ended()
            if not self._plan.restart:
                raise ServiceEnded(f"{service.name} ended by itself ({how}).")
            _log.info("%s ended (%s) and is started again", service.name, how)
            del self._pids[service.name]
            await self._start_again(service)

    async def _start_again(self, service: ChildProcess) -> None:
        """Tries several times: a service that this one needs may be restarting too."""
        for _ in range(_STARTS_IN_A_ROW - 1):
            try:
                return await self._start(service)
            except ServiceEnded as ended:
                _log.warning("%s", ended)
                await asyncio.sleep(0.5)
        return await self._start(service)

    async def _start(self, service: ChildProcess) -> None:
        self._is_ready(service, await service.start(await self._environment(service.name)))

    def _is_ready(self, service: ChildProcess, ready: dict[str, Any]) -> None:
        # For PostgreSQL, the process of the server itself and not ours that runs it.
        self._pids[service.name] = ready.get("pid", service.pid)
        if service.name == "postgres" and not self._postgres.done():
            self._postgres.set_result(ready)
        if len(self._pids) == len(self._services):
            self._all_are_ready()

    def _all_are_ready(self) -> None:
        urls = {
            name: self._settings.get(_ADDRESS_SETTINGS.get(name, ""), url)
            for name, url in stack_urls(self._ports).items()
        }
        _log.info("everything answers:")
        for name, url in urls.items():
            _log.info("  %-10s %s", name, url)
        _log.info("open %s in a browser; Ctrl-C ends everything", urls["web"])
        if is_of_this_machine(urls["x"]):
            _log.info("X is simulated: nothing leaves this machine")
        if self._plan.ready_file:
            settings = dict(self._settings)
            if self._postgres.done():
                settings["PG_DATABASE_URL"] = self._postgres.result()["url"]
            ready = {"urls": urls, "settings": settings, "pids": self._pids}
            write_whole(self._plan.ready_file, json.dumps(ready, indent=2))

    @property
    def _origins(self) -> str:
        of_page = [f"http://{host}:{self._ports['web']}" for host in ("localhost", "127.0.0.1")]
        return ",".join([*of_page, *self._plan.origins])

    async def _environment(self, name: str) -> dict[str, str]:
        environment = {**os.environ, **self._settings}
        if name == "hasura":
            environment["PG_DATABASE_URL"] = (await self._postgres)["hasura_url"]
            environment.setdefault("HASURA_GRAPHQL_CORS_DOMAIN", self._origins)
        return environment

    def _service(self, name: str, lock: int, lifeline: int) -> ChildProcess:
        data = self._plan.data.resolve()
        arguments = ["--data", str(data), *self._plan.service_options.get(name, [])]
        for port_name, port in self._ports.items():
            arguments += ["--port", f"{port_name}={port}"]
        if name == "functions":
            arguments += ["--app", str(REPOSITORY), "--cors", self._origins]
        return ChildProcess(name, MODULES[name], arguments, data / f"{name}.ready", lifeline=lifeline, inherited=lock)

    async def _end(self, tasks: list[asyncio.Task[Any]]) -> None:
        _log.info("ending ...")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for service in self._services:
            await service.end()
            if service.name == "postgres" and end_left_over_server(self._plan.data.resolve() / "postgres"):
                _log.warning("PostgreSQL still ran and was ended")
        if self._plan.ready_file:
            self._plan.ready_file.unlink(missing_ok=True)


def _services_to_start(without: frozenset[str]) -> list[str]:
    """Our PostgreSQL is for our Hasura alone."""
    return [name for name in MODULES if name not in without and not (name == "postgres" and "hasura" in without)]


def _environment_without_addresses(names: Sequence[str]) -> dict[str, str]:
    """The user's environment does not say where the services are that we start ourselves."""
    ours = {_ADDRESS_SETTINGS[name] for name in names if name in _ADDRESS_SETTINGS}
    return {name: value for name, value in os.environ.items() if name not in ours}


@contextmanager
def _locked(data: Path) -> Iterator[int]:
    """A lock on the directory, which the system releases when the last process that holds it has ended."""
    directory = os.open(data, os.O_RDONLY)
    try:
        _lock(directory, data)
        yield directory
    finally:
        os.close(directory)


def _lock(directory: int, data: Path) -> None:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataInUse(f"another stack runs on {data}. End it first, or choose other data: --data DIR.") from None


@contextmanager
def _pipe() -> Iterator[int]:
    """The reading end of a pipe; the other end closes with this block, or with this process."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)
