"""The commands for users and their accounts on X, run as an operator runs them, against the local stack."""

import base64
import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from admin_commands import Ended, admin, nothing
from cron_events import sweep
from psycopg import sql
from waiting import wait_until

from local.running_stack import RunningStack
from shared.x.sealed_tokens import TokenKeys

ROOT = Path(__file__).parents[2]
SECONDS = 120

ACCOUNTS = """query ($username: String!) { user(where: {username: {_eq: $username}}) {
  account_users(order_by: {account_id: asc}) { account {
    id account_name x_user_id sealed_tokens paused_until paused_reason tokens_since
  } }
} }"""
POST = """query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state reason tweet_id } }"""
MOVE = """mutation ($id: bigint!, $at: timestamptz!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $at}) { id }
}"""
SEND = """mutation ($id: bigint!, $until: timestamptz!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {state: "sending", lease_until: $until}) { id }
}"""
KEEP = """mutation ($text: String!, $zone: String!, $account: bigint!) {
  insert_scheduled_post_one(object: {text: $text, state: "draft"}) { id }
  insert_posting_slot_one(object: {weekday: 1, at: "09:00", time_zone: $zone, account_id: $account}) { id }
  update_user(where: {}, _set: {default_account_id: $account}) { affected_rows }
}"""
MISSED = """mutation ($id: bigint!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {state: "missed", reason: "It was too late."}) { id }
}"""
CREATE_USER = "mutation ($username: String!) { insert_user_one(object: {username: $username}) { id } }"
CHANGE_ACCOUNT = """mutation ($id: bigint!, $changes: account_set_input!) {
  update_account_by_pk(pk_columns: {id: $id}, _set: $changes) { id }
}"""


class Operator:
    """Runs commands with the settings of the stack, and reads what they did."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack

    def run(self, command: str, *options: str, typed: Callable[[str], str] = nothing, **settings: str) -> Ended:
        return self._without_secrets(admin(self.stack, command, *options, typed=typed, **settings))

    def link(self, username: str, handle: str | None, *options: str, pin: str | None = None) -> Ended:
        """Somebody authorizes the app as `handle`, or denies it (None), and the operator types the PIN, or `pin`."""

        def type_the_pin(shown: str) -> str:
            address = re.search(r"oauth_token=(\S+)\n", shown)
            assert address, shown
            given = self._decided(address[1], handle)
            return f"{given if pin is None else pin}\n"

        return self.run("link_account", "--user", username, *options, typed=type_the_pin)

    def forget(self, username: str, meanwhile: Callable[[], object]) -> Ended:
        """The operator types the username once `meanwhile` has happened at the prompt."""

        def type_the_name(_: str) -> str:
            meanwhile()
            return f"{username}\n"

        return self.run("forget_user", "--user", username, typed=type_the_name)

    def accounts(self, username: str) -> list[dict[str, Any]]:
        found = self.stack.graphql(ACCOUNTS, {"username": username})["user"]
        return [link["account"] for user in found for link in user["account_users"]]

    def exists(self, username: str) -> bool:
        return bool(self.stack.graphql(ACCOUNTS, {"username": username})["user"])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as connection:
            return connection.execute(statement.encode()).fetchall()

    def tables_that_hold(self, text: str) -> list[str]:
        """The tables of the rows and of Hasura in which a row has that text somewhere."""
        in_schemas = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        holds = "select exists (select from {} as row where row::text like {})"
        found = []
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as connection:
            for schema, table in connection.execute(f"{in_schemas} and table_schema in ('public', 'hdb_catalog')"):
                query = sql.SQL(holds).format(sql.Identifier(schema, table), sql.Literal(f"%{text}%"))
                [is_there] = connection.execute(query).fetchone() or (False,)
                found += [table] if is_there else []
        return found

    def x(self, route: str, **body: str) -> Any:
        answer = requests.post(f"{self.stack.urls['x']}/_local/{route}", json=body, timeout=SECONDS)
        assert answer.ok, answer.text
        return answer.json()

    def _decided(self, request_token: str, handle: str | None) -> str:
        if handle is None:
            self.x("deny", oauth_token=request_token)
            return "1234567"
        return str(self.x("authorize", oauth_token=request_token, username=handle)["pin"])

    def _without_secrets(self, ran: Ended) -> Ended:
        """No command may show a secret or a token of anybody."""
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as connection:
            sealed = [value for (value,) in connection.execute("select sealed_tokens from account")]
        keys = TokenKeys.of(self.stack.settings["X_TOKEN_KEYS"])
        hidden = [value for name, value in self.stack.settings.items() if "SECRET" in name or "KEY" in name]
        shown = ran.stdout + ran.stderr
        assert [value for value in [*sealed, *hidden] if value in shown] == []
        assert repr(keys) not in shown
        return ran


@pytest.fixture
def operator(stack: RunningStack) -> Operator:
    return Operator(stack)


@pytest.fixture
def username(operator: Operator) -> str:
    """A user who has signed in, and has no account yet."""
    name = new_name()
    operator.stack.graphql(CREATE_USER, {"username": name})
    return name


def new_name() -> str:
    return "u" + uuid.uuid4().hex[:12]


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def tokens_of(operator: Operator, account: dict[str, Any]) -> str:
    keys = TokenKeys.of(operator.stack.settings["X_TOKEN_KEYS"])
    return keys.open(account["x_user_id"], account["sealed_tokens"]).access_token


def scheduled(operator: Operator, username: str, text: str, seconds: float) -> int:
    token = operator.stack.token(username)
    answer = operator.stack.create_post(token, {"text": text, "schedule_for": at(seconds)})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["insert_scheduled_post_one"]["id"])


def post_once(operator: Operator, post_id: int, *states: str) -> Any:
    return wait_until(
        lambda: operator.stack.graphql(POST, {"id": post_id})["scheduled_post_by_pk"],
        lambda post: post["state"] in states,
    )


class TestLinkAccount:
    def test_a_post_of_a_linked_account_is_published_by_that_user_of_x(self, operator: Operator, username: str) -> None:
        handle = new_name()

        ran = operator.link(username, handle)

        assert (ran.returncode, ran.stderr) == (0, "")
        [account] = operator.accounts(username)
        assert (account["account_name"], tokens_of(operator, account)[:5]) == (handle, account["x_user_id"][:5])
        assert f"@{handle} (X user {account['x_user_id']}) is linked to {username}." in ran.stdout
        created = operator.stack.graphql(
            """mutation ($post: scheduled_post_insert_input!) { insert_scheduled_post_one(object: $post) { id } }""",
            {
                "post": {
                    "text": "linked",
                    "schedule_for": at(0),
                    "account_id": account["id"],
                    "user_id": user_id(operator, username),
                }
            },
        )
        sweep(operator.stack)
        post_once(operator, created["insert_scheduled_post_one"]["id"], "tweeted")
        assert [tweet["text"] for tweet in operator.stack.tweets(handle)] == ["linked"]

    def test_a_second_link_renews_handle_and_tokens_and_ends_the_pause(self, operator: Operator, username: str) -> None:
        handle = new_name()
        operator.link(username, handle)
        [before] = operator.accounts(username)
        operator.x("revoke", username=handle)
        pause = {"account_name": "earlier", "paused_until": at(3600), "paused_reason": "X rejects its sign-in."}
        operator.stack.graphql(CHANGE_ACCOUNT, {"id": before["id"], "changes": pause})

        ran = operator.link(username, handle)

        assert ran.returncode == 0
        [after] = operator.accounts(username)
        assert (after["id"], after["account_name"], after["paused_until"]) == (before["id"], handle, None)
        assert tokens_of(operator, after) != tokens_of(operator, before)

    @pytest.mark.parametrize("pin", ["0000000x", "99999999"])
    def test_a_wrong_pin_stores_nothing(self, operator: Operator, username: str, pin: str) -> None:
        handle = new_name()

        ran = operator.link(username, handle, pin=pin)

        assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
        assert "X does not accept this PIN: it is wrong" in ran.stderr
        assert operator.accounts(username) == []
        assert operator.tables_that_hold(handle) == []

    def test_no_pin_stores_nothing(self, operator: Operator, username: str) -> None:
        ran = operator.link(username, new_name(), pin="")

        assert (ran.returncode, ran.stderr) == (1, "No PIN was given. Nothing was stored.\n")
        assert operator.accounts(username) == []

    def test_a_denied_authorization_stores_nothing(self, operator: Operator, username: str) -> None:
        ran = operator.link(username, None)

        assert ran.returncode == 1
        assert "denied" in ran.stderr
        assert operator.accounts(username) == []

    def test_a_user_who_never_signed_in_is_refused_before_x_is_asked(self, operator: Operator) -> None:
        name = new_name()

        ran = operator.link(name, new_name())

        assert (ran.returncode, "oauth" in ran.stdout) == (1, False)
        assert ran.stderr.startswith(f"There is no user {name}")
        assert not operator.exists(name)

    def test_on_request_the_user_is_created_with_the_link(self, operator: Operator) -> None:
        name, handle = new_name(), new_name()

        ran = operator.link(name, handle, "--create-user")

        assert ran.returncode == 0
        assert [account["account_name"] for account in operator.accounts(name)] == [handle]

    def test_an_account_of_somebody_else_is_refused_and_nothing_is_stored(
        self, operator: Operator, username: str
    ) -> None:
        handle, other = new_name(), new_name()
        operator.link(username, handle)
        before = operator.accounts(username)

        ran = operator.link(other, handle, "--create-user")

        assert ran.returncode == 1
        assert ran.stderr.startswith(f"@{handle} is linked to {username} already")
        assert not operator.exists(other)
        assert operator.accounts(username) == before

    def test_an_account_is_shared_on_request(self, operator: Operator, username: str) -> None:
        handle, other = new_name(), new_name()
        operator.link(username, handle)

        ran = operator.link(other, handle, "--create-user", "--share")

        assert ran.returncode == 0
        assert [account["id"] for account in operator.accounts(other)] == [
            account["id"] for account in operator.accounts(username)
        ]

    def test_wrong_keys_of_our_app_are_named(self, operator: Operator, username: str) -> None:
        ran = operator.run("link_account", "--user", username, CONSUMER_API_SECRET="another-secret-of-the-app")

        assert ran.returncode == 1
        assert "CONSUMER_API_KEY and CONSUMER_API_SECRET" in ran.stderr

    def test_without_a_user_the_options_are_wrong(self, operator: Operator) -> None:
        ran = operator.run("link_account")

        assert (ran.returncode, "--user" in ran.stderr) == (2, True)


def user_id(operator: Operator, username: str) -> int:
    [user] = operator.stack.graphql(
        "query ($n: String!) { user(where: {username: {_eq: $n}}) { id } }", {"n": username}
    )["user"]
    return int(user["id"])


class TestUnlinkAccount:
    def test_the_only_link_goes_with_the_account_and_its_posts_are_not_published(self, operator: Operator) -> None:
        name = new_name()
        post_id = scheduled(operator, name, "not any more", 3600)
        [account] = operator.accounts(name)

        ran = operator.run("unlink_account", "--user", name)

        assert (ran.returncode, ran.stderr) == (0, "")
        assert "its tokens are deleted" in ran.stdout
        assert operator.accounts(name) == []
        assert operator.rows(f"select from account where id = {account['id']}") == []
        operator.stack.graphql(MOVE, {"id": post_id, "at": at(0)})
        post = post_once(operator, post_id, "failed", "tweeted")
        assert (post["state"], post["reason"][:37]) == ("failed", "The X account of this post was remove")
        assert operator.stack.tweets(name) == []

    def test_an_account_that_somebody_else_is_linked_to_keeps_its_tokens(self, operator: Operator) -> None:
        name, other = new_name(), new_name()
        post_id = scheduled(operator, name, "not any more", 3600)
        operator.link(other, name, "--create-user", "--share")

        ran = operator.run("unlink_account", "--user", name, "--account", f"@{name.upper()}")

        assert ran.returncode == 0
        assert f"Its tokens are kept for {other}." in ran.stdout
        assert len(operator.accounts(other)) == 1
        operator.stack.graphql(MOVE, {"id": post_id, "at": at(0)})
        post = post_once(operator, post_id, "failed", "tweeted")
        assert (post["state"], post["reason"][:30]) == ("failed", f"You may no longer post as @{name}"[:30])
        assert operator.stack.tweets(name) == []

    def test_of_several_accounts_one_must_be_named(self, operator: Operator, username: str) -> None:
        operator.link(username, new_name())
        operator.link(username, new_name())
        first, second = operator.accounts(username)

        unnamed = operator.run("unlink_account", "--user", username)
        named = operator.run("unlink_account", "--user", username, "--account", second["x_user_id"])

        assert (unnamed.returncode, named.returncode) == (1, 0)
        assert f"@{first['account_name']} (X user {first['x_user_id']})" in unnamed.stderr
        assert operator.accounts(username) == [first]

    def test_an_account_that_is_not_linked_is_refused(self, operator: Operator, username: str) -> None:
        without = operator.run("unlink_account", "--user", username)
        operator.link(username, new_name())
        another = operator.run("unlink_account", "--user", username, "--account", "somebody")

        assert (without.returncode, without.stderr) == (1, f"No account is linked to {username}.\n")
        assert (another.returncode, len(operator.accounts(username))) == (1, 1)


class TestForgetUser:
    def test_nothing_of_the_user_is_in_any_table(self, operator: Operator) -> None:
        name = new_name()
        published = scheduled(operator, name, f"published {name}", 0)
        post_once(operator, published, "tweeted")
        moved = scheduled(operator, name, f"moved {name}", 3600)
        operator.stack.graphql(MOVE, {"id": moved, "at": at(7200)}, token=operator.stack.token(name))
        wait_until(lambda: operator.tables_that_hold("post_moved"), bool)
        [account] = operator.accounts(name)
        operator.stack.graphql(
            KEEP,
            {"text": f"not yet {name}", "zone": f"Etc/{name}", "account": account["id"]},
            operator.stack.token(name),
        )
        assert {"user", "account", "scheduled_post", "post_attempt", "posting_slot"} <= set(
            operator.tables_that_hold(name)
        )
        assert "hdb_scheduled_events" in operator.tables_that_hold(name)
        logs = {"hdb_scheduled_event_invocation_logs", "event_invocation_logs"}
        wait_until(lambda: operator.tables_that_hold(name), lambda found: logs <= set(found))

        ran = operator.run("forget_user", "--user", name, typed=lambda _: f"{name}\n")

        assert (ran.returncode, ran.stderr) == (0, "")
        assert operator.tables_that_hold(name) == []
        assert operator.tables_that_hold(account["x_user_id"]) == []
        assert f"@{name}" in ran.stdout
        assert "X keeps the tweets (1 of these posts are published)" in ran.stdout
        assert [tweet["text"] for tweet in operator.stack.tweets(name)] == [f"published {name}"]

    def test_others_and_the_accounts_that_they_are_linked_to_stay(self, operator: Operator) -> None:
        name, other = new_name(), new_name()
        scheduled(operator, name, f"of {name}", 3600)
        kept = scheduled(operator, other, f"kept of {other}", 3600)
        operator.link(other, name, "--share")

        ran = operator.run("forget_user", "--user", name, "--yes")

        assert ran.returncode == 0
        assert not operator.exists(name)
        assert sorted(account["account_name"] for account in operator.accounts(other)) == sorted([name, other])
        assert operator.stack.graphql(POST, {"id": kept})["scheduled_post_by_pk"]["state"] == "scheduled"
        assert "hdb_scheduled_events" in operator.tables_that_hold(f"kept of {other}")

    def test_another_name_typed_deletes_nothing(self, operator: Operator) -> None:
        name = new_name()
        post_id = scheduled(operator, name, "kept", 3600)

        ran = operator.run("forget_user", "--user", name, typed=lambda _: "somebody else\n")

        assert (ran.returncode, ran.stderr) == (1, "This is another name. Nothing was deleted.\n")
        assert operator.stack.graphql(POST, {"id": post_id})["scheduled_post_by_pk"]["state"] == "scheduled"

    def test_nothing_typed_deletes_nothing(self, operator: Operator, username: str) -> None:
        ran = operator.run("forget_user", "--user", username)

        assert (ran.returncode, ran.stderr) == (1, "Nothing was typed. Nothing was deleted.\n")
        assert operator.exists(username)

    def test_posts_that_were_created_during_the_prompt_go_as_well(self, operator: Operator) -> None:
        name = new_name()
        scheduled(operator, name, f"before {name}", 3600)

        ran = operator.forget(name, lambda: scheduled(operator, name, f"during {name}", 3600))

        assert (ran.returncode, ran.stderr) == (0, "")
        assert "Deleted 2 posts" in ran.stdout
        assert operator.tables_that_hold(name) == []

    def test_an_account_that_was_shared_during_the_prompt_stays(self, operator: Operator, username: str) -> None:
        name = new_name()
        scheduled(operator, name, f"of {name}", 3600)

        ran = operator.forget(name, lambda: operator.link(username, name, "--share"))

        assert ran.returncode == 0
        assert [account["account_name"] for account in operator.accounts(username)] == [name]

    def test_a_post_that_began_to_be_sent_during_the_prompt_keeps_everything(self, operator: Operator) -> None:
        name = new_name()
        post_id = scheduled(operator, name, "on its way", 3600)

        ran = operator.forget(name, lambda: operator.stack.graphql(SEND, {"id": post_id, "until": at(180)}))

        assert ran.returncode == 1
        assert "is being sent just now. Nothing was deleted" in ran.stderr
        assert operator.stack.graphql(POST, {"id": post_id})["scheduled_post_by_pk"]["state"] == "sending"

    def test_the_events_of_the_trigger_for_notifications_go_as_well(self, operator: Operator) -> None:
        name = new_name()
        trigger = json.loads((ROOT / "hasura/optional/post_ended.json").read_text())
        operator.stack.metadata(trigger["type"], trigger["args"])
        try:
            post_id = scheduled(operator, name, f"of {name}", 3600)
            operator.stack.graphql(MISSED, {"id": post_id})
            token = operator.stack.token(name)
            operator.stack.graphql(MOVE, {"id": post_id, "at": at(3600)}, token=token)  # with the username in its event
            wait_until(lambda: operator.tables_that_hold(name), lambda found: "event_log" in found)

            ran = operator.run("forget_user", "--user", name, "--yes")

            assert (ran.returncode, operator.tables_that_hold(name)) == (0, [])
        finally:
            operator.stack.metadata("pg_delete_event_trigger", {"name": "post_ended", "source": "default"})

    def test_while_a_post_is_being_sent_nothing_is_deleted(self, operator: Operator) -> None:
        name = new_name()
        post_id = scheduled(operator, name, "on its way", 3600)
        operator.stack.graphql(SEND, {"id": post_id, "until": at(180)})

        ran = operator.run("forget_user", "--user", name, "--yes")

        assert ran.returncode == 1
        assert "is being sent just now. Nothing was deleted" in ran.stderr
        assert operator.stack.graphql(POST, {"id": post_id})["scheduled_post_by_pk"]["state"] == "sending"

    def test_a_run_that_was_interrupted_after_the_posts_is_finished_by_the_next_one(self, operator: Operator) -> None:
        name = new_name()
        post_id = scheduled(operator, name, f"half {name}", 3600)
        operator.stack.graphql(
            "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }", {"id": post_id}
        )

        ran = operator.run("forget_user", "--user", name, "--yes")

        assert ran.returncode == 0
        assert operator.tables_that_hold(name) == []

    def test_an_unknown_user_is_refused(self, operator: Operator) -> None:
        ran = operator.run("forget_user", "--user", "nobody-at-all", "--yes")

        assert (ran.returncode, ran.stderr[:33]) == (1, "There is no user nobody-at-all: a")


def new_key(key_id: str) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


class TestRotateKeys:
    @pytest.fixture
    def new(self, operator: Operator) -> Iterator[str]:
        """A new key; afterwards all accounts are sealed with the key of the stack again."""
        key, old = new_key("second"), operator.stack.settings["X_TOKEN_KEYS"]
        yield key
        ran = operator.run("rotate_keys", X_TOKEN_KEYS=f"{old},{key}")
        assert ran.returncode == 0, ran.stderr

    def all_accounts(self, operator: Operator) -> list[tuple[Any, ...]]:
        return operator.rows("select x_user_id, sealed_tokens from account order by id")

    def test_afterwards_the_new_key_alone_opens_all_accounts(self, operator: Operator, new: str) -> None:
        old = operator.stack.settings["X_TOKEN_KEYS"]
        operator.stack.token(new_name())
        before = {
            x_user_id: TokenKeys.of(old).open(x_user_id, sealed) for x_user_id, sealed in self.all_accounts(operator)
        }

        first = operator.run("rotate_keys", X_TOKEN_KEYS=f"{new},{old}")
        second = operator.run("rotate_keys", X_TOKEN_KEYS=new)

        number = len(before)
        assert (first.returncode, first.stderr) == (0, "")
        assert f"{number} of {number} accounts were sealed anew" in first.stdout
        assert "the other keys can go" in first.stdout
        assert f"0 of {number} accounts were sealed anew" in second.stdout
        after = {
            x_user_id: TokenKeys.of(new).open(x_user_id, sealed) for x_user_id, sealed in self.all_accounts(operator)
        }
        assert after == before

    def test_a_pause_and_the_age_of_the_tokens_stay(self, operator: Operator, new: str) -> None:
        name = new_name()
        operator.stack.token(name)
        [account] = operator.accounts(name)
        pause = {"paused_until": at(3600), "paused_reason": "X has locked it."}
        operator.stack.graphql(CHANGE_ACCOUNT, {"id": account["id"], "changes": pause})
        [before] = operator.accounts(name)

        operator.run("rotate_keys", X_TOKEN_KEYS=f"{new},{operator.stack.settings['X_TOKEN_KEYS']}")

        [after] = operator.accounts(name)
        kept = ("paused_until", "paused_reason", "tokens_since")
        assert [after[column] for column in kept] == [before[column] for column in kept]
        assert after["sealed_tokens"] != before["sealed_tokens"]

    def test_an_account_that_no_key_opens_is_named_and_the_others_are_sealed(
        self, operator: Operator, new: str
    ) -> None:
        old = operator.stack.settings["X_TOKEN_KEYS"]
        one, other = new_name(), new_name()
        for name in (one, other):
            operator.stack.token(name)
        [broken] = operator.accounts(one)
        [intact] = operator.accounts(other)
        wrong = TokenKeys.of(new_key("lost")).seal(
            broken["x_user_id"], TokenKeys.of(old).open(broken["x_user_id"], broken["sealed_tokens"])
        )
        operator.stack.graphql(CHANGE_ACCOUNT, {"id": broken["id"], "changes": {"sealed_tokens": wrong}})

        ran = operator.run("rotate_keys", X_TOKEN_KEYS=f"{new},{old}")

        operator.stack.graphql(
            CHANGE_ACCOUNT, {"id": broken["id"], "changes": {"sealed_tokens": broken["sealed_tokens"]}}
        )
        assert ran.returncode == 1
        assert f"@{one} (they are sealed with key lost" in ran.stderr
        [sealed] = operator.accounts(other)
        assert TokenKeys.of(new).open(intact["x_user_id"], sealed["sealed_tokens"])
