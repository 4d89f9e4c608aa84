"""Deletes a user for good, with their posts and logs, and the accounts on X that nobody else is linked to.

Hasura's events of these posts go, too, and its log of what it sent for them. Not deleted are the tweets, which X keeps,
and backups of the database. Delete the user at your sign-in provider first, because a new sign-in makes a new user.
It is safe to run again after an interruption. It asks for the username once more, unless there is --yes.
"""

import argparse
from collections.abc import Set
from dataclasses import replace

from admin.accounts import User, known_user
from admin.connection import CommandRefused, Connection, add_user_option, parser_for, run, say
from admin.events_of_user import delete_one_off_events, delete_table_events
from admin.hasura_api import HasuraApi, HasuraUnusable, Json

POSTS = """
query adminReadsPosts($user: bigint!) {
  scheduled_post(where: {user_id: {_eq: $user}}) { id state }
}"""

FORGET = """
mutation adminForgetsUser($args: forget_user_args!) {
  forget_user(args: $args) { user_id post_ids tweets accounts }
}"""


def main() -> None:
    given = _options()
    run(given.data, lambda connection: forget(connection, given))


def forget(connection: Connection, given: argparse.Namespace) -> None:
    """Raises CommandRefused when no row was deleted.

    The events go first, so that after an interruption there is a user to run it for again; and once more in the end,
    because posts may have been created or moved in between.
    """
    hasura, username = connection.hasura, given.user
    user = known_user(hasura, username)
    _say_what_is_there(user, _posts(hasura, user))
    if not given.yes:
        _confirm(username)
        user = known_user(hasura, username)
    posts = _posts(hasura, user)
    if any(post["state"] == "sending" for post in posts):
        raise CommandRefused(
            f"A post of {username} is being sent just now. Nothing was deleted; try again in a minute."
        )
    _delete_events(hasura, user, {int(post["id"]) for post in posts})
    forgotten = _delete_rows(hasura, username)
    forgotten_user = replace(user, id=int(forgotten["user_id"]))
    _delete_events(hasura, forgotten_user, {int(post_id) for post_id in forgotten["post_ids"]})
    tweets = f"{forgotten['tweets']} of these posts are published"
    say(f"X keeps the tweets ({tweets}), and the app's access until its owner revokes it.")
    say("Backups of the database keep all this until they are deleted.")


def _posts(hasura: HasuraApi, user: User) -> list[Json]:
    posts: list[Json] = hasura.graphql(POSTS, {"user": user.id})["scheduled_post"]
    return posts


def _say_what_is_there(user: User, posts: list[Json]) -> None:
    accounts = ", ".join(f"@{account.handle}" for account in user.accounts) or "no account"
    say(f"{user.username} is user {user.id}, with {len(posts)} posts, and linked to {accounts}.")


def _confirm(username: str) -> None:
    print("Type the username to delete all this: ", end="", flush=True)
    try:
        typed = input()
    except EOFError:
        typed = ""
    if not typed:
        raise CommandRefused("Nothing was typed. Nothing was deleted.")
    if typed != username:
        raise CommandRefused("This is another name. Nothing was deleted.")


def _delete_events(hasura: HasuraApi, user: User, post_ids: Set[int]) -> None:
    events = delete_one_off_events(hasura, user.id, post_ids)
    say(f"Deleted {events} one-off scheduled events with their invocations.")
    table_events, invocations = delete_table_events(hasura, user.id, user.username)
    say(f"Deleted {table_events} events of event triggers and {invocations} invocations.")


def _delete_rows(hasura: HasuraApi, username: str) -> Json:
    """In one transaction. What it deleted."""
    try:
        rows = hasura.graphql(FORGET, {"args": {"username": username}})["forget_user"]
    except HasuraUnusable as error:
        if error.code != "data-exception":
            raise
        raise CommandRefused(
            f"{error.sentence} The user and the posts are still there; try again in a minute."
        ) from error
    if not rows:
        raise CommandRefused(f"The user {username} was deleted meanwhile, by somebody else.")
    forgotten: Json = rows[0]
    say(f"Deleted {len(forgotten['post_ids'])} posts with their logs, and the user {username}.")
    for account in forgotten["accounts"]:
        say(f"Deleted the account @{account['account_name']} (X user {account['x_user_id']}) with its tokens.")
    return forgotten


def _options() -> argparse.Namespace:
    parser = parser_for("forget_user", __doc__)
    add_user_option(parser, "whom to delete")
    parser.add_argument("--yes", action="store_true", help="do not ask for the username again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
