"""For the tests of the local Hasura: a server in a thread or in a process, and webhooks with prepared answers."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import requests
import yaml
from aiohttp import web
from waiting import wait_until

from local.hasura.metadata_directory import load_metadata
from local.hasura.server import Configuration, application
from local.postgres import running

ADMIN_SECRET = "the-admin-secret-of-the-tests"
JWT_KEY = "a-key-of-at-least-thirty-two-characters"
DEADLINE = 60

T = TypeVar("T")
PRODUCTION = Path(__file__).parents[2] / "hasura"

_NOTE_TABLE = """
create table note (id int primary key, body text, extra text, doc json, moved_at timestamptz);
create function shout() returns trigger language plpgsql as
  $$ begin if new.extra = 'shout' then new.body := upper(new.body); end if; return new; end $$;
create trigger shout before update on note for each row execute function shout();
"""


def eventually(condition: Callable[[], T]) -> T:
    """Polls until `condition` is true, and returns what it returned."""
    return wait_until(condition, bool, DEADLINE)


def soon(seconds: float = 0) -> str:
    """That many seconds from now, as ``schedule_at`` wants it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@dataclass
class Call:
    """A request that reached a webhook."""

    body: Any
    headers: dict[str, str]
    arrived: float


@dataclass
class Answer:
    """The answer of a webhook; it is sent once `until` is set."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    until: threading.Event | None = None


class Hook:
    """One webhook. It sends its answers in turn, and the last one again and again."""

    def __init__(self, url: str, answers: list[Answer]) -> None:
        self.url = url
        self.calls: list[Call] = []
        self.most_at_once = 0
        self._answers = answers
        self._at_once = 0
        self._lock = threading.Lock()

    def wait_for_calls(self, number: int) -> list[Call]:
        """The calls, once there are that many."""
        eventually(lambda: len(self.calls) >= number)
        return self.calls

    def take(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def leave(self) -> None:
        with self._lock:
            self._at_once -= 1


class Webhooks:
    """A real HTTP server whose paths are hooks; it runs while the context is open."""

    def __init__(self) -> None:
        self._hooks: dict[str, Hook] = {}
        hooks = self._hooks

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook = hooks[self.path.split("?")[0]]
                answer = hook.take(Call(body, _joined(self.headers.items()), time.monotonic()))
                if answer.until:
                    answer.until.wait(DEADLINE)
                hook.leave()
                with suppress(OSError):
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body.encode())

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 1024
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> "Webhooks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def new(self, *answers: Answer, path: str | None = None) -> Hook:
        """A hook at a path of its own."""
        path = path or f"/hooks/{secrets.token_hex(8)}"
        self._hooks[path] = Hook(self.url + path, list(answers) or [Answer()])
        return self._hooks[path]


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; the values of a repeated header are joined."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name.lower()] = f"{joined[name.lower()]}, {value}" if name.lower() in joined else value
    return joined


@dataclass
class HasuraServer:
    """A running local Hasura on a database of its own."""

    url: str
    database_url: str

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        """A request with just these headers; underscores stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self.url + path, json=body, headers=sent, timeout=DEADLINE)

    def metadata(self, kind: str, args: Any, path: str = "/v1/metadata") -> requests.Response:
        """A metadata command of the admin."""
        return self.post(path, {"type": kind, "args": args}, x_hasura_admin_secret=ADMIN_SECRET)

    def ask(self, kind: str, path: str = "/v1/metadata", **args: Any) -> Any:
        """The answer to a metadata command that must succeed."""
        response = self.metadata(kind, args, path)
        assert response.status_code == 200, response.text
        return response.json()

    def apply_metadata(self, project: Path) -> Any:
        """What ``hasura metadata apply`` sends and gets."""
        document = load_metadata(project / "metadata").as_document()
        return self.ask("replace_metadata", metadata=document, allow_inconsistent_metadata=True)

    def sql_triggers(self) -> list[str]:
        """The names of the SQL triggers that event triggers have in the database."""
        rows = self.sql("select tgname from pg_trigger where tgname like 'notify_hasura_%' order by 1")
        return [name for (name,) in rows]

    def graphql(self, query: str, **headers: str) -> Any:
        """The JSON that GraphQL answers; the admin asks unless `headers` say otherwise."""
        headers = headers or {"x_hasura_admin_secret": ADMIN_SECRET}
        return self.post("/v1/graphql", {"query": query}, **headers).json()

    def inject(self, fault: str, **body: Any) -> None:
        """Calls a control route that injects a fault."""
        response = self.post(f"/_local/{fault}", body, x_hasura_admin_secret=ADMIN_SECRET)
        assert response.status_code == 200, response.text

    def create_event(self, webhook: str, **args: Any) -> str:
        """Creates a scheduled event, due now unless `args` say otherwise; returns its id."""
        answer = self.ask("create_scheduled_event", webhook=webhook, **{"schedule_at": soon(), **args})
        return str(answer["event_id"])

    def create_events_at_once(self, webhook: str, number: int) -> set[str]:
        """Creates events that are due now, all in one statement, so that one poll locks all; returns their ids."""
        rows = self.sql(
            "insert into hdb_catalog.hdb_scheduled_events (webhook_conf, scheduled_time)"
            " select to_json(%s::text), now() from generate_series(1, %s) returning id",
            webhook,
            number,
        )
        return {event_id for (event_id,) in rows}

    def event(self, event_id: str) -> dict[str, Any]:
        """A one-off event as the API shows it."""
        events = self.ask("get_scheduled_events", type="one_off")["events"]
        return next(event for event in events if event["id"] == event_id)

    def wait_for_status(self, event_id: str, status: str) -> dict[str, Any]:
        """The event, once it has that status."""
        eventually(lambda: self.event(event_id)["status"] == status)
        return self.event(event_id)

    def invocations(self, event_id: str, kind: str = "one_off") -> list[dict[str, Any]]:
        """The invocation logs of an event, newest first."""
        answer = self.ask("get_scheduled_event_invocations", type=kind, event_id=event_id)
        return list(answer["invocations"])

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of an SQL statement that does not go through Hasura."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


@dataclass
class HasuraProcess(HasuraServer):
    """``python -m local.hasura``."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for_log(self, text: str) -> None:
        """Returns once the log contains the text."""
        wait_until(self.log.read_text, lambda log: text in log, DEADLINE)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends the process by a signal and waits for it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(DEADLINE)


def write_project(folder: Path, event_triggers: list[dict[str, Any]], cron_triggers: list[dict[str, Any]]) -> Path:
    """Migrations and metadata of one table, `note`, as the Hasura CLI lays them out; returns `folder`."""
    tables = folder / "metadata" / "databases" / "default" / "tables"
    migration = folder / "migrations" / "default" / "1700000000000_note"
    for new in (tables, migration):
        new.mkdir(parents=True, exist_ok=True)
    (migration / "up.sql").write_text(_NOTE_TABLE)
    (folder / "metadata" / "version.yaml").write_text("version: 3")
    (folder / "metadata" / "cron_triggers.yaml").write_text(yaml.safe_dump(cron_triggers))
    database_url = {"database_url": {"from_env": "PG_DATABASE_URL"}}
    database = {"name": "default", "kind": "postgres", "configuration": {"connection_info": database_url}}
    (tables.parent.parent / "databases.yaml").write_text(
        yaml.safe_dump([{**database, "tables": "!include default/tables/tables.yaml"}])
    )
    (tables / "tables.yaml").write_text('- "!include public_note.yaml"')
    note = {"table": {"schema": "public", "name": "note"}, "event_triggers": event_triggers}
    (tables / "public_note.yaml").write_text(yaml.safe_dump(note))
    return folder


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """The URL of a PostgreSQL server that is gone afterwards.

    Its files are not below pytest's folder: another run of pytest makes that unreadable for PostgreSQL's user if we
    are root.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, running(Path(folder)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("alter system set fsync = off")  # it need not survive a power cut
            connection.execute("select pg_reload_conf()")
        yield url


def new_database(cluster_url: str) -> str:
    """The URL of a fresh database in a running cluster."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return cluster_url.replace("/postgres?", f"/{name}?", 1)


def settings(environment: dict[str, str] | None) -> dict[str, str]:
    """The environment of every server of the tests, and `environment` besides."""
    return {
        "HASURA_GRAPHQL_ADMIN_SECRET": ADMIN_SECRET,
        "HASURA_GRAPHQL_JWT_SECRET": json.dumps({"type": "HS256", "key": JWT_KEY}),
        "HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL": "50",
        **(environment or {}),
    }


@contextmanager
def hasura_in_thread(
    database_url: str, project: Path | None, environment: dict[str, str] | None = None, *, concurrent: bool = True
) -> Iterator[HasuraServer]:
    """A server in this process, which starts quickly; polls every 50 ms. Without a project it sets nothing up."""
    app = application(Configuration(database_url, project, settings(environment), 0.05, concurrent, "v2.43.0"))
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, shutdown_timeout=1)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    try:
        yield HasuraServer(asyncio.run_coroutine_threadsafe(start(), loop).result(DEADLINE), database_url)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(DEADLINE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def hasura_process(
    database_url: str, data: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[HasuraProcess]:
    """A server started by its command; polls every 50 ms, and is ended with SIGTERM."""
    server = start_hasura_process(database_url, data, *arguments, environment=environment)
    try:
        ready = data / "ready.json"
        eventually(lambda: ready.exists() or server.process.poll() is not None)
        assert ready.exists(), server.log.read_text()
        server.url = json.loads(ready.read_text())["url"]
        yield server
    finally:
        server.stop()


def start_hasura_process(
    database_url: str, data: Path, *arguments: str, environment: dict[str, str] | None = None
) -> HasuraProcess:
    """Starts a server and does not wait for it."""
    data.mkdir(parents=True, exist_ok=True)
    ready, log = data / "ready.json", data / "log.txt"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local.hasura", "--data", str(data), "--port", "hasura=0"]
    command += ["--ready-file", str(ready), "--poll-interval", "0.05", *arguments]
    variables = {**os.environ, "PG_DATABASE_URL": database_url, **settings(environment)}
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=output)
    return HasuraProcess("", database_url, process, log)
