"""Unlinks an account on X from a user: none of the user's pending posts is published from it any more.

When nobody else is linked to the account, the account is deleted with its tokens. The tokens stay valid at X until the
owner of the account revokes the app there (Settings, Security and account access, Apps and sessions, Connected apps).
"""

import argparse

from admin.accounts import Account, User, known_user
from admin.connection import CommandRefused, Connection, add_user_option, parser_for, run, say

UNLINK = """
mutation adminUnlinksAccount($user: bigint!, $account: bigint!) {
  delete_account_user_by_pk(user_id: $user, account_id: $account) { account_id }
  delete_account(where: {id: {_eq: $account}, _not: {account_users: {}}}) { affected_rows }
}"""


def main() -> None:
    given = _options()
    run(given.data, lambda connection: unlink(connection, given.user, given.account))


def unlink(connection: Connection, username: str, named: str | None) -> None:
    """Raises CommandRefused, and then nothing is changed."""
    user = known_user(connection.hasura, username)
    account = _chosen(user, named)
    done = connection.hasura.graphql(UNLINK, {"user": user.id, "account": account.id})
    say(f"@{account.handle} (X user {account.x_user_id}) is no longer linked to {username}.")
    if done["delete_account"]["affected_rows"]:
        say("Nobody else is linked to it: its tokens are deleted. They stay valid until the app is revoked at X.")
    else:
        others = ", ".join(name for name in account.usernames if name != username)
        say(f"Its tokens are kept for {others}.")


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
