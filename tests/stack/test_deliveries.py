"""Many rings at the same moment: none of them is lost on the way, and they do each other no harm."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, islice, repeat

from waiting import wait_until

from benchmarks.rings import fire
from local.running_stack import RunningStack

POSTS = 60
RINGS = 300
PATIENCE = 90.0


def test_hundreds_of_rings_within_a_second_are_all_answered_and_every_post_goes_out_once(stack: RunningStack) -> None:
    due, tomorrow = schedule(stack, POSTS, timedelta(seconds=2)), schedule(stack, 5, timedelta(days=1))
    ringing = islice(chain.from_iterable(zip(cycle(due.values()), cycle(tomorrow.values()), repeat(None))), RINGS)

    answers = fire(stack, list(ringing), within=1.0, patience=PATIENCE)

    assert answers.keys() <= {"200", "503 with Retry-After"}
    assert answers.total() == RINGS
    wait_until(lambda: tweets_of(stack, due), lambda seen: seen.keys() >= due.keys(), PATIENCE)
    assert tweets_of(stack, due) == dict.fromkeys(due, 1)
    assert not tweets_of(stack, tomorrow)


def schedule(stack: RunningStack, posts: int, ahead: timedelta) -> dict[str, int]:
    """The ids of new posts of several authors, all due at the same time; by their texts."""
    at = (datetime.now(UTC) + ahead).isoformat()
    tokens = [stack.token(f"ringing{number}") for number in range(5)]

    def create(number: int) -> tuple[str, int]:
        draft = {"text": f"number {number} of {at}", "schedule_for": at}
        answer = stack.create_post(tokens[number % len(tokens)], draft)
        assert answer.status_code == 201, answer.text
        return draft["text"], answer.json()["insert_scheduled_post_one"]["id"]

    with ThreadPoolExecutor(8) as pool:
        return dict(pool.map(create, range(posts)))


def tweets_of(stack: RunningStack, texts: dict[str, int]) -> Counter[str]:
    return Counter(tweet["text"] for tweet in stack.tweets() if tweet["text"] in texts)
