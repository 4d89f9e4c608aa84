"""Fixtures of the tests of the local Hasura and of the migrations. Modules name this one in `pytest_plugins`."""

from collections.abc import Iterator

import pytest
from local_hasura import Webhooks, new_database, postgres_cluster

from local import postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of a PostgreSQL server, on which each server of a test has a database of its own."""
    with postgres_cluster() as url:
        yield url


@pytest.fixture(scope="module")
def database_url(cluster: str) -> str:
    """A database with all migrations."""
    url = new_database(cluster)
    postgres.migrate(url)
    return url


@pytest.fixture(scope="module")
def webhooks() -> Iterator[Webhooks]:
    with Webhooks() as webhooks:
        yield webhooks


@pytest.fixture(scope="module")
def environment(webhooks: Webhooks) -> dict[str, str]:
    return {"HOOKS": webhooks.url, "HOOK_SECRET": "s3cret"}
