"""A delivery that came early waits for the posts that are due soon."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from core_fakes import NOW, FakeX, StoppedClock, Store, claim, sending

from shared.core.deliver import DeliveryResult, handle_delivery
from shared.core.model import (
    Account,
    Claim,
    ClaimedPost,
    Delivery,
    FoundDraft,
    FoundPost,
    NoConnection,
    PublishResult,
    State,
    TurnToWait,
)
from shared.errors import HasuraUnavailable
from shared.limits import DRAIN_TIME, HANDOVER_TIME, WAIT_STEP, WAIT_TIME

SECOND = timedelta(seconds=1)
EARLY = 15 * SECOND
OF_POST_1 = Delivery(1, "event-of-1")
SWEEP = Delivery(None, "sweep")


@dataclass
class Database(Store):
    """Knows when posts are due, gives them out then, and lets the caller wait unless `another_waits`."""

    clock: StoppedClock = field(default_factory=StoppedClock)
    due: dict[datetime, list[ClaimedPost]] = field(default_factory=dict)
    another_waits: bool = False
    early: timedelta = EARLY
    fails_to_wait_at: datetime | None = None

    def schedule(self, post: ClaimedPost) -> None:
        self.due.setdefault(post.schedule_for, []).append(post)
        self.found[post.id] = FoundPost(post.id, State.SCHEDULED, post.schedule_for, NOW, post.schedule_for)

    def find_post(self, post_id: int) -> FoundPost | FoundDraft | None:
        post = super().find_post(post_id)
        return replace(post, found_at=self.clock.now()) if isinstance(post, FoundPost) else post

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        reached = [at for at in sorted(self.due) if at <= self.clock.now()]
        return claim(*(post for at in reached for post in self.due.pop(at)))

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        self.asked_to_wait.append((caller, stay, wait))
        if self.fails_to_wait_at and self.clock.now() >= self.fails_to_wait_at:
            raise HasuraUnavailable("away")
        due_in = min(self.due) - self.clock.now() if self.due else None
        is_needed = bool(stay) or (due_in is not None and due_in <= self.early)
        return TurnToWait(is_needed, is_needed and not self.another_waits, due_in)


class TimedX(FakeX):
    """Keeps when each text was published."""

    def __init__(self, clock: StoppedClock) -> None:
        super().__init__()
        self.times: dict[str, timedelta] = {}
        self._clock = clock

    def publish(self, account: Account, text: str) -> PublishResult:
        self.times[text] = self._clock.now() - NOW
        return super().publish(account, text)


def post_due_in(seconds: float, post_id: int = 1, text: str = "hello") -> ClaimedPost:
    return sending(id=post_id, text=text, schedule_for=NOW + seconds * SECOND)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def x(database: Database) -> TimedX:
    return TimedX(database.clock)


def delivered(database: Database, x: FakeX, delivery: Delivery = OF_POST_1) -> DeliveryResult:
    return handle_delivery(delivery, database, x, database.clock)


class TestAnEarlyDelivery:
    def test_publishes_its_post_at_its_second_and_answers_for_it(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12.5))

        result = delivered(database, x)

        assert x.times == {"hello": 12.5 * SECOND}
        assert (result.state, result.tweet_id, result.claimed) == (State.TWEETED, "tweet of hello", {"tweeted": 1})

    def test_publishes_every_post_that_falls_due_meanwhile(self, database: Database, x: TimedX) -> None:
        for number, seconds in enumerate((1, 14, 14, 28, 40), start=1):
            database.schedule(post_due_in(seconds, number, f"post {number}"))

        delivered(database, x)

        assert sorted(x.times.values()) == [1 * SECOND, 14 * SECOND, 14 * SECOND, 28 * SECOND, 40 * SECOND]

    def test_notices_within_a_second_what_was_scheduled_meanwhile(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12))

        class Scheduling(StoppedClock):
            def sleep(self, pause: timedelta) -> None:
                super().sleep(pause)
                if self.time == NOW + 3 * SECOND:
                    database.schedule(post_due_in(3.2, 2, "post now"))

        database.clock = x._clock = Scheduling()
        delivered(database, x)

        assert x.times == {"post now": 3.2 * SECOND, "hello": 12 * SECOND}

    def test_does_not_claim_its_post_before_it_is_due(self, database: Database, x: TimedX) -> None:
        class Deleting(StoppedClock):
            def sleep(self, pause: timedelta) -> None:
                super().sleep(pause)
                database.due.clear()
                database.found.clear()

        database.schedule(post_due_in(12))
        database.clock = Deleting()

        delivered(database, x)

        assert x.published == []

    def test_sets_no_event_for_a_post_that_somebody_waits_for(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12))

        delivered(database, x)

        assert database.created == []

    def test_is_answered_at_once_while_another_one_waits(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12))
        database.another_waits = True

        result = delivered(database, x)

        assert database.clock.pauses == []
        assert (result.state, result.retry_after) == (State.SCHEDULED, None)
        assert result.reason == "Not due before 2026-05-04T12:00:12+00:00. A delivery waits for it."

    def test_waits_for_the_next_attempt_of_a_post_that_could_not_be_sent(self, database: Database, x: TimedX) -> None:
        x.results["hello"] = NoConnection("no connection")
        database.schedule(post_due_in(0))

        class Retrying(StoppedClock):
            def sleep(self, pause: timedelta) -> None:
                x.results.clear()
                super().sleep(pause)

        database.clock = x._clock = Retrying()
        recorded = database.record

        def record(post: ClaimedPost, decision: object) -> object:
            if decision.next_attempt_at:  # type: ignore[attr-defined]
                database.due[decision.next_attempt_at] = [post]  # type: ignore[attr-defined]
            return recorded(post, decision)  # type: ignore[arg-type]

        database.record = record  # type: ignore[assignment, method-assign]
        result = delivered(database, x)

        assert (result.state, result.retry_after) == (State.TWEETED, None)
        assert 5 * SECOND <= x.times["hello"] <= 6.25 * SECOND

    def test_waits_for_nothing_when_its_own_post_must_be_looked_at_later_again(
        self, database: Database, x: TimedX
    ) -> None:
        x.results["hello"] = NoConnection("no connection")
        database.schedule(sending(unsent_attempts=3, schedule_for=NOW))
        database.schedule(post_due_in(12, 2, "another"))

        result = delivered(database, x)

        assert result.retry_after is not None
        assert database.clock.pauses == []

    def test_that_nobody_waits_after_is_to_come_again(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12))
        database.fails_to_wait_at = NOW + 5 * SECOND

        result = delivered(database, x)

        assert (result.state, result.retry_after) == (State.SCHEDULED, SECOND)
        assert result.reason == "Not due before 2026-05-04T12:00:12+00:00. No delivery waits for it."

    @pytest.mark.parametrize(
        ("failure", "who", "retry_after"),
        [(None, "A follow-up delivery", None), (HasuraUnavailable("away"), "No delivery", SECOND)],
    )
    def test_that_has_no_time_to_wait_says_whether_a_follow_up_delivery_does(
        self, database: Database, x: TimedX, failure: Exception | None, who: str, retry_after: timedelta | None
    ) -> None:
        class Slow(TimedX):
            def publish(self, account: Account, text: str) -> PublishResult:
                database.clock.time += 2 * DRAIN_TIME
                return super().publish(account, text)

        database.batch_size, database.failure = 1, failure
        database.schedule(post_due_in(0, 2, "another"))
        database.schedule(post_due_in(20))

        result = delivered(database, Slow(database.clock))

        assert (result.reason, result.retry_after) == (
            f"Not due before 2026-05-04T12:00:20+00:00. {who} waits for it.",
            retry_after,
        )

    def test_that_comes_again_is_the_caller_that_it_was_before(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12))
        database.fails_to_wait_at = NOW + 5 * SECOND
        delivered(database, x)

        database.fails_to_wait_at = None
        delivered(database, x)

        assert len({caller for caller, _, _ in database.asked_to_wait}) == 1

    def test_about_whose_event_nothing_is_known_is_a_caller_of_its_own(self, database: Database, x: TimedX) -> None:
        database.another_waits = True
        database.schedule(post_due_in(12))

        for _ in range(2):
            delivered(database, x, Delivery(1))

        assert len({caller for caller, _, _ in database.asked_to_wait}) == 2

    def test_says_in_the_log_why_its_waiting_has_ended(
        self, database: Database, x: TimedX, caplog: pytest.LogCaptureFixture
    ) -> None:
        database.schedule(post_due_in(12))
        database.fails_to_wait_at = NOW

        delivered(database, x)

        assert "the waiting for posts that are due soon has ended: away" in caplog.text

    def test_asks_each_second_so_that_the_database_knows_that_it_is_alive(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(14))

        delivered(database, x)

        assert max(database.clock.pauses) <= WAIT_STEP
        assert len({caller for caller, _, _ in database.asked_to_wait}) == 1

    def test_does_not_ask_without_pause_for_what_seems_due_and_cannot_be_claimed(
        self, database: Database, x: TimedX
    ) -> None:
        database.due[NOW - SECOND] = []

        class Locked(Database):
            def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
                return Claim()

        locked = Locked(clock=database.clock, due={NOW: []})
        delivered(locked, x)

        assert len(locked.asked_to_wait) <= WAIT_TIME / timedelta(milliseconds=200) + 1


class TestTheEndOfTheWaiting:
    def test_comes_after_a_minute_and_is_handed_over_to_a_follow_up_delivery(
        self, database: Database, x: TimedX
    ) -> None:
        for number in range(1, 20):
            database.schedule(post_due_in(5 * number, number, f"post {number}"))

        delivered(database, x)

        assert database.clock.now() - NOW <= WAIT_TIME + WAIT_STEP
        assert database.follow_ups == 1
        assert len(x.times) >= (WAIT_TIME - HANDOVER_TIME) / (5 * SECOND)

    def test_needs_no_follow_up_delivery_when_nothing_is_due_soon(self, database: Database, x: TimedX) -> None:
        database.schedule(post_due_in(12))
        database.schedule(post_due_in(600, 2, "later"))

        delivered(database, x)

        assert database.follow_ups == 0
        assert database.clock.now() - NOW == 12 * SECOND

    def test_leaves_what_it_could_not_claim_in_time_to_a_follow_up_delivery(
        self, database: Database, x: TimedX
    ) -> None:
        class Slow(TimedX):
            def publish(self, account: Account, text: str) -> PublishResult:
                database.clock.time += WAIT_TIME
                return super().publish(account, text)

        database.batch_size = 1
        database.schedule(post_due_in(3))

        delivered(database, Slow(database.clock))

        assert database.follow_ups == 1


class TestASweepThatStays:
    def test_publishes_what_is_scheduled_meanwhile_though_nothing_was_due_soon(
        self, database: Database, x: TimedX
    ) -> None:
        database.sweep_wait = WAIT_TIME
        database.schedule(post_due_in(50))

        delivered(database, x, SWEEP)

        assert x.times == {"hello": 50 * SECOND}

    def test_is_followed_by_another_delivery_so_that_somebody_always_stays(self, database: Database, x: TimedX) -> None:
        database.sweep_wait = WAIT_TIME

        delivered(database, x, SWEEP)

        assert database.follow_ups == 1
        assert WAIT_TIME <= database.clock.now() - NOW <= WAIT_TIME + WAIT_STEP

    def test_lets_a_delivery_of_a_post_stay_no_longer_than_it_must(self, database: Database, x: TimedX) -> None:
        database.sweep_wait = WAIT_TIME
        database.schedule(post_due_in(3))

        delivered(database, x)

        assert database.clock.now() - NOW == 3 * SECOND


def test_without_early_seconds_nobody_waits_and_the_event_is_set_for_the_time_of_the_post(
    database: Database, x: TimedX
) -> None:
    database.early = timedelta()
    database.schedule(post_due_in(12))

    result = delivered(database, x, Delivery(1, "event of the move"))

    assert database.asked_to_wait == []
    assert [at for at, _ in database.created] == [NOW + 12 * SECOND]
    assert result.reason == "Not due before 2026-05-04T12:00:12+00:00."


def test_the_event_of_a_post_that_is_due_later_is_set_a_little_before_its_time(database: Database, x: TimedX) -> None:
    database.schedule(post_due_in(3600))

    delivered(database, x, Delivery(1, "event of the move"))

    assert [at for at, _ in database.created] == [NOW + 3600 * SECOND - EARLY]
    assert database.kept == [(1, "event-1", NOW + 3600 * SECOND - EARLY, None)]
