"""The page at a Hasura that executes an author's document only if it is in the allow list of hasura/metadata."""

import json
import re
from collections.abc import Iterator

import pytest
from page_author import Author, in_minutes
from playwright.sync_api import Request, WebSocket, expect

from local.running_stack import RunningStack, started

SUBSCRIBED = {"LatestPost", "Accounts", "App"}
SENT_BY_NAME = {"Everything", "Changes", "Some", "Ids", "EditText", "Move", "Remove", *SUBSCRIBED}
"""Where authors sign in by name, the server of the page makes their rows; the page itself sends SignUp elsewhere."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[RunningStack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HASURA_GRAPHQL_ENABLE_ALLOWLIST", "true")
        with started(tmp_path_factory.mktemp("stack"), "--rate-limit", "off") as running:
            yield running


def test_an_author_creates_edits_moves_and_deletes_posts_and_sees_what_happens_elsewhere(alice: Author) -> None:
    sent: set[str] = set()
    answers: list[str] = []

    def note(request: Request) -> None:
        sent.update(re.findall(r'"query":"(?:query|mutation) (\w+)', request.post_data or ""))

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.update(re.findall(r'"query":"subscription (\w+)', str(frame))))
        socket.on("framereceived", lambda frame: answers.append(json.loads(frame)["type"]))

    alice.page.on("request", note)
    alice.page.on("websocket", listen)
    alice.sign_in()
    alice.schedule("written here", in_minutes(60))
    alice.edit("written here", "edited here")
    alice.move("edited here", in_minutes(120))
    alice.hides_from_changes("from elsewhere")
    alice.create("from elsewhere", in_minutes(60))
    expect(alice.article("from elsewhere", region="Pending")).to_be_visible()
    alice.delete("edited here")

    expect(alice.article("edited here")).to_have_count(0)
    expect(alice.page.get_by_text("query is not allowed")).to_have_count(0)
    assert sent == SENT_BY_NAME
    assert "error" not in answers
