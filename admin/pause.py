"""Pauses the app: no post is attempted until ``python -m admin.resume``. Unknown outcomes are reconciled all the same.

The reason is shown to authors. A post that waits longer than MAX_LATENESS_SECONDS becomes missed after the pause,
unless its author wants it published late.
"""

from datetime import UTC, datetime

from admin.connection import CommandRefused, Connection, parser_for, run, say

UNTIL_RESUMED = datetime(8999, 12, 31, tzinfo=UTC)
"""A pause always has an end; the database refuses years from 9000 on."""

LONGEST_REASON = 200

PAUSE = """
mutation pauseApp($until: timestamptz!, $reason: String!) {
  update_app(where: {}, _set: {paused_until: $until, paused_reason: $reason}) { affected_rows }
}"""

BEING_SENT = """
query postsBeingSent {
  scheduled_post(where: {state: {_eq: "sending"}, lease_until: {_gt: "now"}}, order_by: [{id: asc}], limit: 1000) { id }
}"""


def main() -> None:
    parser = parser_for("pause", __doc__ or "")
    parser.add_argument("--reason", required=True, metavar="WORDS", help="why, in words for authors")
    given = parser.parse_args()
    run(given.data, lambda connection: pause(connection, given.reason))


def pause(connection: Connection, reason: str) -> None:
    """Pauses the app, and says which posts are still being sent. Raises CommandRefused."""
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise CommandRefused(f"The reason must have 1 to {LONGEST_REASON} characters.")
    hasura = connection.hasura
    if hasura.graphql(PAUSE, {"until": UNTIL_RESUMED.isoformat(), "reason": words})["update_app"]["affected_rows"] != 1:
        raise CommandRefused("The table app has no row, so nothing can be paused. Apply hasura/migrations.")
    say("The app is paused: no post is attempted before `make resume`.")
    being_sent = hasura.graphql(BEING_SENT, {})["scheduled_post"]
    if being_sent:
        ids = ", ".join(str(post["id"]) for post in being_sent)
        say(f"Still being sent, for three minutes at most: post {ids}.")
    else:
        say("No post is being sent.")


if __name__ == "__main__":
    main()
