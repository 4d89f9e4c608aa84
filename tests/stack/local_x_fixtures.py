"""The fixtures of the tests of X of the development stack. A module that wants them says so in `pytest_plugins`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_x import Author, Clock, X, process, thread


@pytest.fixture(scope="session")
def x(tmp_path_factory: pytest.TempPathFactory) -> Iterator[X]:
    with process(tmp_path_factory.mktemp("x")) as running:
        yield running


@pytest.fixture
def author(x: X) -> Author:
    return x.author()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x_with_clock(tmp_path: Path, clock: Clock) -> Iterator[X]:
    with thread(tmp_path, clock) as running:
        yield running
