"""Time that passes without waiting. Only while nothing publishes: nobody alive may find that his lease has run out."""

from datetime import timedelta

import psycopg

_SWEEP = """
update hdb_catalog.hdb_cron_events set scheduled_time = now() where id = (
  select id from hdb_catalog.hdb_cron_events where status = 'scheduled' order by scheduled_time limit 1
)"""

_REMEMBERED = (
    "update scheduled_post set not_before = not_before - %(jump)s, lease_until = lease_until - %(jump)s",
    "update post_attempt set started_at = started_at - %(jump)s, finished_at = finished_at - %(jump)s",
    "update account set held_until = held_until - %(jump)s",
    "update app set held_until = held_until - %(jump)s",
    "update hdb_catalog.hdb_scheduled_events set next_retry_at = next_retry_at - %(jump)s where status = 'scheduled'",
    "update hdb_catalog.event_log set next_retry_at = next_retry_at - %(jump)s where not delivered and not error",
)


def jump(database_url: str, by: timedelta) -> None:
    """Moves what the database remembers of the past, and the pauses it keeps, back by so much.

    States stay as they are, and so do the times that authors chose. Triggers are off: nothing of this is an author's
    or the product's doing, so no bell rings for it.
    """
    with psycopg.connect(database_url) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in _REMEMBERED:
            connection.execute(statement, {"jump": by})


def let_the_sweep_ring(database_url: str) -> None:
    """Has the minute come at which Hasura's cron trigger rings next."""
    with psycopg.connect(database_url) as connection:
        connection.execute(_SWEEP)
