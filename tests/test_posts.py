"""The core: creating a post, and what a ring does. Fakes stand in for Hasura, X and the clock."""

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from shared import posts, publishing, ringing
from shared.drafts import Draft
from shared.errors import (
    AccountHeld,
    AppHeld,
    ConfigurationError,
    Forbidden,
    HasuraUnavailable,
    NotSent,
    OutcomeUnknown,
    Refused,
    SignInRefused,
    TryFailed,
)
from shared.posts import Account, Outcome, Post, Row

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ALICE = Account(1, "alice", frozenset({10}), "token", "token secret")
BOB = Account(2, "bob", frozenset({20}), "token", "token secret")


class StoppedClock:
    """Stands still but for its sleeps."""

    def __init__(self) -> None:
        self.time = NOW
        self.pauses: list[timedelta] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, pause: timedelta) -> None:
        self.pauses.append(pause)
        self.time += pause


@dataclass
class Store:
    """Rows in a dict; claims every due one. `failures` are raised by the next calls of `record`."""

    rows: dict[int, Post] = field(default_factory=dict)
    attempts: list[tuple[int, Outcome]] = field(default_factory=list)
    alarms: list[tuple[datetime, Row]] = field(default_factory=list)
    holds: list[tuple[datetime, str, int | None]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    others: set[int] = field(default_factory=set)

    def add(self, post: Post) -> Post:
        self.rows[post.id] = post
        return post

    def set_alarm(self, at: datetime, post: Row) -> Row:
        self.alarms.append((at, post))
        return {"message": "success", "event_id": f"event-{len(self.alarms)}"}

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        due = [post for post in self.rows.values() if post.state == "scheduled" and post.due_at <= NOW]
        for post in due:
            self.rows[post.id] = replace(post, state="sending", tries=post.tries + 1)
        return [self.rows[post.id] for post in due]

    def find_post(self, post_id: int) -> Post | None:
        return self.rows.get(post_id)

    def record(self, post: Post, outcome: Outcome) -> None:
        if self.failures:
            raise self.failures.pop()
        self.attempts.append((post.id, outcome))
        self.rows[post.id] = replace(post, state=outcome.state, reason=outcome.reason, tweet_id=outcome.tweet_id)

    def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
        self.holds.append((until, reason, account_id))

    def statuses_of_others(self, account_id: int, since: datetime) -> set[int]:
        return self.others


class FakeX:
    """Accepts every text, but raises what `answers` holds for it."""

    def __init__(self, **answers: Exception) -> None:
        self.answers = answers
        self.published: list[tuple[str, str]] = []

    def publish(self, account: Account, text: str) -> str:
        if text in self.answers:
            raise self.answers[text]
        self.published.append((account.name, text))
        return f"tweet of {text}"


def due_post(**changes: Any) -> Post:
    post = Post(1, 10, ALICE.id, "hello", NOW - timedelta(seconds=1), "scheduled", tries=0, account=ALICE)
    return replace(post, **changes)


def ring_for(post: Post, answer: Exception | None = None, store: Store | None = None) -> tuple[ringing.Rung, Store]:
    store = store or Store()
    store.add(post)
    answers = {post.text: answer} if answer else {}
    return ringing.ring(post.id, store, FakeX(**answers), StoppedClock()), store


class TestCreate:
    draft = Draft("hello", NOW + timedelta(hours=1))
    row: ClassVar[Row] = {"id": 7, "text": "hello"}

    def test_stores_the_draft_and_sets_its_alarm(self) -> None:
        store = Store()

        created = posts.create(self.draft, lambda _: self.row, store.set_alarm)

        assert created == posts.Created(self.row, {"message": "success", "event_id": "event-1"})
        assert store.alarms == [(self.draft.schedule_for, self.row)]

    def test_succeeds_without_an_alarm_and_logs_why(self, caplog: pytest.LogCaptureFixture) -> None:
        def refuse(at: datetime, post: Row) -> Row:
            raise HasuraUnavailable("Hasura is asleep.")

        created = posts.create(self.draft, lambda _: self.row, refuse)

        assert created == posts.Created(self.row, None)
        assert "post 7 has no alarm, the sweep will publish it: Hasura is asleep." in caplog.text

    def test_sets_no_alarm_for_a_post_that_was_not_stored(self) -> None:
        store = Store()

        def refuse(draft: Draft) -> Row:
            raise Forbidden("not yours")

        with pytest.raises(Forbidden):
            posts.create(self.draft, refuse, store.set_alarm)

        assert store.alarms == []


class TestRingForADuePost:
    def test_publishes_it_and_writes_down_the_tweet(self) -> None:
        rung, store = ring_for(due_post())

        assert (rung.post_id, rung.state, rung.tweet_id, rung.retry_after) == (1, "tweeted", "tweet of hello", None)
        assert rung.claimed == {"tweeted": 1}
        [(post_id, outcome)] = store.attempts
        assert (post_id, outcome.state, outcome.attempt, outcome.status_code) == (1, "tweeted", "tweeted", 201)

    @pytest.mark.parametrize(
        ("tries", "seconds"), [(0, 5), (1, 30), (2, 120), (3, 600), (9, 600)], ids=lambda value: str(value)
    )
    def test_what_was_surely_not_sent_waits_longer_each_time(self, tries: int, seconds: int) -> None:
        rung, store = ring_for(due_post(tries=tries), NotSent("no connection"))

        assert (rung.state, rung.retry_after) == ("scheduled", timedelta(seconds=seconds))
        [(_, outcome)] = store.attempts
        assert (outcome.state, outcome.attempt, outcome.reason) == ("scheduled", "not_sent", "no connection")
        assert outcome.not_before == NOW + timedelta(seconds=seconds)

    def test_a_wait_that_x_asks_for_is_kept_but_the_alarm_rings_within_a_quarter_of_an_hour(self) -> None:
        rung, store = ring_for(due_post(), NotSent("slow down", wait=timedelta(hours=2)))

        assert rung.retry_after == timedelta(minutes=15)
        assert store.attempts[0][1].not_before == NOW + timedelta(hours=2)

    def test_a_refusal_for_good_fails_it_with_the_reason(self) -> None:
        rung, store = ring_for(due_post(), Refused("X says no", status_code=403))

        assert (rung.state, rung.reason, rung.retry_after) == ("failed", "X says no", None)
        [(_, outcome)] = store.attempts
        assert (outcome.attempt, outcome.status_code, outcome.not_before) == ("refused", 403, None)

    def test_an_unknown_outcome_is_kept_as_unknown_and_asked_for_later(self) -> None:
        rung, store = ring_for(due_post(), OutcomeUnknown("no answer", status_code=503))

        assert (rung.state, rung.retry_after) == ("unknown", timedelta(seconds=30))
        [(_, outcome)] = store.attempts
        assert (outcome.attempt, outcome.not_before) == ("unknown", NOW + timedelta(seconds=30))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"account": None, "account_id": None}, "was removed"),
            ({"user_id": 11}, "no longer post as @alice"),
            ({"text": "a" * 281}, "281 long"),
            ({"text": " "}, "empty"),
        ],
        ids=["account-removed", "link-removed", "edited-too-long", "edited-empty"],
    )
    def test_a_post_that_breaks_a_rule_of_ours_fails_without_asking_x(self, change: Any, words: str) -> None:
        store, x = Store(), FakeX()
        post = store.add(due_post(**change))

        rung = ringing.ring(post.id, store, x, StoppedClock())

        assert rung.state == "failed"
        assert words in (rung.reason or "")
        assert x.published == []


class TestSignInRefused:
    refused = SignInRefused("sign-in refused", status_code=401)
    again = due_post(tries=4, sign_in_refused_at=NOW - timedelta(minutes=1))

    @pytest.mark.parametrize("tries", [0, 3], ids=["first-try", "after-other-trouble"])
    def test_may_be_a_glitch_the_first_time(self, tries: int) -> None:
        rung, _ = ring_for(due_post(tries=tries), self.refused)

        assert (rung.state, rung.retry_after) == ("scheduled", timedelta(minutes=1))

    @pytest.mark.parametrize(
        "others",
        [set(), {201}, {201, 401}, {403}],
        ids=["nobody-else-asked", "others-are-welcome", "some-others-are-welcome", "others-refused-otherwise"],
    )
    def test_is_the_account_s_fault_the_second_time(self, others: set[int]) -> None:
        rung, store = ring_for(self.again, self.refused, Store(others=others))

        assert (rung.state, rung.reason) == ("failed", "sign-in refused")
        assert store.holds == []

    def test_is_our_app_s_fault_when_all_others_are_refused_too(self, caplog: pytest.LogCaptureFixture) -> None:
        rung, store = ring_for(self.again, self.refused, Store(others={401, 429}))

        assert (rung.state, rung.retry_after) == ("scheduled", timedelta(minutes=5))
        [(until, _, account_id)] = store.holds
        assert (until, account_id) == (NOW + timedelta(minutes=5), None)
        assert "the operator must act" in caplog.text


class TestHolding:
    def test_a_limited_account_holds_its_own_posts(self) -> None:
        rung, store = ring_for(due_post(), AccountHeld("limited", status_code=429, wait=timedelta(minutes=3)))

        assert rung.state == "scheduled"
        assert store.holds == [(NOW + timedelta(minutes=3), "limited", ALICE.id)]

    def test_an_app_that_is_refused_holds_all_and_the_operator_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        rung, store = ring_for(due_post(), AppHeld("no credits", status_code=402, wait=timedelta(hours=1)))

        assert rung.state == "scheduled"
        assert store.holds == [(NOW + timedelta(hours=1), "no credits", None)]
        [error] = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert "no credits" in error.getMessage()

    def test_that_fails_does_not_undo_the_outcome(self) -> None:
        class Unwilling(Store):
            def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
                raise HasuraUnavailable("gone")

        rung, store = ring_for(due_post(), AccountHeld("limited", wait=timedelta(minutes=3)), Unwilling())

        assert rung.state == "scheduled"
        assert len(store.attempts) == 1


class TestStartingLate:
    def test_leaves_the_post_because_its_lease_may_run_out_while_x_is_asked(self) -> None:
        clock = StoppedClock()

        class Slow(Store):
            def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
                claimed = super().claim_due_posts(ringing_post_id)
                clock.sleep(timedelta(seconds=61))
                return claimed

        store, x = Slow(), FakeX()
        store.add(due_post())

        rung = ringing.ring(1, store, x, clock)

        assert (rung.state, x.published) == ("scheduled", [])
        assert "held up" in (rung.reason or "")

    def test_with_an_account_that_cannot_be_read_yet_tries_again(self) -> None:
        rung, _ = ring_for(due_post(account=None))

        assert rung.state == "scheduled"


class TestRecording:
    def test_is_tried_again_when_hasura_is_away_for_a_moment(self) -> None:
        store, clock = Store(failures=[HasuraUnavailable("gone")] * 3), StoppedClock()
        store.add(due_post())

        rung = ringing.ring(1, store, FakeX(), clock)

        assert rung.state == "tweeted"
        assert [outcome.tweet_id for _, outcome in store.attempts] == ["tweet of hello"]
        assert clock.pauses == list(publishing.RECORD_PAUSES)

    def test_that_never_succeeds_does_not_fail_what_x_accepted(self, caplog: pytest.LogCaptureFixture) -> None:
        store = Store(failures=[HasuraUnavailable("gone")] * 4)

        rung, _ = ring_for(due_post(), store=store)

        assert (rung.state, rung.tweet_id, rung.retry_after) == ("tweeted", "tweet of hello", None)
        assert "tweet of hello), which could not be recorded: gone" in caplog.text

    @pytest.mark.parametrize("error", [HasuraUnavailable("gone"), ConfigurationError("the secret was changed")])
    def test_is_tried_again_whatever_keeps_hasura_from_it(self, error: Exception) -> None:
        rung, store = ring_for(due_post(), store=Store(failures=[error]))

        assert rung.state == "tweeted"
        assert len(store.attempts) == 1

    def test_that_never_succeeds_leaves_the_row_as_being_sent(self) -> None:
        store = Store(failures=[HasuraUnavailable("gone")] * 4)

        ring_for(due_post(), store=store)

        assert store.rows[1].state == "sending"


class TestRingForMany:
    def test_publishes_all_that_is_due_and_counts_the_ends(self) -> None:
        store = Store()
        store.add(due_post(id=1, text="good"))
        store.add(due_post(id=2, text="bad"))
        store.add(due_post(id=3, text="later", schedule_for=NOW + timedelta(hours=1)))

        rung = ringing.ring(None, store, FakeX(bad=Refused("no")), StoppedClock())

        assert rung == ringing.Rung({"tweeted": 1, "failed": 1})

    def test_publishes_side_by_side(self) -> None:
        all_there = threading.Barrier(3, timeout=5)

        class Meeting(FakeX):
            def publish(self, account: Account, text: str) -> str:
                all_there.wait()
                return super().publish(account, text)

        store = Store()
        for number in range(3):
            store.add(due_post(id=number, text=str(number)))

        rung = ringing.ring(None, store, Meeting(), StoppedClock())

        assert rung.claimed == {"tweeted": 3}

    def test_one_account_s_trouble_is_not_another_s(self) -> None:
        store = Store()
        store.add(due_post(id=1, text="hers"))
        store.add(due_post(id=2, text="his", user_id=20, account=BOB))

        rung = ringing.ring(2, store, FakeX(hers=AccountHeld("limited", wait=timedelta(hours=1))), StoppedClock())

        assert (rung.state, rung.claimed) == ("tweeted", {"tweeted": 1, "scheduled": 1})

    def test_a_fault_of_ours_leaves_its_post_open_and_does_not_hide_the_others(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Store()
        store.add(due_post(id=1, text="broken"))
        store.add(due_post(id=2, text="fine"))

        rung = ringing.ring(1, store, FakeX(broken=ZeroDivisionError()), StoppedClock())

        assert (store.rows[1].state, store.rows[2].state) == ("sending", "tweeted")
        assert (rung.state, rung.claimed) == ("sending", {"sending": 1, "tweeted": 1})
        assert "ZeroDivisionError" in caplog.text

    def test_counts_what_ended_in_the_claim(self) -> None:
        class Crowded(Store):
            def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
                return [due_post(state="missed", reason="too late"), due_post(id=2, state="unknown", reason="crashed")]

        rung = ringing.ring(1, Crowded(), FakeX(), StoppedClock())

        assert (rung.state, rung.reason, rung.retry_after) == ("missed", "too late", None)
        assert rung.claimed == {"missed": 1, "unknown": 1}


class TestRingInVain:
    def test_for_no_post_says_so(self) -> None:
        rung = ringing.ring(99, Store(), FakeX(), StoppedClock())

        assert (rung.post_id, rung.state, rung.reason) == (
            99,
            None,
            "There is no such post: it was deleted, or never was.",
        )

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            ("tweeted", "It is published already."),
            ("sending", "Another ring is publishing it."),
            ("failed", "why it failed"),
            ("missed", "why it failed"),
            ("unknown", "why it failed"),
        ],
    )
    def test_for_a_post_that_is_not_waiting_does_nothing(self, state: str, reason: str) -> None:
        rung, store = ring_for(due_post(state=state, reason="why it failed"))

        assert (rung.state, rung.reason, rung.retry_after) == (state, reason, None)
        assert (store.attempts, store.alarms) == ([], [])

    def test_too_early_sets_the_alarm_again(self) -> None:
        at = NOW + timedelta(hours=1)

        rung, store = ring_for(due_post(schedule_for=at))

        assert (rung.state, rung.retry_after) == ("scheduled", None)
        assert store.alarms == [(at, {"id": 1, "schedule_for": at.isoformat()})]

    def test_before_the_next_try_sets_the_alarm_for_that(self) -> None:
        later = NOW + timedelta(minutes=10)

        _, store = ring_for(due_post(not_before=later))

        assert [at for at, _ in store.alarms] == [later]

    def test_while_its_account_is_held_sets_the_alarm_for_the_end_of_that(self) -> None:
        class Holding(Store):
            def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
                return []

        later = NOW + timedelta(minutes=20)

        rung, store = ring_for(due_post(held_until=later), store=Holding())

        assert [at for at, _ in store.alarms] == [later]
        assert later.isoformat() in (rung.reason or "")

    def test_without_hasura_is_an_error_so_that_hasura_rings_again(self) -> None:
        class Away(Store):
            def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
                raise HasuraUnavailable("gone")

        with pytest.raises(HasuraUnavailable):
            ringing.ring(1, Away(), FakeX(), StoppedClock())


def all_failures(base: type[TryFailed]) -> list[type[TryFailed]]:
    return [base, *(kind for child in base.__subclasses__() for kind in all_failures(child))]


@pytest.mark.parametrize("kind", all_failures(TryFailed)[1:], ids=lambda kind: kind.__name__)
def test_every_failed_try_says_what_the_post_becomes(kind: type[TryFailed]) -> None:
    rung, store = ring_for(due_post(tries=5, sign_in_refused_at=NOW), kind("why"))

    assert rung.state == kind.state
    assert [outcome.attempt for _, outcome in store.attempts] == [kind.outcome]
    assert rung.reason == "why"
