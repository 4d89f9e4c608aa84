"""What the database says, read beside Hasura, which may be down just now."""

from collections import Counter
from typing import Any

import psycopg
from psycopg.rows import dict_row

_POSTS = """
select post.*, coalesce(
    (select json_agg(entry order by number) from post_attempt as entry where entry.post_id = post.id), '[]'
  ) as attempts
from scheduled_post as post order by id"""

_STATES = "select state, count(*) from scheduled_post group by state"

_OPEN = """
select count(*) from scheduled_post
where (state in ('scheduled', 'sending') and schedule_for <= now()) or (state = 'unknown' and not_before is not null)"""

_HUNG = """
select count(*) from post_attempt where finished_at - started_at between interval '30 s' and interval '1 min'"""

_BELLS_AT_REST = """
select not exists (
    select from hdb_catalog.hdb_scheduled_events
    where status = 'scheduled' and coalesce(next_retry_at, scheduled_time) <= now()
  ) and (select status from hdb_catalog.hdb_cron_event_invocation_logs order by created_at desc limit 1) = 200"""

_SENDING = "select count(*) from scheduled_post where lease_until > now()"


class Rows:
    """Reads on one connection of its own."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def posts(self) -> list[dict[str, Any]]:
        """Every post, with its ``attempts`` in order."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_POSTS).fetchall()

    def states(self) -> Counter[str]:
        """How many posts are in each state."""
        return Counter(dict(self._connection.execute(_STATES).fetchall()))

    def are_open(self) -> int:
        """How many posts are due, or to be looked up, and not at an end."""
        return self._number(_OPEN)

    def are_leased(self) -> int:
        """How many posts are being published or looked up."""
        return self._number(_SENDING)

    def were_hung(self) -> int:
        """How many tries X left without an answer until their publisher's patience ended, which is 30 s long."""
        return self._number(_HUNG)

    def bells_are_at_rest(self) -> bool:
        """Whether Hasura has rung all that is due, and its latest sweep was answered well."""
        return bool(self._first(_BELLS_AT_REST))

    def _number(self, statement: str) -> int:
        return int(self._first(statement))

    def _first(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        assert row
        return row[0]
