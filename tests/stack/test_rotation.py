"""Rotating secrets in the order of docs/operating.md: nothing is refused in between, and no post is lost."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from admin_commands import said
from cron_events import sweep
from waiting import wait_until

from local.ports import choose_ports
from local.running_stack import GraphQLFailed, RunningStack, started
from local.service import STOP_AT_END_OF_INPUT

ROOT = Path(__file__).parents[2]
OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)


@contextmanager
def functions(stack: RunningStack, data: Path, port: int, **settings: str) -> Iterator[None]:
    """A functions host of its own, so that its settings can differ from Hasura's."""
    ready = data / "functions-alone.ready"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "local.functions_host", "--data", data, "--port", f"functions={port}",
         "--ready-file", ready, "--app", ROOT],
        cwd=ROOT, env={**os.environ, **stack.settings, **settings, STOP_AT_END_OF_INPUT: "yes"}, stdin=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            wait_until(lambda: ready.exists() or process.poll() is not None, bool)
            yield
        finally:
            process.terminate()


def create(stack: RunningStack, functions_url: str, text: str, at: timedelta = timedelta()) -> int:
    stack.urls["functions"] = functions_url
    created = stack.create_post(
        stack.token("wanda"), {"text": text, "schedule_for": (datetime.now(UTC) + at).isoformat()}
    )
    assert created.status_code == 201
    return int(created.json()["insert_scheduled_post_one"]["id"])


def is_published_by_its_event(stack: RunningStack, text: str) -> None:
    """At once: the sweep would take up to a minute."""
    wait_until(lambda: [tweet["text"] for tweet in stack.tweets("wanda")], lambda texts: text in texts)
    refused = stack.metadata("get_scheduled_event_invocations", {"type": "one_off"})["invocations"]
    assert [invocation["status"] for invocation in refused if invocation["status"] == 401] == []


def test_the_webhook_secret_is_rotated_without_a_refused_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = choose_ports(["functions", "hasura"], {"functions": 0, "hasura": 0})
    url = f"http://localhost:{ports['functions']}"
    options = ("--without", "functions", "--port", f"hasura={ports['hasura']}", "--poll-interval", "0.2")
    monkeypatch.setenv("ACTIONS_BASE_URL", url)
    both = {"WEBHOOK_SECRET": NEW, "WEBHOOK_SECRET_PREVIOUS": OLD}

    monkeypatch.setenv("WEBHOOK_SECRET", OLD)
    with started(tmp_path, *options) as stack:
        with functions(stack, tmp_path, ports["functions"]):
            stored_before = create(stack, url, "stored before", timedelta(days=1))
        with functions(stack, tmp_path, ports["functions"], **both):  # first the functions know both
            create(stack, url, "hasura has the old one")
            is_published_by_its_event(stack, "hasura has the old one")
    monkeypatch.setenv("WEBHOOK_SECRET", NEW)
    with started(tmp_path, *options) as stack:  # then Hasura is started with the new one
        with functions(stack, tmp_path, ports["functions"], **both):
            create(stack, url, "hasura has the new one")
            is_published_by_its_event(stack, "hasura has the new one")
        with functions(stack, tmp_path, ports["functions"]):  # at last the functions forget the old one
            publish_now(stack, stored_before)
            is_published_by_its_event(stack, "stored before")


def publish_now(stack: RunningStack, post_id: int) -> None:
    stack.graphql(
        "mutation ($id: bigint!, $at: timestamptz!) {"
        " update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $at}) { id } }",
        {"id": post_id, "at": datetime.now(UTC).isoformat()},
    )


def test_posts_survive_a_change_of_all_other_secrets_during_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new: Mapping[str, str] = {
        "HASURA_GRAPHQL_ADMIN_SECRET": NEW,
        "HASURA_GRAPHQL_JWT_SECRET": json.dumps({"type": "HS256", "key": NEW}),
        "CONSUMER_API_KEY": "A" * 25,
        "CONSUMER_API_SECRET": "B" * 50,
    }
    with started(tmp_path, "--poll-interval", "0.2") as stack:
        url = stack.urls["functions"]
        post = create(stack, url, "waits for new secrets", timedelta(days=1))
        old_token = stack.token("wanda")
        said(stack, "pause", "--reason", "Secrets are changed.")
        publish_now(stack, post)

    for name, value in new.items():
        monkeypatch.setenv(name, value)
    with started(tmp_path, "--poll-interval", "0.2") as stack:
        assert stack.tweets("wanda") == []
        said(stack, "resume")
        sweep(stack)
        wait_until(lambda: [tweet["text"] for tweet in stack.tweets("wanda")], bool)

        assert stack.settings["HASURA_GRAPHQL_ADMIN_SECRET"] == NEW
        with pytest.raises(GraphQLFailed, match="Could not verify JWT"):
            stack.graphql("{ user { id } }", token=old_token)
