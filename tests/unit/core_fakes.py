"""What stands in for the database, X and the clock in the tests of the core."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.drafts import Draft
from shared.core.event_store import Row
from shared.core.model import (
    Accepted,
    Account,
    CannotAsk,
    Claim,
    ClaimedPost,
    Decision,
    FoundDraft,
    FoundPost,
    MissedPost,
    Outcome,
    PublishResult,
    Recorded,
    State,
    TimelineUnavailable,
    TokensUnreadable,
    TurnToWait,
    UnresolvedAttempt,
)
from shared.core.publish import Deadlines
from shared.core.schedule import EarlierPost
from shared.limits import LEASE

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LEASE_ENDS = NOW + LEASE
ALICE = Account(1, "alice", "1001", "sealed tokens")
BOB = Account(2, "bob", "1002", "sealed tokens")


IN_TIME = Deadlines(NOW + timedelta(seconds=5), NOW + timedelta(seconds=10), NOW + timedelta(seconds=15))
"""Of the work on a batch."""


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


def sending(**changes: Any) -> ClaimedPost:
    """A claimed post to publish: its first attempt."""
    post = ClaimedPost(1, "hello", NOW - timedelta(seconds=1), State.SENDING, LEASE_ENDS, 1, ALICE, may_post=True)
    return replace(post, **changes)


def unresolved(number: int = 1, **changes: Any) -> UnresolvedAttempt:
    """An attempt of unknown outcome that ended ten minutes ago."""
    ended = NOW - timedelta(minutes=10)
    attempt = UnresolvedAttempt(number, ALICE, "hello", Outcome.UNKNOWN, ended - timedelta(seconds=30), ended)
    return replace(attempt, **changes)


def unknown(*attempts: UnresolvedAttempt, **changes: Any) -> ClaimedPost:
    """A claimed post to reconcile; the newest attempt comes first, as the claim gives them."""
    newest = attempts[0].number if attempts else 1
    return sending(state=State.UNKNOWN, attempt_number=newest, unresolved=attempts, **changes)


@dataclass
class Events:
    """The scheduled events. `failure` is raised instead of creating or deleting one."""

    created: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    kept: list[tuple[int, str, datetime, str | None]] = field(default_factory=list)
    forgotten: list[tuple[int, str]] = field(default_factory=list)
    is_recorded: bool = True
    failure: Exception | None = None
    early: timedelta = timedelta()

    def create_event(self, at: datetime, payload: Mapping[str, Any]) -> Row:
        if self.failure:
            raise self.failure
        self.created.append((at, dict(payload)))
        return {"message": "success", "event_id": f"event-{len(self.created)}"}

    def delete_event(self, event_id: str) -> None:
        if self.failure:
            raise self.failure
        self.deleted.append(event_id)

    def forget_event(self, post_id: int, event_id: str) -> None:
        self.forgotten.append((post_id, event_id))

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        self.kept.append((post_id, event_id, at, instead_of))
        return self.is_recorded


@dataclass
class Store(Events):
    """Hands out `claims` one after the other, and keeps the decisions. `record_failures` are raised by `record`."""

    claims: list[Claim] = field(default_factory=list)
    found: dict[int, FoundPost | FoundDraft] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    recorded: Recorded | None = None
    record_failures: list[Exception] = field(default_factory=list)
    claim_failure: Exception | None = None
    tweets_of_others: frozenset[str] = frozenset()
    batch_size: int = 10
    follow_ups: int = 0
    released_follow_ups: int = 0
    sweep_wait: timedelta = timedelta()
    turns: list[TurnToWait] = field(default_factory=list)
    asked_to_wait: list[tuple[str, timedelta, timedelta]] = field(default_factory=list)

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        if self.claim_failure:
            raise self.claim_failure
        return self.claims.pop(0) if self.claims else Claim()

    def find_post(self, post_id: int) -> FoundPost | FoundDraft | None:
        return self.found.get(post_id)

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        if self.record_failures:
            raise self.record_failures.pop()
        self.decisions[post.id] = decision
        return self.recorded or Recorded(True, decision.state)

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        return set(self.tweets_of_others) & set(tweet_ids)

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        self.asked_to_wait.append((caller, stay, wait))
        return self.turns.pop(0) if self.turns else TurnToWait(is_needed=False, is_callers=False, due_in=None)

    def request_follow_up(self) -> None:
        if self.failure:
            raise self.failure
        self.follow_ups += 1

    def release_follow_up(self) -> None:
        self.released_follow_ups += 1


class FakeX:
    """Accepts every text, but answers what `results` has for it. Shows `tweets`, by text, unless it has a `failure`."""

    def __init__(self, results: Mapping[str, PublishResult | Exception] | None = None) -> None:
        self.results = dict(results or {})
        self.tweets: dict[str, list[str]] = {}
        self.failure: CannotAsk | TokensUnreadable | None = None
        self.published: list[tuple[str, str]] = []
        self.searched: list[tuple[str, str, datetime]] = []
        self.timelines: list[tuple[str, datetime, datetime]] = []

    def publish(self, account: Account, text: str) -> PublishResult:
        self.published.append((account.name, text))
        result = self.results.get(text, Accepted(f"tweet of {text}", 201))
        if isinstance(result, Exception):
            raise result
        return result

    def timeline(self, account: Account, since: datetime, until: datetime) -> "FakeTimeline":
        self.timelines.append((account.name, since, until))
        return FakeTimeline(self, account.name)


@dataclass
class FakeTimeline:
    """What FakeX shows."""

    x: FakeX
    account_name: str

    def find(self, text: str, since: datetime) -> list[str]:
        self.x.searched.append((self.account_name, text, since))
        if self.x.failure:
            raise TimelineUnavailable(self.x.failure)
        return self.x.tweets.get(text, [])


def claim(*posts: ClaimedPost | MissedPost) -> Claim:
    """One claim that took these posts."""
    return Claim(
        tuple(post for post in posts if isinstance(post, ClaimedPost)),
        tuple(post for post in posts if isinstance(post, MissedPost)),
    )


class Drafts(Events):
    """Keeps one row a key, as the database does. `insert_failure` is raised instead of storing."""

    def __init__(self) -> None:
        super().__init__()
        self.earlier: dict[str, EarlierPost] = {}
        self.rows: list[Row] = []
        self.insert_failure: Exception | None = None

    def post_of_key(self, key: str, token: str) -> EarlierPost | None:
        return self.earlier.get(key)

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        if self.insert_failure:
            raise self.insert_failure
        if key in self.earlier:
            return None
        row = {"id": len(self.rows) + 1, "text": draft.text}
        self.rows.append(row)
        if key:
            self.earlier[key] = EarlierPost(row, draft.as_json(), None)
        return row

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        for key, earlier in self.earlier.items():
            if earlier.post["id"] == post_id:
                self.earlier[key] = replace(earlier, event_id=event_id)
        return super().record_event(post_id, event_id, at, instead_of)
