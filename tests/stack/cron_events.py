"""Has Hasura deliver the sweep at once, which its cron trigger does each minute."""

import psycopg

from local.running_stack import RunningStack


def sweep(stack: RunningStack) -> None:
    """Adds an event of the cron trigger that is due now; Hasura delivers it as it delivers those of each minute."""
    with psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "insert into hdb_catalog.hdb_cron_events (trigger_name, scheduled_time) values ('publish_due_posts', now())"
        )
