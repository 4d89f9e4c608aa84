"""infra/deploy_hasura.sh applies hasura/ and has Hasura create its SQL triggers, in this order."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "infra" / "deploy_hasura.sh"
SECRET = 'an "admin" secret\\of a test'


class FakeHasura(HTTPServer):
    """Keeps what it was asked; answers `status` to the metadata API."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[tuple[str, str | None, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    server: FakeHasura

    def do_GET(self) -> None:
        self._answer(200, None)

    def do_POST(self) -> None:
        self._answer(self.server.status, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, format: str, *args: Any) -> None:
        """Not to standard error."""

    def _answer(self, status: int, body: Any) -> None:
        self.server.asked.append((self.path, self.headers["x-hasura-admin-secret"], body))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'{"message": "answered"}')


@pytest.fixture
def hasura() -> Iterator[FakeHasura]:
    with FakeHasura() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with a Hasura CLI that writes down how it was called, and an Azure CLI that knows the secret."""
    tool(tmp_path / "hasura", 'echo "$@" "$HASURA_GRAPHQL_ENDPOINT" "$HASURA_GRAPHQL_ADMIN_SECRET" > "$0.log"')
    tool(tmp_path / "az", f"cat <<'END'\n{SECRET}\nEND")
    return tmp_path


def tool(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def deploy(tools: Path, url: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = f"{tools}:{os.environ['PATH']}"
    given = {"PATH": path, "APP_BASE_API": url, "HASURA_GRAPHQL_ADMIN_SECRET": SECRET, **environment}
    return subprocess.run([SCRIPT], env=given, capture_output=True, text=True, timeout=60, check=False)


def test_the_schema_is_deployed_and_the_sql_triggers_are_created(hasura: FakeHasura, tools: Path) -> None:
    done = deploy(tools, hasura.url)

    assert done.returncode == 0, done.stderr
    called = (tools / "hasura.log").read_text().strip()
    assert called == f"deploy --project hasura --skip-update-check {hasura.url} {SECRET}"
    recreate = {"type": "reload_metadata", "args": {"recreate_event_triggers": True}}
    assert hasura.asked == [("/healthz", None, None), ("/v1/metadata", SECRET, recreate)]
    assert SECRET not in done.stdout + done.stderr


def test_the_admin_secret_comes_from_the_vault_when_the_environment_has_none(hasura: FakeHasura, tools: Path) -> None:
    done = deploy(tools, hasura.url, HASURA_GRAPHQL_ADMIN_SECRET="", AZURE_KEY_VAULT_NAME="kv-test")

    assert done.returncode == 0, done.stderr
    assert hasura.asked[-1][1] == SECRET


def test_a_failed_deployment_ends_it_before_the_triggers(hasura: FakeHasura, tools: Path) -> None:
    tool(tools / "hasura", "exit 3")

    assert deploy(tools, hasura.url).returncode == 3
    assert [path for path, _, _ in hasura.asked] == ["/healthz"]


def test_a_refusal_of_hasura_is_a_failure_with_its_words(hasura: FakeHasura, tools: Path) -> None:
    hasura.status = 401

    done = deploy(tools, hasura.url)

    assert done.returncode != 0
    assert "answered" in done.stdout


def test_a_hasura_that_does_not_answer_is_named(tools: Path) -> None:
    done = deploy(tools, "http://127.0.0.1:9", TRIES="1")

    assert done.returncode == 1
    assert "Hasura does not answer at http://127.0.0.1:9." in done.stderr
