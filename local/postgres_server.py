"""Runs PostgreSQL as a service of the stack, until SIGINT or SIGTERM.

Its ready file holds the URLs of the database, as superuser and as Hasura's role, and the server's process id:
``{"url": "...", "hasura_url": "...", "pid": 123}``.
"""

import asyncio
import json
import logging
import os
from argparse import Namespace

import psycopg

from local.postgres import create_database, running
from local.service import log_to_stdout, options, stop_requested, write_whole

_log = logging.getLogger("postgres")


def main() -> None:
    """Ends with status 1 when the server ends by itself."""
    given = options("postgres_server", __doc__ or "").parse_args()
    log_to_stdout("postgres")
    asyncio.run(_run(given))


async def _run(given: Namespace) -> None:
    stop = stop_requested()
    with running(given.data) as url, psycopg.connect(url, autocommit=True) as connection:
        urls = create_database(url)
        lock_file = given.data / "postgres" / "postmaster.pid"
        _log.info("answers")
        if given.ready_file:
            pid = int(lock_file.read_text().split("\n")[0])
            ready = {"url": urls.superuser, "hasura_url": urls.hasura, "pid": pid}
            write_whole(given.ready_file, json.dumps(ready))
        if not await _first_is_set(stop, _ended(connection)):
            _log.error("the server ended by itself")
            os._exit(1)  # The wheel would try for seconds to stop a server that has ended.


def _ended(connection: psycopg.Connection) -> asyncio.Event:
    """Is set when the server closes this idle connection, as it does when it ends in whatever way."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def something_arrived() -> None:
        loop.remove_reader(connection)
        ended.set()

    loop.add_reader(connection, something_arrived)
    return ended


async def _first_is_set(first: asyncio.Event, second: asyncio.Event) -> bool:
    waits = [asyncio.create_task(event.wait()) for event in (first, second)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return first.is_set()


if __name__ == "__main__":
    main()
