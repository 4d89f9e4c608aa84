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
        ("update scheduled_post set text = repeat('a', 4001)", "text_is_not_endless"),
        ("update scheduled_post set schedule_for = 'infinity'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set schedule_for = '0044-03-15 00:00Z BC'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set schedule_for = '20000-01-01 00:00Z'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set state = 'sending'", "sending_has_a_lease"),
        ("update scheduled_post set tweet_id = '1'", "only_tweeted_has_a_tweet"),
        ("update scheduled_post set state = 'missed'", "bad_ends_have_a_reason"),
        ("update scheduled_post set when_late = 'never'", "when_late_is_known"),
        ("update scheduled_post set request_key = repeat('k', 256), request_draft = '{}'", "request_key_is_short"),
        ("update scheduled_post set request_key = 'k'", "request_key_has_its_draft"),
        ("update scheduled_post set request_key = 'k', request_draft = '[]'", "request_draft_is_a_draft"),
        (
            """insert into scheduled_post (id, user_id, account_id, text, schedule_for, request_key, request_draft)
            select n, 1, 1, 'a', now(), 'k', '{}' from generate_series(2, 3) as n""",
            "one_post_per_request_key",
        ),
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


STATES = ["scheduled", "sending", "tweeted", "failed", "unknown", "missed"]
LEGAL = {
    ("scheduled", "sending"),
    ("scheduled", "missed"),
    ("sending", "tweeted"),
    ("sending", "scheduled"),
    ("sending", "failed"),
    ("sending", "unknown"),
    ("unknown", "scheduled"),
    ("unknown", "failed"),
    ("failed", "scheduled"),
    ("missed", "scheduled"),
    # A tweet that is known of at last is recorded whatever happened to the row meanwhile.
    ("scheduled", "tweeted"),
    ("unknown", "tweeted"),
    ("failed", "tweeted"),
    ("missed", "tweeted"),
}


def put_into(db: Database, state: str) -> None:
    """Brings the post there without asking any trigger."""
    db.execute("set local session_replication_role = replica")
    db.execute("update scheduled_post set state = %s, reason = 'why', lease_until = now()", [state])
    db.execute("set local session_replication_role = origin")


@pytest.mark.parametrize("new", STATES)
@pytest.mark.parametrize("old", STATES)
def test_states_follow_their_order_whoever_writes(db: Database, old: str, new: str) -> None:
    db.execute("insert into post_attempt (post_id, number, text) values (1, 1, 'hello')")
    put_into(db, old)
    change = f"update scheduled_post set state = '{new}', lease_until = now(), reason = 'why'"

    if old == new or (old, new) in LEGAL:
        db.execute(change)  # type: ignore[arg-type]
        assert one(db, "select state from scheduled_post") == new
    else:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"cannot become|cannot be undone"):
            db.execute(change)  # type: ignore[arg-type]


def test_the_tweet_of_a_published_post_is_final(db: Database) -> None:
    put_into(db, "tweeted")
    db.execute("update scheduled_post set reason = null")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="published"):
        db.execute("update scheduled_post set tweet_id = '2'")


def test_a_post_that_was_never_tried_cannot_be_published(db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="never tried"):
        db.execute("update scheduled_post set state = 'tweeted', tweet_id = '1'")


def test_one_tweet_is_one_post_s(db: Database) -> None:
    db.execute("insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (2, 1, 1, 'b', now())")
    db.execute("insert into post_attempt (post_id, number, text) values (1, 1, 'hello'), (2, 1, 'b')")

    with pytest.raises(psycopg.errors.UniqueViolation, match="one_post_per_tweet"):
        db.execute("update scheduled_post set state = 'tweeted', tweet_id = '1'")


@pytest.mark.parametrize("given", ["state = 'tweeted'", "tries = 1", "attempt = 1"])
def test_a_new_post_has_no_past(db: Database, given: str) -> None:
    column, value = given.split(" = ")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="never tried"):
        db.execute(
            f"""insert into scheduled_post (user_id, account_id, text, schedule_for, {column})
            values (1, 1, 'a', now(), {value})"""  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    "change", ["text = 'b'", "schedule_for = now() + '1 s'", "when_late = 'publish'", "account_id = 2"]
)
@pytest.mark.parametrize(
    ("state", "sentence"), [("sending", "being published just now"), ("tweeted", "published and cannot be changed")]
)
def test_what_goes_out_is_fixed(db: Database, state: str, sentence: str, change: str) -> None:
    db.execute("insert into account values (2, 'second', 'token', 'secret')")
    put_into(db, state)

    with pytest.raises(psycopg.errors.InvalidParameterValue, match=sentence):
        db.execute(f"update scheduled_post set {change}")  # type: ignore[arg-type]


@pytest.mark.parametrize("change", ["text = 'b'", "account_id = 2"])
def test_what_may_be_out_is_fixed_until_it_was_looked_up(db: Database, change: str) -> None:
    db.execute("insert into account values (2, 'second', 'token', 'secret')")
    put_into(db, "unknown")
    db.execute("update scheduled_post set not_before = now()")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="may be on X already"):
        db.execute(f"update scheduled_post set {change}")  # type: ignore[arg-type]


def test_what_will_not_be_looked_up_any_more_can_be_changed(db: Database) -> None:
    put_into(db, "unknown")

    db.execute("update scheduled_post set text = 'b'")

    assert one(db, "select text from scheduled_post") == "b"


@pytest.mark.parametrize("held", ["account", "app"])
def test_a_post_that_was_held_until_it_was_too_late_says_so(db: Database, held: str) -> None:
    db.execute("update scheduled_post set schedule_for = now() - interval '7 hours'")
    db.execute(f"update {held} set held_until = now() - interval '1 minute', held_because = 'Slow down.'")  # type: ignore[arg-type]

    reason = one(db, "select reason from claim_due_posts()")

    assert "more than 360 minutes past its time. X did not take it before 2" in str(reason)
    assert str(reason).endswith("UTC: Slow down.")


@pytest.mark.parametrize("state", ["failed", "missed", "unknown"])
def test_moving_a_closed_post_opens_it_again_and_the_log_says_so(db: Database, state: str) -> None:
    put_into(db, state)

    db.execute("update scheduled_post set schedule_for = now() + interval '1 hour', text = 'anew'")

    assert one(db, "select (state, tries, attempt, reason is null) = ('scheduled', 0, 1, true) from scheduled_post")
    assert one(db, "select (number, outcome, text) = (1, 'opened', 'anew') from post_attempt")


def test_moving_an_unknown_post_waits_for_the_look_that_is_planned(db: Database) -> None:
    put_into(db, "unknown")
    db.execute("update scheduled_post set not_before = now()")

    db.execute("update scheduled_post set schedule_for = now() + interval '1 hour'")

    assert one(db, "select state from scheduled_post") == "unknown"


@pytest.mark.parametrize("state", STATES)
def test_a_post_is_pending_while_its_outcome_is_open(db: Database, state: str) -> None:
    put_into(db, state)

    assert one(db, "select is_pending from scheduled_post") is (state in ("scheduled", "sending", "unknown"))


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


def test_a_post_that_its_author_moves_need_not_wait(db: Database) -> None:
    db.execute("update scheduled_post set not_before = now() + interval '1 day', reason = 'limited'")

    db.execute("update scheduled_post set schedule_for = now() + interval '1 s'")

    assert one(db, "select not_before is null from scheduled_post")


def test_new_tokens_end_the_hold_of_their_account(db: Database) -> None:
    db.execute("update account set held_until = now() + interval '1 hour', held_because = 'link it anew'")

    db.execute("update account set access_token = 'new'")

    assert one(db, "select (held_until, held_because) is not distinct from (null, null) from account")


def test_a_row_that_was_reopened_by_hand_does_not_stop_the_claim(db: Database) -> None:
    db.execute("update scheduled_post set schedule_for = now() - interval '1 s'")
    db.execute("select claim_due_posts()")
    db.execute("update scheduled_post set state = 'scheduled', lease_until = null")

    assert one(db, "select attempt from claim_due_posts()") == 2
    assert (
        one(db, "select string_agg(coalesce(outcome, 'open'), ',' order by number) from post_attempt") == "unknown,open"
    )


def test_a_row_whose_counter_was_set_back_by_hand_does_not_stop_the_claim(db: Database) -> None:
    db.execute("insert into post_attempt values (1, 7, now(), now(), 'hello', 'refused')")
    db.execute("update scheduled_post set schedule_for = now() - interval '1 s'")

    assert one(db, "select attempt from claim_due_posts()") == 8


def test_a_row_with_a_try_left_open_by_hand_does_not_stop_the_claim_of_others(db: Database) -> None:
    db.execute("insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (2, 1, 1, 'b', now())")
    db.execute("insert into post_attempt (post_id, number, text) values (1, 1, 'hello')")

    assert one(db, "select array_agg(id) from claim_due_posts()") == [2]


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
