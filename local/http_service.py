"""Serves HTTP, for the services that do.

Apart from local.service, because the import of aiohttp takes most of a process's start and not all processes need it.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

from aiohttp import web

from local.ports import LOOPBACK, PortTaken
from local.service import stop_requested, write_whole

_SHUTDOWN_SECONDS = 5


def serve(name: str, app: web.Application, port: int, ready_file: Path | None) -> None:
    """Serves `app` on loopback until SIGINT or SIGTERM, then gives requests 5 s and lets clean-up handlers finish.

    Writes ``{"url": "http://localhost:PORT"}`` to `ready_file` once it answers. Ends the process with one line when the
    port is taken.
    """
    try:
        asyncio.run(_serve(name, app, port, ready_file))
    except PortTaken as taken:
        sys.exit(str(taken))


async def _serve(name: str, app: web.Application, port: int, ready_file: Path | None) -> None:
    stop = stop_requested()
    # aiohttp waits this long twice: for the requests to end, then for those it cancelled.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS / 2)
    try:
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(name, port) from error
        url = f"http://localhost:{runner.addresses[0][1]}"
        logging.getLogger(name).info("listening on %s", url)
        if ready_file:
            write_whole(ready_file, json.dumps({"url": url}))
        await stop.wait()
    finally:
        await runner.cleanup()
