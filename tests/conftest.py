"""What several test modules need: a clean environment, and a whole running stack."""

from collections.abc import Iterator

import pytest

from local.running_stack import RunningStack, started
from shared.config import SETTINGS


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """No test sees settings that the developer's shell has; a key to the real X must not come near a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*(setting.name for setting in SETTINGS), "PG_DATABASE_URL"]:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[RunningStack]:
    """The whole stack, shared by all tests that ask for it: each uses users of its own."""
    data = tmp_path_factory.mktemp("stack")
    with started(data, "--poll-interval", "0.05", "--rate-limit", "off") as running:
        yield running
