"""Fixtures of the tests of the emulated /v1/graphql. A module that needs them names this one in `pytest_plugins`."""

import asyncio
from collections.abc import Iterator

import psycopg
import psycopg_pool
import pytest
from local_graphql import FUNCTIONS, METADATA, SCHEMA, SEED, Ask, load
from local_hasura import new_database

from local.hasura.graphql_api import GraphQLApi

pytest_plugins = ["local_hasura_fixtures"]


@pytest.fixture(scope="session")
def graphql_url(cluster: str) -> str:
    """The URL of a database with the schema."""
    url = new_database(cluster)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    return url


@pytest.fixture(scope="session")
def send_graphql(graphql_url: str) -> Iterator[Ask]:
    """Answers a request's body in a session."""
    api = GraphQLApi(METADATA, FUNCTIONS)
    with asyncio.Runner() as runner:
        pool = psycopg_pool.AsyncConnectionPool(
            graphql_url, min_size=1, max_size=2, kwargs={"autocommit": True}, open=False
        )
        runner.run(pool.open())
        assert runner.run(load(api, pool)) == []
        yield lambda session, body: runner.run(api.execute(pool, session, body))
        runner.run(pool.close())


@pytest.fixture
def ask(send_graphql: Ask, graphql_database: psycopg.Connection) -> Ask:
    """Sends a query with variables, on fresh rows: two authors with an open article and a draft each."""
    graphql_database.execute(SEED)
    return lambda session, query, **variables: send_graphql(session, {"query": query, "variables": variables})


@pytest.fixture(scope="session")
def graphql_database(graphql_url: str) -> Iterator[psycopg.Connection]:
    """A connection that does not go through the API."""
    with psycopg.connect(graphql_url, autocommit=True) as connection:
        yield connection
