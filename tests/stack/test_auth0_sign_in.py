"""Signing in with Auth0, through the whole stack: its Actions run in Node.js, with a stand-in for Auth0 itself.

What the Actions do when something fails: auth0/test/.
"""

import json
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack
from shared.x.sealed_tokens import AccessTokens, TokenKeys, TokensDoNotOpen

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
AUDIENCE = "https://posts.example/graphql"
NAMESPACE = "https://hasura.io/jwt/claims"

ACCOUNTS_OF = """query ($username: String!) { user(where: {username: {_eq: $username}}) {
  id account_users(order_by: {account_id: asc}) { account { id x_user_id account_name sealed_tokens paused_until } }
} }"""
PAUSE = """mutation ($x_user_id: String!) {
  update_account(where: {x_user_id: {_eq: $x_user_id}}, _set: {paused_until: "2100-01-01T00:00:00Z"}) { affected_rows }
}"""


@dataclass(frozen=True)
class XUser:
    """A user of X, and the tokens that X gave Auth0 for them."""

    id: str
    handle: str
    access_token: str
    access_token_secret: str

    @property
    def identity(self) -> dict[str, Any]:
        tokens = {"access_token": self.access_token, "access_token_secret": self.access_token_secret}
        return {"provider": "twitter", "connection": "twitter", "user_id": self.id, "isSocial": True, **tokens}

    @property
    def in_auth0(self) -> dict[str, Any]:
        """The user of Auth0 who signs in with X and nothing else."""
        return {"user_id": f"twitter|{self.id}", "nickname": self.handle, "identities": [self.identity]}


@dataclass(frozen=True)
class SignedIn:
    claims: dict[str, Any]
    logged: list[str]


class Auth0:
    """Signs users in, and signs the access tokens as Auth0 would, but with the stack's key."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._key = json.loads(stack.settings["HASURA_GRAPHQL_JWT_SECRET"])["key"]

    def sign_in(self, user: Mapping[str, Any], strategy: str = "twitter") -> SignedIn:
        asked = {
            "user": user,
            "connection": {"strategy": strategy},
            "audience": AUDIENCE,
            "hasura": self._stack.urls["hasura"],
            "jwtKey": self._key,
            "tokenKeys": self._stack.settings["X_TOKEN_KEYS"],
        }
        command = ["node", str(ROOT / "auth0/test/sign_in.js")]
        run = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True)
        return SignedIn(**json.loads(run.stdout))

    def access_token(self, claims: Mapping[str, Any]) -> str:
        now = int(time.time())
        return jwt.encode({"aud": AUDIENCE, "iat": now, "exp": now + 600, **claims}, self._key, "HS256")


@pytest.fixture
def auth0(stack: RunningStack) -> Auth0:
    return Auth0(stack)


@pytest.fixture
def ada(stack: RunningStack) -> XUser:
    return user_of_x(stack)


def user_of_x(stack: RunningStack) -> XUser:
    """A new user of the local X, who has given our app tokens."""
    handle = "u" + uuid.uuid4().hex[:12]
    answer = requests.post(f"{stack.urls['x']}/_local/users", json={"username": handle}, timeout=30)
    answer.raise_for_status()
    user = answer.json()
    return XUser(user["id"], handle, user["access_token"], user["access_token_secret"])


def accounts_of(stack: RunningStack, username: str) -> list[dict[str, Any]]:
    """The accounts that the user may post from; an AssertionError without such a user."""
    [user] = stack.graphql(ACCOUNTS_OF, {"username": username})["user"]
    return [link["account"] for link in user["account_users"]]


def opened(stack: RunningStack, account: Mapping[str, str]) -> AccessTokens:
    return TokenKeys.of(stack.settings["X_TOKEN_KEYS"]).open(account["x_user_id"], account["sealed_tokens"])


def test_the_first_sign_in_with_x_makes_the_user_the_account_and_the_link(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    assert auth0.sign_in(ada.in_auth0).logged == []

    [account] = accounts_of(stack, f"twitter|{ada.id}")
    assert (account["x_user_id"], account["account_name"]) == (ada.id, ada.handle)


def test_the_sealed_tokens_open_for_their_user_of_x_and_for_no_other(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    auth0.sign_in(ada.in_auth0)

    [account] = accounts_of(stack, f"twitter|{ada.id}")
    assert opened(stack, account) == AccessTokens(ada.access_token, ada.access_token_secret)
    with pytest.raises(TokensDoNotOpen):
        opened(stack, {**account, "x_user_id": "42"})


def test_a_post_of_who_signed_in_with_x_is_published_from_that_account(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    token = auth0.access_token(auth0.sign_in(ada.in_auth0).claims)
    at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()

    answer = stack.create_post(token, {"text": "Signed in with X", "schedule_for": at})

    assert answer.status_code == 201, answer.text
    [tweet] = wait_until(lambda: stack.tweets(ada.handle), bool)
    assert tweet["text"] == "Signed in with X"
    assert ada.access_token not in stack.log
    assert ada.access_token_secret not in stack.log


def test_the_next_sign_in_with_x_renews_the_tokens_and_the_handle_and_ends_a_pause(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    auth0.sign_in(ada.in_auth0)
    [before] = accounts_of(stack, f"twitter|{ada.id}")
    stack.graphql(PAUSE, {"x_user_id": ada.id})
    renamed = XUser(ada.id, "another_handle", "another-token", "another-secret")

    auth0.sign_in(renamed.in_auth0)

    [account] = accounts_of(stack, f"twitter|{ada.id}")
    assert account["id"] == before["id"]
    assert account["account_name"] == "another_handle"
    assert account["paused_until"] is None
    assert opened(stack, account) == AccessTokens("another-token", "another-secret")


def test_who_signs_in_by_mail_gets_claims_that_hasura_accepts_and_no_account(stack: RunningStack, auth0: Auth0) -> None:
    username = f"auth0|{uuid.uuid4().hex}"
    identity = {"provider": "auth0", "connection": "Username-Password-Authentication", "user_id": username[6:]}

    signed_in = auth0.sign_in({"user_id": username, "identities": [identity]}, strategy="auth0")

    assert stack.graphql("{ user { id } account { id } }", token=auth0.access_token(signed_in.claims)) == {
        "user": [],
        "account": [],
    }
    assert stack.graphql(ACCOUNTS_OF, {"username": username})["user"] == []


def test_a_subject_with_special_characters_is_the_username_as_it_is(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    username = f"twitter|{ada.id}/../?a=b&c#d%20'\"\\ é😀"

    signed_in = auth0.sign_in({**ada.in_auth0, "user_id": username})

    assert len(accounts_of(stack, username)) == 1
    [user] = stack.graphql("{ user { username } }", token=auth0.access_token(signed_in.claims))["user"]
    assert user["username"] == username


def test_who_got_a_handle_that_changed_hands_gets_an_account_of_their_own(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    other = user_of_x(stack)
    heir = XUser(other.id, ada.handle, other.access_token, other.access_token_secret)
    auth0.sign_in(ada.in_auth0)

    auth0.sign_in(heir.in_auth0)

    [account_of_ada], [account] = accounts_of(stack, f"twitter|{ada.id}"), accounts_of(stack, f"twitter|{heir.id}")
    assert account["account_name"] == account_of_ada["account_name"] == ada.handle
    assert account["id"] != account_of_ada["id"]
    assert opened(stack, account_of_ada) == AccessTokens(ada.access_token, ada.access_token_secret)


def test_an_account_that_is_linked_to_another_user_is_linked_to_both_and_the_log_says_so(
    stack: RunningStack, auth0: Auth0, ada: XUser
) -> None:
    auth0.sign_in(ada.in_auth0)
    username = f"auth0|{uuid.uuid4().hex}"
    profile = {"profileData": {"nickname": ada.handle}}
    by_mail = {"provider": "auth0", "connection": "Username-Password-Authentication", "user_id": username[6:]}

    signed_in = auth0.sign_in({"user_id": username, "identities": [by_mail, {**ada.identity, **profile}]})

    assert accounts_of(stack, username) == accounts_of(stack, f"twitter|{ada.id}")
    assert signed_in.logged == [
        f'X user {ada.id} is linked to "{username}", and to 1 more: "twitter|{ada.id}".',
    ]


@pytest.mark.parametrize(
    "document",
    [
        "{ account { sealed_tokens } }",
        "{ user { username } }",
        'mutation { insert_user_one(object: {username: "mallory"}) { id } }',
        'mutation { update_account(where: {}, _set: {account_name: "mallory"}) { affected_rows } }',
        "mutation { delete_account_user(where: {}) { affected_rows } }",
        "mutation { claim_due_posts(args: {}) { post_id } }",
    ],
)
def test_the_role_linker_may_link_and_nothing_else(stack: RunningStack, auth0: Auth0, document: str) -> None:
    roles = {"x-hasura-allowed-roles": ["linker"], "x-hasura-default-role": "linker"}

    with pytest.raises(GraphQLFailed, match="not found in type"):
        stack.graphql(document, token=auth0.access_token({NAMESPACE: roles}))


def test_a_user_may_not_call_the_function_that_links(stack: RunningStack, auth0: Auth0, ada: XUser) -> None:
    token = auth0.access_token(auth0.sign_in(ada.in_auth0).claims)

    with pytest.raises(GraphQLFailed, match="field 'link_account' not found in type: 'mutation_root'"):
        stack.graphql('mutation { link_account(args: {username: "mallory"}) { user_id } }', token=token)


def test_createpost_refuses_a_token_of_the_role_linker(stack: RunningStack, auth0: Auth0) -> None:
    roles = {"x-hasura-allowed-roles": ["linker"], "x-hasura-default-role": "linker"}
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    answer = stack.create_post(auth0.access_token({NAMESPACE: roles}), {"text": "a", "schedule_for": at})

    assert answer.status_code == 403, answer.text
