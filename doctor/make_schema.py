"""Writes schema.json: what the migrations make, as PostgreSQL tells it. Run it after each change of a migration.

    python -m doctor.make_schema

Needs the development stack's PostgreSQL (requirements-dev.txt); the doctor itself does not.
"""

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import psycopg

from doctor.database import CATALOG, SCHEMA_FILE, Catalog
from local import postgres


def main() -> None:
    """Applies the migrations to a new database, and writes down its catalog."""
    argparse.ArgumentParser(prog="python -m doctor.make_schema", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as data, postgres.running(Path(data)) as url:
        postgres.migrate(url)
        SCHEMA_FILE.write_text(as_file(read_catalog(url)))


def read_catalog(url: str) -> Catalog:
    """The answer of a database to CATALOG."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(CATALOG.encode())
        while cursor.nextset():
            pass
        [(catalog,)] = cursor
        return Catalog(**catalog)


def as_file(catalog: Catalog) -> str:
    """One spelling of a catalog, a part a line."""
    return json.dumps(asdict(catalog), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    main()
