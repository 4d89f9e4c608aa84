"""What all services of the stack have in common: options, port, log lines, ready file, and how they end."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

from local.ports import DEFAULT_PORTS

STOP_AT_END_OF_INPUT = "STOP_AT_END_OF_INPUT"
"""An environment variable: not empty, standard input is a pipe from a parent that this process must not outlive."""


def options(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the options that every service takes: --data, --port (parsed into `ports`), --ready-file."""
    parser = argparse.ArgumentParser(prog=f"python -m local.{name}", description=description.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(".local"), metavar="DIR", help="where data lives (.local)")
    parser.add_argument(
        "--port",
        dest="ports",
        action=_PortOption,
        default={},
        metavar="NAME=PORT",
        help="one of " + ", ".join(f"{known}={usual}" for known, usual in DEFAULT_PORTS.items()) + "; 0 = any free one",
    )
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="written, as JSON, when everything answers")
    return parser


def port_of(name: str, ports: dict[str, int]) -> int:
    """The port that the service `name` listens on."""
    return ports.get(name, DEFAULT_PORTS[name])


def log_to_stdout(name: str) -> None:
    """Sends the log to standard output, a line each: UTC time, service, message. LOG_LEVEL may ask for DEBUG."""
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03d  {name:<9}  %(message)s", "%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=os.environ.get("LOG_LEVEL") or logging.INFO, handlers=[handler], force=True)


def stop_requested() -> asyncio.Event:
    """Is set by SIGINT, SIGTERM, or the end of a parent that asked for it (STOP_AT_END_OF_INPUT)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get(STOP_AT_END_OF_INPUT):

        def parent_has_ended() -> None:
            loop.remove_reader(sys.stdin)
            stop.set()

        loop.add_reader(sys.stdin, parent_has_ended)
    return stop


def write_whole(path: Path, text: str) -> None:
    """Writes a file that no reader ever sees half of, readable by its owner alone."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(path)


class _PortOption(argparse.Action):
    def __call__(self, parser, namespace, value, option_string=None):  # type: ignore[no-untyped-def]  # noqa: ARG002
        name, _, number = value.partition("=")
        if name not in DEFAULT_PORTS or not number.isdecimal() or int(number) > 65535:
            parser.error(f"--port {value}: expected NAME=PORT with a name of {', '.join(DEFAULT_PORTS)}")
        namespace.ports = {**namespace.ports, name: int(number)}
