"""What all tests need: an environment without settings."""

from collections.abc import Iterator

import pytest

from shared.config import SETTINGS

pytest_plugins = ["without_browser"]


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """No test sees settings that the developer's shell has; a key to the real X must not come near a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*(setting.name for setting in SETTINGS), "PG_DATABASE_URL"]:
            patch.delenv(name, raising=False)
        yield
