"""The stack of a run: everything of ``python -m local``, but the functions can be killed, and X takes a text twice."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.mortal_functions import MortalFunctions
from chaos.part_process import start
from local.ports import choose_ports
from local.running_stack import RunningStack, started

POLL_INTERVAL = 0.2


@contextmanager
def chaos_stack(directory: Path, delivery: str) -> Iterator[tuple[RunningStack, MortalFunctions]]:
    """Runs while the block lasts, with data and logs in `directory`. `delivery` is Hasura's, concurrent or sequential.

    X's refusal of a text that it has already is switched off: it must not be what saves a post from going out twice.
    """
    data = directory / "data"
    ports = choose_ports(["functions", "x"], {"functions": 0, "x": 0})
    options = ["--restart", "--rate-limit", "off", "--poll-interval", str(POLL_INTERVAL), "--delivery", delivery]
    for name, port in ports.items():
        options += ["--without", name, "--port", f"{name}={port}"]
    with (
        _x(directory, data, ports["x"]),
        started(data, *options) as stack,
        MortalFunctions(directory, data, ports["functions"], stack.settings) as functions,
    ):
        yield stack, functions


@contextmanager
def _x(directory: Path, data: Path, port: int) -> Iterator[None]:
    options = ["--data", str(data), "--port", f"x={port}", "--rate-limit", "off", "--duplicate-window", "0"]
    process: subprocess.Popen[bytes] = start("x_api", options, directory, {})
    try:
        yield
    finally:
        process.terminate()
        process.communicate()
