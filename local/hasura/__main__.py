"""Hasura's GraphQL, metadata API, scheduled events and event triggers, on this machine."""

import argparse
import logging
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from local import REPOSITORY
from local.hasura.metadata import MetadataRefused
from local.hasura.server import Configuration, application
from local.http_service import serve
from local.postgres import create_database, running, wait_for
from local.service import log_to_stdout, options, port_of
from local.service_options import add_author_limits_option, add_delivery_options
from local.settings import stack_settings

_PROJECT = REPOSITORY / "hasura"
_FILES = 16384


def main() -> None:
    """Runs until SIGINT or SIGTERM."""
    given = _options().parse_args()
    log_to_stdout("hasura")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))  # until the server handles them, leave the context managers
    _allow_many_connections()
    environment = {**os.environ, **stack_settings(given.data, given.ports, os.environ)}
    try:
        with _database(given.data, environment) as url:
            configuration = Configuration(
                database_url=url,
                project=given.project,
                environment=environment,
                poll_interval=given.poll_interval,
                concurrent=given.delivery == "concurrent",
                server_version=given.server_version,
                limits_authors=given.author_limits != "off",
            )
            serve("hasura", application(configuration), port_of("hasura", given.ports), given.ready_file)
    except (ValueError, MetadataRefused) as error:
        sys.exit(f"hasura: {error}")
    except psycopg.Error as error:
        sys.exit(f"hasura: the database refused: {error}")


def _options() -> argparse.ArgumentParser:
    parser = options("hasura", __doc__ or "")
    parser.add_argument(
        "--project", type=Path, default=_PROJECT, metavar="DIR", help="holds migrations/default and metadata (hasura)"
    )
    add_delivery_options(parser)
    add_author_limits_option(parser)
    parser.add_argument(
        "--server-version", default="v2.43.0", metavar="VERSION", help="the version that it reports (v2.43.0)"
    )
    return parser


@contextmanager
def _database(data: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The URL of PG_DATABASE_URL, or else of an own PostgreSQL server."""
    if url := environment.get("PG_DATABASE_URL"):
        wait_for(url)
        yield url
        return
    with running(data) as url:
        yield create_database(url).hasura


def _allow_many_connections() -> None:
    """A thousand deliveries at once need a thousand sockets; the usual soft limit is 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))


if __name__ == "__main__":
    main()
