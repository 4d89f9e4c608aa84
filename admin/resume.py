"""Ends the pause of the app, whoever began it. What is due by then is published by the sweep, within a minute."""

from datetime import datetime, timedelta

from admin.connection import CommandRefused, Connection, parser_for, run, say

RESUME = """
mutation resumeApp {
  update_app(where: {}, _set: {paused_until: null, paused_reason: null}) { affected_rows }
}"""

WAITING = """
query postsThatWait($oldest: timestamptz!) {
  app { paused_until paused_reason }
  due: scheduled_post_aggregate(where: {state: {_eq: "scheduled"}, schedule_for: {_lte: "now"}}) {
    aggregate { count }
  }
  too_late: scheduled_post_aggregate(
    where: {state: {_eq: "scheduled"}, schedule_for: {_lt: $oldest}, when_late: {_eq: "skip"}}
  ) { aggregate { count } }
}"""

NOW = "select json_build_object('now', now())"


def main() -> None:
    given = parser_for("resume", __doc__ or "").parse_args()
    run(given.data, resume)


def resume(connection: Connection) -> None:
    """Says what waits and what it becomes, then ends the pause. Raises CommandRefused."""
    now = datetime.fromisoformat(connection.hasura.select(NOW)["now"])
    oldest = now - timedelta(seconds=connection.settings.max_lateness_seconds)
    waiting = connection.hasura.graphql(WAITING, {"oldest": oldest.isoformat()})
    if not waiting["app"]:
        raise CommandRefused("The table app has no row. Apply hasura/migrations.")
    [app] = waiting["app"]
    if app["paused_until"] is None or datetime.fromisoformat(app["paused_until"]) <= now:
        say("The app is not paused.")
        return
    due, too_late = (waiting[name]["aggregate"]["count"] for name in ("due", "too_late"))
    connection.hasura.graphql(RESUME, {})
    say(f"The app is no longer paused. It was paused until {app['paused_until']}: {app['paused_reason']}")
    say(f"Due by now: {due}. Of these {too_late} are too late by now (MAX_LATENESS_SECONDS) and become missed.")


if __name__ == "__main__":
    main()
