"""infra/deploy_hasura.sh applies hasura/ and has Hasura create its SQL triggers, in this order."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hasura_http_fake import FakeHasura, fake_hasura

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "infra" / "deploy_hasura.sh"
SECRET = 'an "admin" secret\\of a test'
RECREATE = {"type": "reload_metadata", "args": {"recreate_event_triggers": True}}
POST_ENDED: dict[str, Any] = json.loads((ROOT / "hasura/optional/post_ended.json").read_text())


@pytest.fixture
def hasura() -> Iterator[FakeHasura]:
    """One that does not know the database yet."""
    with fake_hasura() as server:
        server.answers["run_sql"] = (400, "not-exists")
        yield server


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with a Hasura CLI that writes down how it was called, and an Azure CLI that knows the secret."""
    tool(tmp_path / "hasura", 'echo "$@" "$HASURA_GRAPHQL_ENDPOINT" "$HASURA_GRAPHQL_ADMIN_SECRET" >> "$0.log"')
    tool(tmp_path / "az", f"cat <<'END'\n{SECRET}\nEND")
    return tmp_path


def tool(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def called(tools: Path) -> list[str]:
    """What the Hasura CLI was asked, with which address and secret."""
    log = tools / "hasura.log"
    return log.read_text().splitlines() if log.exists() else []


def deploy(tools: Path, url: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = f"{tools}:{os.environ['PATH']}"
    given = {"PATH": path, "APP_BASE_API": url, "HASURA_GRAPHQL_ADMIN_SECRET": SECRET, **environment}
    return subprocess.run([SCRIPT], env=given, capture_output=True, text=True, timeout=60, check=False)


def test_a_new_hasura_learns_of_the_database_first_and_gets_its_sql_triggers(hasura: FakeHasura, tools: Path) -> None:
    done = deploy(tools, hasura.url)

    assert done.returncode == 0, done.stderr
    assert called(tools) == [f"deploy --project hasura --skip-update-check {hasura.url} {SECRET}"]
    assert hasura.asked[0] == ("/healthz", None, None)
    assert hasura.asked[-1] == ("/v1/metadata", SECRET, RECREATE)
    assert SECRET not in done.stdout + done.stderr


def test_a_hasura_that_knows_the_database_gets_the_schema_before_the_metadata(hasura: FakeHasura, tools: Path) -> None:
    del hasura.answers["run_sql"]

    done = deploy(tools, hasura.url)

    assert done.returncode == 0, done.stderr
    assert [line.removesuffix(f" {hasura.url} {SECRET}") for line in called(tools)] == [
        "migrate apply --project hasura --database-name default --skip-update-check",
        "metadata apply --project hasura --skip-update-check",
    ]
    assert hasura.types() == ["run_sql", "reload_metadata"]


def test_a_hasura_that_cannot_reach_its_database_is_left_as_it_is(hasura: FakeHasura, tools: Path) -> None:
    hasura.answers["run_sql"] = (400, "unexpected")

    done = deploy(tools, hasura.url)

    assert done.returncode == 1
    assert "unexpected" in done.stderr
    assert called(tools) == []


def test_the_admin_secret_comes_from_the_vault_when_the_environment_has_none(hasura: FakeHasura, tools: Path) -> None:
    done = deploy(tools, hasura.url, HASURA_GRAPHQL_ADMIN_SECRET="", AZURE_KEY_VAULT_NAME="kv-test")

    assert done.returncode == 0, done.stderr
    assert hasura.asked[-1][1] == SECRET


def test_a_failed_deployment_ends_it_before_the_triggers(hasura: FakeHasura, tools: Path) -> None:
    tool(tools / "hasura", "exit 3")

    assert deploy(tools, hasura.url).returncode == 3
    assert hasura.types() == ["run_sql"]


def test_a_refusal_of_the_reload_is_a_failure_with_its_words(hasura: FakeHasura, tools: Path) -> None:
    hasura.answers["reload_metadata"] = (401, "access-denied")

    done = deploy(tools, hasura.url)

    assert done.returncode != 0
    assert "access-denied" in done.stdout
    assert "is applied" not in done.stdout


@pytest.mark.parametrize("switched_on", [{"NOTIFY_URL": "https://mail.example/hooks"}, {"SEND_NOTIFICATIONS": "true"}])
def test_the_trigger_of_the_notifications_is_created_where_they_are_switched_on(
    hasura: FakeHasura, tools: Path, switched_on: dict[str, str]
) -> None:
    done = deploy(tools, hasura.url, **switched_on)

    assert done.returncode == 0, done.stderr
    assert hasura.asked[-2:] == [("/v1/metadata", SECRET, RECREATE), ("/v1/metadata", SECRET, POST_ENDED)]


def test_the_trigger_of_the_notifications_may_be_there_already(hasura: FakeHasura, tools: Path) -> None:
    hasura.answers["pg_create_event_trigger"] = (400, "already-exists")

    assert deploy(tools, hasura.url, NOTIFY_URL="https://mail.example/hooks").returncode == 0


def test_another_refusal_of_that_trigger_is_a_failure_with_its_words(hasura: FakeHasura, tools: Path) -> None:
    hasura.answers["pg_create_event_trigger"] = (400, "not-exists")

    done = deploy(tools, hasura.url, NOTIFY_URL="https://mail.example/hooks")

    assert done.returncode == 1
    assert "not-exists" in done.stderr


def test_a_hasura_that_does_not_answer_is_named(tools: Path) -> None:
    done = deploy(tools, "http://127.0.0.1:9", TRIES="1")

    assert done.returncode == 1
    assert "Hasura does not answer at http://127.0.0.1:9." in done.stderr


@pytest.mark.parametrize(
    "address",
    [
        "http://hasura.posts.example",
        "http://localhost.posts.example",
        "http://127.0.0.1.posts.example",
        "http://localhost:80@posts.example",
        "https://",
        "hasura.posts.example",
        "",
    ],
)
def test_the_admin_secret_is_sent_only_encrypted_or_to_this_machine(tools: Path, address: str) -> None:
    tool(tools / "az", 'touch "$0.log"')
    tool(tools / "curl", 'touch "$0.log"')

    done = deploy(tools, address, HASURA_GRAPHQL_ADMIN_SECRET="", AZURE_KEY_VAULT_NAME="kv-test")

    assert done.returncode == 2
    assert done.stderr.startswith("APP_BASE_API must be https://")
    assert list(tools.glob("*.log")) == []


@pytest.mark.parametrize("address", ["https://hasura.posts.example", "http://localhost:3100", "http://127.0.0.1"])
def test_an_address_that_is_encrypted_or_of_this_machine_is_asked(tools: Path, address: str) -> None:
    tool(tools / "curl", 'case "$*" in *run_sql*) printf not-exists; exit 22 ;; esac')

    done = deploy(tools, address)

    assert done.returncode == 0, done.stderr
    assert called(tools) == [f"deploy --project hasura --skip-update-check {address} {SECRET}"]
