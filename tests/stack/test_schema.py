"""What the database itself holds, whoever writes: the migrations of hasura/, tried with plain SQL."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sealed_value import DOES_NOT_OPEN

pytest_plugins = ["local_hasura_fixtures"]

Database = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The migrated database with an author, an account and a post; all that a test does is undone."""
    with psycopg.connect(database_url) as connection:
        connection.execute("insert into \"user\" (id, username) values (1, 'alice')")
        add_account(connection, 1)
        connection.execute("insert into account_user values (1, 1)")
        connection.execute(
            "insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (1, 1, 1, 'hello', now())"
        )
        yield connection
        connection.rollback()


def add_account(db: Database, id: int) -> None:
    db.execute(
        "insert into account (id, x_user_id, account_name, sealed_tokens) values (%s, %s, 'name', %s)",
        [id, f"100{id}", DOES_NOT_OPEN],
    )


def one(db: Database, query: str) -> object:
    row = db.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update scheduled_post set text = E' \\n'", "text_is_not_blank"),
        ("update scheduled_post set text = repeat('a', 4001)", "text_is_not_endless"),
        ("update scheduled_post set state = 'draft', text = repeat('\u00e9', 16385)", "draft_is_not_endless"),
        ("update scheduled_post set schedule_for = 'infinity'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set schedule_for = '0044-03-15 00:00Z BC'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set schedule_for = '20000-01-01 00:00Z'", "schedule_for_is_of_our_time"),
        ("update scheduled_post set state = 'sending'", "sending_has_a_lease"),
        ("update scheduled_post set lease_until = now()", "only_sending_and_unknown_have_a_lease"),
        ("update scheduled_post set reconcile_at = now()", "only_unknown_is_reconciled"),
        (
            "update scheduled_post set state = 'sending', lease_until = now(), next_attempt_at = now()",
            "only_scheduled_has_a_next_attempt",
        ),
        ("update scheduled_post set tweet_id = '1'", "tweeted_has_a_tweet"),
        ("update scheduled_post set event_id = '1'", "event_has_its_time"),
        ("update scheduled_post set state = 'missed'", "bad_ends_have_a_reason"),
        ("update scheduled_post set when_late = 'never'", "when_late_is_known"),
        ("update scheduled_post set request_key = repeat('k', 256), request_draft = '{}'", "request_key_is_short"),
        ("update scheduled_post set request_key = 'k'", "request_key_has_its_draft"),
        ("update scheduled_post set request_key = 'k', request_draft = '[]'", "request_draft_is_a_draft"),
        (
            """update scheduled_post set
                request_key = 'k', request_draft = jsonb_build_object('text', repeat('a', 20000))""",
            "request_draft_is_a_draft",
        ),
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
            """insert into post_attempt (post_id, number, text, finished_at, outcome, rejection)
            values (1, 1, 'a', now(), 'not_sent', 'somebody')""",
            "rejection_is_known",
        ),
        ("insert into claimed_post (post_id) values (1)", "null value"),
        ("insert into recorded_outcome values (true, 'sending')", "this_table_is_only_a_return_type"),
        ("insert into \"user\" (id, username) values (2, 'alice')", "user_username_key"),
        ("insert into \"user\" (id, username) values (2, '')", "user_username_check"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(db: Database, statement: str, constraint: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        db.execute(statement)  # type: ignore[arg-type]

    assert constraint in str(refused.value)


def test_the_largest_draft_of_a_key_is_stored(db: Database) -> None:
    """The longest text, of the characters that take the most bytes."""
    db.execute(
        """update scheduled_post set text = draft ->> 'text', request_key = repeat('k', 255), request_draft = draft
        from jsonb_build_object(
          'text', repeat('\U0001f600', 4000), 'when_late', 'publish', 'schedule_for', now(),
          'user_id', 9223372036854775807, 'account_id', 9223372036854775807
        ) as draft"""
    )

    assert db.execute("select char_length(text) from scheduled_post").fetchall() == [(4000,)]


STATES = ["draft", "scheduled", "sending", "tweeted", "failed", "unknown", "missed"]
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
    ("draft", "scheduled"),
    ("scheduled", "draft"),
    ("failed", "draft"),
    ("missed", "draft"),
    # A tweet that is known of at last is recorded whatever happened to the row meanwhile.
    ("draft", "tweeted"),
    ("scheduled", "tweeted"),
    ("unknown", "tweeted"),
    ("failed", "tweeted"),
    ("missed", "tweeted"),
}


def put_into(db: Database, state: str) -> None:
    """Brings the post there without asking any trigger."""
    db.execute("set local session_replication_role = replica")
    db.execute(
        """update scheduled_post set state = %(state)s, reason = 'why',
          lease_until = case when %(state)s = 'sending' then now() end,
          tweet_id = case when %(state)s = 'tweeted' then '1' end""",
        {"state": state},
    )
    db.execute("set local session_replication_role = origin")


ATTEMPT = (
    "insert into post_attempt (post_id, number, text, finished_at, outcome) values (1, 1, 'hello', now(), 'unknown')"
)


@pytest.mark.parametrize("new", STATES)
@pytest.mark.parametrize("old", STATES)
def test_states_follow_their_order_whoever_writes(db: Database, old: str, new: str) -> None:
    db.execute(ATTEMPT)
    put_into(db, old)
    change = f"""update scheduled_post set state = '{new}', reason = 'why',
      lease_until = {"now()" if new == "sending" else "null"}, tweet_id = {"'1'" if new == "tweeted" else "null"}"""

    if old == new or (old, new) in LEGAL:
        db.execute(change)  # type: ignore[arg-type]
        assert one(db, "select state from scheduled_post") == new
    else:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"cannot become|cannot be undone"):
            db.execute(change)  # type: ignore[arg-type]


def test_the_tweet_of_a_published_post_is_final(db: Database) -> None:
    put_into(db, "tweeted")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="published"):
        db.execute("update scheduled_post set tweet_id = '2'")


def test_a_post_that_was_never_attempted_cannot_be_published(db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="never attempted"):
        db.execute("update scheduled_post set state = 'tweeted', tweet_id = '1'")


def test_one_tweet_is_one_post_s(db: Database) -> None:
    db.execute("insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (2, 1, 1, 'b', now())")
    db.execute(ATTEMPT)
    db.execute(ATTEMPT.replace("(1, 1,", "(2, 1,"))

    with pytest.raises(psycopg.errors.UniqueViolation, match="one_post_per_tweet"):
        db.execute("update scheduled_post set state = 'tweeted', tweet_id = '1'")


@pytest.mark.parametrize(("column", "value"), [("state", "failed"), ("tweet_id", "1")])
def test_a_new_post_was_never_attempted(db: Database, column: str, value: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="never attempted"):
        db.execute(
            f"""insert into scheduled_post (user_id, account_id, text, schedule_for, {column})
            values (1, 1, 'a', now(), '{value}')"""  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    "change", ["text = 'b'", "schedule_for = now() + '1 s'", "when_late = 'publish'", "account_id = 2"]
)
@pytest.mark.parametrize(
    ("state", "sentence"), [("sending", "being published just now"), ("tweeted", "published and cannot be changed")]
)
def test_what_goes_out_is_fixed(db: Database, state: str, sentence: str, change: str) -> None:
    add_account(db, 2)
    put_into(db, state)

    with pytest.raises(psycopg.errors.InvalidParameterValue, match=sentence):
        db.execute(f"update scheduled_post set {change}")  # type: ignore[arg-type]


@pytest.mark.parametrize("change", ["text = 'b'", "account_id = 2"])
def test_what_may_be_out_is_fixed_until_it_was_reconciled(db: Database, change: str) -> None:
    add_account(db, 2)
    put_into(db, "unknown")
    db.execute("update scheduled_post set reconcile_at = now()")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="may be on X already"):
        db.execute(f"update scheduled_post set {change}")  # type: ignore[arg-type]


def test_what_will_not_be_reconciled_any_more_can_be_changed(db: Database) -> None:
    put_into(db, "unknown")

    db.execute("update scheduled_post set text = 'b'")

    assert one(db, "select text from scheduled_post") == "b"


@pytest.mark.parametrize("paused", ["account", "app"])
def test_a_post_that_was_paused_until_it_was_too_late_says_so(db: Database, paused: str) -> None:
    db.execute("update scheduled_post set schedule_for = now() - interval '7 hours'")
    db.execute(f"update {paused} set paused_until = now() - interval '1 minute', paused_reason = 'Slow down.'")  # type: ignore[arg-type]

    reason = one(db, "select reason from claim_due_posts()")

    assert "more than 360 minutes past its time. It waited until 2" in str(reason)
    assert str(reason).endswith("UTC: Slow down.")


@pytest.mark.parametrize("state", ["failed", "missed", "unknown"])
def test_moving_a_closed_post_opens_it_again_and_the_log_says_so(db: Database, state: str) -> None:
    put_into(db, state)

    db.execute("update scheduled_post set schedule_for = now() + interval '1 hour', text = 'anew'")

    assert one(db, "select (state, reason is null) = ('scheduled', true) from scheduled_post")
    assert one(db, "select (number, outcome, text) = (1, 'opened', 'anew') from post_attempt")


def test_moving_an_unknown_post_waits_for_the_reconciliation_that_is_planned(db: Database) -> None:
    put_into(db, "unknown")
    db.execute("update scheduled_post set reconcile_at = now()")

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
    add_account(db, 2)
    db.execute("insert into account_user values (1, 2)")

    db.execute("delete from account where id = 1")

    assert one(db, "select account_id from scheduled_post") is None


def test_line_ends_are_stored_as_one_lf(db: Database) -> None:
    db.execute("update scheduled_post set text = E'a\\r\\nb\\rc\\n'")

    assert one(db, "select text from scheduled_post") == "a\nb\nc\n"


def test_another_account_need_not_wait_for_what_x_said_of_the_old_one(db: Database) -> None:
    add_account(db, 2)
    db.execute("update scheduled_post set next_attempt_at = now() + interval '1 day', reason = 'limited'")

    db.execute("update scheduled_post set account_id = 2")

    assert one(db, "select (next_attempt_at, reason) is not distinct from (null, null) from scheduled_post")


def test_a_post_that_its_author_moves_need_not_wait(db: Database) -> None:
    db.execute("update scheduled_post set next_attempt_at = now() + interval '1 day', reason = 'limited'")

    db.execute("update scheduled_post set schedule_for = now() + interval '1 s'")

    assert one(db, "select next_attempt_at is null from scheduled_post")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("'1001-a-token-as-x-gives-it-to-us-and-as-it-was-stored-before-it-was-sealed'", id="plain"),
        pytest.param("'v2.k.' || repeat('A', 60)", id="another-version"),
        pytest.param("'v1.' || repeat('k', 33) || '.' || repeat('A', 60)", id="long-key-id"),
        pytest.param("'v1.k.' || repeat('A', 59)", id="short"),
        pytest.param("'v1.k.' || repeat('A', 4001)", id="long"),
        pytest.param("'v1.k.' || repeat('A', 60) || '='", id="padding"),
        pytest.param("'v1.k.' || repeat('A', 60) || E'\\n'", id="line-end"),
    ],
)
def test_tokens_that_are_not_sealed_are_refused(db: Database, value: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="tokens_are_sealed"):
        db.execute(f"update account set sealed_tokens = {value}")  # type: ignore[arg-type]


def test_sealed_tokens_may_be_as_long_as_four_thousand_characters_and_their_key(db: Database) -> None:
    db.execute("update account set sealed_tokens = 'v1.' || repeat('k', 32) || '.' || repeat('A', 4000)")


@pytest.mark.parametrize("x_user_id", ["", "0", "012", "12a", "-1", "12345678901234567890", "../tweets"])
def test_an_account_is_of_a_user_whom_x_can_have(db: Database, x_user_id: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="x_user_id_is_an_id"):
        db.execute(
            "insert into account (x_user_id, account_name, sealed_tokens) values (%s, 'name', %s)",
            [x_user_id, DOES_NOT_OPEN],
        )


@pytest.mark.parametrize("handle", ["", "a" * 51, "two\nlines", "a\n", "\x1b[31m", "\x7f", "\x9b"])
def test_an_account_has_a_handle_that_can_be_shown(db: Database, handle: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="account_name_is_a_handle"):
        db.execute("update account set account_name = %s", [handle])


def test_a_handle_may_be_fifty_characters_of_any_script(db: Database) -> None:
    db.execute("update account set account_name = %s", ["\U0001f600é日本 '\"" + "a" * 43])


def test_a_user_of_x_is_one_account(db: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_account_per_x_user"):
        db.execute(
            """insert into account (x_user_id, account_name, sealed_tokens)
            select x_user_id, 'b', sealed_tokens from account"""
        )


def test_an_account_stays_that_of_its_user_of_x(db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="stays that of its user of X"):
        db.execute("update account set x_user_id = '2002'")


def test_the_claim_hands_over_the_account_with_its_tokens_as_they_are_stored(db: Database) -> None:
    account = {"id": 1, "name": "name", "x_user_id": "1001", "sealed_tokens": DOES_NOT_OPEN}

    assert one(db, "select account from claim_due_posts()") == account


def test_an_unresolved_attempt_has_the_account_that_its_user_of_x_has_now(db: Database) -> None:
    one(db, CLAIM)
    db.execute("update scheduled_post set state = 'unknown', reason = 'why', reconcile_at = now(), lease_until = null")
    db.execute("delete from account")
    removed = one(db, "select unresolved_attempts -> 0 -> 'account' from claim_due_posts()")

    db.execute("update scheduled_post set lease_until = null")
    db.execute(
        "insert into account (id, x_user_id, account_name, sealed_tokens) values (7, '1001', 'renamed', %s)",
        [DOES_NOT_OPEN],
    )
    linked_anew = one(db, "select unresolved_attempts -> 0 -> 'account' ->> 'id' from claim_due_posts()")

    assert (removed, linked_anew) == (None, "7")


def test_new_tokens_end_the_pause_of_their_account(db: Database) -> None:
    db.execute("update account set paused_until = now() + interval '1 hour', paused_reason = 'link it anew'")

    db.execute("update account set sealed_tokens = sealed_tokens || 'A'")

    assert one(db, "select (paused_until, paused_reason) is not distinct from (null, null) from account")


CLAIM = "select attempt_number from claim_due_posts()"
LOG = "select string_agg(coalesce(outcome, 'open'), ',' order by number) from post_attempt"


def test_a_post_that_was_reopened_by_hand_does_not_stop_the_claim(db: Database) -> None:
    db.execute("update scheduled_post set schedule_for = now() - interval '1 s'")
    db.execute("select claim_due_posts()")
    db.execute("update scheduled_post set state = 'scheduled', lease_until = null")

    assert one(db, CLAIM) == 2
    assert one(db, LOG) == "unknown,open"


LOCK_OF_A_PAUSE = "select 1 from app for no key update nowait"
"""What an update of app locks."""


def test_a_pause_waits_for_the_claims_that_are_under_way(db: Database, database_url: str) -> None:
    db.execute("select claim_due_posts()")

    with psycopg.connect(database_url) as operator, pytest.raises(psycopg.errors.LockNotAvailable):
        operator.execute(LOCK_OF_A_PAUSE)


def test_a_claim_waits_for_a_pause_that_is_under_way(db: Database, database_url: str) -> None:
    db.execute("set local lock_timeout = '100ms'")
    with psycopg.connect(database_url) as operator:
        operator.execute("update app set paused_until = now() + interval '1 hour', paused_reason = 'Moving.'")

        with pytest.raises(psycopg.errors.LockNotAvailable):
            db.execute("select claim_due_posts()")
        operator.rollback()


def test_claims_do_not_wait_for_each_other(db: Database, database_url: str) -> None:
    db.execute("select claim_due_posts()")

    with psycopg.connect(database_url) as other:
        other.execute("set local lock_timeout = '100ms'")
        other.execute("select claim_due_posts()")
        other.rollback()


def test_an_attempt_is_numbered_after_the_latest_of_its_log(db: Database) -> None:
    db.execute(ATTEMPT.replace("(1, 1,", "(1, 7,"))

    assert one(db, CLAIM) == 8


def test_an_attempt_is_open_only_while_its_post_is_being_sent(db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="only while its post is being sent"):
        db.execute("insert into post_attempt (post_id, number, text) values (1, 1, 'hello')")


def test_a_post_has_one_open_attempt_at_most(db: Database) -> None:
    db.execute("select claim_due_posts()")

    with pytest.raises(psycopg.errors.UniqueViolation, match="post_attempt_one_at_a_time"):
        db.execute("insert into post_attempt (post_id, number, text) values (1, 2, 'hello')")


def test_a_post_with_an_attempt_left_open_by_hand_does_not_stop_the_claim_of_others(db: Database) -> None:
    db.execute("insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (2, 1, 1, 'b', now())")
    db.execute("set local session_replication_role = replica")
    db.execute("insert into post_attempt (post_id, number, user_id, text) values (1, 1, 1, 'hello')")
    db.execute("set local session_replication_role = origin")

    assert one(db, "select array_agg(post_id) from claim_due_posts()") == [2]


@pytest.mark.parametrize("change", ["schedule_for = now() + interval '1 hour', text = E'a\\r\\nb'"])
def test_the_rules_of_a_change_apply_in_their_order(db: Database, change: str) -> None:
    """Opened again before the order of states is checked; line ends before the log keeps the text; dated at last."""
    put_into(db, "failed")

    db.execute(f"update scheduled_post set {change}, updated_at = '2000-01-01'")  # type: ignore[arg-type]

    assert one(db, "select (state, text, updated_at = now()) = ('scheduled', E'a\\nb', true) from scheduled_post")
    assert one(db, "select text from post_attempt") == "a\nb"


def test_attempts_are_counted_anew_when_the_author_moves_a_post_that_waits(db: Database) -> None:
    db.execute(ATTEMPT.replace("'unknown'", "'not_sent'"))

    db.execute("update scheduled_post set schedule_for = now() - interval '1 s'")

    assert one(db, "select unsent_attempts from claim_due_posts()") == 0
    assert one(db, LOG) == "not_sent,opened,open"


def test_moving_a_post_that_was_never_attempted_leaves_its_log_empty(db: Database) -> None:
    db.execute("update scheduled_post set schedule_for = now() + interval '1 hour'")

    assert one(db, "select count(*) from post_attempt") == 0


def test_moving_a_post_again_and_again_adds_one_entry_to_its_log(db: Database) -> None:
    for day in range(1, 20):
        put_into(db, "missed")
        db.execute(f"update scheduled_post set schedule_for = now() - interval '{day} days'")  # type: ignore[arg-type]

    assert one(db, LOG) == "opened"


@pytest.mark.parametrize("analyzed", [False, True], ids=["new tables", "tables with statistics"])
def test_a_long_log_does_not_slow_the_claim_more_than_in_proportion(db: Database, analyzed: bool) -> None:
    """Plans, not seconds: the latest opening is searched once for a post, not for each entry of its log."""
    if analyzed:
        db.execute("analyze scheduled_post, post_attempt, account")
    db.execute(
        """insert into post_attempt (post_id, number, text, finished_at, outcome)
        select 1, number, 'a', now(), 'not_sent' from generate_series(1, 3000) as number"""
    )
    db.execute("set local track_functions = 'all'")
    db.execute("select pg_stat_reset_single_function_counters('last_opened(bigint)'::regprocedure)")
    db.execute("select claim_due_posts()")

    calls = "select coalesce(pg_stat_get_xact_function_calls('last_opened(bigint)'::regprocedure), 0)"

    assert one(db, calls) == 1


def test_what_x_said_of_earlier_tokens_counts_no_more(db: Database) -> None:
    db.execute(
        """insert into post_attempt (post_id, number, account_id, text, started_at, finished_at, outcome, rejection)
        values (1, 1, 1, 'a', now() - interval '1 min', now(), 'not_sent', 'sign_in')"""
    )

    assert one(db, "select sign_in_rejected_at is null from claim_due_posts()")


def test_an_account_is_not_paused_for_tokens_that_it_had_before(db: Database) -> None:
    lease = one(db, "select lease_until from claim_due_posts()")
    db.execute("update post_attempt set started_at = now() - interval '1 min'")  # the tokens are newer
    record = """select recorded from record_outcome(
      1, 1, %s, 'scheduled', '[{"number": 1, "outcome": "not_sent"}]', 'old',
      pause => 'account', pause_until => now() + interval '1 hour')"""

    assert db.execute(record, [lease]).fetchone() == (True,)
    assert one(db, "select paused_until is null from account")


class TestCounts:
    """What the claim counts from the log, since the post was opened."""

    @pytest.fixture
    def log(self, db: Database) -> Callable[[str], None]:
        def log(outcome: str, rejection: str | None = None, account: int | None = 1) -> None:
            db.execute(
                """insert into post_attempt (post_id, number, account_id, text, finished_at, outcome, rejection)
                select 1, 1 + coalesce(max(number), 0), %s, 'hello', now() - interval '5 min', %s, %s
                from post_attempt where post_id = 1""",
                [account, outcome, rejection],
            )

        return log

    def test_attempts_without_an_answer_count_whatever_lies_between(
        self, db: Database, log: Callable[..., None]
    ) -> None:
        for _ in range(4):
            log("unknown")
            log("not_sent", "account")
            log("absent")
            log("not_sent")
            log("skipped")
            log("duplicate", "duplicate")

        claimed = "select array[unanswered_attempts, unsent_attempts] from claim_due_posts()"

        assert one(db, claimed) == [8, 4]

    def test_rejections_of_the_account_count_since_the_post_was_opened_again(
        self, db: Database, log: Callable[..., None]
    ) -> None:
        for outcome, rejection in [
            ("not_sent", "account"),
            ("opened", None),
            ("not_sent", "account"),
            ("not_sent", "app"),
            ("not_sent", "sign_in"),
            ("not_sent", None),
            ("skipped", None),
            ("unknown", None),
            ("absent", None),
            ("not_sent", "account"),
        ]:
            log(outcome, rejection)

        assert one(db, "select account_rejections from claim_due_posts()") == 2

    def test_attempts_before_the_post_was_opened_again_do_not_count(
        self, db: Database, log: Callable[..., None]
    ) -> None:
        log("unknown")
        log("not_sent")
        log("not_sent", "sign_in")
        log("opened")
        log("absent")

        claimed = """select array[unanswered_attempts, unsent_attempts, (sign_in_rejected_at is not null)::integer]
          from claim_due_posts()"""

        assert one(db, claimed) == [1, 0, 0]

    def test_the_newest_twenty_unresolved_attempts_are_told_newest_first(
        self, db: Database, log: Callable[..., None]
    ) -> None:
        for _ in range(25):
            log("absent")
            log("not_sent")

        told = "select array(select jsonb_path_query(unresolved_attempts, '$[*].number')) from claim_due_posts()"

        assert one(db, told) == list(range(49, 9, -2))

    @pytest.mark.parametrize(
        ("outcome", "rejection", "account", "accepted", "rejected"),
        [
            ("tweeted", None, 2, True, False),
            ("not_sent", "sign_in", 2, False, True),
            ("not_sent", "account", 2, False, False),  # says nothing of a sign-in
            ("tweeted", None, 1, False, False),  # the same account
        ],
    )
    def test_what_x_said_to_other_accounts_since_the_sign_in_was_rejected_is_told(
        self,
        db: Database,
        log: Callable[..., None],
        outcome: str,
        rejection: str | None,
        account: int,
        accepted: bool,
        rejected: bool,
    ) -> None:
        add_account(db, 2)
        db.execute(
            "insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (2, 1, 2, 'b', now())"
        )
        log("not_sent", "sign_in")
        db.execute(
            """insert into post_attempt (post_id, number, account_id, text, finished_at, outcome, rejection)
            values (2, 1, %s, 'b', now(), %s, %s)""",
            [account, outcome, rejection],
        )

        told = "select array[others_accepted_since, others_rejected_since] from claim_due_posts(1, 1)"

        assert one(db, told) == [accepted, rejected]


def test_only_authors_change_what_the_event_trigger_watches(db: Database) -> None:
    db.execute("update scheduled_post set schedule_for = now() - interval '1 s'")
    watched = "select planned_for = schedule_for from scheduled_post"
    states = []
    for change in (
        "select claim_due_posts()",
        """select record_outcome(1, 1, lease_until, 'failed', '[{"number": 1, "outcome": "rejected"}]', 'why')
        from scheduled_post""",
        "update scheduled_post set state = 'draft'",
        "update scheduled_post set state = 'scheduled'",
    ):
        db.execute(change)  # type: ignore[arg-type]
        states.append((one(db, "select state from scheduled_post"), one(db, watched)))

    assert states == [("sending", True), ("failed", True), ("draft", None), ("scheduled", True)]


def test_a_stranger_s_insert_tells_nothing_of_somebody_s_accounts(db: Database) -> None:
    db.execute("select set_config('hasura.user', %s, true)", ['{"x-hasura-user-id": "stranger"}'])

    db.execute("insert into scheduled_post (id, user_id, text, schedule_for) values (2, 1, 'not mine', now())")

    assert one(db, "select account_id from scheduled_post where id = 2") is None


class TestRecordingTwice:
    """The answer to a record is lost, and the publisher records again."""

    RECORD = """select recorded, state from record_outcome(
      1, 1, %(lease)s, %(state)s, jsonb_build_array(jsonb_build_object('number', 1, 'outcome', %(outcome)s::text)),
      'why', tweet_id => %(tweet)s)"""

    @pytest.fixture
    def record(self, db: Database) -> Callable[..., object]:
        lease = one(db, "select lease_until from claim_due_posts()")

        def record(state: str, outcome: str, tweet: str | None = None) -> object:
            return db.execute(
                self.RECORD, {"lease": lease, "state": state, "outcome": outcome, "tweet": tweet}
            ).fetchone()

        return record

    @pytest.mark.parametrize(
        ("state", "outcome", "tweet"),
        [
            ("tweeted", "tweeted", "77"),
            ("scheduled", "not_sent", None),
            ("failed", "rejected", None),
            ("unknown", "unknown", None),
        ],
    )
    def test_says_that_it_is_recorded(
        self, record: Callable[..., object], state: str, outcome: str, tweet: str
    ) -> None:
        assert record(state, outcome, tweet) == (True, state)
        assert record(state, outcome, tweet) == (True, state)

    def test_does_not_say_so_of_another_tweet(self, record: Callable[..., object]) -> None:
        record("tweeted", "tweeted", "77")

        assert record("tweeted", "tweeted", "78") == (False, "tweeted")

    def test_does_not_say_so_of_another_outcome(self, record: Callable[..., object]) -> None:
        record("scheduled", "not_sent")

        assert record("scheduled", "skipped") == (False, "scheduled")
        assert record("failed", "not_sent") == (False, "scheduled")

    def test_does_not_say_so_when_the_author_has_moved_the_post_since(
        self, db: Database, record: Callable[..., object]
    ) -> None:
        record("failed", "rejected")
        db.execute("update scheduled_post set schedule_for = now() + interval '1 hour'")

        assert record("failed", "rejected") == (False, "scheduled")

    def test_does_not_say_so_while_another_delivery_reconciles_the_post(
        self, db: Database, record: Callable[..., object]
    ) -> None:
        record("unknown", "unknown")
        db.execute("update scheduled_post set lease_until = now() + interval '1 hour'")

        assert record("unknown", "unknown") == (False, "unknown")


def test_the_log_says_when_x_accepted_a_post_whose_tweet_is_recorded_of_another_one(db: Database) -> None:
    lease = one(db, "select lease_until from claim_due_posts()")
    db.execute("insert into scheduled_post (id, user_id, account_id, text, schedule_for) values (2, 1, 1, 'b', now())")
    db.execute(ATTEMPT.replace("(1, 1,", "(2, 1,"))
    db.execute("update scheduled_post set state = 'tweeted', tweet_id = '77' where id = 2")

    recorded = db.execute(
        TestRecordingTwice.RECORD, {"lease": lease, "state": "tweeted", "outcome": "tweeted", "tweet": "77"}
    )

    assert recorded.fetchone() == (False, "unknown")
    assert db.execute("select outcome, detail from post_attempt where post_id = 1").fetchone() == (
        "unknown",
        "X accepted it as 77, which is recorded as the tweet of another post with this text.",
    )


def test_a_tweet_that_is_recorded_late_brings_the_text_that_x_has(db: Database) -> None:
    db.execute(ATTEMPT.replace("'hello'", "'as it was sent'").replace("'unknown'", "'absent'"))
    db.execute("update scheduled_post set text = 'edited since'")

    db.execute(TestRecordingTwice.RECORD, {"lease": None, "state": "tweeted", "outcome": "tweeted", "tweet": "77"})

    assert db.execute("select state, text from scheduled_post").fetchone() == ("tweeted", "as it was sent")


@pytest.mark.parametrize(
    ("change", "unresolved"),
    [("when_late = 'skip'", [1]), ("text = 'another'", []), ("account_id = 2", [])],
)
def test_an_author_who_opens_a_post_with_another_text_or_account_wants_that_published_whatever_became_of_the_old_one(
    db: Database, change: str, unresolved: list[int]
) -> None:
    add_account(db, 2)
    db.execute(
        """insert into post_attempt (post_id, number, account_id, x_user_id, text, finished_at, outcome)
        values (1, 1, 1, '1001', 'hello', now(), 'unknown')"""
    )
    put_into(db, "unknown")

    db.execute(f"update scheduled_post set schedule_for = now() - interval '1 s', {change}")  # type: ignore[arg-type]

    told = "select array(select (jsonb_path_query(unresolved_attempts, '$[*].number'))::integer) from claim_due_posts()"
    assert one(db, told) == unresolved


def test_an_attempt_is_unresolved_although_the_text_was_edited_since_while_the_post_was_not_opened_again(
    db: Database,
) -> None:
    db.execute(ATTEMPT.replace("'unknown'", "'absent'"))

    db.execute("update scheduled_post set text = 'edited since'")

    assert one(db, "select jsonb_array_length(unresolved_attempts) from claim_due_posts()") == 1
