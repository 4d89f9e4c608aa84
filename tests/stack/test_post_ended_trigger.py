"""Notifications on the local stack: a post that fails reaches a receiver on this machine, through Hasura's trigger."""

import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from waiting import wait_until

from doctor import configuration
from doctor.examination import Scope, examine
from local.running_stack import RunningStack, started
from shared import config

ROOT = Path(__file__).parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Gateway:
    """The operator's receiver on loopback. It refuses the first request, and takes every other that is signed."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.taken: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(
                    gateway.status_for(body, {name.lower(): value for name, value in self.headers.items()})
                )
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        return Handler

    def status_for(self, body: bytes, headers: dict[str, str]) -> int:
        try:
            message = Webhook(SECRET).verify(body, headers)
        except WebhookVerificationError:
            return 401
        if not self.refused:
            self.refused.append(headers["webhook-id"])
            return 500
        self.taken[headers["webhook-id"]] = message
        return 204


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    running = Gateway()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def notifying_stack(
    tmp_path_factory: pytest.TempPathFactory, gateway: Gateway, _clean_environment: None
) -> Iterator[RunningStack]:
    """A stack of its own whose operator has set NOTIFY_URL and created the event trigger."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTIFY_URL", gateway.url)
        patch.setenv("NOTIFY_SECRET", SECRET)
        with started(tmp_path_factory.mktemp("notifying"), "--poll-interval", "0.2", "--rate-limit", "off") as stack:
            for _ in range(2):  # the second time it is there already
                create_event_triggers(stack)
            yield stack


def create_event_triggers(stack: RunningStack) -> None:
    """As docker-compose.yml and infra/deploy_hasura.sh do it where NOTIFY_URL is set."""
    script = ROOT / "hasura" / "event_triggers.sh"
    subprocess.run(["sh", script], env={**os.environ, **stack.settings}, timeout=60, check=True)


def test_an_author_learns_of_a_failed_post_once_the_receiver_takes_it_and_of_no_published_one(
    notifying_stack: RunningStack, gateway: Gateway
) -> None:
    stack = notifying_stack
    token = stack.token("alice")

    def schedule(text: str) -> int:
        at = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
        answer = stack.create_post(token, {"text": text, "schedule_for": at})
        post_id: int = answer.json()["insert_scheduled_post_one"]["id"]
        return post_id

    schedule("published")
    wait_until(lambda: stack.tweets("alice"), lambda tweets: len(tweets) == 1)
    stack.fail("403", username="alice")
    failed = schedule("forbidden")

    taken = wait_until(lambda: dict(gateway.taken), bool)

    [(message_id, message)] = taken.items()
    assert gateway.refused == [message_id]  # Hasura delivered the same event again
    assert message["type"] == "post.failed"
    assert {name: message["data"][name] for name in ("post_id", "account_name", "state")} == {
        "post_id": failed,
        "account_name": "alice",
        "state": "failed",
    }
    assert message["data"]["reason"]
    wait_until(lambda: stack.log, lambda log: f"post {failed}: post.failed is sent" in log)
    assert f"post {failed}: post.failed is not sent, Hasura delivers it again: the receiver answers 500" in stack.log
    assert SECRET not in stack.log


def test_the_doctor_has_nothing_against_the_trigger(notifying_stack: RunningStack) -> None:
    settings = {**notifying_stack.settings, "NOTIFY_URL": "https://mail.example.com", "NOTIFY_SECRET": SECRET}

    found = examine(config.load(settings, Path("there-is-no.env")), Scope()).findings

    assert [finding for finding in found if "post_ended" in str(finding)] == []


def test_the_doctor_misses_the_trigger_where_a_receiver_is_set() -> None:
    [finding] = configuration.notification_findings("https://mail.example.com", {})

    assert finding.subject == "event trigger post_ended at Hasura"
    assert list(configuration.notification_findings(None, {})) == []
