"""The core: creating a post, and what a ring does. Fakes stand in for Hasura, X and the clock."""

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core import deliver as ringing
from shared.core import model as posts
from shared.core import publish as publishing
from shared.core.drafts import Draft
from shared.core.model import Account, Outcome, Post, Question, Row
from shared.errors import (
    AccountHeld,
    AlreadyPosted,
    AppHeld,
    ConfigurationError,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    KeyReused,
    NotSent,
    OutcomeUnknown,
    Refused,
    SignInRefused,
    TryFailed,
)

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
    alarms: list[tuple[datetime, Row | None]] = field(default_factory=list)
    holds: list[tuple[datetime, str, int | None]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    tweets_of_others: set[str] = field(default_factory=set)
    batch_size: int = 10
    others: set[int] = field(default_factory=set)

    def add(self, post: Post) -> Post:
        self.rows[post.id] = post
        return post

    def set_alarm(self, at: datetime, post: Row | None) -> Row:
        self.alarms.append((at, post))
        return {"message": "success", "event_id": f"event-{len(self.alarms)}"}

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        due = [post for post in self.rows.values() if post.state == "scheduled" and post.due_at <= NOW]
        for post in due[: self.batch_size]:
            self.rows[post.id] = replace(
                post, state="sending", tries=post.tries + 1, attempt=post.attempt + 1, is_leased=True
            )
        looks = [post for post in self.rows.values() if post.state == "unknown" and post.not_before == NOW]
        for post in looks:
            self.rows[post.id] = replace(post, is_leased=True)
        return [self.rows[post.id] for post in [*due[: self.batch_size], *looks]]

    def find_post(self, post_id: int) -> Post | None:
        return self.rows.get(post_id)

    def record(self, post: Post, outcome: Outcome) -> None:
        if self.failures:
            raise self.failures.pop()
        self.attempts.append((post.id, outcome))
        self.rows[post.id] = replace(post, state=outcome.state, reason=outcome.reason, tweet_id=outcome.tweet_id)

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        return self.tweets_of_others & set(tweet_ids)

    def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
        self.holds.append((until, reason, account_id))

    def statuses_of_others(self, account_id: int, since: datetime) -> set[int]:
        return self.others


class FakeX:
    """Accepts every text, but raises what `answers` holds for it. Shows `timeline`, or raises it."""

    def __init__(self, timeline: dict[str, list[str]] | Exception | None = None, **answers: Exception) -> None:
        self.answers = answers
        self.timeline = timeline or {}
        self.looked_for: list[tuple[str, datetime]] = []
        self.asked: list[str] = []
        self.published: list[tuple[str, str]] = []

    def find(self, account: Account, text: str, since: datetime) -> list[str]:
        self.looked_for.append((text, since))
        self.asked.append(account.name)
        if isinstance(self.timeline, Exception):
            raise self.timeline
        return self.timeline.get(text, [])

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


class Drafts(Store):
    """Keeps one row a key, as the database does."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Row] = {}
        self.inserted = 0

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        if key in self.kept:
            return None
        self.inserted += 1
        row = {"id": self.inserted, "text": draft.text}
        if key:
            self.kept[key] = {**row, "request_draft": draft.as_json(), "request_event": None}
        return row

    def post_of_key(self, key: str, token: str) -> Row | None:
        return dict(self.kept[key]) if key in self.kept else None

    def keep_alarm(self, post_id: int, alarm: Row) -> None:
        for row in self.kept.values():
            row["request_event"] = alarm


def create(draft: Draft, store: Drafts, key: str | None = None, now: datetime = NOW) -> posts.Created:
    clock = StoppedClock()
    clock.time = now
    return posts.create(draft.as_json(), "token", key, store, clock)


class TestCreate:
    draft = Draft("hello", NOW + timedelta(hours=1))

    def test_stores_the_draft_and_sets_its_alarm(self) -> None:
        store = Drafts()

        created = create(self.draft, store)

        row = {"id": 1, "text": "hello"}
        assert created == posts.Created(row, {"message": "success", "event_id": "event-1"})
        assert store.alarms == [(self.draft.schedule_for, row)]

    def test_succeeds_without_an_alarm_and_logs_why(self, caplog: pytest.LogCaptureFixture) -> None:
        class Asleep(Drafts):
            def set_alarm(self, at: datetime, post: Row | None) -> Row:
                raise HasuraUnavailable("Hasura is asleep.")

        created = create(self.draft, Asleep())

        assert created == posts.Created({"id": 1, "text": "hello"}, None)
        assert "post 1 has no alarm, the sweep will publish it: Hasura is asleep." in caplog.text

    def test_sets_no_alarm_for_a_post_that_was_not_stored(self) -> None:
        class Refusing(Drafts):
            def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
                raise Forbidden("not yours")

        store = Refusing()

        with pytest.raises(Forbidden):
            create(self.draft, store)

        assert store.alarms == []


class TestCreateWithAKey:
    draft = TestCreate.draft

    def test_again_gives_the_first_post_and_its_alarm(self) -> None:
        store = Drafts()

        first = create(self.draft, store, "key")
        again = create(self.draft, store, "key")

        assert again == first
        assert (store.inserted, len(store.alarms)) == (1, 1)

    def test_again_before_the_first_has_its_alarm_sets_no_second_one(self) -> None:
        class Forgetful(Drafts):
            def keep_alarm(self, post_id: int, alarm: Row) -> None:
                raise HasuraUnavailable("gone")

        store = Forgetful()
        first = create(self.draft, store, "key")
        again = create(self.draft, store, "key")

        assert (again.post, again.alarm) == (first.post, None)
        assert len(store.alarms) == 1

    def test_with_another_draft_is_refused_and_says_what_differs(self) -> None:
        store = Drafts()
        create(self.draft, store, "key")

        with pytest.raises(KeyReused) as refused:
            create(replace(self.draft, text="other", when_late="publish"), store, "key")

        assert [fault.field for fault in refused.value.faults] == ["text", "when_late"]
        assert store.inserted == 1

    def test_again_after_its_time_gives_the_first_post_all_the_same(self) -> None:
        store = Drafts()

        first = create(self.draft, store, "key")
        again = create(self.draft, store, "key", now=self.draft.schedule_for + timedelta(days=1))

        assert again == first

    def test_again_with_another_draft_of_the_past_says_what_differs(self) -> None:
        store = Drafts()
        create(self.draft, store, "key")

        with pytest.raises(KeyReused) as refused:
            create(replace(self.draft, text="other"), store, "key", now=self.draft.schedule_for + timedelta(days=1))

        assert [fault.field for fault in refused.value.faults] == ["text"]

    def test_for_the_past_is_refused_when_it_is_new(self) -> None:
        store = Drafts()

        with pytest.raises(InvalidDraft):
            create(self.draft, store, "key", now=self.draft.schedule_for + timedelta(days=1))

        assert store.inserted == 0

    def test_again_while_its_post_is_being_deleted_asks_to_try_again(self) -> None:
        class Deleting(Drafts):
            def post_of_key(self, key: str, token: str) -> Row | None:
                return None

        store = Deleting()
        create(self.draft, store, "key")

        with pytest.raises(HasuraUnavailable, match="deleted just now"):
            create(self.draft, store, "key")

    def test_again_for_an_earlier_time_to_come_says_that_the_time_differs(self) -> None:
        store = Drafts()
        create(self.draft, store, "key")

        with pytest.raises(KeyReused) as refused:
            create(replace(self.draft, schedule_for=NOW + timedelta(minutes=1)), store, "key")

        assert [fault.field for fault in refused.value.faults] == ["schedule_for"]

    def test_another_key_makes_another_post(self) -> None:
        store = Drafts()
        create(self.draft, store, "key")

        assert create(self.draft, store, "another key").post["id"] == 2


class TestRingForADuePost:
    def test_publishes_it_and_writes_down_the_tweet(self) -> None:
        rung, store = ring_for(due_post())

        assert (rung.post_id, rung.state, rung.tweet_id, rung.retry_after) == (1, "tweeted", "tweet of hello", None)
        assert rung.claimed == {"tweeted": 1}
        [(post_id, outcome)] = store.attempts
        assert (post_id, outcome.state, outcome.attempt, outcome.status_code) == (1, "tweeted", "tweeted", 201)

    @pytest.mark.parametrize(
        ("tries", "seconds"), [(0, 5), (1, 30), (2, 120), (3, 600), (8, 600)], ids=lambda value: str(value)
    )
    def test_what_was_surely_not_sent_waits_longer_each_time(self, tries: int, seconds: int) -> None:
        rung, store = ring_for(due_post(tries=tries), NotSent("no connection"))

        [(_, outcome)] = store.attempts
        assert (outcome.state, outcome.attempt, outcome.reason) == ("scheduled", "not_sent", "no connection")
        assert outcome.not_before
        assert timedelta(seconds=seconds) <= outcome.not_before - NOW <= timedelta(seconds=seconds * 1.25)
        assert (rung.state, rung.retry_after) == ("scheduled", outcome.not_before - NOW)

    def test_what_cannot_be_sent_at_all_fails_in_the_end(self) -> None:
        rung, _ = ring_for(due_post(tries=9), NotSent("no connection"))

        assert (rung.state, rung.reason) == ("failed", "It could not be sent in 10 tries; the last time: no connection")

    def test_what_x_never_answers_and_never_has_fails_in_the_end_without_asking_again(self) -> None:
        store = Store()
        x = FakeX()
        earlier = tuple(question(number) for number in range(1, 11))
        store.add(due_post(tries=10, attempt=10, questions=earlier))

        rung = ringing.ring(1, store, x, StoppedClock())

        assert rung.state == "failed"
        assert (
            rung.reason == "It was tried 10 times without an answer, and was not on X afterwards. Move it to try again."
        )
        assert x.published == []

    def test_what_x_did_not_answer_before_the_post_was_opened_again_does_not_count(self) -> None:
        earlier = tuple(question(number) for number in range(1, 11))

        rung, _ = ring_for(due_post(tries=0, attempt=11, questions=earlier))

        assert rung.state == "tweeted"

    def test_what_x_asks_to_wait_with_counts_as_no_try(self) -> None:
        _, store = ring_for(due_post(tries=4), AccountHeld("limited", wait=timedelta(minutes=3)))

        assert store.attempts[0][1].tries == 4

    def test_what_x_asks_to_wait_with_is_no_failure_however_often(self) -> None:
        rung, _ = ring_for(due_post(tries=50), AccountHeld("limited", wait=timedelta(minutes=3)))

        assert rung.state == "scheduled"

    def test_a_wait_that_x_asks_for_is_kept_but_the_alarm_rings_within_a_quarter_of_an_hour(self) -> None:
        rung, store = ring_for(due_post(), NotSent("slow down", wait=timedelta(hours=2)))

        assert rung.retry_after == timedelta(minutes=15)
        assert (store.attempts[0][1].not_before or NOW) >= NOW + timedelta(hours=2)

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

        assert rung.state == "scheduled"
        assert timedelta(minutes=1) <= (rung.retry_after or timedelta()) <= timedelta(minutes=1.25)

    @pytest.mark.parametrize("others", [{201}, {201, 401}], ids=["welcome", "some-welcome"])
    def test_is_the_account_s_fault_the_second_time_when_others_are_welcome(self, others: set[int]) -> None:
        rung, store = ring_for(self.again, self.refused, Store(others=others))

        assert (rung.state, rung.reason) == ("failed", "sign-in refused")
        assert store.holds == []

    @pytest.mark.parametrize("others", [set(), {401}, {403, 429}], ids=["nobody-asked", "refused-too", "other-trouble"])
    def test_holds_the_account_alone_while_nobody_knows_whose_fault_it_is(self, others: set[int]) -> None:
        rung, store = ring_for(self.again, self.refused, Store(others=others))

        assert (rung.state, rung.reason) == ("scheduled", "sign-in refused")
        [(until, _, account_id)] = store.holds
        assert timedelta(minutes=5) <= until - NOW <= timedelta(minutes=6.25)
        assert account_id == ALICE.id

    def test_of_several_accounts_is_told_to_the_operator(self, caplog: pytest.LogCaptureFixture) -> None:
        ring_for(self.again, self.refused, Store(others={401}))

        assert "the operator must act" in caplog.text

    def test_that_nobody_can_judge_holds_the_account(self) -> None:
        class Away(Store):
            def statuses_of_others(self, account_id: int, since: datetime) -> set[int]:
                raise HasuraUnavailable("gone")

        rung, _ = ring_for(self.again, self.refused, Away())

        assert rung.state == "scheduled"

    def test_is_noted_on_the_attempt(self) -> None:
        _, store = ring_for(due_post(), self.refused)

        assert store.attempts[0][1].sign_in_refused


class TestHolding:
    def test_a_limited_account_holds_its_own_posts(self) -> None:
        rung, store = ring_for(due_post(), AccountHeld("limited", status_code=429, wait=timedelta(minutes=3)))

        assert rung.state == "scheduled"
        [(until, reason, account_id)] = store.holds
        assert until >= NOW + timedelta(minutes=3)
        assert (reason, account_id) == ("limited", ALICE.id)
        assert rung.retry_after == until - NOW
        assert store.attempts[0][1].not_before is None

    def test_an_app_that_is_refused_holds_all_and_the_operator_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        rung, store = ring_for(due_post(), AppHeld("no credits", status_code=402, wait=timedelta(hours=1)))

        assert rung.state == "scheduled"
        [(until, reason, account_id)] = store.holds
        assert until >= NOW + timedelta(hours=1)
        assert (reason, account_id) == ("no credits", None)
        [error] = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert "no credits" in error.getMessage()

    def test_that_fails_does_not_undo_the_outcome(self) -> None:
        class Unwilling(Store):
            def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
                raise HasuraUnavailable("gone")

        rung, store = ring_for(due_post(), AccountHeld("limited", wait=timedelta(minutes=3)), Unwilling())

        assert rung.state == "scheduled"
        [(_, outcome)] = store.attempts
        assert (outcome.not_before or NOW) >= NOW + timedelta(minutes=3)


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


class TestDraining:
    def test_goes_on_until_nothing_is_due(self) -> None:
        store = Store(batch_size=2)
        for number in range(5):
            store.add(due_post(id=number, text=str(number)))

        rung = ringing.ring(None, store, FakeX(), StoppedClock())

        assert rung.claimed == {"tweeted": 5}
        assert store.alarms == []

    def test_that_takes_too_long_has_the_rest_rung_for_at_once(self) -> None:
        clock = StoppedClock()

        class Slow(FakeX):
            def publish(self, account: Account, text: str) -> str:
                clock.sleep(timedelta(seconds=6))
                return super().publish(account, text)

        store = Store(batch_size=1)
        for number in range(3):
            store.add(due_post(id=number, text=str(number)))

        rung = ringing.ring(None, store, Slow(), clock)

        assert rung.claimed == {"tweeted": 1}
        assert store.alarms == [(clock.now(), None)]


def question(number: int = 1, text: str = "hello", minutes_ago: float = 5, account: Account | None = ALICE) -> Question:
    finished = NOW - timedelta(minutes=minutes_ago)
    return Question(number, account, text, finished - timedelta(seconds=30), finished)


def unknown_post(*questions: Question, **changes: Any) -> Post:
    asked = questions or (question(),)
    return due_post(
        state="unknown", attempt=asked[-1].number, not_before=NOW, reason="no answer", questions=asked, **changes
    )


def look(post: Post, x: FakeX, store: Store | None = None) -> tuple[ringing.Rung, Store]:
    store = store or Store()
    store.add(post)
    return ringing.ring(post.id, store, x, StoppedClock()), store


class TestLookingUp:
    def test_finds_the_tweet_and_answers_the_attempt_that_made_it(self) -> None:
        rung, store = look(unknown_post(), FakeX(timeline={"hello": ["99"]}))

        assert (rung.state, rung.tweet_id) == ("tweeted", "99")
        [(_, outcome)] = store.attempts
        assert (outcome.attempt, outcome.attempts) == ("tweeted", (1,))

    def test_looks_for_what_was_sent_then_and_from_a_minute_before(self) -> None:
        x = FakeX()

        look(unknown_post(question(text="as it was sent"), text="as it is now"), x)

        assert x.looked_for == [("as it was sent", NOW - timedelta(minutes=6, seconds=30))]

    def test_asks_for_the_tweets_of_the_account_it_was_sent_from(self) -> None:
        x = FakeX()

        look(unknown_post(question(account=BOB)), x)

        assert x.asked == ["bob"]

    def test_for_what_was_sent_from_a_removed_account_leaves_it_to_the_author(self) -> None:
        rung, store = look(unknown_post(question(account=None)), FakeX())

        assert (rung.state, rung.retry_after) == ("unknown", None)
        assert "its account was removed here" in (rung.reason or "")
        assert store.attempts[0][1].not_before is None

    def test_does_not_ask_for_an_earlier_try_from_a_removed_account(self) -> None:
        x = FakeX()

        rung, _ = look(unknown_post(question(1, account=None), question(2)), x)

        assert (rung.state, x.asked) == ("scheduled", ["alice"])

    def test_that_x_refuses_to_our_app_is_told_to_the_operator(self, caplog: pytest.LogCaptureFixture) -> None:
        look(unknown_post(), FakeX(timeline=AppHeld("no access", wait=timedelta(hours=1))))

        assert "the operator must act, nothing can be looked up: no access" in caplog.text

    def test_does_not_take_the_tweet_of_another_post(self) -> None:
        rung, _ = look(unknown_post(), FakeX(timeline={"hello": ["98", "99"]}), Store(tweets_of_others={"98"}))

        assert rung.tweet_id == "99"

    def test_answers_the_try_whose_text_it_finds(self) -> None:
        post = unknown_post(question(1, "first text"), question(3, "second text"))

        _, store = look(post, FakeX(timeline={"second text": ["99"]}))

        assert store.attempts[0][1].attempts == (3,)

    def test_that_finds_an_earlier_try_knows_the_later_ones_to_be_absent(self) -> None:
        post = unknown_post(question(1, "first text"), question(3, "second text"))

        _, store = look(post, FakeX(timeline={"first text": ["99"]}))

        [(_, outcome)] = store.attempts
        assert (outcome.attempts, outcome.absent) == ((1,), (3,))

    def test_does_not_ask_for_an_earlier_try_before_the_latest_is_surely_absent(self) -> None:
        post = unknown_post(question(1, "first text"), question(3, "second text", minutes_ago=1))

        rung, store = look(post, FakeX(timeline={"first text": ["99"]}))

        assert (rung.state, rung.retry_after) == ("unknown", timedelta(minutes=2))
        assert store.attempts[0][1].attempts == ()

    def test_answers_the_latest_of_several_tries_with_one_text(self) -> None:
        _, store = look(unknown_post(question(1), question(2)), FakeX(timeline={"hello": ["99"]}))

        assert store.attempts[0][1].attempts == (2,)

    def test_too_soon_after_the_try_proves_nothing(self) -> None:
        rung, store = look(unknown_post(question(minutes_ago=1)), FakeX())

        assert (rung.state, rung.retry_after) == ("unknown", timedelta(minutes=2))
        [(_, outcome)] = store.attempts
        assert (outcome.attempts, outcome.looks) == ((), 0)

    @pytest.mark.parametrize("questions", [(), (question(1),)], ids=["none", "only-an-earlier-one"])
    def test_without_knowing_what_was_sent_last_proves_nothing(self, questions: tuple[Question, ...]) -> None:
        post = replace(unknown_post(), questions=questions, attempt=2)

        rung, _ = look(post, FakeX())

        assert rung.state == "unknown"
        assert "could not be read yet" in (rung.reason or "")

    def test_for_what_is_surely_absent_schedules_it_again(self) -> None:
        rung, store = look(unknown_post(question(1), question(2)), FakeX())

        [(_, outcome)] = store.attempts
        assert (rung.state, outcome.attempt, outcome.attempts) == ("scheduled", "absent", (1, 2))
        assert outcome.not_before is None

    @pytest.mark.parametrize(
        ("looks", "pause"), [(0, 30), (1, 120), (2, 600), (3, 1800), (4, 7200)], ids=lambda value: str(value)
    )
    def test_that_cannot_be_made_is_made_later_and_later(self, looks: int, pause: int) -> None:
        rung, store = look(unknown_post(looks=looks), FakeX(timeline=OutcomeUnknown("no answer")))

        assert rung.state == "unknown"
        assert "looking failed (no answer)" in (rung.reason or "")
        [(_, outcome)] = store.attempts
        assert (outcome.not_before, outcome.looks) == (NOW + timedelta(seconds=pause), looks + 1)

    def test_that_x_limits_waits_as_long_as_x_says(self) -> None:
        _, store = look(unknown_post(), FakeX(timeline=AccountHeld("limited", wait=timedelta(minutes=14))))

        assert store.attempts[0][1].not_before == NOW + timedelta(minutes=14)

    @pytest.mark.parametrize("failure", [OutcomeUnknown("no answer"), SignInRefused("refused", status_code=401)])
    def test_that_can_never_be_made_leaves_it_to_the_author(self, failure: TryFailed) -> None:
        rung, store = look(unknown_post(looks=5), FakeX(timeline=failure))

        assert (rung.state, rung.retry_after) == ("unknown", None)
        assert "move the post to have it published again" in (rung.reason or "")
        assert store.attempts[0][1].not_before is None

    def test_for_what_is_surely_absent_leaves_what_x_said_of_duplicates_in_the_log(self) -> None:
        duplicate = replace(question(1), is_duplicate=True)

        _, store = look(unknown_post(duplicate, question(3)), FakeX())

        assert store.attempts[0][1].attempts == (3,)

    def test_for_what_x_called_a_duplicate_and_does_not_show_leaves_it_to_the_author(self) -> None:
        duplicate = replace(question(2), is_duplicate=True)

        rung, store = look(unknown_post(question(1), duplicate), FakeX())

        assert (rung.state, rung.retry_after) == ("unknown", None)
        assert "X says that it has this text already" in (rung.reason or "")
        assert store.attempts[0][1].not_before is None

    def test_never_sends_anything(self) -> None:
        x = FakeX()

        look(unknown_post(), x)

        assert x.published == []

    def test_a_duplicate_refusal_after_an_unknown_try_is_a_reason_to_look(self) -> None:
        rung, store = ring_for(due_post(questions=(question(),)), AlreadyPosted("posted already", status_code=403))

        assert rung.state == "unknown"
        assert store.attempts[0][1].attempt == "duplicate"

    def test_a_duplicate_refusal_without_one_is_final(self) -> None:
        rung, _ = ring_for(due_post(), AlreadyPosted("posted already", status_code=403))

        assert (rung.state, rung.reason) == ("failed", "posted already")


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
    rung, store = ring_for(due_post(tries=5, sign_in_refused_at=NOW), kind("why"), Store(others={201}))

    assert rung.state == kind.state
    assert [outcome.attempt for _, outcome in store.attempts] == [kind.outcome]
    assert rung.reason == "why"
