"""Who waits for posts that are due soon, and when the database asks for a delivery: the SQL, on a real PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sealed_value import DOES_NOT_OPEN

from local import postgres

Database = psycopg.Connection[tuple[object, ...]]

ADD_POST = """
insert into scheduled_post (user_id, account_id, text, schedule_for)
select "user".id, account.id, 'post', now() + %s * interval '1 second' from "user", account
"""
COUNT_REQUESTS = """
create table requested (is_follow_up boolean);
create function count_request() returns trigger language plpgsql as $$
begin
  insert into requested values (new.is_follow_up);
  return null;
end
$$;
create trigger notify_hasura after insert on delivery_request for each row execute function count_request()"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("wait")) as url:
        postgres.migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("""insert into "user" (username) values ('alice')""")
            connection.execute(
                "insert into account (x_user_id, account_name, sealed_tokens) values (1, 'alice', %s)", [DOES_NOT_OPEN]
            )
            connection.execute(COUNT_REQUESTS)
        yield url


@pytest.fixture
def db(cluster: str) -> Iterator[Database]:
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute("truncate scheduled_post, next_due, requested restart identity cascade")
        connection.execute("update app set paused_until = null, paused_reason = null, follow_up_until = null")
        connection.execute("update waiter set alive_until = '-infinity', until = '-infinity'")
        yield connection


def add_post(db: Database, due_in: float) -> None:
    db.execute(ADD_POST, [due_in])


def leave_open_attempt(db: Database) -> None:
    """By hand, without the triggers that refuse it."""
    with db.transaction():
        db.execute("set local session_replication_role = replica")
        db.execute(
            "insert into post_attempt (post_id, user_id, number, text) select id, user_id, 1, text from scheduled_post"
        )


def turn(db: Database, caller: str, *, ahead: float = 17, stay: float = 0, wait: float = 3600) -> tuple[object, object]:
    """Whether somebody is to wait, and whether that is the caller, who then is believed to be alive for an hour.

    Otherwise the turn would go to another after 5 seconds, which a busy machine may need between two requests.
    """
    query = "select is_needed, is_callers from wait_for_due_posts(%s, %s, %s, %s)"
    with db.transaction():
        [is_needed, is_callers] = db.execute(query, [caller, ahead, stay, wait]).fetchone() or ()
        if is_callers:
            db.execute("update waiter set alive_until = now() + interval '1 hour'")
    return is_needed, is_callers


def requests(db: Database) -> list[object]:
    """The deliveries that were asked for: whether each is a follow-up."""
    return [is_follow_up for [is_follow_up] in db.execute("select is_follow_up from requested").fetchall()]


NOT_NEEDED, OWN_TURN, TURN_OF_ANOTHER = (False, False), (True, True), (True, False)


class TestTheTurn:
    def test_is_not_needed_when_nothing_is_due_soon(self, db: Database) -> None:
        assert turn(db, "first") == NOT_NEEDED
        add_post(db, due_in=3600)
        assert turn(db, "first") == NOT_NEEDED

    def test_is_the_first_caller_s_when_a_post_is_due_soon(self, db: Database) -> None:
        add_post(db, due_in=10)

        assert turn(db, "first") == OWN_TURN
        assert turn(db, "second") == TURN_OF_ANOTHER
        assert turn(db, "first") == OWN_TURN

    def test_is_one_s_alone_however_many_ask_at_once(self, cluster: str, db: Database) -> None:
        add_post(db, due_in=10)

        def ask(number: int) -> tuple[object, object]:
            with psycopg.connect(cluster, autocommit=True) as connection:
                return turn(connection, f"caller {number}")

        with ThreadPoolExecutor(16) as pool:
            turns = list(pool.map(ask, range(32)))

        assert turns.count(OWN_TURN) == 1
        assert turns.count(TURN_OF_ANOTHER) == 31

    def test_comes_with_the_time_until_the_first_post(self, db: Database) -> None:
        add_post(db, due_in=3700)
        add_post(db, due_in=3600)

        [due_in] = db.execute("select due_in_seconds from wait_for_due_posts('first', 17, 0, 60)").fetchone() or ()

        assert 0 < float(str(due_in)) <= 3600

    def test_of_one_who_does_not_ask_again_goes_to_another(self, db: Database) -> None:
        add_post(db, due_in=10)
        turn(db, "first")
        db.execute("update waiter set alive_until = now()")

        assert turn(db, "second") == OWN_TURN
        assert turn(db, "first") == TURN_OF_ANOTHER

    def test_of_one_who_stops_too_early_goes_to_one_who_stops_later(self, db: Database) -> None:
        add_post(db, due_in=10)
        turn(db, "first", wait=12)

        assert turn(db, "second", wait=3600) == OWN_TURN
        assert turn(db, "first", wait=11) == TURN_OF_ANOTHER

    def test_does_not_go_to_one_who_would_stop_even_earlier(self, db: Database) -> None:
        add_post(db, due_in=10)
        turn(db, "first", wait=3600)

        assert turn(db, "second", ahead=7200, wait=5) == TURN_OF_ANOTHER

    def test_ends_when_nothing_is_due_soon_any_more(self, db: Database) -> None:
        add_post(db, due_in=10)
        turn(db, "first")
        db.execute("delete from scheduled_post")
        db.execute("delete from next_due")
        assert turn(db, "first") == NOT_NEEDED

        add_post(db, due_in=10)
        assert turn(db, "second") == OWN_TURN

    def test_is_needed_by_one_who_stays_though_nothing_is_due(self, db: Database) -> None:
        assert turn(db, "sweep", stay=60) == OWN_TURN
        assert turn(db, "another") == NOT_NEEDED

    def test_is_not_needed_during_a_pause_of_the_app(self, db: Database) -> None:
        add_post(db, due_in=10)
        db.execute("update app set paused_until = now() + interval '1 hour', paused_reason = 'credits'")

        assert turn(db, "first") == NOT_NEEDED


class TestAPostThatCannotBeClaimed:
    def test_whose_log_has_an_open_attempt_lets_nobody_wait_for_it_all_the_time(self, db: Database) -> None:
        add_post(db, due_in=-5)
        leave_open_attempt(db)
        db.execute("select from claim_due_posts()")

        assert turn(db, "first") == NOT_NEEDED

    def test_does_not_hide_the_next_post_of_its_author(self, db: Database) -> None:
        add_post(db, due_in=-5)
        leave_open_attempt(db)
        add_post(db, due_in=10)
        db.execute("select from claim_due_posts()")

        assert turn(db, "first") == OWN_TURN


class TestADeliveryRequest:
    def test_is_made_when_a_post_is_stored_that_is_due_within_a_minute(self, db: Database) -> None:
        add_post(db, due_in=2)

        assert requests(db) == [False]

    def test_is_not_made_for_a_post_that_is_due_later(self, db: Database) -> None:
        add_post(db, due_in=90)

        assert requests(db) == []

    def test_is_not_made_for_a_draft(self, db: Database) -> None:
        db.execute(
            """insert into scheduled_post (user_id, text, schedule_for, state)
            select id, '', now(), 'draft' from "user" """
        )

        assert requests(db) == []

    def test_is_one_for_all_posts_that_are_stored_at_once(self, db: Database) -> None:
        db.execute(ADD_POST.replace("%s", "2") + " cross join generate_series(1, 50)")

        assert requests(db) == [False]

    def test_for_a_follow_up_is_made_once_until_it_comes(self, db: Database) -> None:
        for _ in range(3):
            db.execute("select from request_follow_up(3600)")
        assert requests(db) == [True]

        db.execute("update app set follow_up_until = null")
        db.execute("select from request_follow_up(3600)")
        assert requests(db) == [True, True]

    def test_for_a_follow_up_is_made_again_when_the_one_before_has_not_come(self, db: Database) -> None:
        db.execute("select from request_follow_up(3600)")
        db.execute("update app set follow_up_until = now() - interval '1 second'")
        db.execute("select from request_follow_up(3600)")

        assert requests(db) == [True, True]

    def test_leaves_no_row(self, db: Database) -> None:
        add_post(db, due_in=2)

        assert db.execute("select count(*) from delivery_request").fetchone() == (0,)
