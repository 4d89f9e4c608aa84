"""Shows the limits of authors, and changes them: for everybody, or for one user or one account.

Without a number it only shows them. An exception ends with the word ``default`` in place of a number.
"""

import argparse
from typing import Any

from admin.connection import CommandRefused, Connection, parser_for, run, say

LIMITS = """
query limits {
  app { max_pending max_changes max_posts_a_day max_drafts }
  user(
    where: {_not: {max_pending: {_is_null: true}, max_changes: {_is_null: true}, max_drafts: {_is_null: true}}}
    limit: 1000
  ) { username max_pending max_changes max_drafts }
  account(where: {max_posts_a_day: {_is_null: false}}, limit: 1000) { account_name max_posts_a_day }
}"""

SET_FOR_ALL = """
mutation setLimits($limits: app_set_input!) { update_app(where: {}, _set: $limits) { affected_rows } }"""

SET_FOR_USER = """
mutation setLimitsOfUser($name: String!, $limits: user_set_input!) {
  update_user(where: {username: {_eq: $name}}, _set: $limits) { affected_rows }
}"""

SET_FOR_ACCOUNT = """
mutation setLimitsOfAccount($name: String!, $limits: account_set_input!) {
  update_account(where: {account_name: {_eq: $name}}, _set: $limits) { affected_rows }
}"""

WORDS = {
    "max_pending": "pending posts of an author",
    "max_changes": "posts created or moved by an author in 15 minutes",
    "max_posts_a_day": "posts of an account for one day (UTC)",
    "max_drafts": "drafts of an author",
}


def main() -> None:
    parser = parser_for("limits", __doc__)
    parser.add_argument("--pending", type=_number, dest="max_pending", metavar="N", help=WORDS["max_pending"])
    parser.add_argument("--changes", type=_number, dest="max_changes", metavar="N", help=WORDS["max_changes"])
    parser.add_argument(
        "--posts-a-day", type=_number, dest="max_posts_a_day", metavar="N", help=WORDS["max_posts_a_day"]
    )
    parser.add_argument("--drafts", type=_number, dest="max_drafts", metavar="N", help=WORDS["max_drafts"])
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--user", metavar="NAME", help="an exception for this user: --pending, --changes, --drafts")
    whose.add_argument("--account", metavar="HANDLE", help="an exception for this account: --posts-a-day")
    given = parser.parse_args()
    limits = {name: value for name in WORDS if (value := getattr(given, name)) is not None}
    run(given.data, lambda connection: change_limits(connection, limits, given.user, given.account))


def change_limits(connection: Connection, limits: dict[str, Any], user: str | None, account: str | None) -> None:
    """Writes the limits that are given (a number, or ``default``), and says all that hold. Raises CommandRefused."""
    if limits:
        _write(connection, limits, user, account)
    data = connection.hasura.graphql(LIMITS, {})
    if not data["app"]:
        raise CommandRefused("The table app has no row. Apply hasura/migrations.")
    for name, words in WORDS.items():
        say(f"{data['app'][0][name]:>6}  {words}")
    for row in data["user"]:
        say(f"Exception for {row['username']}: {_exception(row)}.")
    for row in data["account"]:
        say(f"Exception for @{row['account_name']}: {_exception(row)}.")


def _write(connection: Connection, limits: dict[str, Any], user: str | None, account: str | None) -> None:
    values = {name: None if value == "default" else value for name, value in limits.items()}
    allowed = {"max_posts_a_day"} if account else {"max_pending", "max_changes", "max_drafts"} if user else set(WORDS)
    if not limits.keys() <= allowed:
        raise CommandRefused("Of a user there are --pending, --changes and --drafts, of an account --posts-a-day.")
    if user is not None:
        [answer] = connection.hasura.graphql(SET_FOR_USER, {"name": user, "limits": values}).values()
    elif account is not None:
        [answer] = connection.hasura.graphql(SET_FOR_ACCOUNT, {"name": account, "limits": values}).values()
    elif None in values.values():
        raise CommandRefused("Only an exception has a default: give a number, or --user or --account.")
    else:
        [answer] = connection.hasura.graphql(SET_FOR_ALL, {"limits": values}).values()
    if not answer["affected_rows"]:
        raise CommandRefused(f"There is no {'account' if account else 'user'} of this name.")


def _exception(row: dict[str, Any]) -> str:
    return ", ".join(f"{row[name]} {words}" for name, words in WORDS.items() if row.get(name) is not None)


def _number(text: str) -> int | str:
    if text == "default":
        return text
    if not (text.isascii() and text.isdecimal()) or int(text) > 2_147_483_647:
        raise argparse.ArgumentTypeError(f"expected a whole number, or default, not {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
