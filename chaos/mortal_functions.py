"""The functions host as a process that dies and comes back: the real functions, with clients that have crash points."""

import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chaos.crash_points import ARMED, HIT
from chaos.part_process import start
from local import REPOSITORY

_FUNCTION = """import {function}
from chaos.crash_points import make_mortal

make_mortal({function})
main = {function}.main
"""


class MortalFunctions:
    """Runs while the block lasts; comes back by itself whenever it dies, except in an outage."""

    def __init__(self, directory: Path, data: Path, port: int, settings: Mapping[str, str]) -> None:
        """`directory` is for its files, `data` that of the stack, whose settings it gets."""
        self.crashes: Counter[str] = Counter()
        self._directory = directory
        self._armed = directory / "armed"
        self._options = ["--app", str(_app(directory / "app")), "--data", str(data), "--port", f"functions={port}"]
        self._environment = {**settings, ARMED: str(self._armed)}
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "MortalFunctions":
        self._armed.mkdir()
        self._start()
        self._keeper = threading.Thread(target=self._keep, name="keeper of the functions")
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
        """Has it die when it next comes to this crash point."""
        (self._armed / point).touch()

    def disarm(self) -> list[str]:
        """Takes the crash points back that it did not come to; returns their names."""
        waiting = [path for path in self._armed.iterdir() if path.suffix != HIT]
        for path in waiting:
            path.unlink(missing_ok=True)
        return [path.name for path in waiting]

    def _keep(self) -> None:
        while not self._ending.wait(0.05):
            with self._lock:
                if self._process and self._process.poll() is not None:
                    self._start()

    def _start(self) -> None:
        self._count_hits()
        self._process = start("functions_host", self._options, self._directory, self._environment)

    def _kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
        self._count_hits()

    def _count_hits(self) -> None:
        for hit in self._armed.glob(f"*{HIT}"):
            hit.unlink()
            self.crashes[hit.stem] += 1


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
