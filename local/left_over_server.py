"""Ends the PostgreSQL server of a cluster when the process that ran it could not.

The server is not a child of that process: pg_ctl starts it as a daemon, in a session of its own.
"""

import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped]

_SECONDS_TO_END = 10


def end_left_over_server(cluster: Path) -> bool:
    """Ends the server on `cluster`, by the shutdown that takes no time; returns whether there was one.

    The next start recovers, as after a crash. The server is found by its command line, because one that has only just
    started has not written its process id yet.
    """
    servers = [process for process in psutil.process_iter(["name", "cmdline"]) if _is_server(process, cluster)]
    for server in servers:
        server.send_signal(signal.SIGQUIT)
    _, unfinished = psutil.wait_procs(servers, timeout=_SECONDS_TO_END)
    for server in unfinished:
        server.kill()
    psutil.wait_procs(unfinished, timeout=_SECONDS_TO_END)
    return bool(servers)


def _is_server(process: psutil.Process, cluster: Path) -> bool:
    return process.info["name"] == "postgres" and str(cluster) in (process.info["cmdline"] or [])
