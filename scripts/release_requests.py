"""Writes the requests that the functions of this version send to Hasura into ``tests/releases/<version>/``.

Each release keeps its file. tests/stack/test_upgrade.py sends them to today's schema, because for some minutes of an
upgrade the functions of the release before run beside it.

``python -m scripts.release_requests``
"""

import argparse
import json
import os
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from shared import config
from shared.config import Settings
from shared.core.drafts import Draft
from shared.core.model import AttemptUpdate, ClaimedPost, Decision, Outcome, Pause, Rejection, State
from shared.hasura.draft_store import HasuraDraftStore
from shared.hasura.post_store import HasuraPostStore

ROOT = Path(__file__).parents[1]
RELEASES = ROOT / "tests" / "releases"

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
"""The time of all posts. tests/stack/test_upgrade.py puts its own in its place."""

ANSWERS: dict[str, Any] = {
    "insertPost": {"insert_scheduled_post_one": {"id": 1}},
    "insertPostOfKey": {"insert_scheduled_post_one": {"id": 1}},
    "author": {"user": [{"id": 1}]},
    "postOfKey": {"scheduled_post": []},
    "recordEvent": {"update_scheduled_post": {"affected_rows": 1}},
    "claimDuePosts": {"claim_due_posts": []},
    "findPost": {"scheduled_post_by_pk": None, "app": [], "database_clock": [{"now": AT.isoformat()}]},
    "postOfAuthor": {"scheduled_post_by_pk": None},
    "recordOutcome": {"record_outcome": []},
    "tweetsOfPosts": {"scheduled_post": []},
    "waitForDuePosts": {"wait_for_due_posts": [{"is_needed": True, "is_callers": True, "due_in_seconds": 1}]},
    "requestFollowUp": {"request_follow_up": [{"id": 1}]},
    "releaseFollowUp": {"update_app": {"affected_rows": 1}},
}
"""What is answered to a GraphQL document, by its name."""


def main() -> None:
    """Writes the file of this version; those of earlier ones stay as they are."""
    argparse.ArgumentParser(prog="python -m scripts.release_requests", description=__doc__).parse_args()
    file = file_of(version())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(as_text(requests_of_this_version()))
    print(f"wrote {file.relative_to(ROOT)}")


def version() -> str:
    """The version in pyproject.toml."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return found


def file_of(release: str) -> Path:
    """Where a release keeps its requests."""
    return RELEASES / release / "hasura_requests.json"


def as_text(requests: list[dict[str, Any]]) -> str:
    """The text of such a file."""
    return json.dumps(requests, indent=2, ensure_ascii=False) + "\n"


def requests_of_this_version() -> list[dict[str, Any]]:
    """``{"path", "sent_as": "admin" or "author", "body"}`` of each, in the order of a post's life."""
    with _recording_hasura() as (recording, requests):
        _send_each(HasuraDraftStore(recording), HasuraPostStore(recording))
    return requests


def _send_each(drafts: HasuraDraftStore, posts: HasuraPostStore) -> None:
    """Every method of the stores, in an order in which a real Hasura can answer: post 1 is stored first."""
    draft = Draft("Stored by a released version.", AT, account_id=None, user_id=None, when_late="publish")
    post = ClaimedPost(
        1, draft.text, AT, State.SENDING, AT + timedelta(minutes=3), attempt_number=1, account=None, may_post=True
    )
    accepted = AttemptUpdate(1, Outcome.TWEETED, "X accepted it.", code=201)
    rejected = AttemptUpdate(1, Outcome.NOT_SENT, "X limits it.", Rejection.ACCOUNT, 429, failed_reconciliations=0)

    drafts.insert_post(replace(draft, user_id=1), "a-token", None)
    drafts.post_of_key("a-key", "a-token")
    drafts.insert_post(draft, "a-token", "a-key")
    drafts.create_event(AT, {"id": 1, "schedule_for": AT.isoformat()})
    posts.record_event(1, "an-event", AT, instead_of=None)
    posts.record_event(1, "another-event", AT, instead_of="an-event")
    posts.forget_event(1, "another-event")
    posts.delete_event("an-event")
    posts.claim_due_posts(None)
    posts.claim_due_posts(1)
    posts.find_post(1)
    posts.post_of_author(1)
    posts.published_elsewhere(["1"])
    posts.record(post, Decision(State.TWEETED, (accepted,), tweet_id="1"))
    posts.record(
        post,
        Decision(State.SCHEDULED, (rejected,), "X limits it.", next_attempt_at=AT, pause=Pause(Rejection.ACCOUNT, AT)),
    )
    posts.record(post, Decision(State.UNKNOWN, (), "It may be on X.", reconcile_at=AT))
    posts.wait_for_due_posts("a-delivery", timedelta(), timedelta(seconds=60))
    posts.request_follow_up()
    posts.release_follow_up()


@contextmanager
def _recording_hasura() -> Iterator[tuple[Settings, list[dict[str, Any]]]]:
    """A server that keeps what it is sent and answers that all went well; and settings that lead there."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sent_as = "admin" if self.headers["x-hasura-admin-secret"] else "author"
            requests.append({"path": self.path, "sent_as": sent_as, "body": body})
            answer = json.dumps(_answer(body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield _settings(f"http://127.0.0.1:{server.server_port}"), requests
        finally:
            server.shutdown()


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    if "query" not in body:
        return {"message": "success", "event_id": "an-event"}
    name = body["query"].split("(")[0].split("{")[0].split()[1]
    return {"data": ANSWERS[name]}


def _settings(address: str) -> Settings:
    """Nothing of them but the addresses is in a request that is kept."""
    secret = "no secret, and long enough for every hash"
    given = {
        "APP_BASE_API": address,
        "ACTIONS_BASE_URL": "{{ACTIONS_BASE_URL}}",
        "HASURA_GRAPHQL_ADMIN_SECRET": secret,
        "HASURA_GRAPHQL_JWT_SECRET": json.dumps({"type": "HS256", "key": secret}),
        "WEBHOOK_SECRET": secret,
        "CONSUMER_API_KEY": secret,
        "CONSUMER_API_SECRET": secret,
        "X_TOKEN_KEYS": "none:" + "A" * 43,
    }
    return config.load(given, dotenv=Path(os.devnull))


if __name__ == "__main__":
    main()
