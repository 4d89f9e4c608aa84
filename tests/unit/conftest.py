"""What the tests of the clients share."""

from collections.abc import Iterator

import pytest
import responses


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    """Answers requests as a test says, and fails it when one that it announced is not sent."""
    with responses.RequestsMock() as mock:
        yield mock
