"""Deletes a user for good, with their posts and logs, and the accounts on X that nobody else is linked to.

Hasura's events of these posts go, too, and its log of what it sent for them. Not deleted are the tweets, which X keeps,
and backups of the database. Delete the user at your sign-in provider first, because a new sign-in makes a new user.
It is safe to run again after an interruption. It asks for the username once more, unless there is --yes.
"""

import argparse

from admin.accounts import User, known_user
from admin.connection import CommandRefused, Connection, add_user_option, parser_for, run, say
from admin.events_of_user import delete_one_off_events, delete_table_events
from admin.hasura_api import HasuraApi, Json

POSTS = """
query adminReadsPosts($user: bigint!) {
  scheduled_post(where: {user_id: {_eq: $user}}) { id state tweet_id }
}"""

DELETE_POSTS = """
mutation adminDeletesPosts($user: bigint!, $accounts: [bigint!]!) {
  delete_scheduled_post(where: {user_id: {_eq: $user}}) { affected_rows }
  delete_account_user(where: {user_id: {_eq: $user}}) { affected_rows }
  delete_account(where: {id: {_in: $accounts}, _not: {account_users: {}}}) { returning { account_name x_user_id } }
}"""

DELETE_USER = """
mutation adminDeletesUser($user: bigint!) {
  delete_user_by_pk(id: $user) { id }
}"""


def main() -> None:
    given = _options()
    run(given.data, lambda connection: forget(connection, given))


def forget(connection: Connection, given: argparse.Namespace) -> None:
    """Raises CommandRefused before anything is deleted. The user's row goes last, so that a second run finds it."""
    hasura, username = connection.hasura, given.user
    user = known_user(hasura, username)
    posts = hasura.graphql(POSTS, {"user": user.id})["scheduled_post"]
    if any(post["state"] == "sending" for post in posts):
        raise CommandRefused(
            f"A post of {username} is being sent just now. Nothing was deleted; try again in a minute."
        )
    _say_what_is_there(user, posts)
    if not given.yes and _typed_name() != username:
        raise CommandRefused("This is another name. Nothing was deleted.")
    _delete_rows(hasura, user)
    events = delete_one_off_events(hasura, user.id, {int(post["id"]) for post in posts})
    say(f"Deleted {events} one-off scheduled events with their invocations.")
    table_events, invocations = delete_table_events(hasura, user.id)
    say(f"Deleted {table_events} events of event triggers and {invocations} invocations.")
    hasura.graphql(DELETE_USER, {"user": user.id})
    say(f"Deleted the user {username}.")
    _say_what_remains(posts)


def _say_what_is_there(user: User, posts: list[Json]) -> None:
    accounts = ", ".join(f"@{account.handle}" for account in user.accounts) or "no account"
    say(f"{user.username} is user {user.id}, with {len(posts)} posts, and linked to {accounts}.")


def _typed_name() -> str:
    print("Type the username to delete all this: ", end="", flush=True)
    try:
        return input()
    except EOFError:
        return ""


def _delete_rows(hasura: HasuraApi, user: User) -> None:
    """In one transaction."""
    accounts = [account.id for account in user.accounts]
    done = hasura.graphql(DELETE_POSTS, {"user": user.id, "accounts": accounts})
    say(f"Deleted {done['delete_scheduled_post']['affected_rows']} posts with their logs.")
    for account in done["delete_account"]["returning"]:
        say(f"Deleted the account @{account['account_name']} (X user {account['x_user_id']}) with its tokens.")


def _say_what_remains(posts: list[Json]) -> None:
    tweets = sum(post["tweet_id"] is not None for post in posts)
    say(f"X keeps the tweets ({tweets} of these posts are published), and the app's access until its owner revokes it.")
    say("Backups of the database keep all this until they are deleted.")


def _options() -> argparse.Namespace:
    parser = parser_for("forget_user", __doc__)
    add_user_option(parser, "whom to delete")
    parser.add_argument("--yes", action="store_true", help="do not ask for the username again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
