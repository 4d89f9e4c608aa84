"""One service of the stack as a child process: how it starts, becomes ready and ends."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from local import REPOSITORY
from local.service import STOP_AT_END_OF_INPUT

_SECONDS_TO_BE_READY = 120
_SECONDS_TO_END = 30

_log = logging.getLogger("stack")


class ServiceEnded(Exception):
    """A service ended without a request to end, or did not become ready."""


class ChildProcess:
    """A Python module with the options of local.service, run as a process.

    The terminal's Ctrl-C does not reach it, so that the stack can end its services in order. It keeps the file
    descriptor `inherited` open until it ends. `lifeline` is one end of a pipe: it ends when the other end is closed.
    """

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], ready_file: Path, *, lifeline: int, inherited: int
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", module, *arguments, "--ready-file", str(ready_file)]
        self._ready_file = ready_file
        self._lifeline = lifeline
        self._inherited = inherited
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id, once it was started."""
        assert self._process
        return self._process.pid

    async def start(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """Starts it and returns what its ready file says. Raises ServiceEnded when it does not become ready."""
        self._ready_file.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=REPOSITORY,
            env={**environment, STOP_AT_END_OF_INPUT: "yes", "PYTHONUNBUFFERED": "1"},
            stdin=self._lifeline,
            pass_fds=[self._inherited],
            process_group=0,
        )
        try:
            async with asyncio.timeout(_SECONDS_TO_BE_READY):
                while not self._ready_file.exists():
                    if self._process.returncode is not None:
                        raise ServiceEnded(f"{self.name} ended before it was ready ({self._how_it_ended()}).")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._kill()
            raise ServiceEnded(f"{self.name} was not ready within {_SECONDS_TO_BE_READY} s.") from None
        ready: dict[str, Any] = json.loads(self._ready_file.read_text())
        self._ready_file.unlink()
        return ready

    async def ended(self) -> str:
        """Waits until it has ended; returns how, as a text."""
        if self._process:
            await self._process.wait()
        return self._how_it_ended()

    async def end(self) -> None:
        """Asks it to end, waits, and kills it when it takes too long."""
        if not self._process or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _SECONDS_TO_END)
        except TimeoutError:
            _log.warning("%s does not end and is killed", self.name)
            self._kill()
            await self._process.wait()

    def _kill(self) -> None:
        """Kills it and what it has started in its process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _how_it_ended(self) -> str:
        status = self._process.returncode if self._process else None
        if status is not None and status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return f"exit status {status}"
