"""The ports that a stack chooses: free ones, which no other stack that starts at the same time takes."""

import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.ports import LOOPBACK, PortTaken, choose_ports

REPOSITORY = Path(__file__).parents[2]
CHOOSE_AND_WAIT = """
from local.ports import choose_ports
print(choose_ports(["web"], {"web": 0})["web"], flush=True)
input()
"""


@pytest.fixture
def chosen_elsewhere() -> Iterator[int]:
    """A port that another process has chosen, where nothing listens yet."""
    command = [sys.executable, "-c", CHOOSE_AND_WAIT]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.communicate("\n")


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports that are tried, in this order."""
    ports: list[int] = []
    monkeypatch.setattr(random, "sample", lambda *_: list(ports))
    return ports


def free_ports(number: int) -> list[int]:
    with ExitStack() as probes:
        servers = [probes.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(number)]
        return [server.getsockname()[1] for server in servers]


def test_a_port_that_another_starting_stack_has_chosen_is_not_chosen_again(
    chosen_elsewhere: int, only: list[int]
) -> None:
    [free] = free_ports(1)
    only += [chosen_elsewhere, free]

    assert choose_ports(["web"], {"web": 0}) == {"web": free}


def test_two_services_get_two_ports(only: list[int]) -> None:
    first, second = free_ports(2)
    only += [first, second]

    assert choose_ports(["web", "x"], {"web": 0, "x": 0}) == {"web": first, "x": second}


def test_a_port_where_something_listens_is_not_chosen(only: list[int]) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        [free] = free_ports(1)
        only += [server.getsockname()[1], free]

        assert choose_ports(["web"], {"web": 0}) == {"web": free}


def test_a_wanted_port_that_is_taken_is_refused_with_what_to_do() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortTaken, match=rf"web: port {port} is taken.* --port web=PORT"):
            choose_ports(["web"], {"web": port})
