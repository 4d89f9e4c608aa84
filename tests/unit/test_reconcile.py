"""One reconciliation: what the timeline shows of the attempts of unknown outcome, newest first."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from core_fakes import ALICE, BOB, IN_TIME, NOW, FakeTimeline, FakeX, StoppedClock, Store, sending, unknown, unresolved

from shared.core.model import Account, CannotAsk, ClaimedPost, Decision, Outcome, State
from shared.core.reconcile import Timelines, reconcile
from shared.errors import HasuraUnavailable
from shared.limits import RECONCILE_WAITS, SURE_AFTER

MINUTE = timedelta(minutes=1)


def reconciled(post: ClaimedPost, x: FakeX, store: Store | None = None) -> Decision:
    return reconciled_at(StoppedClock(), post, x, store)


def reconciled_at(clock: StoppedClock, post: ClaimedPost, x: FakeX, store: Store | None = None) -> Decision:
    timelines = Timelines([post], IN_TIME.read_by, x)
    return reconcile(post, timelines, IN_TIME, store or Store(), clock).decision


def showing(**tweets: list[str]) -> FakeX:
    x = FakeX()
    x.tweets = tweets
    return x


def test_the_tweet_of_the_attempt_is_found() -> None:
    decision = reconciled(unknown(unresolved()), showing(hello=["77"]))

    assert (decision.state, decision.tweet_id) == (State.TWEETED, "77")


def test_the_timeline_is_read_from_a_minute_before_the_attempt_and_for_a_bounded_time() -> None:
    x, attempt = showing(hello=["77"]), unresolved()

    reconciled(unknown(attempt), x)

    assert x.timelines == [("alice", attempt.started_at - MINUTE, IN_TIME.read_by)]
    assert x.searched == [("alice", "hello", attempt.started_at - MINUTE)]


def test_what_was_sent_is_searched_on_the_account_it_was_sent_from() -> None:
    x = showing(earlier=["77"])

    decision = reconciled(unknown(unresolved(text="earlier", account=BOB), account=ALICE, text="later"), x)

    assert decision.tweet_id == "77"
    assert [search[:2] for search in x.searched] == [("bob", "earlier")]


def test_the_tweet_of_another_post_is_not_taken() -> None:
    decision = reconciled(unknown(unresolved()), showing(hello=["1", "2"]), Store(tweets_of_others=frozenset({"1"})))

    assert decision.tweet_id == "2"


def test_an_earlier_attempt_is_searched_only_when_the_newest_is_surely_absent() -> None:
    x = showing(first=["77"])
    newest = unresolved(2, text="second", finished_at=NOW - MINUTE)

    decision = reconciled(unknown(newest, unresolved(1, text="first")), x)

    assert (decision.state, decision.reconcile_at) == (State.UNKNOWN, NOW - MINUTE + SURE_AFTER)
    assert [search[1] for search in x.searched] == ["second"]


def test_when_an_earlier_attempt_is_found_the_newer_unknown_ones_are_absent() -> None:
    post = unknown(
        unresolved(4, text="fourth"),
        unresolved(3, text="third", outcome=Outcome.DUPLICATE),
        unresolved(2, text="second", outcome=Outcome.ABSENT),
        unresolved(1, text="first"),
    )

    decision = reconciled(post, showing(first=["77"]))

    assert [(entry.number, entry.outcome) for entry in decision.attempts] == [
        (1, Outcome.TWEETED),
        (4, Outcome.ABSENT),
    ]


def test_of_several_attempts_with_one_text_the_newest_is_taken_for_the_one_that_x_has() -> None:
    decision = reconciled(unknown(unresolved(2), unresolved(1)), showing(hello=["77"]))

    assert decision.attempts[0].number == 2


@pytest.mark.parametrize("ended", [timedelta(0), MINUTE, SURE_AFTER - timedelta(microseconds=1)])
def test_an_empty_timeline_proves_nothing_soon_after_the_attempt(ended: timedelta) -> None:
    decision = reconciled(unknown(unresolved(finished_at=NOW - ended)), FakeX())

    assert (decision.state, decision.reconcile_at) == (State.UNKNOWN, NOW - ended + SURE_AFTER)


@pytest.mark.parametrize("ahead", [timedelta(seconds=-50), timedelta(seconds=50)])
def test_the_database_s_clock_says_when_an_empty_timeline_proves_something(ahead: timedelta) -> None:
    clock = StoppedClock()
    clock.time += ahead
    soon, surely = (unresolved(finished_at=NOW - SURE_AFTER + timedelta(seconds=wait)) for wait in (1, 0))

    assert reconciled_at(clock, unknown(soon), FakeX()).state is State.UNKNOWN
    assert reconciled_at(clock, unknown(surely), FakeX()).state is State.SCHEDULED


def test_a_post_that_x_surely_does_not_have_is_scheduled_again() -> None:
    assert reconciled(unknown(unresolved(finished_at=NOW - SURE_AFTER)), FakeX()).state is State.SCHEDULED


def test_an_earlier_attempt_from_a_removed_account_is_neither_asked_for_nor_called_absent() -> None:
    x = FakeX()

    decision = reconciled(unknown(unresolved(2), unresolved(1, account=None)), x)

    assert decision.state is State.SCHEDULED
    assert [attempt.number for attempt in decision.attempts] == [2]
    assert len(x.searched) == 1


@pytest.mark.parametrize(
    ("post", "words"),
    [
        (unknown(unresolved(account=None)), "its account was removed here"),
        (unknown(), "nothing tells what was sent"),
        (replace(unknown(unresolved(1)), attempt_number=2), "nothing tells what was sent"),
    ],
)
def test_without_anything_to_ask_for_the_author_decides(post: ClaimedPost, words: str) -> None:
    decision = reconciled(post, FakeX())

    assert (decision.state, decision.come_back_at) == (State.UNKNOWN, None)
    assert words in str(decision.reason)


def test_a_timeline_that_x_does_not_show_proves_nothing() -> None:
    x = FakeX()
    x.failure = CannotAsk("X is away.", wait=7 * MINUTE)

    decision = reconciled(unknown(unresolved()), x)

    assert (decision.state, decision.reconcile_at) == (State.UNKNOWN, NOW + 7 * MINUTE)


def test_each_timeline_is_read_back_to_the_oldest_attempt_of_all_posts_that_are_reconciled_together() -> None:
    x = FakeX()
    oldest, of_bob = NOW - 90 * MINUTE, NOW - 70 * MINUTE
    posts = [
        unknown(unresolved(2), unresolved(1, started_at=oldest)),
        unknown(unresolved(2), unresolved(1, account=BOB, started_at=of_bob), id=2),
        unknown(unresolved(account=None), id=3),
        sending(id=4, unresolved=(unresolved(started_at=oldest - MINUTE),)),
    ]

    Timelines(posts, IN_TIME.read_by, x)

    assert x.timelines == [
        ("alice", oldest - MINUTE, IN_TIME.read_by),
        ("bob", of_bob - MINUTE, IN_TIME.read_by),
    ]


def test_an_account_is_one_timeline_under_whatever_row_it_was_linked() -> None:
    x, linked_anew = FakeX(), replace(ALICE, id=9, name="alice_anew")

    Timelines([unknown(unresolved()), unknown(unresolved(account=linked_anew), id=2)], IN_TIME.read_by, x)

    assert [account for account, _, _ in x.timelines] == ["alice"]


def test_hasura_is_not_asked_about_a_found_tweet_when_the_time_to_read_is_over() -> None:
    clock = StoppedClock()
    clock.time = IN_TIME.read_by + timedelta(microseconds=1)

    decision = reconciled_at(clock, unknown(unresolved()), showing(hello=["77"]))

    assert (decision.state, decision.tweet_id) == (State.UNKNOWN, None)
    assert "took too long" in str(decision.reason)


def test_after_more_failed_reconciliations_than_there_are_waits_x_is_not_asked_and_the_author_decides() -> None:
    """The claim counts a reconciliation that did not come to its end, or one that kills its publisher had no end."""
    x = showing(hello=["77"])

    last = reconciled(unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS)), x)
    none_left = reconciled(unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS) + 1), x)

    assert last.state is State.TWEETED
    assert (none_left.state, none_left.come_back_at, len(x.searched)) == (State.UNKNOWN, None, 1)
    assert "finding out failed too often" in str(none_left.reason)


def test_a_found_tweet_is_not_taken_while_hasura_cannot_say_whether_it_is_another_post_s() -> None:
    class Away(Store):
        def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
            raise HasuraUnavailable("Hasura is away.")

    decision = reconciled(unknown(unresolved()), showing(hello=["77"]), Away())
    last = reconciled(unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS)), showing(hello=["77"]), Away())

    why = "X shows a post with this text, and whether it is this one could not be found out."
    assert (decision.state, decision.tweet_id, decision.reason) == (State.UNKNOWN, None, why)
    assert decision.reconcile_at == NOW + RECONCILE_WAITS[0]
    assert (last.state, last.reconcile_at) == (State.UNKNOWN, None)
    assert last.reason == f"{why} Check the account on X; move the post to have it published again."


def test_the_earlier_attempt_that_made_a_text_a_duplicate_is_found_at_once() -> None:
    duplicate = unresolved(2, text="sent", outcome=Outcome.DUPLICATE, started_at=NOW - MINUTE, finished_at=NOW - MINUTE)

    class ByTime(FakeTimeline):
        def find(self, text: str, since: datetime) -> list[str]:
            return super().find(text, since) if since < NOW - 5 * MINUTE else []

    class Showing(FakeX):
        def timeline(self, account: Account, since: datetime, until: datetime) -> FakeTimeline:
            return ByTime(self, account.name)

    x = Showing()
    x.tweets = {"sent": ["77"]}

    decision = reconciled(unknown(duplicate, unresolved(1, text="sent")), x)

    assert (decision.state, decision.tweet_id) == (State.TWEETED, "77")
    assert [(entry.number, entry.outcome) for entry in decision.attempts] == [(1, Outcome.TWEETED)]


def test_a_duplicate_that_x_does_not_show_yet_is_reconciled_again_when_x_surely_shows_it() -> None:
    duplicate = unresolved(2, outcome=Outcome.DUPLICATE, finished_at=NOW - MINUTE)

    decision = reconciled(unknown(duplicate, unresolved(1)), FakeX())

    assert (decision.state, decision.reconcile_at) == (State.UNKNOWN, NOW - MINUTE + SURE_AFTER)


def test_a_reconciliation_never_sends_anything() -> None:
    x = FakeX()

    reconciled(unknown(unresolved()), x)

    assert x.published == []
