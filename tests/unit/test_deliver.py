"""A delivery: what is due is published and reconciled, and the answer is for the post that the event is about."""

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from core_fakes import (
    ALICE,
    LEASE_ENDS,
    NOW,
    FakeX,
    StoppedClock,
    Store,
    claim,
    sending,
    unknown,
    unresolved,
)

from shared.core.deliver import DeliveryResult, handle_delivery
from shared.core.model import (
    Accepted,
    Account,
    Claim,
    Delivery,
    FoundDraft,
    FoundPost,
    MissedPost,
    NoConnection,
    PublishResult,
    Recorded,
    Rejected,
    Rejection,
    State,
    Unanswered,
)
from shared.errors import HasuraUnavailable
from shared.limits import DRAIN_TIME, LONGEST_RETRY_AFTER, RECORD_WAITS, WAIT_STEP, WAIT_TIME

OF_POST_1 = Delivery(1, "event-of-1")
SWEEP = Delivery(None, "sweep")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def delivered(
    store: Store, x: FakeX | None = None, delivery: Delivery = OF_POST_1, clock: StoppedClock | None = None
) -> DeliveryResult:
    return handle_delivery(delivery, store, x or FakeX(), clock or StoppedClock())


class TestADuePost:
    def test_it_is_published_and_the_event_answered(self) -> None:
        result = delivered(Store(claims=[claim(sending())]))

        assert result == DeliveryResult(1, State.TWEETED, None, "tweet of hello", claimed={"tweeted": 1})

    def test_it_is_reconciled_when_its_outcome_is_unknown(self) -> None:
        x = FakeX()
        x.tweets = {"hello": ["77"]}

        result = delivered(Store(claims=[claim(unknown(unresolved()))]), x)

        assert (result.state, result.tweet_id, x.published) == (State.TWEETED, "77", [])

    @pytest.mark.parametrize(
        ("x_says", "state", "least"),
        [
            (NoConnection("no connection"), State.SCHEDULED, timedelta(seconds=5)),
            (Unanswered("no answer"), State.UNKNOWN, timedelta(seconds=30)),
            (Rejected(Rejection.ACCOUNT, "limit", 429, wait=MINUTE), State.SCHEDULED, MINUTE),
        ],
    )
    def test_its_event_is_asked_for_again_while_it_is_open(
        self, x_says: PublishResult, state: State, least: timedelta
    ) -> None:
        result = delivered(Store(claims=[claim(sending())]), FakeX({"hello": x_says}))

        assert result.state is state
        assert result.retry_after is not None
        assert least <= result.retry_after <= least * 1.25

    def test_its_event_comes_again_within_a_quarter_of_an_hour_however_long_the_post_waits(self) -> None:
        limit = Rejected(Rejection.ACCOUNT, "limit", 429, wait=20 * HOUR)

        result = delivered(Store(claims=[claim(sending())]), FakeX({"hello": limit}))

        assert result.retry_after == LONGEST_RETRY_AFTER

    def test_its_event_is_answered_when_it_ended_or_its_author_decides(self) -> None:
        rejected = Rejected(Rejection.POST, "policy", 403)

        failed = delivered(Store(claims=[claim(sending())]), FakeX({"hello": rejected}))
        undecided = delivered(Store(claims=[claim(unknown(unresolved(account=None)))]))
        missed = delivered(Store(claims=[claim(MissedPost(1, "too late"))]))

        assert (failed.state, failed.reason, failed.retry_after) == (State.FAILED, "policy", None)
        assert (undecided.state, undecided.retry_after) == (State.UNKNOWN, None)
        assert (missed.state, missed.reason, missed.retry_after) == (State.MISSED, "too late", None)

    def test_when_its_outcome_cannot_be_recorded_its_event_comes_again_after_the_lease(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        result = delivered(Store(claims=[claim(sending())], record_failures=[HasuraUnavailable("away")] * 3))

        assert (result.state, result.tweet_id) == (State.SENDING, None)
        assert result.retry_after == LEASE_ENDS - NOW - sum(RECORD_WAITS, timedelta())
        assert "post 1 is tweeted (tweet tweet of hello), which could not be recorded: away" in caplog.text

    @pytest.mark.parametrize(
        ("x_says", "recorded", "state", "reason"),
        [
            (Accepted("77"), Recorded(False, State.UNKNOWN), State.UNKNOWN, "Its tweet is recorded as another post's."),
            (Accepted("77"), Recorded(False, None), State.SENDING, "It was deleted meanwhile."),
            (Accepted("77"), Recorded(False, State.TWEETED), State.TWEETED, "Another delivery has taken it over."),
            (Unanswered("no"), Recorded(False, State.UNKNOWN), State.UNKNOWN, "Another delivery has taken it over."),
        ],
    )
    def test_a_record_that_wrote_nothing_is_neither_answered_nor_logged_as_done_and_says_why(
        self,
        x_says: PublishResult,
        recorded: Recorded,
        state: State,
        reason: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO)

        result = delivered(Store(claims=[claim(sending())], recorded=recorded), FakeX({"hello": x_says}))

        assert (result.state, result.tweet_id, result.reason) == (state, None, reason)
        assert f"is not recorded: {reason}" in caplog.text
        assert "post_state_changed" not in caplog.text

    def test_a_post_that_was_moved_to_now_leaves_no_event_for_later(self) -> None:
        store = Store(claims=[claim(sending(event_id="event-of-tomorrow", event_at=NOW + 24 * HOUR))])

        delivered(store, delivery=Delivery(1, "event of the move"))

        assert store.deleted == ["event-of-tomorrow"]
        assert store.forgotten == [(1, "event-of-tomorrow")]

    @pytest.mark.parametrize(
        ("event_id", "event_at"),
        [("event-of-1", NOW + HOUR), ("about to come", NOW + MINUTE), ("past", NOW - HOUR), (None, None)],
    )
    def test_no_other_event_is_deleted(self, event_id: str | None, event_at: Any) -> None:
        store = Store(claims=[claim(sending(event_id=event_id, event_at=event_at))])

        delivered(store)

        assert store.deleted == []


class TestManyPosts:
    def test_all_that_is_due_is_published_and_counted(self) -> None:
        store = Store(claims=[claim(sending(), sending(id=2, text="b"), MissedPost(3, "too late"))])

        result = delivered(store, delivery=SWEEP)

        assert result == DeliveryResult(claimed={"tweeted": 2, "missed": 1})

    def test_posts_of_one_account_are_reconciled_with_one_timeline(self) -> None:
        x = FakeX()
        x.tweets = {"a": ["1"], "b": ["2"], "c": ["3"]}
        store = Store(claims=[claim(*(unknown(unresolved(text=text), id=ord(text)) for text in "abc"))])

        result = delivered(store, x, SWEEP)

        assert result.claimed == {"tweeted": 3}
        assert [account for account, _, _ in x.timelines] == ["alice"]

    def test_posts_are_published_side_by_side(self) -> None:
        together = threading.Barrier(3, timeout=60)

        class Meeting(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                together.wait()
                return super().publish(account, text)

        store = Store(claims=[claim(*(sending(id=n, text=f"text {n}") for n in (1, 2, 3)))])

        assert delivered(store, Meeting()).claimed == {"tweeted": 3}

    def test_a_fault_of_ours_leaves_its_post_open_and_does_not_hide_the_others(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        x = FakeX({"hello": ZeroDivisionError("a fault")})

        result = delivered(Store(claims=[claim(sending(), sending(id=2, text="b"))]), x)

        assert (result.state, result.claimed) == (State.SENDING, {"sending": 1, "tweeted": 1})
        assert "post 1: a fault of ours interrupted its publishing" in caplog.text

    def test_every_line_is_logged_by_the_thread_of_the_function(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        x = FakeX({"hello": Rejected(Rejection.APP, "No credits.", 402, wait=HOUR), "c": ZeroDivisionError("a fault")})
        store = Store(
            claims=[claim(sending(), sending(id=2, text="b"), sending(id=3, text="c"))],
            record_failures=[HasuraUnavailable("away")],
        )

        delivered(store, x)

        assert {record.thread for record in caplog.records} == {threading.get_ident()}
        assert "the operator must act, all posts wait until" in caplog.text


class TestDraining:
    def test_batches_are_claimed_until_nothing_is_due(self) -> None:
        store = Store(claims=[claim(sending(), sending(id=2, text="b")), claim(sending(id=3, text="c"))], batch_size=2)

        assert delivered(store, delivery=SWEEP).claimed == {"tweeted": 3}
        assert store.created == []

    def test_a_post_that_was_surely_absent_is_published_by_the_same_delivery(self) -> None:
        store = Store(claims=[claim(unknown(unresolved())), claim(sending(attempt_number=2))])

        result = delivered(store)

        assert (result.state, result.claimed, result.retry_after) == (State.TWEETED, {"tweeted": 1}, None)

    def test_a_post_that_is_due_again_and_was_not_claimed_has_its_event_delivered_again(self) -> None:
        result = delivered(Store(claims=[claim(unknown(unresolved()))]))

        assert (result.state, result.retry_after) == (State.SCHEDULED, timedelta(0))

    def test_what_is_left_when_the_time_is_up_is_for_a_follow_up_delivery(self) -> None:
        store, clock = Store(claims=[claim(sending())] * 9, batch_size=1), StoppedClock()

        class Slow(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                clock.time += DRAIN_TIME
                return super().publish(account, text)

        delivered(store, Slow(), SWEEP, clock)

        assert store.follow_ups == 1
        assert len(store.claims) == 7

    def test_the_next_batch_is_claimed_when_half_of_the_posts_of_the_one_before_have_ended(self) -> None:
        is_next_batch_running = threading.Event()

        class OneIsSlow(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                if text == "of the next batch":
                    is_next_batch_running.set()
                if text == "slow" and not is_next_batch_running.wait(60):
                    return Unanswered("The next batch was not claimed meanwhile.")
                return super().publish(account, text)

        first = claim(sending(text="slow"), sending(id=2, text="quick"))
        store = Store(claims=[first, claim(sending(id=3, text="of the next batch"))], batch_size=2)

        assert delivered(store, OneIsSlow(), SWEEP).claimed == {"tweeted": 3}

    def test_a_post_that_x_does_not_answer_holds_up_none_that_falls_due_meanwhile(self) -> None:
        is_next_published = threading.Event()

        class OneHangs(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                if text == "next":
                    is_next_published.set()
                if text == "hangs" and not is_next_published.wait(60):
                    return Unanswered("The next post was not claimed meanwhile.")
                return super().publish(account, text)

        store = Store(claims=[claim(sending(text="hangs")), claim(sending(id=2, text="next"))])

        assert delivered(store, OneHangs(), SWEEP).claimed == {"tweeted": 2}

    def test_how_posts_ended_is_answered_and_logged_although_the_next_claim_fails(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class FailsAtTheSecondClaim(Store):
            def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
                if not self.claims:
                    raise HasuraUnavailable("away")
                return super().claim_due_posts(delivered_post_id)

        caplog.set_level(logging.INFO)
        store = FailsAtTheSecondClaim(claims=[claim(sending(), sending(id=2, text="b"))], batch_size=2)

        assert delivered(store, delivery=SWEEP).claimed == {"tweeted": 2}
        assert [f"post {post_id} is tweeted" in caplog.text for post_id in (1, 2)] == [True, True]
        assert "what is due by now could not be claimed: away" in caplog.text
        assert store.follow_ups == 1

    def test_a_slow_but_steady_x_does_not_stop_the_claims(self) -> None:
        clock = StoppedClock()
        claims_seen: list[int] = []

        class Counting(Store):
            """Knows that the delivery has taken the end of a post: it deletes its event."""

            claims_made = 0
            taken = threading.Semaphore(1)

            def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
                self.claims_made += 1
                return super().claim_due_posts(delivered_post_id)

            def delete_event(self, event_id: str) -> None:
                self.taken.release()

        class OneAfterTheOther(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                store.taken.acquire(timeout=10)
                clock.time += WAIT_STEP / 2
                claims_seen.append(store.claims_made)
                return super().publish(account, text)

        posts = [sending(id=number, event_id=f"event-{number}", event_at=NOW + HOUR) for number in (1, 2, 3, 4)]
        store = Counting(claims=[claim(*posts)])

        assert delivered(store, OneAfterTheOther(), SWEEP, clock).claimed == {"tweeted": 4}
        assert (claims_seen[0], claims_seen[3]) == (1, 2)

    def test_without_a_thread_left_the_posts_of_a_batch_are_published_by_the_delivery_itself(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left = iter([threading.Thread.start])

        def start(thread: threading.Thread) -> None:
            next(left, no_thread)(thread)

        def no_thread(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        store, x = Store(claims=[claim(*(sending(id=number, text=f"post {number}") for number in (1, 2, 3)))]), FakeX()

        assert delivered(store, x, SWEEP).claimed == {"tweeted": 3}
        assert sorted(text for _, text in x.published) == ["post 1", "post 2", "post 3"]

    def test_a_follow_up_delivery_which_holds_up_no_other_claims_for_a_minute(self) -> None:
        store, clock = Store(claims=[claim(sending())] * 99, batch_size=1), StoppedClock()

        class Slow(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                clock.time += DRAIN_TIME
                return super().publish(account, text)

        delivered(store, Slow(), replace(SWEEP, is_follow_up=True), clock)

        assert 99 - len(store.claims) == WAIT_TIME // DRAIN_TIME + 1
        assert store.follow_ups == 1

    def test_a_follow_up_delivery_that_came_makes_room_for_the_next(self) -> None:
        store = Store()

        delivered(store, delivery=replace(SWEEP, is_follow_up=True))

        assert store.released_follow_ups == 1

    def test_a_follow_up_delivery_that_cannot_be_asked_for_is_left_to_the_sweep(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store, clock = Store(claims=[claim(sending())] * 9, batch_size=1), StoppedClock()
        store.failure = HasuraUnavailable("away")

        class Slow(FakeX):
            def publish(self, account: Account, text: str) -> PublishResult:
                clock.time += 2 * DRAIN_TIME
                return super().publish(account, text)

        assert delivered(store, Slow(), SWEEP, clock).claimed == {"tweeted": 1}
        assert "the sweep will take what is left: away" in caplog.text


def found(**changes: Any) -> FoundPost:
    post = FoundPost(1, State.SCHEDULED, NOW + HOUR, NOW, NOW + HOUR, event_id="event-of-1", event_at=NOW + HOUR)
    return replace(post, **changes)


class TestNothingToDo:
    """The post of the delivery was not claimed."""

    def test_a_deleted_post_is_said_to_be_gone(self) -> None:
        result = delivered(Store())

        assert (result.state, result.retry_after) == (None, None)
        assert result.reason == "There is no such post: it was deleted, or never was."

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            (State.TWEETED, "It is published already."),
            (State.SENDING, "Another delivery is publishing it."),
            (State.FAILED, "why it failed"),
            (State.MISSED, "why it failed"),
            (State.UNKNOWN, "why it failed"),
        ],
    )
    def test_a_post_that_is_not_scheduled_is_left_alone(self, state: State, reason: str) -> None:
        store = Store(found={1: found(state=state, reason="why it failed", due_at=NOW)})

        result = delivered(store)

        assert (result.state, result.reason, result.retry_after) == (state, reason, None)
        assert store.created == []

    def test_a_draft_is_left_alone(self) -> None:
        store = Store(found={1: FoundDraft(1)})

        result = delivered(store)

        assert (result.state, result.reason, result.retry_after) == (
            State.DRAFT,
            "It is a draft, which is not published.",
            None,
        )
        assert store.created == []

    def test_a_post_that_was_moved_gets_an_event_for_its_new_time_and_loses_the_old_one(self) -> None:
        store = Store(found={1: found(due_at=NOW + 2 * HOUR)})

        result = delivered(store, delivery=Delivery(1, "event of the move"))

        assert result.reason == "Not due before 2026-05-04T14:00:00+00:00."
        assert [at for at, _ in store.created] == [NOW + 2 * HOUR]
        assert store.kept == [(1, "event-1", NOW + 2 * HOUR, "event-of-1")]
        assert store.deleted == ["event-of-1"]

    def test_a_post_whose_event_is_set_for_its_time_gets_no_other(self) -> None:
        store = Store(found={1: found()})

        delivered(store, delivery=Delivery(1, "event of the move"))

        assert (store.created, store.deleted) == ([], [])

    def test_a_post_whose_own_event_is_early_gets_another_one_and_the_early_one_is_not_deleted(self) -> None:
        store = Store(found={1: found()})

        delivered(store)

        assert [at for at, _ in store.created] == [NOW + HOUR]
        assert store.deleted == []

    def test_an_event_that_another_delivery_set_meanwhile_is_kept_instead_of_ours(self) -> None:
        store = Store(found={1: found(due_at=NOW + 2 * HOUR)}, is_recorded=False)

        result = delivered(store, delivery=Delivery(1, "event of the move"))

        assert store.deleted == ["event-1"]
        assert result.retry_after == timedelta(seconds=1)  # it may be for another time

    def test_an_obsolete_event_that_cannot_be_deleted_is_left(self) -> None:
        class Undeletable(Store):
            def delete_event(self, event_id: str) -> None:
                raise HasuraUnavailable("away")

        store = Undeletable(found={1: found(due_at=NOW + 2 * HOUR)})

        assert delivered(store, delivery=Delivery(1, "event of the move")).state is State.SCHEDULED

    def test_a_due_post_that_somebody_has_locked_is_delivered_again_at_once(self) -> None:
        store = Store(found={1: found(due_at=NOW)})

        result = delivered(store)

        assert (result.state, result.retry_after) == (State.SCHEDULED, timedelta(seconds=1))
        assert store.created == []

    def test_the_database_s_clock_says_whether_a_post_is_due(self) -> None:
        clock = StoppedClock()
        clock.time = NOW + MINUTE
        store = Store(found={1: found(due_at=NOW + MINUTE, found_at=NOW)})

        result = delivered(store, clock=clock)

        assert (result.reason, result.retry_after) == ("Not due before 2026-05-04T12:01:00+00:00.", None)
        assert [at for at, _ in store.created] == [NOW + MINUTE]

    def test_a_post_with_an_attempt_that_was_left_open_by_hand_gets_no_events(self) -> None:
        store = Store(found={1: found(due_at=NOW, has_open_attempt=True)})

        result = delivered(store)

        assert "its log has an open attempt" in str(result.reason)
        assert (result.retry_after, store.created) == (None, [])

    def test_a_paused_post_gets_no_event_so_that_the_posts_of_an_account_do_not_leave_at_one_instant(self) -> None:
        store = Store(found={1: found(due_at=NOW, paused_until=NOW + HOUR)})

        result = delivered(store)

        assert (result.reason, result.retry_after) == ("Paused until 2026-05-04T13:00:00+00:00.", None)
        assert store.created == []

    def test_a_post_whose_pause_ends_before_its_time_gets_its_event(self) -> None:
        store = Store(found={1: found(due_at=NOW + 2 * HOUR, paused_until=NOW + HOUR)})

        delivered(store, delivery=Delivery(1, "event of the move"))

        assert [at for at, _ in store.created] == [NOW + 2 * HOUR]

    def test_a_sweep_sets_no_event(self) -> None:
        store = Store(found={1: found(due_at=NOW + 2 * HOUR)})

        assert delivered(store, delivery=SWEEP) == DeliveryResult()
        assert store.created == []


def test_a_delivery_fails_when_nothing_can_be_claimed_so_that_hasura_delivers_again() -> None:
    with pytest.raises(HasuraUnavailable):
        delivered(Store(claim_failure=HasuraUnavailable("away")))


def test_accepting_a_text_needs_no_account_but_its_own() -> None:
    x = FakeX({"hello": Accepted("1"), "b": Rejected(Rejection.ACCOUNT, "limit", 429, wait=MINUTE)})
    bob = Account(2, "bob", "1002", "sealed tokens")
    store = Store(claims=[claim(sending(account=ALICE), sending(id=2, text="b", account=bob))])

    assert delivered(store, x).claimed == {"tweeted": 1, "scheduled": 1}
