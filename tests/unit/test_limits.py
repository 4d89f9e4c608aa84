"""The durations and limits fit into each other, whatever is slow; and the documents tell them as they are."""

import ast
import contextlib
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from core_fakes import NOW, FakeTimeline, FakeX, StoppedClock, Store, claim, sending, unknown, unresolved

from shared import limits
from shared.core.deliver import handle_delivery
from shared.core.event_store import Row
from shared.core.model import (
    Account,
    CannotAsk,
    Claim,
    ClaimedPost,
    Decision,
    Delivery,
    FoundPost,
    PublishResult,
    Recorded,
    State,
    TimelineUnavailable,
    TurnToWait,
)
from shared.errors import HasuraUnavailable
from shared.limits import (
    ANSWER_BYTES,
    CONNECT_TIMEOUT,
    DELIVERY_TIMEOUT,
    HASURA_TIMEOUT,
    KEYS_TIMEOUT,
    KEYS_WAIT,
    LATEST_START,
    LEASE,
    NOTIFY_TIMEOUT,
    RECONCILE_TIME,
    SURE_AFTER,
    TIMELINE_PAGES,
    TIMELINE_TIMEOUT,
    WAIT_STEP,
    X_TIMEOUT,
)

DOCS = Path(__file__).parents[2] / "docs" / "architecture.md"


class SlowWorld:
    """A store, an X and a clock: each call takes a part of its timeout, and fails as often as it succeeds, by chance.

    There is always more that is due: posts to send and to reconcile, with events that are to be deleted.
    """

    def __init__(self, chance: random.Random, slowness: tuple[float, ...] = (0.01, 0.5, 1)) -> None:
        self.clock = StoppedClock()
        self.store = SlowStore(self)
        self.x = SlowX(self)
        self.chance = chance
        self._slowness = slowness

    def take(self, timeout: timedelta) -> None:
        self.clock.time += timeout * self.chance.choice(self._slowness)

    def fails(self) -> bool:
        return self.chance.random() < 0.5


class SlowStore(Store):
    def __init__(self, world: SlowWorld) -> None:
        super().__init__(batch_size=1, early=timedelta(seconds=15))
        self._world = world

    def _call(self) -> None:
        """A call that may fail."""
        self._world.take(HASURA_TIMEOUT)
        if self._world.fails():
            raise HasuraUnavailable("away")

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        self._world.take(HASURA_TIMEOUT)
        event = {"event_id": "for later", "event_at": NOW + timedelta(days=1)}
        attempts = [unresolved(number, text=f"text {number}") for number in range(20, 0, -1)]
        return self._world.chance.choice([claim(sending(**event)), claim(unknown(*attempts, **event)), Claim()])

    def find_post(self, post_id: int) -> FoundPost | None:
        self._call()
        now = self._world.clock.now()
        due_at = now + timedelta(days=1)
        return FoundPost(post_id, State.SCHEDULED, due_at, now, due_at, event_id="earlier one", event_at=NOW)

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        self._call()
        return super().record(post, decision)

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        self._call()
        return set(tweet_ids)

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        self._call()
        return TurnToWait(
            is_needed=True, is_callers=True, due_in=self._world.chance.choice([None, timedelta(), WAIT_STEP])
        )

    def request_follow_up(self) -> None:
        self._call()

    def release_follow_up(self) -> None:
        self._world.take(HASURA_TIMEOUT)

    def create_event(self, at: datetime, payload: Mapping[str, Any]) -> Row:
        self._world.take(HASURA_TIMEOUT)  # the metadata API of v2, and then the one of v1.3
        self._call()
        return {"event_id": "new"}

    def delete_event(self, event_id: str) -> None:
        self._world.take(HASURA_TIMEOUT)
        self._call()

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        self._call()
        return True

    def forget_event(self, post_id: int, event_id: str) -> None:
        self._call()


class SlowX(FakeX):
    def __init__(self, world: SlowWorld) -> None:
        super().__init__()
        self._world = world

    def publish(self, account: Account, text: str) -> PublishResult:
        self._world.take(X_TIMEOUT)
        return super().publish(account, text)

    def timeline(self, account: Account, since: datetime, until: datetime) -> FakeTimeline:
        return SlowTimeline(self, account.name, self._world, until)


class SlowTimeline(FakeTimeline):
    def __init__(self, x: FakeX, account_name: str, world: SlowWorld, until: datetime) -> None:
        super().__init__(x, account_name)
        self._world, self._until = world, until

    def find(self, text: str, since: datetime) -> list[str]:
        self._world.take(max(self._until - self._world.clock.now(), timedelta()))
        if self._world.fails():
            raise TimelineUnavailable(CannotAsk("it took too long"))
        return [str(self._world.chance.randrange(1000))]


DELIVERIES = [Delivery(1, "event"), Delivery(99, "event"), Delivery(None, "sweep"), Delivery(None, "x", True)]


@pytest.mark.parametrize("delivery", DELIVERIES, ids=["of a post", "of another post", "sweep", "follow-up"])
@pytest.mark.parametrize("slowness", [(1.0,), (0.01, 0.5, 1.0), (0.02, 0.02, 0.02, 1.0)], ids=["all", "half", "some"])
def test_a_delivery_is_answered_before_hasura_stops_waiting_whatever_is_slow_and_fails(
    delivery: Delivery, slowness: tuple[float, ...]
) -> None:
    longest = timedelta()
    for seed in range(300):
        world = SlowWorld(random.Random(seed), slowness)
        handle_delivery_or_fail(delivery, world)
        longest = max(longest, world.clock.time - NOW)

    late_start = LATEST_START - HASURA_TIMEOUT  # a thread that does not start at once, as it does here
    assert longest + late_start < DELIVERY_TIMEOUT


def handle_delivery_or_fail(delivery: Delivery, world: SlowWorld) -> None:
    with contextlib.suppress(HasuraUnavailable):
        handle_delivery(delivery, world.store, world.x, world.clock)


def test_a_publisher_ends_within_the_lease_of_its_post_whatever_is_slow() -> None:
    assert DELIVERY_TIMEOUT < LEASE  # and a delivery within that, by the test above


def test_the_whole_timeline_fits_into_a_reconciliation_when_x_answers_at_its_usual_speed() -> None:
    assert TIMELINE_PAGES * timedelta(milliseconds=600) < RECONCILE_TIME


def test_a_claim_that_hasura_answers_late_leaves_its_posts_time_to_start() -> None:
    assert HASURA_TIMEOUT < LATEST_START


def test_a_connection_leaves_time_for_its_answer() -> None:
    for timeout in (X_TIMEOUT, HASURA_TIMEOUT, TIMELINE_TIMEOUT, NOTIFY_TIMEOUT):
        assert timeout > CONNECT_TIMEOUT


def test_the_limits_grow_from_x_to_the_delivery_to_the_lease() -> None:
    assert X_TIMEOUT < DELIVERY_TIMEOUT < LEASE


def test_a_notification_is_answered_before_hasura_stops_waiting() -> None:
    assert HASURA_TIMEOUT + NOTIFY_TIMEOUT < DELIVERY_TIMEOUT


def test_a_token_waits_less_for_its_key_than_the_key_may_take() -> None:
    assert KEYS_WAIT < KEYS_TIMEOUT


def test_an_attempt_whose_publisher_stopped_is_not_taken_for_absent_while_x_may_still_be_asked() -> None:
    assert X_TIMEOUT < SURE_AFTER


def test_a_batch_of_the_longest_posts_and_a_page_of_the_longest_tweets_are_no_answers_that_are_too_large() -> None:
    text, tokens, the_rest = 4_000 * 6, 4_100, 4_000  # a character of a text is at most six bytes, as \\u0001 in JSON
    tweet, its_links_and_times = 12_500 * 3, 10_000  # X counts what is not Latin twice, up to 25,000

    assert 100 * (text + tokens + the_rest) < ANSWER_BYTES
    assert 100 * (tweet + its_links_and_times) < ANSWER_BYTES


def test_every_limit_is_positive() -> None:
    durations = [value for value in vars(limits).values() if isinstance(value, timedelta)]

    assert len(durations) > 20
    assert min(durations) > timedelta()


def in_words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(in_words, value))
    if isinstance(value, timedelta):
        for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
            number = value.total_seconds() / size
            if number >= 2 or (number == 1 and unit != "d"):
                return f"{number:g} {unit}"
        return f"{value.total_seconds():g} s"
    if isinstance(value, int) and value >= 1024 and value % 1024 == 0:
        return f"{value // 1024**2} MiB" if value % 1024**2 == 0 else f"{value // 1024} KiB"
    return str(value)


def rows_of_limits() -> list[str]:
    """shared/limits.py as a table: names and values, and the words that follow them."""
    rows: list[str] = []
    names: list[str] = []
    for node in ast.parse(Path(limits.__file__).read_text()).body:
        if isinstance(node, ast.Assign):
            names += [name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and names:
            values = "; ".join(in_words(getattr(limits, name)) for name in names)
            rows.append(f"| {', '.join(f'`{name}`' for name in names)} | {values} | {ast.literal_eval(node.value)} |")
            names = []
    assert names == [], "each limit is explained"
    return rows


def test_the_table_of_limits_in_the_documents_is_that_of_the_code() -> None:
    table = DOCS.read_text().split("\n| limit | value | what it is for |\n| --- | --- | --- |\n", 1)[1].split("\n\n")[0]

    assert table.split("\n") == rows_of_limits()
