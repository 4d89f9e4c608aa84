"""The world of the model: the rows in the real database, X, and a time that passes without waiting."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from model_x import FakeX
from psycopg import sql

from local.running_stack import RunningStack
from shared.config import load

AUTHORS = {"alice": 1, "bob": 2}
ACCOUNTS = (1, 2, 3)
LINKS = (("alice", 1), ("alice", 3), ("bob", 2), ("bob", 3))
"""Who may post from which account; the third is shared."""

TIMES = {
    "scheduled_post": ("schedule_for", "not_before", "lease_until"),
    "post_attempt": ("started_at", "finished_at"),
    "account": ("held_until",),
    "app": ("held_until",),
}
"""Every time that is written down and that something is decided by."""

UNTIL_SOMETHING_IS_DUE = """
    select min(at) - now() as pause from (
      select greatest(schedule_for, not_before, account.held_until, app.held_until)
        from scheduled_post left join account on account.id = account_id, app where state = 'scheduled'
      union all select lease_until from scheduled_post where state = 'sending'
      union all select greatest(not_before, lease_until) from scheduled_post
        where state = 'unknown' and not_before is not null
    ) as due (at)"""


class World:
    def __init__(self, stack: RunningStack, database: psycopg.Connection[dict[str, Any]]) -> None:
        self.stack = stack
        self.database = database
        self.settings = load({**stack.settings, "PUBLISH_BATCH": "3"})
        self.max_lateness = timedelta(seconds=self.settings.max_lateness_seconds)
        self.tokens = {author: stack.token(author) for author in AUTHORS}
        self.begin()

    def begin(self) -> None:
        """As if nothing had ever happened."""
        self.x = FakeX()
        self.passed = timedelta()
        self.execute('truncate "user", account restart identity cascade')
        self.execute("update app set held_until = null")
        for author in AUTHORS:
            self.execute('insert into "user" (username) values (%s)', author)
        for account in ACCOUNTS:
            insert = "insert into account (account_name, access_token, access_token_secret) values (%s, '', '')"
            self.execute(insert, f"account_{account}")
        for author, account in LINKS:
            self.link(author, account)

    def execute(self, query: str, *values: Any) -> psycopg.Cursor[dict[str, Any]]:
        return self.database.execute(query.encode(), values)

    def is_waited_for(self) -> bool:
        """Whether another session of the database waits for what this one has locked."""
        query = "select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
        return bool(self.execute(query).fetchall())

    def rows(self) -> Mapping[int, dict[str, Any]]:
        """The posts by their ids, each with the `outcome` of its latest try, and the account it was `sent_from`."""
        query = """select post.*, outcome, latest.account_id as sent_from from scheduled_post as post
                   left join post_attempt as latest on post_id = id and number = attempt"""
        return {row["id"]: row for row in self.execute(query)}

    def link(self, author: str, account: int) -> None:
        query = "insert into account_user select %s, id from account where id = %s on conflict do nothing"
        self.execute(query, AUTHORS[author], account)

    def unlink(self, author: str, account: int) -> None:
        self.execute("delete from account_user where user_id = %s and account_id = %s", AUTHORS[author], account)

    def is_linked(self, author: str, account: int | None) -> bool:
        query = "select from account_user where user_id = %s and account_id = %s"
        return bool(self.execute(query, AUTHORS[author], account).fetchall())

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
                update = sql.SQL("update {} set {}").format(sql.Identifier(table), sql.SQL(", ").join(earlier))
                self.database.execute(update)

    def pass_time_until_something_is_due(self) -> bool:
        """False when nothing ever will be."""
        [row] = self.execute(UNTIL_SOMETHING_IS_DUE)
        if row["pause"] is None:
            return False
        self.pass_time(max(row["pause"], timedelta()) + timedelta(seconds=1))
        return True
