"""The whole running stack, for the tests that need it."""

from collections.abc import Iterator

import pytest

from local.running_stack import RunningStack, started


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[RunningStack]:
    """Shared by all tests of a run that ask for it: each test uses users of its own."""
    data = tmp_path_factory.mktemp("stack")
    with started(data, "--poll-interval", "0.05", "--rate-limit", "off") as running:
        yield running
