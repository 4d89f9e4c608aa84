"""The ports of the stack's services: the wanted ones, checked, or free ones."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"

DEFAULT_PORTS = {"hasura": 3100, "functions": 7071, "x": 7080, "web": 3000}
"""The services that listen on a TCP port, and their usual port."""

_FIRST, _LAST = 20000, 29999
"""Below the range for outgoing connections, so that a service which is started again finds its port free."""


class PortTaken(Exception):
    """Another process listens on the port that a service wants."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"{name}: port {port} is taken. Stop what listens there, or choose another: --port {name}=PORT (0 = any)."
        )


_reserved: list[int] = []
"""Files that this process has locked, one for each port: the locks end with it."""


def choose_ports(names: Iterable[str], wanted: Mapping[str, int]) -> dict[str, int]:
    """The port of each service in `names`: the wanted one, a free one for 0. Raises PortTaken.

    A free one stays reserved as long as this process runs: another stack that starts at the same time takes another,
    although nothing listens there yet.
    """
    ports: dict[str, int] = {}
    for name in names:
        if wanted[name] and not _is_free(wanted[name]):
            raise PortTaken(name, wanted[name])
        ports[name] = wanted[name] or _free_port(taken=set(wanted.values()))
    return ports


def _free_port(taken: set[int]) -> int:
    candidates = random.sample(range(_FIRST, _LAST), 1000)
    return next(port for port in candidates if port not in taken and _reserve(port) and _is_free(port))


def _reserve(port: int) -> bool:
    """Whether nobody has reserved it: an open file that is locked, also by this process, cannot be locked again."""
    directory = Path(tempfile.gettempdir()) / f"scheduled-posts-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    file = os.open(directory / str(port), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _reserved.append(file)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
