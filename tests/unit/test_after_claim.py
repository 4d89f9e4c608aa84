"""What is logged of a claimed post's end, and what its delivery is told."""

import json
import logging
from concurrent.futures import Future
from typing import Any

import pytest
from core_fakes import LEASE_ENDS, NOW, StoppedClock, sending, unknown, unresolved

from shared.core.after_claim import AfterClaim, log_end, log_missed
from shared.core.model import AttemptUpdate, ClaimedPost, Decision, MissedPost, Outcome, Recorded, Rejection, State
from shared.core.publish import Conclusion

TWEETED = Decision(State.TWEETED, tweet_id="77")


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def ended(post: ClaimedPost, decision: Decision, recorded: Recorded | None, failure: str | None = None) -> AfterClaim:
    end: Future[Conclusion] = Future()
    end.set_result(Conclusion(post, decision, recorded, failure))
    return log_end(post, end, StoppedClock())


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, dict[str, Any]]]:
    return [(record.levelno, json.loads(record.message)) for record in caplog.records]


def test_a_published_post_is_logged_with_its_tweet_and_how_late_x_took_it(caplog: pytest.LogCaptureFixture) -> None:
    told = ended(sending(), TWEETED, Recorded(True, State.TWEETED))

    [(level, line)] = lines(caplog)
    assert (level, line["event"], line["post_id"], line["state"]) == (logging.INFO, "post_state_changed", 1, "tweeted")
    assert (line["tweet_id"], line["lateness_seconds"]) == ("77", 1.0)
    assert line["message"] == "post 1 is tweeted as 77, 1.000 s after its time"
    assert told == AfterClaim(1, State.TWEETED, tweet_id="77")


def test_of_a_post_that_a_reconciliation_found_it_is_not_known_how_late_x_took_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended(unknown(unresolved()), TWEETED, Recorded(True, State.TWEETED))

    [(_, line)] = lines(caplog)
    assert line["message"] == "post 1 is tweeted as 77"
    assert "lateness_seconds" not in line


def test_a_failed_post_is_logged_with_how_x_rejected_it_and_without_words_that_may_quote_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rejected = AttemptUpdate(1, Outcome.REJECTED, "X rejects this post: hello", Rejection.POST, 403)

    told = ended(
        sending(), Decision(State.FAILED, (rejected,), "X rejects this post: hello"), Recorded(True, State.FAILED)
    )

    [(_, line)] = lines(caplog)
    assert (line["outcome"], line["rejection"], line["status_code"]) == ("rejected", "post", 403)
    assert "hello" not in caplog.text
    assert told == AfterClaim(1, State.FAILED, "X rejects this post: hello")


def test_what_the_operator_must_act_on_is_an_error_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    waiting = Decision(
        State.SCHEDULED, reason="X limits us.", next_attempt_at=NOW, operator_message="X asks for credits."
    )

    ended(sending(), waiting, Recorded(True, State.SCHEDULED))

    [(level, line), _] = lines(caplog)
    assert (level, line["event"], line["post_id"]) == (logging.ERROR, "operator_must_act", 1)
    assert line["message"] == "the operator must act, X asks for credits."


def test_an_outcome_that_could_not_be_recorded_is_an_error_and_is_looked_for_after_the_lease(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = ended(sending(), TWEETED, None, "Hasura is away")

    [(level, line)] = lines(caplog)
    assert (level, line["event"], line["tweet_id"]) == (logging.ERROR, "outcome_not_recorded", "77")
    assert line["message"].endswith("could not be recorded: Hasura is away")
    assert (told.state, told.tweet_id, told.come_back_at) == (State.SENDING, None, LEASE_ENDS)


def test_an_outcome_that_came_too_late_is_a_warning_that_says_what_the_post_is_by_now(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = ended(sending(), TWEETED, Recorded(False, None))

    [(level, line)] = lines(caplog)
    assert (level, line["event"]) == (logging.WARNING, "outcome_too_late")
    assert line["message"].startswith("post 1 is deleted by now; that it is tweeted (tweet 77) is not recorded")
    assert told == AfterClaim(1, State.SENDING, "It was deleted meanwhile.")


def test_a_fault_of_ours_is_logged_with_its_traceback_and_the_delivery_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    end: Future[Conclusion] = Future()
    end.set_exception(ZeroDivisionError("a fault"))

    told = log_end(sending(), end, StoppedClock())

    [(level, line)] = lines(caplog)
    assert (level, line["event"]) == (logging.ERROR, "unexpected_error")
    assert "ZeroDivisionError: a fault" in line["traceback"]
    assert told.state is State.SENDING


def test_a_post_that_the_claim_found_too_late_is_logged_as_missed(caplog: pytest.LogCaptureFixture) -> None:
    told = log_missed(MissedPost(7, "It was too late."))

    [(_, line)] = lines(caplog)
    assert (line["message"], line["state"]) == ("post 7 is missed: It was too late.", "missed")
    assert told == AfterClaim(7, State.MISSED, "It was too late.")
