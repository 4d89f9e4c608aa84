"""Unlinks an account on X from a user: none of the user's pending posts is published from it any more.

When nobody else is linked to the account, the account is deleted with its tokens. The tokens stay valid at X until the
owner of the account revokes the app there (Settings, Security and account access, Apps and sessions, Connected apps).
"""

import argparse

from admin.accounts import Account, User, known_user
from admin.connection import CommandRefused, Connection, add_user_option, parser_for, run, say

UNLINK = """
mutation adminUnlinksAccount($args: unlink_account_args!) {
  unlink_account(args: $args) { also_linked_to }
}"""


def main() -> None:
    given = _options()
    run(given.data, lambda connection: unlink(connection, given.user, given.account))


def unlink(connection: Connection, username: str, named: str | None) -> None:
    """Raises CommandRefused, and then nothing is changed."""
    account = _chosen(known_user(connection.hasura, username), named)
    args = {"username": username, "x_user_id": account.x_user_id}
    unlinked = connection.hasura.graphql(UNLINK, {"args": args})["unlink_account"]
    if not unlinked:
        raise CommandRefused(f"@{account.handle} was unlinked from {username} meanwhile. Nothing was changed.")
    say(f"@{account.handle} (X user {account.x_user_id}) is no longer linked to {username}.")
    if others := unlinked[0]["also_linked_to"]:
        say(f"Its tokens are kept for {', '.join(others)}.")
    else:
        say("Nobody else is linked to it: its tokens are deleted. They stay valid until the app is revoked at X.")


def _chosen(user: User, named: str | None) -> Account:
    names = ", ".join(f"@{account.handle} (X user {account.x_user_id})" for account in user.accounts)
    if not user.accounts:
        raise CommandRefused(f"No account is linked to {user.username}.")
    chosen = [account for account in user.accounts if named is None or _is_named(account, named)]
    if not chosen:
        raise CommandRefused(f"No account {named} is linked to {user.username}, but {names}.")
    if len(chosen) > 1:
        raise CommandRefused(f"Say with --account which one to unlink from {user.username}: {names}.")
    return chosen[0]


def _is_named(account: Account, named: str) -> bool:
    return named == account.x_user_id or named.removeprefix("@").lower() == account.handle.lower()


def _options() -> argparse.Namespace:
    parser = parser_for("unlink_account", __doc__)
    add_user_option(parser, "whom to unlink it from")
    parser.add_argument(
        "--account", metavar="NAME", help="its handle or its X user id; not needed when it is the only one"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
