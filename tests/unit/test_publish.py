"""One attempt to publish: X is asked at most once, and what is decided is written down."""

from datetime import timedelta

import pytest
from core_fakes import IN_TIME, FakeX, StoppedClock, Store, sending

from shared.core.model import Account, ClaimedPost, Outcome, PublishResult, Recorded, State
from shared.core.publish import Conclusion, publish
from shared.errors import ConfigurationError, HasuraUnavailable
from shared.limits import RECORD_WAITS


def published(post: ClaimedPost, store: Store, x: FakeX, clock: StoppedClock | None = None) -> Conclusion:
    return publish(post, IN_TIME, store, x, clock or StoppedClock())


def test_x_is_asked_once_and_the_decision_is_recorded() -> None:
    store, x = Store(), FakeX()

    conclusion = published(sending(), store, x)

    assert x.published == [("alice", "hello")]
    assert store.decisions[1].tweet_id == "tweet of hello"
    assert conclusion.recorded == Recorded(True, State.TWEETED)


def test_a_post_that_breaks_a_rule_is_failed_without_asking_x() -> None:
    store, x = Store(), FakeX()

    published(sending(account=None), store, x)

    assert x.published == []
    assert store.decisions[1].state is State.FAILED


def test_a_publisher_that_is_held_up_leaves_the_post_because_the_lease_may_run_out_while_x_is_asked() -> None:
    store, x, clock = Store(), FakeX(), StoppedClock()
    clock.time = IN_TIME.send_by + timedelta(microseconds=1)

    published(sending(), store, x, clock)

    assert x.published == []
    assert (store.decisions[1].state, store.decisions[1].attempts[0].outcome) == (State.SCHEDULED, Outcome.SKIPPED)


@pytest.mark.parametrize("error", [HasuraUnavailable("away"), ConfigurationError("refused")])
def test_recording_is_repeated_when_it_fails(error: Exception) -> None:
    store, clock, x = Store(record_failures=[error, error]), StoppedClock(), FakeX()

    conclusion = published(sending(), store, x, clock)

    assert clock.pauses == list(RECORD_WAITS)
    assert conclusion.recorded
    assert len(x.published) == 1


def test_recording_is_tried_once_in_any_case_and_not_again_when_the_time_of_the_delivery_is_over() -> None:
    store, clock = Store(record_failures=[HasuraUnavailable("away")] * 3), StoppedClock()

    class SlowX(FakeX):
        def publish(self, account: Account, text: str) -> PublishResult:
            clock.time = IN_TIME.begin_by
            return super().publish(account, text)

    conclusion = published(sending(), store, SlowX(), clock)

    assert (conclusion.recorded, len(store.record_failures)) == (None, 2)
    assert clock.pauses == []


def test_what_x_accepted_does_not_fail_when_it_cannot_be_recorded() -> None:
    store = Store(record_failures=[HasuraUnavailable("away")] * 3)

    conclusion = published(sending(), store, FakeX())

    assert (conclusion.recorded, conclusion.record_failure) == (None, "away")
    assert conclusion.decision.tweet_id == "tweet of hello"


def test_nothing_is_logged_because_azure_drops_the_lines_of_other_threads(caplog: pytest.LogCaptureFixture) -> None:
    published(sending(), Store(record_failures=[HasuraUnavailable("away")] * 3), FakeX())

    assert caplog.records == []
