"""Deliveries to postTweet: many at once harm none, and a post that is moved keeps one event."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, islice, repeat

from waiting import wait_until

from benchmarks.deliveries import deliver
from local.running_stack import RunningStack

POSTS = 60
DELIVERIES = 300
MOVES = 4
EARLY = timedelta(seconds=15)
PATIENCE = 600.0

MOVE_ALL = """mutation ($ids: [bigint!]!, $to: timestamptz!) {
  update_scheduled_post(where: {id: {_in: $ids}}, _set: {schedule_for: $to}) { affected_rows }
}"""
EVENTS_OF = (
    "query ($ids: [bigint!]!) { scheduled_post(where: {id: {_in: $ids}}) { id event_id event_at schedule_for } }"
)


def test_hundreds_of_deliveries_within_a_second_are_all_answered_and_every_post_is_published_once(
    stack: RunningStack,
) -> None:
    due, tomorrow = schedule(stack, POSTS, timedelta(seconds=20)), schedule(stack, 5, timedelta(days=1))
    in_turn = zip(cycle(due.values()), cycle(tomorrow.values()), repeat(None))
    delivered = list(islice(chain.from_iterable(in_turn), DELIVERIES))

    answers = deliver(stack, delivered, within=1.0, patience=PATIENCE)

    assert answers.keys() <= {"200", "503 with Retry-After"}
    assert answers.total() == DELIVERIES
    wait_until(lambda: tweets_of(stack, due), lambda seen: seen.keys() >= due.keys(), PATIENCE)
    assert tweets_of(stack, due) == dict.fromkeys(due, 1)
    assert not tweets_of(stack, tomorrow)


def test_posts_that_are_moved_again_and_again_have_one_pending_event_each_for_their_latest_time(
    stack: RunningStack,
) -> None:
    ids = list(schedule(stack, 10, timedelta(days=1)).values())
    # They are written down behind the answer; an event that a move forestalls would be left, which does no harm.
    wait_until(lambda: posts_with_events(stack, ids), lambda posts: all(post["event_at"] for post in posts), PATIENCE)

    for days in range(2, 2 + MOVES):
        stack.graphql(MOVE_ALL, {"ids": ids, "to": (datetime.now(UTC) + timedelta(days=days)).isoformat()})

    kept = wait_until(lambda: posts_with_events(stack, ids), lambda posts: all(map(has_its_event, posts)), PATIENCE)
    pending = wait_until(lambda: pending_events(stack, ids), lambda events: len(events) <= len(ids), PATIENCE)
    assert pending == sorted(post["event_id"] for post in kept)


def posts_with_events(stack: RunningStack, ids: list[int]) -> list[dict[str, str]]:
    posts: list[dict[str, str]] = stack.graphql(EVENTS_OF, {"ids": ids})["scheduled_post"]
    return posts


def has_its_event(post: dict[str, str]) -> bool:
    event_at, schedule_for = (datetime.fromisoformat(post[name]) for name in ("event_at", "schedule_for"))
    return event_at == schedule_for - EARLY


def pending_events(stack: RunningStack, ids: list[int]) -> list[str]:
    """The ids of the scheduled events of these posts that are not delivered."""
    asked = {"type": "one_off", "status": ["scheduled"], "limit": 1000}
    events = stack.metadata("get_scheduled_events", asked)["events"]
    return sorted(event["id"] for event in events if (event["payload"] or {}).get("id") in ids)


def schedule(stack: RunningStack, posts: int, ahead: timedelta) -> dict[str, int]:
    """The ids of new posts of several authors, all due at the same time; by their texts."""
    at = (datetime.now(UTC) + ahead).isoformat()
    tokens = [stack.token(f"delivering{number}") for number in range(5)]

    def create(number: int) -> tuple[str, int]:
        draft = {"text": f"number {number} of {at}", "schedule_for": at}
        answer = stack.create_post(tokens[number % len(tokens)], draft)
        assert answer.status_code == 201, answer.text
        return draft["text"], answer.json()["insert_scheduled_post_one"]["id"]

    with ThreadPoolExecutor(8) as pool:
        return dict(pool.map(create, range(posts)))


def tweets_of(stack: RunningStack, texts: dict[str, int]) -> Counter[str]:
    return Counter(tweet["text"] for tweet in stack.tweets() if tweet["text"] in texts)
