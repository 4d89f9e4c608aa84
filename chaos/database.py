"""What the database says, read beside Hasura, which may be down just now; and time that passes without waiting."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from shared.limits import LEASE

_POSTS = """
select post.*, coalesce(
    (select json_agg(entry order by number) from post_attempt as entry where entry.post_id = post.id), '[]'
  ) as attempts
from scheduled_post as post order by id"""

_STATES = "select state, count(*) from scheduled_post group by state"

_OPEN = """
select count(*) from scheduled_post
where (state in ('scheduled', 'sending') and schedule_for <= now())
  or (state = 'unknown' and reconcile_at is not null)"""

_CLAIMED_SINCE = "select count(*) from scheduled_post where lease_until - %s > %s"

_HUNG = """
select count(*) from post_attempt where finished_at - started_at between interval '30 s' and interval '1 min'"""

_SURPLUS_EVENTS = """
select coalesce(sum(pending - 1), 0) from (
  select count(*) as pending from hdb_catalog.hdb_scheduled_events
  where status = 'scheduled' and payload ->> 'id' is not null group by payload ->> 'id'
) as events"""

_TRIGGERS_AT_REST = """
select not exists (
    select from hdb_catalog.hdb_scheduled_events
    where status = 'scheduled' and coalesce(next_retry_at, scheduled_time) <= now()
  ) and (select status from hdb_catalog.hdb_cron_event_invocation_logs order by created_at desc limit 1) = 200"""

_SWEEP_NOW = """
update hdb_catalog.hdb_cron_events set scheduled_time = now() where id = (
  select id from hdb_catalog.hdb_cron_events where status = 'scheduled' order by scheduled_time limit 1
)"""

_TIME_PASSES: tuple[LiteralString, ...] = (
    """
    update scheduled_post set
      next_attempt_at = next_attempt_at - %(by)s,
      reconcile_at = reconcile_at - %(by)s,
      lease_until = lease_until - %(by)s
    """,
    "update post_attempt set started_at = started_at - %(by)s, finished_at = finished_at - %(by)s",
    "update account set paused_until = paused_until - %(by)s",
    "update app set paused_until = paused_until - %(by)s, follow_up_until = follow_up_until - %(by)s",
    "update hdb_catalog.hdb_scheduled_events set next_retry_at = next_retry_at - %(by)s where status = 'scheduled'",
    "update hdb_catalog.event_log set next_retry_at = next_retry_at - %(by)s where not delivered and not error",
)


class Database:
    """The database of a stack, on a connection of its own. May be called from many threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def posts(self) -> list[dict[str, Any]]:
        """Every post, with its ``attempts`` in order."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_POSTS).fetchall()

    def states(self) -> Counter[str]:
        """How many posts are in each state."""
        return Counter(dict(self._connection.execute(_STATES).fetchall()))

    def count_open(self) -> int:
        """How many posts are due, or to be reconciled, and not at an end."""
        return self._number(_OPEN)

    def count_claimed_since(self, time: datetime) -> int:
        """How many posts were claimed since then, and are being published or reconciled."""
        return self._number(_CLAIMED_SINCE, LEASE, time)

    def count_hung(self) -> int:
        """How many attempts X left without an answer until their publisher stopped waiting, after 30 s."""
        return self._number(_HUNG)

    def count_surplus_events(self) -> int:
        """How many pending events there are beyond one for each post. A killed process may leave one."""
        return self._number(_SURPLUS_EVENTS)

    def triggers_are_at_rest(self) -> bool:
        """Whether Hasura has delivered all that is due, and its latest sweep was answered well."""
        return bool(self._first(_TRIGGERS_AT_REST))

    def sweep_now(self) -> None:
        """Has the minute come at which Hasura's cron trigger is due next."""
        self._connection.execute(_SWEEP_NOW)

    def pass_time(self, by: timedelta) -> None:
        """Moves what the database remembers of the past, and the waits and pauses it keeps, back by so much.

        Only while nothing publishes: nobody alive may find that his lease has run out. States stay as they are, and so
        do the times that authors chose. Triggers are off: no author and no publisher changed anything.
        """
        with psycopg.connect(self._url) as connection:
            connection.execute("set session_replication_role = replica")
            for statement in _TIME_PASSES:
                connection.execute(statement, {"by": by})

    def _number(self, statement: LiteralString, *values: Any) -> int:
        return int(self._first(statement, *values))

    def _first(self, statement: LiteralString, *values: Any) -> Any:
        row = self._connection.execute(statement, values).fetchone()
        assert row
        return row[0]
