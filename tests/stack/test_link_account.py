"""The SQL functions that link, unlink and forget, while others link, unlink and post at the same time."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sealed_value import DOES_NOT_OPEN
from waiting import wait_until

pytest_plugins = ["local_hasura_fixtures"]

LINK = "select also_linked_to from link_account(%s, '1001', 'alice_on_x', %s, %s)"
UNLINK = "select also_linked_to from unlink_account(%s, '1001')"
FORGET = "select tweets, accounts from forget_user(%s)"
POST = """insert into scheduled_post (user_id, text, schedule_for)
select id, 'hello', now() from "user" where username = %s returning id"""
SEND = "update scheduled_post set state = 'sending', lease_until = now() + interval '3 minutes'"

Rows = list[tuple[Any, ...]]


class Session:
    """One session of the database, whose statements may wait for those of another session."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)
        self._observer = psycopg.connect(url, autocommit=True)
        self._thread = ThreadPoolExecutor(1)

    def run(self, statement: str, *values: object) -> Rows:
        """In a transaction that stays open."""
        cursor = self._connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def run_waiting(self, statement: str, *values: object) -> Future[Rows]:
        """A transaction of its own. Returns once its statement waits for a lock of another session."""

        def transaction() -> Rows:
            with self._connection.transaction():
                return self.run(statement, *values)

        running = self._thread.submit(transaction)
        wait_until(self._is_blocked, bool)
        return running

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.rollback()
        self._thread.shutdown()
        self._connection.close()
        self._observer.close()

    def _is_blocked(self) -> bool:
        pid = self._connection.info.backend_pid
        [(blocked,)] = self._observer.execute("select cardinality(pg_blocking_pids(%s)) > 0", [pid])
        return bool(blocked)


@pytest.fixture
def first(database_url: str) -> Iterator[Session]:
    session = Session(database_url)
    session.run('truncate "user", account cascade')
    session.commit()
    yield session
    session.close()


@pytest.fixture
def second(database_url: str, first: Session) -> Iterator[Session]:
    session = Session(database_url)
    yield session
    session.close()


def link(session: Session, username: str, *, share: bool = True) -> Rows:
    return session.run(LINK, username, DOES_NOT_OPEN, share)


def linked(session: Session) -> Rows:
    """Each account, and the username of each user that it is linked to."""
    return session.run(
        """select account_name, username from account left join account_user on account_id = account.id
        left join "user" on "user".id = user_id order by username"""
    )


class TestLinkAccount:
    def test_it_returns_who_else_is_linked_to_the_account(self, first: Session) -> None:
        assert [link(first, name) for name in ("carol", "alice", "bob")] == [
            [([],)],
            [(["carol"],)],
            [(["alice", "carol"],)],
        ]

    def test_unless_shared_an_account_of_somebody_else_is_refused(self, first: Session) -> None:
        link(first, "alice")
        link(first, "bob")

        with pytest.raises(
            psycopg.errors.InvalidParameterValue, match=r"^@alice_on_x is linked to alice, bob already\."
        ):
            link(first, "carol", share=False)

    def test_unless_shared_it_may_be_linked_to_the_same_user_again(self, first: Session) -> None:
        assert link(first, "alice", share=False) == link(first, "alice", share=False) == [([],)]

    def test_unless_shared_a_link_that_is_being_made_is_refused(self, first: Session, second: Session) -> None:
        link(first, "alice")

        refused = second.run_waiting(LINK, "bob", DOES_NOT_OPEN, False)
        first.commit()

        with pytest.raises(psycopg.errors.InvalidParameterValue, match="is linked to alice already"):
            refused.result(60)
        assert linked(first) == [("alice_on_x", "alice")]
        assert first.run('select username from "user"') == [("alice",)]

    def test_it_does_not_wait_for_a_post_of_its_user_that_is_being_stored_or_claimed(
        self, first: Session, second: Session
    ) -> None:
        link(first, "alice")
        first.commit()
        first.run(POST, "alice")
        second.run("set local lock_timeout = '1s'")

        assert link(second, "alice") == [([],)]


class TestUnlinkAccount:
    def test_the_last_link_takes_the_account_with_it(self, first: Session) -> None:
        link(first, "alice")
        link(first, "bob")

        assert first.run(UNLINK, "alice") == [(["bob"],)]
        assert linked(first) == [("alice_on_x", "bob")]
        assert first.run(UNLINK, "bob") == [([],)]
        assert linked(first) == []

    @pytest.mark.parametrize("username", ["bob", "nobody"])
    def test_who_is_not_linked_changes_nothing(self, first: Session, username: str) -> None:
        link(first, "alice")
        first.run("insert into \"user\" (username) values ('bob')")

        assert first.run(UNLINK, username) == []
        assert linked(first) == [("alice_on_x", "alice")]

    def test_an_account_that_is_being_linked_stays(self, first: Session, second: Session) -> None:
        link(first, "alice")
        first.commit()
        link(first, "bob")

        unlinked = second.run_waiting(UNLINK, "alice")
        first.commit()

        assert unlinked.result(60) == [(["bob"],)]
        assert linked(first) == [("alice_on_x", "bob")]

    def test_an_account_that_is_being_unlinked_from_the_other_user_goes(self, first: Session, second: Session) -> None:
        link(first, "alice")
        link(first, "bob")
        first.commit()
        first.run(UNLINK, "alice")

        unlinked = second.run_waiting(UNLINK, "bob")
        first.commit()

        assert unlinked.result(60) == [([],)]
        assert linked(first) == []

    def test_it_waits_for_a_publisher_that_is_taking_a_post(self, first: Session, second: Session) -> None:
        link(first, "alice")
        first.run(POST, "alice")
        first.commit()
        first.run("select from scheduled_post for update")

        unlinked = second.run_waiting(UNLINK, "alice")
        first.run("select from claim_due_posts()")
        first.commit()

        assert unlinked.result(60) == [([],)]
        assert first.run("select state, account_id from scheduled_post") == [("sending", None)]


class TestForgetUser:
    def test_posts_links_and_accounts_of_nobody_else_go_with_the_user(self, first: Session) -> None:
        link(first, "alice")
        first.run(POST, "alice")

        assert first.run(FORGET, "alice") == [(0, [{"account_name": "alice_on_x", "x_user_id": "1001"}])]
        assert linked(first) == first.run("select id from scheduled_post") == first.run('select id from "user"') == []

    def test_it_waits_for_a_publisher_that_is_taking_a_post_and_then_deletes_nothing(
        self, first: Session, second: Session
    ) -> None:
        link(first, "alice")
        first.run(POST, "alice")
        first.commit()
        first.run("select from scheduled_post for update")

        forgotten = second.run_waiting(FORGET, "alice")
        first.run("select from claim_due_posts()")
        first.commit()

        with pytest.raises(psycopg.errors.InvalidParameterValue, match="is being sent just now"):
            forgotten.result(60)
        assert first.run("select state from scheduled_post") == [("sending",)]

    def test_an_account_that_is_being_linked_to_somebody_else_stays(self, first: Session, second: Session) -> None:
        link(first, "alice")
        first.commit()
        link(first, "bob")

        forgotten = second.run_waiting(FORGET, "alice")
        first.commit()

        assert forgotten.result(60) == [(0, [])]
        assert linked(first) == [("alice_on_x", "bob")]

    def test_a_post_that_is_being_created_goes_as_well(self, first: Session, second: Session) -> None:
        link(first, "alice")
        first.commit()
        [(post_id,)] = first.run(POST, "alice")

        forgotten = second.run_waiting("select post_ids from forget_user(%s)", "alice")
        first.commit()

        assert forgotten.result(60) == [([post_id],)]
        assert first.run("select id from scheduled_post") == []

    def test_while_a_publisher_takes_a_post_nothing_is_deleted(self, first: Session, second: Session) -> None:
        link(first, "alice")
        first.run(POST, "alice")
        first.commit()
        first.run(SEND)

        refused = second.run_waiting(FORGET, "alice")
        first.commit()

        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"^A post of alice is being sent just now\."):
            refused.result(60)
        assert len(linked(first)) == len(first.run("select id from scheduled_post")) == 1

    def test_an_unknown_user_changes_nothing(self, first: Session) -> None:
        link(first, "alice")

        assert first.run(FORGET, "bob") == []
        assert linked(first) == [("alice_on_x", "alice")]
