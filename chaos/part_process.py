"""Parts of the stack that a run starts itself, beside those of the supervisor."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import REPOSITORY
from local.service import STOP_AT_END_OF_INPUT

_SECONDS_TO_START = 60


class DoesNotStart(Exception):
    """A part does not come to answer; the message says where its log is."""


def start(
    name: str, options: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """``python -m local.NAME``, when it answers; it does not outlive this process. Raises DoesNotStart.

    It may die first, as everything here: then the process that is returned has ended. What it prints is added to
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
        if process.poll() not in (None, -9) or time.monotonic() > deadline:
            process.kill()
            raise DoesNotStart(f"{name} does not start: see {log}")
        if process.poll() is not None:
            break
        time.sleep(0.02)
    return process
