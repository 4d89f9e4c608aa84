"""What Hasura's rows are to the core, and what the core's decisions are to Hasura."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.model import (
    Account,
    AttemptUpdate,
    Claim,
    ClaimedPost,
    Decision,
    FoundDraft,
    FoundPost,
    MissedPost,
    Outcome,
    Pause,
    Rejection,
    State,
    UnresolvedAttempt,
)
from shared.hasura import rows

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADA = Account(3, "ada", "42", "sealed-tokens-of-ada")
ADA_S_ROW = {"id": 3, "name": "ada", "x_user_id": "42", "sealed_tokens": "sealed-tokens-of-ada"}
CLAIMED = {
    "post_id": 7,
    "state": "sending",
    "text": "Hello",
    "schedule_for": "2026-05-04T12:00:00+00:00",
    "reason": None,
    "lease_until": "2026-05-04T12:03:00+00:00",
    "attempt_number": 2,
    "account": ADA_S_ROW,
    "may_post": True,
    "unanswered_attempts": 4,
    "unsent_attempts": 5,
    "account_rejections": 3,
    "failed_reconciliations": 6,
    "sign_in_rejected_at": None,
    "others_accepted_since": False,
    "others_rejected_since": False,
    "unresolved_attempts": [],
    "event_id": None,
    "event_at": None,
}
POST = ClaimedPost(
    id=7,
    text="Hello",
    schedule_for=NOON,
    state=State.SENDING,
    lease_until=NOON + timedelta(minutes=3),
    attempt_number=2,
    account=ADA,
    may_post=True,
    unanswered_attempts=4,
    unsent_attempts=5,
    account_rejections=3,
    failed_reconciliations=6,
)
UNRESOLVED = {
    "number": 1,
    "text": "as it was sent",
    "outcome": "unknown",
    "started_at": "2026-05-04T12:00:00+00:00",
    "finished_at": "2026-05-04T12:00:30.12+00:00",
    "account": ADA_S_ROW,
}


def claimed(**changed: Any) -> ClaimedPost:
    [post] = rows.claim([CLAIMED | changed]).posts
    return post


class TestAClaim:
    def test_has_a_post_with_everything_that_the_publisher_needs(self) -> None:
        assert rows.claim([CLAIMED]) == Claim(posts=(POST,))

    def test_has_a_post_to_reconcile_with_its_unresolved_attempts(self) -> None:
        post = claimed(state="unknown", unresolved_attempts=[UNRESOLVED])

        assert post.state is State.UNKNOWN
        assert post.unresolved == (
            UnresolvedAttempt(
                1, ADA, "as it was sent", Outcome.UNKNOWN, NOON, NOON + timedelta(seconds=30, milliseconds=120)
            ),
        )

    def test_has_the_posts_that_were_too_late_apart_from_those_to_publish(self) -> None:
        missed = CLAIMED | {
            "post_id": 8,
            "state": "missed",
            "reason": "Too late.",
            "lease_until": None,
            "account": None,
        }

        claim = rows.claim([missed, CLAIMED])

        assert claim == Claim(posts=(POST,), missed=(MissedPost(8, "Too late."),))
        assert claim.size == 2

    def test_keeps_the_order_of_the_database(self) -> None:
        claim = rows.claim([CLAIMED | {"post_id": number} for number in (9, 7, 8)])

        assert [post.id for post in claim.posts] == [9, 7, 8]

    def test_may_be_empty(self) -> None:
        assert rows.claim([]).size == 0

    def test_shows_no_token_when_it_is_printed(self) -> None:
        assert "token-" not in repr(rows.claim([CLAIMED | {"unresolved_attempts": [UNRESOLVED]}]))


class TestAClaimedPost:
    def test_is_the_same_where_hasura_writes_bigints_as_strings(self) -> None:
        stringified = {"post_id": "7", "account": ADA_S_ROW | {"id": "3"}}

        assert claimed(**stringified) == POST

    def test_whose_account_was_removed_has_none(self) -> None:
        post = claimed(account=None, may_post=False)

        assert (post.account, post.may_post) == (None, False)

    def test_may_have_an_unresolved_attempt_from_an_account_that_was_removed(self) -> None:
        [attempt] = claimed(unresolved_attempts=[UNRESOLVED | {"account": None, "outcome": "duplicate"}]).unresolved

        assert (attempt.account, attempt.outcome) == (None, Outcome.DUPLICATE)

    def test_knows_what_x_said_of_the_sign_in_and_to_others_since(self) -> None:
        post = claimed(
            sign_in_rejected_at="2026-05-04T11:00:00+00:00", others_accepted_since=True, others_rejected_since=True
        )

        assert post.sign_in_rejected_at == NOON - timedelta(hours=1)
        assert post.others_accepted_since
        assert post.others_rejected_since

    def test_knows_its_event(self) -> None:
        post = claimed(event_id="an-event", event_at="2026-05-04T13:00:00+00:00")

        assert (post.event_id, post.event_at) == ("an-event", NOON + timedelta(hours=1))

    @pytest.mark.parametrize(
        ("text", "time"),
        [
            # PostgreSQL drops zeros at the end of a fraction.
            ("2026-05-04T12:00:00.12+00:00", NOON + timedelta(milliseconds=120)),
            ("2026-05-04T12:00:00.123456+00:00", NOON + timedelta(microseconds=123_456)),
            # The database's time zone is not UTC.
            ("2026-05-04T14:00:00+02:00", NOON),
            ("2026-05-04T17:30:00+05:30", NOON),
        ],
    )
    def test_has_its_times_as_postgresql_writes_them(self, text: str, time: datetime) -> None:
        assert claimed(schedule_for=text).schedule_for == time


FOUND: dict[str, Any] = {
    "id": 7,
    "state": "scheduled",
    "schedule_for": "2026-05-04T12:00:00+00:00",
    "next_attempt_at": None,
    "reason": None,
    "tweet_id": None,
    "event_id": None,
    "event_at": None,
    "account": {"paused_until": None},
    "open_attempts": [],
}

CLOCK = {"now": "2026-05-04T12:00:00+00:00"}


def found(row: dict[str, Any], app: list[dict[str, Any]] | None = None) -> FoundPost:
    post = rows.found_post(row, app or [], CLOCK)
    assert isinstance(post, FoundPost)
    return post


class TestAFoundPost:
    def test_says_what_it_is_now(self) -> None:
        row = FOUND | {
            "id": "7",
            "state": "tweeted",
            "tweet_id": "99",
            "reason": "It is on X.",
            "event_id": "an-event",
            "event_at": "2026-05-04T12:00:00+00:00",
            "open_attempts": [{"number": 1}],
        }

        assert rows.found_post(row, [{"paused_until": None}], CLOCK) == FoundPost(
            id=7,
            state=State.TWEETED,
            schedule_for=NOON,
            found_at=NOON,
            due_at=NOON,
            reason="It is on X.",
            tweet_id="99",
            event_id="an-event",
            event_at=NOON,
            has_open_attempt=True,
        )

    @pytest.mark.parametrize(
        ("next_attempt", "account", "app", "due", "paused"),
        [
            (None, None, None, 12, None),  # nothing lies between: it is due at its time
            (13, None, None, 13, None),  # the next attempt
            (11, None, None, 12, None),  # a next attempt before its time counts for nothing
            (None, 13, None, 12, 13),  # the account's pause
            (None, None, 13, 12, 13),  # the app's pause
            (13, 14, 15, 13, 15),  # the longer pause counts
            (13, 15, 14, 13, 15),
        ],
    )
    def test_says_when_it_is_due_and_until_when_it_is_paused(
        self, next_attempt: int | None, account: int | None, app: int | None, due: int, paused: int | None
    ) -> None:
        def at(hour: int | None) -> str | None:
            return f"2026-05-04T{hour}:00:00+00:00" if hour else None

        row = FOUND | {"next_attempt_at": at(next_attempt), "account": {"paused_until": at(account)}}

        post = found(row, app=[{"paused_until": at(app)}])

        assert post.due_at == NOON.replace(hour=due)
        assert post.paused_until == (NOON.replace(hour=paused) if paused else None)

    def test_that_is_a_draft_may_have_no_time(self) -> None:
        assert rows.found_post(FOUND | {"state": "draft", "schedule_for": None}, [], CLOCK) == FoundDraft(7)

    def test_of_a_removed_account_is_not_paused(self) -> None:
        assert found(FOUND | {"account": None}).due_at == NOON


class TestTheArgumentsOfRecordOutcome:
    DECISION = Decision(
        State.SCHEDULED,
        (AttemptUpdate(2, Outcome.NOT_SENT, "X limits @ada.", Rejection.ACCOUNT, 429),),
        "X limits @ada.",
        pause=Pause(Rejection.ACCOUNT, NOON),
    )

    def test_are_json_that_names_the_attempt_and_the_lease_of_the_caller(self) -> None:
        args = rows.outcome_args(POST, self.DECISION)

        assert json.loads(json.dumps(args)) == args
        assert (args["post_id"], args["attempt_number"]) == (7, 2)
        assert args["lease"] == "2026-05-04T12:03:00+00:00"

    def test_say_what_is_paused_and_until_when(self) -> None:
        args = rows.outcome_args(POST, self.DECISION)

        assert (args["pause"], args["pause_until"]) == ("account", "2026-05-04T12:00:00+00:00")

    def test_leave_out_of_the_log_what_stays_as_it_is(self) -> None:
        decision = replace(
            self.DECISION, attempts=(AttemptUpdate(2, failed_reconciliations=0), AttemptUpdate(1, Outcome.ABSENT))
        )

        assert rows.outcome_args(POST, decision)["attempts"] == [
            {"number": 2, "failed_reconciliations": 0},
            {"number": 1, "outcome": "absent"},
        ]
