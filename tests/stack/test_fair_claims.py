"""How claim_due_posts chooses: each author in turn, nobody behind a backlog, within the operator's ceiling."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sealed_value import DOES_NOT_OPEN
from waiting import wait_until

pytest_plugins = ["local_hasura_fixtures"]

Database = psycopg.Connection[tuple[object, ...]]

ADD_USER = 'insert into "user" (username) values (%s) returning id'
ADD_ACCOUNT = """
insert into account (x_user_id, account_name, sealed_tokens) values ((select 1 + count(*) from account), %s, %s)
returning id"""
ADD_POSTS = """
insert into scheduled_post (user_id, account_id, text, schedule_for)
select %s, %s, %s, now() + %s * interval '1 second' + n * interval '1 millisecond' from generate_series(1, %s) as n"""
AGAIN = """
update scheduled_post set state = 'scheduled', lease_until = null, next_attempt_at = now()
where id = %s and state = 'sending'"""
NOT_NOTED = """
select count(*) from scheduled_post as post left join account on account.id = post.account_id
where state = 'scheduled' and not exists (
  select from next_due as noted
  where (noted.user_id, noted.account_id) = (post.user_id, coalesce(post.account_id, 0))
    and noted.due_at <= greatest(post.due_at, account.paused_until, now() + interval '1 second')
)"""


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute('truncate "user", account, next_due restart identity cascade')
        connection.execute("update app set paused_until = null, paused_reason = null")
        yield connection


def add_author(db: Database, name: str) -> tuple[int, int]:
    """The ids of a new user and of the account of the same name that is linked to it."""
    [user] = db.execute(ADD_USER, [name]).fetchone() or ()
    [account] = db.execute(ADD_ACCOUNT, [name, DOES_NOT_OPEN]).fetchone() or ()
    db.execute("insert into account_user values (%s, %s)", [user, account])
    return int(str(user)), int(str(account))


def add_posts(db: Database, author: tuple[int, int], text: str, count: int = 1, seconds: float = -60) -> None:
    db.execute(ADD_POSTS, [*author, text, seconds, count])


def claim(db: Database, *arguments: str) -> list[str]:
    """The texts of what a claim takes, in its order."""
    rows = db.execute(f"select text from claim_due_posts({', '.join(arguments)})").fetchall()  # type: ignore[arg-type]
    return [str(text) for [text] in rows]


def is_blocked(db: Database, session: Database) -> bool:
    """Whether a statement of the session waits for a lock of another one."""
    [blocked] = db.execute("select cardinality(pg_blocking_pids(%s)) > 0", [session.info.backend_pid]).fetchone() or ()
    return bool(blocked)


def claim_until_nothing_is_left(db: Database) -> list[list[str]]:
    claims = []
    while texts := claim(db):
        claims.append(texts)
    return claims


class TestTurns:
    def test_an_author_with_thousands_of_due_posts_delays_nobody_by_more_than_a_batch(self, db: Database) -> None:
        add_posts(db, add_author(db, "mallory"), "backlog", count=2000, seconds=-600)
        for number in range(9):
            add_posts(db, add_author(db, f"author {number}"), f"post of {number}")

        assert sorted(claim(db)) == ["backlog", *(f"post of {number}" for number in range(9))]

    def test_more_authors_than_a_batch_has_places_come_in_the_order_of_their_posts(self, db: Database) -> None:
        add_posts(db, add_author(db, "mallory"), "backlog", count=500, seconds=-600)
        for number in range(25):
            add_posts(db, add_author(db, f"author {number}"), f"{number}", seconds=-300 + number)

        claims = [claim(db) for _ in range(3)]

        assert [text for texts in claims for text in texts if text != "backlog"] == [f"{n}" for n in range(25)]

    def test_an_author_with_many_accounts_has_one_turn_like_anybody(self, db: Database) -> None:
        mallory, first = add_author(db, "mallory")
        for number in range(20):
            [account] = db.execute(ADD_ACCOUNT, [f"m{number}", DOES_NOT_OPEN]).fetchone() or ()
            add_posts(db, (mallory, int(str(account))), "of many accounts", count=20, seconds=-600)
        add_posts(db, (mallory, first), "of many accounts", count=20, seconds=-600)
        for number in range(5):
            add_posts(db, add_author(db, f"author {number}"), "of one", count=2)

        assert Counter(claim(db)) == {"of one": 8, "of many accounts": 2}

    def test_an_author_whose_changes_hold_many_accounts_hides_nobody(self, database_url: str, db: Database) -> None:
        mallory, _ = add_author(db, "mallory")
        for number in range(60):
            [account] = db.execute(ADD_ACCOUNT, [f"m{number}", DOES_NOT_OPEN]).fetchone() or ()
            add_posts(db, (mallory, int(str(account))), "of many accounts", seconds=-600)
        add_posts(db, add_author(db, "alice"), "of one")

        with psycopg.connect(database_url) as changing:
            changing.execute(
                "select from next_due join scheduled_post using (user_id) where user_id = %s for update", [mallory]
            )
            assert claim(db) == ["of one"]

    def test_an_author_who_is_alone_has_the_whole_batch(self, db: Database) -> None:
        add_posts(db, add_author(db, "alice"), "post", count=25)

        assert [len(texts) for texts in claim_until_nothing_is_left(db)] == [10, 10, 5]

    def test_what_is_to_be_reconciled_and_what_is_to_be_sent_take_turns(self, db: Database) -> None:
        alice, bob = add_author(db, "alice"), add_author(db, "bob")
        add_posts(db, alice, "unknown", count=30)
        while claim(db):
            pass
        db.execute(
            "update scheduled_post set state = 'unknown', lease_until = null, reason = 'r', reconcile_at = now()"
        )
        add_posts(db, bob, "scheduled", count=30)

        assert Counter(claim(db)) == {"unknown": 5, "scheduled": 5}

    def test_the_delivered_post_comes_first(self, db: Database) -> None:
        add_posts(db, add_author(db, "mallory"), "backlog", count=100, seconds=-600)
        add_posts(db, add_author(db, "alice"), "delivered")

        assert claim(db, "(select id from scheduled_post where text = 'delivered')")[0] == "delivered"


class TestNothingIsForgotten:
    def test_a_hundred_authors_whose_posts_were_all_deleted_hide_nobody(self, db: Database) -> None:
        for number in range(120):
            add_posts(db, add_author(db, f"author {number}"), "deleted")
        db.execute("delete from scheduled_post")
        add_posts(db, add_author(db, "alice"), "due")

        assert claim(db) == ["due"]

    @pytest.mark.parametrize(
        "change",
        [
            "update scheduled_post set schedule_for = now() - interval '1 second'",
            "update scheduled_post set account_id = null, schedule_for = now()",
            "update scheduled_post set when_late = 'publish', schedule_for = now() - interval '1 year'",
        ],
    )
    def test_a_post_that_is_moved_to_an_earlier_time_is_due_then(self, db: Database, change: str) -> None:
        add_posts(db, add_author(db, "alice"), "moved", seconds=3600)
        assert claim(db) == []

        db.execute(change)  # type: ignore[arg-type]

        assert claim(db) == ["moved"]

    def test_a_post_whose_account_is_removed_is_claimed_all_the_same(self, db: Database) -> None:
        add_posts(db, add_author(db, "alice"), "of nobody")

        db.execute("delete from account")

        assert claim(db) == ["of nobody"]

    def test_a_post_that_was_claimed_and_is_scheduled_again_is_due_at_its_next_attempt(self, db: Database) -> None:
        add_posts(db, add_author(db, "alice"), "again", count=2)
        claim(db)
        claim(db)

        db.execute("update scheduled_post set state = 'scheduled', lease_until = null, next_attempt_at = now()")

        assert claim(db) == ["again", "again"]

    @pytest.mark.parametrize("end", ["null", "now() - interval '1 second'"])
    def test_the_end_of_a_pause_before_its_time_makes_the_posts_of_the_account_due(
        self, db: Database, end: str
    ) -> None:
        add_posts(db, add_author(db, "alice"), "paused")
        db.execute("update account set paused_until = now() + interval '1 hour'")
        assert claim(db) == []

        db.execute(f"update account set paused_until = {end}")  # type: ignore[arg-type]

        assert claim(db) == ["paused"]

    def test_paused_accounts_hide_nobody(self, db: Database) -> None:
        for number in range(120):
            add_posts(db, add_author(db, f"paused {number}"), "paused", seconds=-600)
        db.execute("update account set paused_until = now() + interval '1 hour'")
        add_posts(db, add_author(db, "alice"), "due")

        assert claim(db) == ["due"]

    def test_after_a_pause_of_the_app_everything_is_due(self, db: Database) -> None:
        add_posts(db, add_author(db, "alice"), "post", count=3)
        db.execute("update app set paused_until = now() + interval '1 hour'")
        assert claim(db) == []

        db.execute("update app set paused_until = null")

        assert len(claim(db)) == 3

    def test_a_change_without_triggers_is_noted_too(self, db: Database) -> None:
        alice = add_author(db, "alice")
        db.execute("set session_replication_role = replica")
        add_posts(db, alice, "replicated")
        db.execute("set session_replication_role = default")

        assert claim(db) == ["replicated"]

    def test_the_end_of_a_pause_without_triggers_is_noted_too(self, db: Database) -> None:
        add_posts(db, add_author(db, "alice"), "paused")
        db.execute("update account set paused_until = now() + interval '1 hour'")
        assert claim(db) == []

        db.execute("set session_replication_role = replica")
        db.execute("update account set paused_until = now() - interval '1 hour'")
        db.execute("set session_replication_role = default")

        assert claim(db) == ["paused"]

    def test_a_post_that_is_stored_while_the_pause_of_its_account_is_being_ended_is_due_after_that(
        self, database_url: str, db: Database
    ) -> None:
        alice = add_author(db, "alice")
        db.execute("update account set paused_until = now() + interval '6 days'")
        with psycopg.connect(database_url) as ends, psycopg.connect(database_url, autocommit=True) as stores:
            ends.execute("update account set paused_until = null")
            with ThreadPoolExecutor(1) as thread:
                stored = thread.submit(add_posts, stores, alice, "post")
                wait_until(lambda: stored.done() or is_blocked(db, stores), bool)
                assert claim(db) == []
                ends.commit()
            stored.result()

        assert claim(db) == ["post"]

    def test_claims_changes_and_deletions_at_the_same_time_leave_no_post_that_is_not_noted(
        self, database_url: str, db: Database
    ) -> None:
        authors = [add_author(db, f"author {number}") for number in range(4)]

        def work(worker: int) -> int:
            claimed = 0
            with psycopg.connect(database_url, autocommit=True) as own:
                for step in range(60):
                    add_posts(own, authors[(worker + step) % 4], f"{worker} {step}", count=3, seconds=0.01 * (step % 3))
                    rows = own.execute("select post_id from claim_due_posts(batch_size => 3)").fetchall()
                    claimed += len(rows)
                    for [post] in rows[:1]:  # as record_outcome does: one post in a transaction
                        own.execute(AGAIN, [post])
            return claimed

        with ThreadPoolExecutor(4) as pool:
            claimed = sum(pool.map(work, range(4)))

        [not_noted] = db.execute(NOT_NOTED).fetchone() or ()
        assert claimed > 0
        assert not_noted == 0

    def test_a_post_in_a_transaction_that_has_not_ended_yet_is_noted_when_it_ends(
        self, database_url: str, db: Database
    ) -> None:
        alice = add_author(db, "alice")
        add_posts(db, alice, "first")
        with psycopg.connect(database_url) as slow:
            add_posts(slow, alice, "second")  # type: ignore[arg-type]
            assert claim(db) == ["first"]
            assert claim(db) == []

        assert claim(db) == ["second"]

    def test_what_belongs_to_a_deleted_user_is_not_noted_any_more(self, db: Database) -> None:
        add_posts(db, add_author(db, "alice"), "post")

        db.execute('delete from "user"')

        assert db.execute("select from next_due").fetchall() == []


class TestACeiling:
    def test_what_is_within_the_ceiling_goes_out_and_then_the_app_is_paused_until_the_next_day(
        self, db: Database
    ) -> None:
        add_posts(db, add_author(db, "alice"), "post", count=20)

        rows = db.execute(
            "select state, reason from claim_due_posts(max_posts_per_day => 14, batch_size => 30)"
        ).fetchall()

        [until, reason] = db.execute("select paused_until, paused_reason from app").fetchone() or ()
        [midnight] = db.execute("select date_trunc('day', now(), 'UTC') + interval '1 day'").fetchone() or ()
        assert Counter(state for state, _ in rows) == {"sending": 14, "scheduled": 1}
        assert str(reason).startswith("MAX_POSTS_PER_DAY is reached: today (UTC) no more than 14 posts go out;")
        assert (until, rows[-1]) == (midnight, ("scheduled", reason))
        assert claim(db, "max_posts_per_day => 14") == []

    @pytest.mark.parametrize(
        "text", ["see https://example.com", "see example.com", "read main.py", "see müller.de now"]
    )
    def test_a_post_with_a_link_counts_as_thirteen_and_a_third(self, db: Database, text: str) -> None:
        add_posts(db, add_author(db, "alice"), text, count=20)

        assert len(claim(db, "max_posts_per_day => 40")) == 3 + 1

    @pytest.mark.parametrize("text", ["no link", "Well... so 3.50", "at 9.30. Then", "end."])
    def test_a_post_without_one_counts_as_one(self, db: Database, text: str) -> None:
        add_posts(db, add_author(db, "alice"), text, count=10)

        assert len(claim(db, "max_posts_per_day => 14")) == 10

    def test_only_what_x_may_have_taken_today_counts(self, db: Database) -> None:
        alice = add_author(db, "alice")
        add_posts(db, alice, "not taken", count=10)
        claim(db)
        db.execute("update post_attempt set finished_at = now(), outcome = 'not_sent'")
        db.execute("update scheduled_post set state = 'failed', reason = 'r', lease_until = null")
        add_posts(db, alice, "yesterday", count=10)
        claim(db)
        db.execute("update post_attempt set started_at = now() - interval '1 day' where text = 'yesterday'")
        add_posts(db, alice, "today", count=30)

        assert len(claim(db, "max_posts_per_day => 14", "batch_size => 30")) == 14 + 1

    def test_outcomes_are_reconciled_all_the_same(self, db: Database) -> None:
        alice = add_author(db, "alice")
        add_posts(db, alice, "sent", count=14)
        claim(db, "max_posts_per_day => 14", "batch_size => 14")
        add_posts(db, alice, "too many")
        claim(db, "max_posts_per_day => 14")
        db.execute("update scheduled_post set lease_until = now() where state = 'sending'")

        assert set(claim(db, "max_posts_per_day => 14")) == {"sent"}

    def test_claims_at_the_same_time_stay_within_it_together(self, database_url: str, db: Database) -> None:
        for number in range(10):
            add_posts(db, add_author(db, f"author {number}"), "post", count=20)

        def work(_: int) -> int:
            with psycopg.connect(database_url, autocommit=True) as own:
                rows = own.execute("select state from claim_due_posts(max_posts_per_day => 25)").fetchall()
                return sum(state == "sending" for [state] in rows)

        with ThreadPoolExecutor(8) as pool:
            sent = list(pool.map(work, range(8)))

        assert sum(sent) == 25


def test_a_reconciliation_that_stopped_counts_as_one_that_failed(db: Database) -> None:
    add_posts(db, add_author(db, "alice"), "post")
    claim(db)
    failed = "select failed_reconciliations from claim_due_posts()"
    counts = []
    for _ in range(3):  # nobody writes down what became of it, and the lease runs out
        db.execute("update scheduled_post set lease_until = now()")
        counts += [count for [count] in db.execute(failed).fetchall()]

    assert counts == [0, 1, 2]
