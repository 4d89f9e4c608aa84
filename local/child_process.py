"""One part of the stack as a child process: how it starts, how it tells that it answers, how it ends."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local import REPOSITORY
from local.part import STOP_AT_END_OF_INPUT

_SECONDS_TO_ANSWER = 60
_SECONDS_TO_END = 15

_log = logging.getLogger("stack")


class PartEnded(Exception):
    """A part ended, or never came to answer, though nobody asked it to end."""


class ChildProcess:
    """A Python module with the options of local.part, run as a process.

    It is out of reach of the terminal's Ctrl-C, so that the parts can be ended in order. `inherited` are file
    descriptors it holds as long as it lives; `lifeline` is the end of a pipe: when the other end closes, it stops.
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
        """Starts it and returns what its ready file says. Raises PartEnded when it does not come to answer."""
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
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                while not self._ready_file.exists():
                    if self._process.returncode is not None:
                        raise PartEnded(f"{self.name} ended before it answered ({self._how_it_ended()}).")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._process.kill()
            raise PartEnded(f"{self.name} did not answer within {_SECONDS_TO_ANSWER} s.") from None
        ready: dict[str, Any] = json.loads(self._ready_file.read_text())
        self._ready_file.unlink()
        return ready

    async def ended(self) -> str:
        """Waits until it has ended; returns how, in words."""
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
            _log.warning("%s does not end, so it is killed", self.name)
            self._process.kill()
            await self._process.wait()

    def _how_it_ended(self) -> str:
        status = self._process.returncode if self._process else None
        if status is not None and status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return f"exit status {status}"
