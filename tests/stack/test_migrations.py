"""The migrations: each down restores exactly what was before its up, and the doctor knows what they make."""

from pathlib import Path

import psycopg
import pytest
from local_hasura import new_database

from doctor.database import SCHEMA_FILE, Catalog, database_findings, expected_catalog
from doctor.make_schema import as_file, read_catalog
from local import postgres

pytest_plugins = ["local_hasura_fixtures"]

MIGRATIONS = sorted(path.name for path in postgres.MIGRATIONS.iterdir())

EVERYTHING = """
select 'relation ' || oid::regclass from pg_class where relnamespace not in (select oid from system_schema)
union all select 'function ' || oid::regprocedure from pg_proc where pronamespace not in (select oid from system_schema)
union all select 'type ' || oid::regtype from pg_type where typnamespace not in (select oid from system_schema)
union all select 'schema ' || nspname from pg_namespace where oid not in (select oid from system_schema)
"""
"""The name of each object outside PostgreSQL's own schemas."""


@pytest.fixture
def database(cluster: str) -> str:
    """The URL of an empty database."""
    return new_database(cluster)


def run(database: str, migration: str, direction: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute((postgres.MIGRATIONS / migration / f"{direction}.sql").read_bytes())


def everything(database: str) -> tuple[Catalog, set[str]]:
    own = (
        "with system_schema as (select oid from pg_namespace where nspname ~ '^pg_' or nspname = 'information_schema')"
    )
    with psycopg.connect(database) as connection:
        return read_catalog(database), {name for (name,) in connection.execute((own + EVERYTHING).encode())}


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_the_down_of_a_migration_restores_exactly_what_was_before_its_up(database: str, migration: str) -> None:
    for earlier in MIGRATIONS[: MIGRATIONS.index(migration)]:
        run(database, earlier, "up")
    before = everything(database)

    run(database, migration, "up")
    between = everything(database)
    run(database, migration, "down")

    assert everything(database) == before != between


def test_each_migration_can_be_applied_again_after_all_were_undone(database: str) -> None:
    for migration in MIGRATIONS:
        run(database, migration, "up")
    first = everything(database)

    for migration in reversed(MIGRATIONS):
        run(database, migration, "down")
    for migration in MIGRATIONS:
        run(database, migration, "up")

    assert everything(database) == first


def test_the_schema_that_the_doctor_expects_is_what_the_migrations_make(database: str) -> None:
    postgres.migrate(database)

    generated = as_file(read_catalog(database))

    assert generated == SCHEMA_FILE.read_text(), "A migration was changed: run python -m doctor.make_schema"


def test_the_schema_does_not_depend_on_the_settings_of_the_database(database: str) -> None:
    postgres.migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        for setting in ("timezone = 'Asia/Tokyo'", "search_path = 'public'"):
            connection.execute(f"alter database {connection.info.dbname} set {setting}".encode())

    with_other_settings = read_catalog(database.partition("&options=")[0])

    assert as_file(with_other_settings) == SCHEMA_FILE.read_text()


def test_another_major_version_of_postgresql_describes_the_same_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "VERSION", 18)
    with postgres.running(tmp_path) as url:
        postgres.migrate(url)
        catalog = read_catalog(url)

    assert catalog.postgresql == 18
    assert list(database_findings(expected_catalog(), catalog)) == []
