"""What the database itself holds, whoever writes: the migrations of hasura/, tried with plain SQL."""

from collections.abc import Iterator

import psycopg
import pytest

from local import postgres

Database = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("schema")) as url:
        postgres.migrate(url)
        yield url


@pytest.fixture
def db(cluster: str) -> Iterator[Database]:
    """The migrated database with an author, an account and a post; all that a test does is undone."""
    with psycopg.connect(cluster) as connection:
        connection.execute("insert into \"user\" (id, username) values (1, 'alice')")
        connection.execute("insert into account values (1, 'alice', 'token', 'secret')")
        connection.execute("insert into account_user values (1, 1)")
        connection.execute(
            "insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (1, 1, 1, 'hello', now())"
        )
        yield connection
        connection.rollback()


def one(db: Database, query: str) -> object:
    row = db.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update scheduled_post set text = E' \\n'", "text_is_not_blank"),
        ("update scheduled_post set text = repeat('a', 25001)", "text_is_not_endless"),
        ("update scheduled_post set schedule_for = 'infinity'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set schedule_for = '0044-03-15 00:00Z BC'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set schedule_for = '20000-01-01 00:00Z'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set state = 'posted'", "state_is_known"),
        ("update scheduled_post set state = 'sending'", "sending_has_a_lease"),
        ("update scheduled_post set tweet_id = '1'", "only_tweeted_has_a_tweet"),
        ("update scheduled_post set state = 'failed'", "bad_ends_have_a_reason"),
        ("update scheduled_post set state = 'unknown'", "bad_ends_have_a_reason"),
        ("update scheduled_post set state = 'missed'", "bad_ends_have_a_reason"),
        (
            "insert into post_attempt (post_id, number, text, outcome, finished_at) values (1, 1, 'a', 'lost', now())",
            "outcome_is_known",
        ),
        (
            "insert into post_attempt (post_id, number, text, finished_at) values (1, 1, 'a', now())",
            "finished_has_an_outcome",
        ),
        (
            "insert into post_attempt (post_id, number, text) values (1, 1, 'a'), (1, 2, 'a')",
            "post_attempt_one_at_a_time",
        ),
        ("insert into \"user\" (id, username) values (2, 'alice')", "user_username_key"),
        ("insert into \"user\" (id, username) values (2, '')", "user_username_check"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(db: Database, statement: str, constraint: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        db.execute(statement)  # type: ignore[arg-type]

    assert constraint in str(refused.value)


@pytest.mark.parametrize("change", ["state = 'scheduled', tweet_id = null", "tweet_id = '2'", "state = 'failed'"])
def test_tweeted_is_final_whoever_writes(db: Database, change: str) -> None:
    db.execute("update scheduled_post set state = 'tweeted', tweet_id = '1'")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="published"):
        db.execute(f"update scheduled_post set {change}, reason = 'why'")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "open_still"),
    [
        ("scheduled", True),
        ("sending", True),
        ("unknown", True),
        ("tweeted", False),
        ("failed", False),
        ("missed", False),
    ],
)
def test_a_post_is_pending_while_its_outcome_is_open(db: Database, state: str, open_still: bool) -> None:
    db.execute("update scheduled_post set state = %s, reason = 'why', lease_until = now()", [state])

    assert one(db, "select is_pending from scheduled_post") is open_still


def test_a_change_is_dated(db: Database) -> None:
    db.execute("update scheduled_post set updated_at = '2000-01-01', text = 'changed'")

    assert one(db, "select updated_at = now() from scheduled_post")


def test_a_post_of_a_removed_account_stays_without_one(db: Database) -> None:
    db.execute("insert into account values (2, 'second', 'token', 'secret')")
    db.execute("insert into account_user values (1, 2)")

    db.execute("delete from account where id = 1")

    assert one(db, "select account_id from scheduled_post") is None


def test_line_ends_are_stored_as_one_lf(db: Database) -> None:
    db.execute("update scheduled_post set text = E'a\\r\\nb\\rc\\n'")

    assert one(db, "select text from scheduled_post") == "a\nb\nc\n"


def test_another_account_need_not_wait_for_what_x_said_of_the_old_one(db: Database) -> None:
    db.execute("insert into account values (2, 'second', 'token', 'secret')")
    db.execute("update scheduled_post set not_before = now() + interval '1 day', reason = 'limited'")

    db.execute("update scheduled_post set account_id = 2")

    assert one(db, "select (not_before, reason) is not distinct from (null, null) from scheduled_post")


def test_a_stranger_s_insert_tells_nothing_of_somebody_s_accounts(db: Database) -> None:
    db.execute("select set_config('hasura.user', %s, true)", ['{"x-hasura-user-id": "stranger"}'])

    db.execute("insert into scheduled_post (id, user_id, text, schedule_for) values (2, 1, 'not mine', now())")

    assert one(db, "select account_id from scheduled_post where id = 2") is None


def test_what_goes_up_comes_down_and_up_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    downs = [folder / "down.sql" for folder in sorted(postgres.MIGRATIONS.iterdir(), reverse=True)]
    ups = [folder / "up.sql" for folder in sorted(postgres.MIGRATIONS.iterdir())]
    with (
        postgres.running(tmp_path_factory.mktemp("up_and_down")) as url,
        psycopg.connect(url, autocommit=True) as db,
    ):
        for script in (*ups, *downs):
            db.execute(script.read_text())  # type: ignore[arg-type]
        left = one(
            db,
            """select (select count(*) from pg_class where relnamespace = 'public'::regnamespace)
            + (select count(*) from pg_proc where pronamespace = 'public'::regnamespace)""",
        )
        for script in ups:
            db.execute(script.read_text())  # type: ignore[arg-type]

        assert left == 0
