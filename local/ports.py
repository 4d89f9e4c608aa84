"""The ports of the stack's services: the wanted ones, checked, or free ones."""

import random
import socket
from collections.abc import Iterable, Mapping

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


def choose_ports(names: Iterable[str], wanted: Mapping[str, int]) -> dict[str, int]:
    """The port of each service in `names`: the wanted one, a free one for 0. Raises PortTaken."""
    ports: dict[str, int] = {}
    for name in names:
        if wanted[name] and not _is_free(wanted[name]):
            raise PortTaken(name, wanted[name])
        ports[name] = wanted[name] or _free_port(taken=set(ports.values()) | set(wanted.values()))
    return ports


def _free_port(taken: set[int]) -> int:
    return next(port for port in random.sample(range(_FIRST, _LAST), 1000) if port not in taken and _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
