"""An upgrade: the functions of each release so far work beside today's schema and metadata.

Migrations and metadata are applied before the new functions are published, so the old ones run beside them for a while.
What they send to Hasura is kept in tests/releases/, by scripts/release_requests.py.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from local.running_stack import RunningStack, started
from scripts.release_requests import AT, RELEASES, as_text, file_of, requests_of_this_version, version
from shared.hasura import documents

FILES = sorted(RELEASES.glob("*/hasura_requests.json"))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    """An empty one, on which no functions claim what the test stores."""
    with started(tmp_path, "--without", "functions", "--port", "functions=1", "--poll-interval", "60") as running:
        yield running


def send(stack: RunningStack, request: dict[str, Any], token: str) -> Any:
    """What Hasura answers, without its envelope; the answer must be no error."""
    headers = (
        {"x-hasura-admin-secret": stack.settings["HASURA_GRAPHQL_ADMIN_SECRET"]}
        if request["sent_as"] == "admin"
        else {"Authorization": f"Bearer {token}"}
    )
    answer = requests.post(stack.urls["hasura"] + request["path"], json=request["body"], headers=headers, timeout=30)
    body = answer.json()
    assert answer.status_code == 200, body
    assert "errors" not in body, (request["body"], body["errors"])
    return body.get("data", body)


def requests_at_this_moment(file: Path) -> list[dict[str, Any]]:
    """Nobody may put a post into a past that is long over, so the posts are of this moment."""
    now: list[dict[str, Any]] = json.loads(file.read_text().replace(AT.isoformat(), datetime.now(UTC).isoformat()))
    return now


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_the_functions_of_a_release_publish_a_post_on_todays_schema(stack: RunningStack, file: Path) -> None:
    token = stack.token("olga")

    answers = [send(stack, request, token) for request in requests_at_this_moment(file)]

    stored = next(answer for answer in answers if "insert_scheduled_post_one" in answer)["insert_scheduled_post_one"]
    claimed = next(answer for answer in answers if answer.get("claim_due_posts"))["claim_due_posts"]
    recorded = next(answer for answer in answers if "record_outcome" in answer)["record_outcome"]
    assert (stored["id"], stored["state"]) == (1, "scheduled")
    assert [(post["post_id"], post["state"]) for post in claimed] == [(1, "sending"), (2, "sending")]
    assert recorded == [{"recorded": True, "state": "tweeted"}]


def test_the_requests_of_this_version_are_kept() -> None:
    kept = file_of(version()).read_text()

    assert kept == as_text(requests_of_this_version()), "Run python -m scripts.release_requests"


def test_each_document_is_among_them() -> None:
    sent = {request["body"]["query"] for request in requests_of_this_version() if "query" in request["body"]}

    assert sent == {text for name, text in vars(documents).items() if name.isupper() and not name.startswith("_")}
