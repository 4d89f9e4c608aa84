"""The table of outcomes in docs/architecture.md, row by row: what becomes of a post, given what X said or shows."""

from datetime import timedelta
from typing import Any

import pytest
from core_fakes import ALICE, NOW, sending, unknown, unresolved

from shared.core.model import (
    Accepted,
    AttemptUpdate,
    CannotAsk,
    ClaimedPost,
    Decision,
    Found,
    NoConnection,
    NothingToAsk,
    NotShownYet,
    Outcome,
    Pause,
    Refused,
    Rejected,
    Rejection,
    Skipped,
    State,
    SurelyAbsent,
    TokensUnreadable,
    Unanswered,
)
from shared.core.policy import decide, reason_not_to_send
from shared.limits import MAX_REJECTED, MAX_UNANSWERED, MAX_UNSENT, RECONCILE_WAITS, REJECTED_GIVEN_UP

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

LIMIT = Rejected(Rejection.ACCOUNT, "Slow down.", 429, wait=10 * MINUTE)
CREDITS = Rejected(Rejection.APP, "No credits.", 402, wait=HOUR)
SIGN_IN = Rejected(Rejection.SIGN_IN, "Link it anew.", 401)
UNREADABLE = TokensUnreadable("It cannot be opened.", "the keys are wrong")
POLICY = Rejected(Rejection.POST, "X rejects this post: policy.", 403)
DUPLICATE = Rejected(Rejection.DUPLICATE, "Posted already.", 403)

SECOND_401 = {"sign_in_rejected_at": NOW - MINUTE}


def decided(post: ClaimedPost, result: Any, jitter: float = 0) -> Decision:
    return decide(post, result, NOW, jitter)


class TestPublishing:
    """Of a post that is being sent."""

    def test_a_post_that_x_rejects_with_its_account_fails_after_three_days_and_ten_rejections(self) -> None:
        given_up = sending(
            schedule_for=NOW - REJECTED_GIVEN_UP, attempt_number=3 * MAX_REJECTED, account_rejections=MAX_REJECTED - 1
        )

        decision = decided(given_up, LIMIT)

        reason = (
            "Slow down. X has rejected the account in 10 attempts, and the post is 3 days late; move it to try again."
        )
        assert decision.state is State.FAILED
        assert decision.reason == reason
        assert decision.pause is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"account_rejections": MAX_REJECTED - 2, "attempt_number": 3 * MAX_REJECTED},
            {"schedule_for": NOW - REJECTED_GIVEN_UP + SECOND},
        ],
        ids=["a long log with few rejections", "not so late"],
    )
    def test_before_that_its_account_is_paused_each_time(self, changes: dict[str, Any]) -> None:
        almost = {"schedule_for": NOW - REJECTED_GIVEN_UP, "account_rejections": MAX_REJECTED - 1, **changes}

        assert decided(sending(**almost), LIMIT).pause == Pause(Rejection.ACCOUNT, NOW + 10 * MINUTE)

    def test_a_post_that_x_accepted_is_tweeted(self) -> None:
        log = (AttemptUpdate(1, Outcome.TWEETED, "X accepted it.", code=201),)

        assert decided(sending(), Accepted("77", 201)) == Decision(State.TWEETED, log, tweet_id="77")

    @pytest.mark.parametrize(
        ("unsent_before", "wait"),
        [(0, 5 * SECOND), (1, 30 * SECOND), (2, 2 * MINUTE), (3, 10 * MINUTE), (MAX_UNSENT - 2, 10 * MINUTE)],
    )
    def test_a_post_that_could_not_be_sent_waits_longer_each_time(self, unsent_before: int, wait: timedelta) -> None:
        decision = decided(sending(unsent_attempts=unsent_before), NoConnection("no connection"))

        log = (AttemptUpdate(1, Outcome.NOT_SENT, "no connection"),)
        assert decision == Decision(State.SCHEDULED, log, "no connection", next_attempt_at=NOW + wait)

    def test_a_post_that_could_not_be_sent_in_ten_attempts_fails_and_says_so(self) -> None:
        decision = decided(sending(unsent_attempts=MAX_UNSENT - 1), NoConnection("no connection."))

        assert decision.state is State.FAILED
        assert decision.reason == "It could not be sent in 10 attempts; the last time: no connection."

    def test_a_post_that_x_did_not_answer_nine_times_does_not_fail_for_one_missing_connection(self) -> None:
        decision = decided(sending(unanswered_attempts=9, unsent_attempts=0), NoConnection("no connection"))

        assert (decision.state, decision.next_attempt_at) == (State.SCHEDULED, NOW + 5 * SECOND)

    def test_a_post_whose_tokens_do_not_open_waits_for_the_operator_or_a_new_link_with_its_account(self) -> None:
        decision = decided(sending(unsent_attempts=MAX_UNSENT - 1), UNREADABLE)

        assert decision == Decision(
            State.SCHEDULED,
            (AttemptUpdate(1, Outcome.SKIPPED, "It cannot be opened."),),
            "It cannot be opened.",
            pause=Pause(Rejection.ACCOUNT, NOW + HOUR),
            operator_message="the keys are wrong",
        )

    def test_an_attempt_for_which_it_was_too_late_is_skipped_and_counts_as_none(self) -> None:
        decision = decided(sending(unsent_attempts=MAX_UNSENT - 1), Skipped("too late"))

        log = (AttemptUpdate(1, Outcome.SKIPPED, "too late"),)
        assert decision == Decision(State.SCHEDULED, log, "too late", next_attempt_at=NOW + 5 * SECOND)

    def test_a_post_that_x_did_not_answer_is_unknown_and_reconciled_soon(self) -> None:
        decision = decided(sending(), Unanswered("no answer", 503))

        log = (AttemptUpdate(1, Outcome.UNKNOWN, "no answer", code=503),)
        assert decision == Decision(State.UNKNOWN, log, "no answer", reconcile_at=NOW + 30 * SECOND)

    def test_a_post_that_x_rejects_for_good_fails_with_the_reason(self) -> None:
        log = (AttemptUpdate(1, Outcome.REJECTED, POLICY.detail, Rejection.POST, 403),)

        assert decided(sending(), POLICY) == Decision(State.FAILED, log, POLICY.detail)

    def test_a_post_that_a_rule_of_ours_forbids_fails_with_the_reason(self) -> None:
        log = (AttemptUpdate(1, Outcome.REJECTED, "Too long."),)

        assert decided(sending(), Refused("Too long.")) == Decision(State.FAILED, log, "Too long.")

    def test_a_duplicate_fails_when_no_attempt_before_is_unresolved(self) -> None:
        log = (AttemptUpdate(1, Outcome.REJECTED, DUPLICATE.detail, Rejection.DUPLICATE, 403),)

        assert decided(sending(), DUPLICATE) == Decision(State.FAILED, log, DUPLICATE.detail)

    def test_a_duplicate_fails_when_only_attempts_with_another_text_are_unresolved(self) -> None:
        post = sending(
            attempt_number=2, unresolved=(unresolved(1, text="before it was edited", outcome=Outcome.ABSENT),)
        )

        assert decided(post, DUPLICATE).state is State.FAILED

    def test_a_duplicate_is_reconciled_when_an_attempt_before_may_be_what_x_has(self) -> None:
        decision = decided(sending(attempt_number=2, unresolved=(unresolved(1, outcome=Outcome.ABSENT),)), DUPLICATE)

        assert (decision.state, decision.reconcile_at) == (State.UNKNOWN, NOW + 30 * SECOND)
        assert (decision.attempts[0].outcome, decision.attempts[0].rejection) == (
            Outcome.DUPLICATE,
            Rejection.DUPLICATE,
        )

    def test_a_limited_account_is_paused_and_the_post_waits_for_that_alone(self) -> None:
        log = (AttemptUpdate(1, Outcome.NOT_SENT, "Slow down.", Rejection.ACCOUNT, 429),)
        pause = Pause(Rejection.ACCOUNT, NOW + 10 * MINUTE)

        assert decided(sending(), LIMIT) == Decision(State.SCHEDULED, log, "Slow down.", pause=pause)

    def test_the_operator_is_told_of_an_account_that_only_he_can_help_and_no_other_account_is_paused(self) -> None:
        decision = decided(sending(), Rejected(Rejection.ACCOUNT, "HTTP 404", 404, HOUR, "is the address right?"))

        assert decision.pause == Pause(Rejection.ACCOUNT, NOW + HOUR)
        assert decision.operator_message == "is the address right?"

    def test_the_app_is_paused_and_the_operator_told_when_x_rejects_all_of_it(self) -> None:
        decision = decided(sending(), CREDITS)

        assert decision.pause == Pause(Rejection.APP, NOW + HOUR)
        assert decision.operator_message == "all posts wait until 2026-05-04 13:00:00 UTC: No credits."

    def test_what_x_asks_to_wait_with_fails_no_post_however_often(self) -> None:
        post = sending(unsent_attempts=MAX_UNSENT - 1, unanswered_attempts=MAX_UNANSWERED - 1)

        assert decided(post, LIMIT).state is State.SCHEDULED
        assert decided(post, CREDITS).state is State.SCHEDULED

    @pytest.mark.parametrize("jitter", [0, 0.5, 1])
    def test_waits_are_longer_by_up_to_a_quarter_by_chance(self, jitter: float) -> None:
        lengthened = 1 + jitter / 4

        assert decided(sending(), NoConnection("no"), jitter).next_attempt_at == NOW + 5 * SECOND * lengthened
        assert decided(sending(), SIGN_IN, jitter).next_attempt_at == NOW + MINUTE * lengthened
        assert decided(sending(), LIMIT, jitter).come_back_at == NOW + 10 * MINUTE * lengthened
        assert decided(sending(), CREDITS, jitter).come_back_at == NOW + HOUR * lengthened


class TestRejectedSignIn:
    """The account's tokens, our app's keys and a wrong clock look the same."""

    def test_the_first_one_is_attempted_again_after_a_minute(self) -> None:
        log = (AttemptUpdate(1, Outcome.NOT_SENT, "Link it anew.", Rejection.SIGN_IN, 401),)

        assert decided(sending(), SIGN_IN) == Decision(
            State.SCHEDULED, log, "Link it anew.", next_attempt_at=NOW + MINUTE
        )

    def test_the_second_one_fails_the_post_when_x_accepted_another_account_meanwhile(self) -> None:
        decision = decided(sending(**SECOND_401, others_accepted_since=True, others_rejected_since=True), SIGN_IN)

        assert (decision.state, decision.reason) == (State.FAILED, "Link it anew.")
        assert decision.attempts[0].outcome is Outcome.REJECTED

    def test_the_second_one_pauses_the_account_while_nobody_can_tell_who_is_at_fault(self) -> None:
        decision = decided(sending(**SECOND_401), SIGN_IN)

        assert decision.state is State.SCHEDULED
        assert decision.pause == Pause(Rejection.ACCOUNT, NOW + 5 * MINUTE)
        assert decision.operator_message is None

    @pytest.mark.parametrize(
        ("rejected_for", "pause"),
        [(6 * MINUTE, 6 * MINUTE), (HOUR, HOUR), (6 * HOUR, 6 * HOUR), (71 * HOUR, 6 * HOUR)],
        ids=str,
    )
    def test_the_account_is_paused_for_as_long_again_as_x_has_rejected_it_up_to_six_hours(
        self, rejected_for: timedelta, pause: timedelta
    ) -> None:
        decision = decided(sending(sign_in_rejected_at=NOW - rejected_for), SIGN_IN)

        assert decision.pause == Pause(Rejection.ACCOUNT, NOW + pause)

    def test_the_post_fails_when_x_has_rejected_it_for_three_days(self) -> None:
        decision = decided(sending(sign_in_rejected_at=NOW - 72 * HOUR), SIGN_IN)

        assert (decision.state, decision.pause) == (State.FAILED, None)
        assert decision.reason == "Link it anew. X has rejected it for 3 days; move the post to try again."

    def test_a_post_is_attempted_a_bounded_number_of_times_while_x_goes_on_rejecting_it(self) -> None:
        times, now, first = 0, NOW, None
        while True:
            decision = decide(sending(sign_in_rejected_at=first), SIGN_IN, now, jitter=0)
            times, first = times + 1, first or now
            if decision.state is State.FAILED:
                break
            now = decision.come_back_at or now

        assert times < 25

    def test_the_operator_is_told_when_x_rejects_several_accounts(self) -> None:
        decision = decided(sending(**SECOND_401, others_rejected_since=True), SIGN_IN)

        assert decision.pause
        assert decision.operator_message == "X rejects several accounts: our app's keys, or our clock, may be wrong"


class TestReconciling:
    """Of a post of unknown outcome."""

    def test_a_post_that_is_found_is_tweeted(self) -> None:
        log = (AttemptUpdate(1, Outcome.TWEETED, "It was found on X."),)

        assert decided(unknown(unresolved()), Found(1, "77")) == Decision(State.TWEETED, log, tweet_id="77")

    def test_when_an_earlier_attempt_is_found_the_later_ones_are_absent(self) -> None:
        decision = decided(unknown(unresolved(3), unresolved(2)), Found(2, "77", absent=(3,)))

        assert [(entry.number, entry.outcome) for entry in decision.attempts] == [
            (2, Outcome.TWEETED),
            (3, Outcome.ABSENT),
        ]

    def test_a_post_that_x_does_not_show_yet_is_reconciled_again_when_that_proves_something(self) -> None:
        decision = decided(unknown(unresolved()), NotShownYet(NOW + MINUTE))

        assert decision == Decision(State.UNKNOWN, reason="X does not show it so far.", reconcile_at=NOW + MINUTE)

    def test_a_post_that_is_surely_absent_is_scheduled_again_and_its_log_says_so(self) -> None:
        post = unknown(unresolved(4), unresolved(3, outcome=Outcome.DUPLICATE), unresolved(1, outcome=Outcome.ABSENT))

        decision = decided(post, SurelyAbsent(absent=(4,)))

        log = (AttemptUpdate(4, Outcome.ABSENT, "X does not have it."),)
        reason = "X did not have it after an attempt without an answer."
        assert decision == Decision(State.SCHEDULED, log, reason, next_attempt_at=NOW)

    def test_a_duplicate_that_x_does_not_show_is_for_the_author_to_decide(self) -> None:
        post = unknown(unresolved(2, outcome=Outcome.DUPLICATE), unresolved(1))

        decision = decided(post, SurelyAbsent())

        assert (decision.state, decision.come_back_at, decision.attempts) == (State.UNKNOWN, None, ())
        assert "change the text and move the post" in str(decision.reason)

    @pytest.mark.parametrize(("failed_before", "pause"), list(enumerate(RECONCILE_WAITS)))
    def test_a_post_about_which_x_cannot_be_asked_is_reconciled_later_and_later(
        self, failed_before: int, pause: timedelta
    ) -> None:
        decision = decided(unknown(unresolved(), failed_reconciliations=failed_before), CannotAsk("X is away."))

        assert (decision.state, decision.reconcile_at) == (State.UNKNOWN, NOW + pause)
        assert decision.attempts == (AttemptUpdate(1, failed_reconciliations=failed_before + 1),)

    def test_a_reconciliation_waits_as_long_as_x_says(self) -> None:
        decision = decided(unknown(unresolved()), CannotAsk("limited", wait=7 * MINUTE))

        assert decision.reconcile_at == NOW + 7 * MINUTE

    def test_after_the_last_reconciliation_the_author_decides(self) -> None:
        post = unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS))

        decision = decided(post, CannotAsk("X is away"))

        assert (decision.state, decision.come_back_at) == (State.UNKNOWN, None)
        assert "X could not be asked (X is away). Check the account on X; move the post" in str(decision.reason)

    def test_the_operator_is_told_when_x_shows_our_app_no_timeline(self) -> None:
        decision = decided(unknown(unresolved()), CannotAsk("No access.", what=Rejection.APP))

        assert decision.operator_message == "outcomes cannot be reconciled: No access."

    def test_the_operator_is_told_when_only_he_can_help_the_reconciliation_of_one_account(self) -> None:
        not_found = CannotAsk("HTTP 404", HOUR, Rejection.ACCOUNT, "is the address right?")

        decision = decided(unknown(unresolved()), not_found)

        assert decision.operator_message == "is the address right?"

    @pytest.mark.parametrize("failed_before", [0, len(RECONCILE_WAITS)])
    def test_tokens_that_do_not_open_use_up_no_reconciliation(self, failed_before: int) -> None:
        decision = decided(unknown(unresolved(), failed_reconciliations=failed_before), UNREADABLE)

        assert decision == Decision(
            State.UNKNOWN,
            reason="It may or may not be on X. It cannot be opened.",
            reconcile_at=NOW + HOUR,
            operator_message="the keys are wrong",
        )

    def test_what_cannot_be_asked_now_or_later_is_for_the_author_to_decide(self) -> None:
        decision = decided(unknown(), NothingToAsk("The account was removed."))

        assert decision == Decision(State.UNKNOWN, reason="The account was removed.")


class TestReasonsNotToSend:
    def test_a_post_that_breaks_no_rule_may_be_sent(self) -> None:
        assert reason_not_to_send(sending(), ALICE) is None

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"may_post": False}, "You may no longer post as @alice."),
            ({"text": "x" * 281}, "X allows 280"),
            ({"unanswered_attempts": MAX_UNANSWERED}, "It was sent 10 times without an answer"),
        ],
    )
    def test_a_post_that_breaks_a_rule_is_not_sent_and_its_author_is_told_why(
        self, change: dict[str, Any], words: str
    ) -> None:
        assert words in str(reason_not_to_send(sending(**change), ALICE))

    def test_a_post_is_sent_while_x_left_fewer_than_ten_attempts_unanswered(self) -> None:
        assert reason_not_to_send(sending(unanswered_attempts=MAX_UNANSWERED - 1), ALICE) is None


@pytest.mark.parametrize(
    "result",
    [Accepted("1"), NoConnection("n"), Skipped("s"), Unanswered("u"), POLICY, DUPLICATE, SIGN_IN, LIMIT, CREDITS],
)
def test_every_attempt_is_closed_and_an_open_post_has_a_time_to_come_back(result: Any) -> None:
    decision = decided(sending(), result)

    assert [(entry.number, entry.outcome is not None) for entry in decision.attempts] == [(1, True)]
    assert (decision.come_back_at is not None) == (decision.state in (State.SCHEDULED, State.UNKNOWN))
    assert (decision.reason is None) == (decision.state is State.TWEETED)
