"""The world of the model: the rows in the real database, X, and a time that passes without waiting."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from model_x import FakeX
from psycopg import sql
from sealed_value import DOES_NOT_OPEN

from local.running_stack import RunningStack
from shared.config import load
from shared.core.model import Delivery
from shared.hasura.events import delivery_of

AUTHORS = {"alice": 1, "bob": 2}
ACCOUNTS = (1, 2, 3)
LINKS = (("alice", 1), ("alice", 3), ("bob", 2), ("bob", 3))
"""Who may post from which account; the third is shared."""

TIMES = {
    "public.next_due": ("due_at",),
    "public.scheduled_post": ("schedule_for", "next_attempt_at", "reconcile_at", "lease_until", "event_at"),
    "public.post_attempt": ("started_at", "finished_at"),
    "public.account": ("paused_until",),
    "public.app": ("paused_until", "follow_up_until"),
    "hdb_catalog.hdb_scheduled_events": ("scheduled_time",),
}
"""Every time that is written down and that something is decided by."""

UNTIL_SOMETHING_IS_DUE = """
    select min(at) - now() as pause from (
      select greatest(schedule_for, next_attempt_at, account.paused_until, app.paused_until)
        from scheduled_post left join account on account.id = account_id, app where state = 'scheduled'
      union all select lease_until from scheduled_post where state = 'sending'
      union all select greatest(reconcile_at, lease_until) from scheduled_post
        where state = 'unknown' and reconcile_at is not null
    ) as due (at)"""

ROWS = """
    select post.*, latest.outcome, latest.failed_reconciliations, sender.id as sent_from, log.unanswered, log.unsent
    from scheduled_post as post
    left join lateral (
      select outcome, x_user_id, failed_reconciliations from post_attempt
      where post_id = post.id order by number desc limit 1
    ) as latest on true
    left join account as sender on sender.x_user_id = latest.x_user_id
    cross join lateral (
      select
        count(*) filter (where outcome in ('unknown', 'absent')) as unanswered,
        count(*) filter (where outcome = 'not_sent' and rejection is null) as unsent
      from post_attempt where post_id = post.id and number > coalesce(
        (select max(number) from post_attempt as opened where opened.post_id = post.id and opened.outcome = 'opened'), 0
      )
    ) as log"""

NEXT_EVENT = """
    update hdb_catalog.hdb_scheduled_events set status = 'delivered' where id = (
      select id from hdb_catalog.hdb_scheduled_events
      where status = 'scheduled' and scheduled_time <= now() order by scheduled_time, created_at limit 1
    )
    returning id, scheduled_time, payload"""

NEXT_REQUEST = """
    delete from hdb_catalog.event_log
    where id = (
      select id from hdb_catalog.event_log where trigger_name = 'delivery_requested' order by created_at limit 1
    )
    returning (payload->'data'->'new'->>'is_follow_up')::boolean as is_follow_up"""


class World:
    def __init__(self, stack: RunningStack, database: psycopg.Connection[dict[str, Any]]) -> None:
        self.stack = stack
        self.database = database
        self.settings = load({**stack.settings, "PUBLISH_BATCH": "3", "EARLY_SECONDS": "0"})  # nobody waits
        self.max_lateness = timedelta(seconds=self.settings.max_lateness_seconds)
        self.tokens = {author: stack.token(author) for author in AUTHORS}
        self.begin()

    def begin(self) -> None:
        """As if nothing had ever happened."""
        self.x = FakeX()
        self.passed = timedelta()
        self.execute('truncate "user", account, next_due, hdb_catalog.hdb_scheduled_events restart identity cascade')
        self.execute("delete from hdb_catalog.event_log")
        self.execute("update app set paused_until = null, follow_up_until = null")
        for author in AUTHORS:
            self.execute('insert into "user" (username) values (%s)', author)
        for account in ACCOUNTS:
            self.add_account(account)
        for author, account in LINKS:
            self.link(author, account)

    def execute(self, query: str, *values: Any) -> psycopg.Cursor[dict[str, Any]]:
        return self.database.execute(query.encode(), values)

    def is_waited_for(self) -> bool:
        """Whether another session of the database waits for what this one has locked."""
        query = "select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
        return bool(self.execute(query).fetchall())

    def rows(self) -> Mapping[int, dict[str, Any]]:
        """The posts by their ids, each with the `outcome` of its latest attempt and the account it was `sent_from`, if
        that is linked now.

        `unanswered` and `unsent` count its attempts since it was opened.
        """
        return {row["id"]: row for row in self.execute(ROWS)}

    def pending_events(self) -> Counter[int | None]:
        """How many scheduled events are pending for each post."""
        query = "select payload from hdb_catalog.hdb_scheduled_events where status = 'scheduled'"
        return Counter(event["payload"].get("id") for event in self.execute(query))

    def pending_follow_ups(self) -> int:
        query = """
            select from hdb_catalog.event_log
            where trigger_name = 'delivery_requested' and payload->'data'->'new'->'is_follow_up' = 'true'"""
        return len(self.execute(query).fetchall())

    def next_delivery(self) -> Delivery | None:
        """Takes the event that is due first, as Hasura does; None when none is due."""
        if request := self.execute(NEXT_REQUEST).fetchone():
            return Delivery(None, is_follow_up=request["is_follow_up"])
        event = self.execute(NEXT_EVENT).fetchone()
        return delivery_of(event) if event else None

    def link(self, author: str, account: int) -> None:
        query = "insert into account_user select %s, id from account where id = %s on conflict do nothing"
        self.execute(query, AUTHORS[author], account)

    def unlink(self, author: str, account: int) -> None:
        self.execute("delete from account_user where user_id = %s and account_id = %s", AUTHORS[author], account)

    def is_linked(self, author: str, account: int | None) -> bool:
        query = "select from account_user where user_id = %s and account_id = %s"
        return bool(self.execute(query, AUTHORS[author], account).fetchall())

    def add_account(self, account: int) -> None:
        """Of the user of X that has the same number."""
        insert = "insert into account (id, x_user_id, account_name, sealed_tokens) values (%s, %s, %s, %s)"
        self.execute(insert, account, str(account), f"account_{account}", DOES_NOT_OPEN)

    def remove_account(self, account: int) -> None:
        self.execute("delete from account where id = %s", account)

    def now(self) -> datetime:
        """The time as it passes in the story."""
        return datetime.now(UTC) + self.passed

    def pass_time(self, by: timedelta) -> None:
        """Moves everything that happened, and all that is planned, so much further into the past."""
        self.passed += by
        self.x.pass_time(by)
        with self.database.transaction():
            self.execute("set local session_replication_role = replica")  # no trigger takes it for an author's move
            for table, columns in TIMES.items():
                earlier = [sql.SQL("{0} = {0} - {1}").format(sql.Identifier(column), by) for column in columns]
                name = sql.Identifier(*table.split("."))
                self.database.execute(sql.SQL("update {} set {}").format(name, sql.SQL(", ").join(earlier)))

    def pass_time_until_something_is_due(self) -> bool:
        """False when nothing ever will be."""
        [row] = self.execute(UNTIL_SOMETHING_IS_DUE)
        if row["pause"] is None:
            return False
        self.pass_time(max(row["pause"], timedelta()) + timedelta(seconds=1))
        return True
