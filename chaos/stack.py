"""The stack of a run: everything of ``python -m local``, but the functions can be killed, and X takes a text twice."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from chaos.crash_points import ARMED, HIT
from local import REPOSITORY
from local.ports import choose_ports
from local.running_stack import RunningStack, started
from local.service import STOP_AT_END_OF_INPUT

POLL_INTERVAL = 0.2

_SECONDS_TO_START = 90

_FUNCTION = """import {function}
from chaos.crash_points import crashable

main = crashable({function})
"""


@contextmanager
def chaos_stack(directory: Path, delivery: str) -> Iterator[tuple[RunningStack, "CrashableFunctions"]]:
    """Runs while the block lasts, with data and logs in `directory`. `delivery` is Hasura's, concurrent or sequential.

    X's rejection of a text that it has already is switched off: it must not be what saves a post from going out twice.
    """
    data = directory / "data"
    ports = choose_ports(["functions", "x"], {"functions": 0, "x": 0})
    options = [
        "--restart",
        "--rate-limit",
        "off",
        "--author-limits",
        "off",
        "--poll-interval",
        str(POLL_INTERVAL),
        "--delivery",
        delivery,
    ]
    for name, port in ports.items():
        options += ["--without", name, "--port", f"{name}={port}"]
    with (
        _x(directory, data, ports["x"]),
        started(data, *options) as stack,
        CrashableFunctions(directory, data, ports["functions"], stack.settings) as functions,
    ):
        yield stack, functions


class CrashableFunctions:
    """The functions host as a process of its own. Starts again whenever it dies, except in an outage."""

    def __init__(self, directory: Path, data: Path, port: int, settings: Mapping[str, str]) -> None:
        """`directory` is for its files, `data` that of the stack, whose settings it gets."""
        self.crashes: Counter[str] = Counter()
        self.started_at = datetime.now(UTC)
        self._directory = directory
        self._armed = directory / "armed"
        self._options = ["--app", str(_app(directory / "app")), "--data", str(data), "--port", f"functions={port}"]
        self._environment = {**settings, ARMED: str(self._armed)}
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "CrashableFunctions":
        self._armed.mkdir()
        self._start()
        self._keeper = threading.Thread(target=self._keep_running, name="keeper of the functions")
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._keeper.join()
        with self._lock:
            self._kill()

    def kill(self) -> None:
        """Kills it without a warning."""
        with self._lock:
            self._kill()
            self.crashes["at random"] += 1

    def wait_until_it_answers(self) -> None:
        """Returns when it is alive, which it may not be for long."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """It is dead for as long as the block lasts."""
        with self._lock:
            self._kill()
            yield
            self._start()

    def arm(self, point: str) -> None:
        """Has it die when it next reaches this crash point."""
        (self._armed / point).touch()

    def disarm(self) -> list[str]:
        """Takes back the crash points that it did not reach; returns their names."""
        waiting = [path for path in self._armed.iterdir() if path.suffix != HIT]
        for path in waiting:
            path.unlink(missing_ok=True)
        return [path.name for path in waiting]

    def _keep_running(self) -> None:
        while not self._ending.wait(0.05):
            with self._lock:
                if self._process and self._process.poll() is not None:
                    self._start()

    def _start(self) -> None:
        self._count_hits()
        self.started_at = datetime.now(UTC)
        self._process = _start_service("functions_host", self._options, self._directory, self._environment)

    def _kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
        self._count_hits()

    def _count_hits(self) -> None:
        for hit in self._armed.glob(f"*{HIT}"):
            hit.unlink()
            self.crashes[hit.stem] += 1


class DoesNotStart(Exception):
    """A service does not come to answer; the message says where its log is."""


def _app(root: Path) -> Path:
    """A function app of the same bindings, whose functions are the real ones."""
    root.mkdir()
    shutil.copy(REPOSITORY / "host.json", root)
    for binding in REPOSITORY.glob("*/function.json"):
        function = binding.parent.name
        (root / function).mkdir()
        shutil.copy(binding, root / function)
        (root / function / "__init__.py").write_text(_FUNCTION.format(function=function))
    return root


@contextmanager
def _x(directory: Path, data: Path, port: int) -> Iterator[None]:
    options = ["--data", str(data), "--port", f"x={port}", "--rate-limit", "off", "--duplicate-window", "0"]
    process = _start_service("x_api", options, directory, {})
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def _start_service(
    name: str, options: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """``python -m local.NAME``, when it answers; it does not outlive this process. Raises DoesNotStart.

    It may be killed first, as everything here: then the process that is returned has ended. What it prints is added to
    NAME.log in `directory`.
    """
    ready_file, log = directory / f"{name}.ready", directory / f"{name}.log"
    ready_file.unlink(missing_ok=True)
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"local.{name}", *options, "--ready-file", str(ready_file)],
            cwd=directory,
            env={
                **os.environ,
                **environment,
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONUNBUFFERED": "1",
                STOP_AT_END_OF_INPUT: "yes",
            },
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    deadline = time.monotonic() + _SECONDS_TO_START
    while not ready_file.exists():
        if process.poll() not in (None, -signal.SIGKILL) or time.monotonic() > deadline:
            process.kill()
            raise DoesNotStart(f"{name} does not start: see {log}")
        if process.poll() is not None:
            break
        time.sleep(0.02)
    return process
