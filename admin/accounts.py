"""Users, their accounts on X, and the links between them, as the commands read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from admin.connection import CommandRefused
from admin.hasura_api import HasuraApi

USER = """
query adminReadsUser($username: String!) {
  user(where: {username: {_eq: $username}}) {
    id
    username
    account_users(order_by: {account_id: asc}) {
      account { id account_name x_user_id account_users { user { username } } }
    }
  }
}"""


@dataclass(frozen=True)
class Account:
    """An account on X, and the usernames of all who may post from it."""

    id: int
    handle: str
    x_user_id: str
    usernames: tuple[str, ...]


@dataclass(frozen=True)
class User:
    """A user, and the accounts that are linked to them."""

    id: int
    username: str
    accounts: tuple[Account, ...]


def find_user(hasura: HasuraApi, username: str) -> User | None:
    """The user of that name, which is the subject of their token."""
    found = hasura.graphql(USER, {"username": username})["user"]
    if not found:
        return None
    [row] = found
    return User(int(row["id"]), row["username"], tuple(account_of(link["account"]) for link in row["account_users"]))


def known_user(hasura: HasuraApi, username: str) -> User:
    """Raises CommandRefused when there is no such user."""
    user = find_user(hasura, username)
    if user is None:
        raise CommandRefused(f"There is no user {username}: a username is the subject of the user's token.")
    return user


def account_of(row: Mapping[str, Any]) -> Account:
    usernames = tuple(link["user"]["username"] for link in row["account_users"])
    return Account(int(row["id"]), row["account_name"], row["x_user_id"], usernames)
