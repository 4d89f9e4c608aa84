"""The durations and limits fit into each other, whatever is slow."""

from datetime import timedelta

from shared import limits
from shared.limits import (
    ANSWER_BYTES,
    CONNECT_TIMEOUT,
    DELIVERY_TIMEOUT,
    DRAIN_TIME,
    HASURA_TIMEOUT,
    LATEST_START,
    LEASE,
    RECONCILE_TIME,
    RECORD_WAITS,
    SURE_AFTER,
    TIMELINE_PAGES,
    TIMELINE_TIMEOUT,
    X_TIMEOUT,
)


def longest(timeout: timedelta) -> timedelta:
    """Until the HTTP client gives an answer up: no connection, no first part, and then a last part that is late."""
    return CONNECT_TIMEOUT + 2 * timeout


RECORDING = (len(RECORD_WAITS) + 1) * longest(HASURA_TIMEOUT) + sum(RECORD_WAITS, timedelta())


def test_a_publisher_ends_within_the_lease_of_its_post_whatever_is_slow() -> None:
    assert LATEST_START + longest(X_TIMEOUT) + RECORDING < LEASE


def test_a_reconciliation_ends_within_the_lease_of_its_post_however_long_the_timeline_is() -> None:
    last_page, tweets_of_other_posts = longest(TIMELINE_TIMEOUT), longest(HASURA_TIMEOUT)

    assert LATEST_START + RECONCILE_TIME + last_page + tweets_of_other_posts + RECORDING < LEASE


def test_the_whole_timeline_fits_into_a_reconciliation_when_x_answers_at_its_usual_speed() -> None:
    assert TIMELINE_PAGES * timedelta(milliseconds=750) < RECONCILE_TIME


def test_a_claim_that_hasura_answers_late_leaves_its_posts_time_to_start() -> None:
    assert longest(HASURA_TIMEOUT) <= LATEST_START


def test_a_delivery_answers_before_hasura_stops_waiting_when_x_does_not_answer() -> None:
    claim_and_record = 2 * HASURA_TIMEOUT

    assert DRAIN_TIME + claim_and_record + CONNECT_TIMEOUT + X_TIMEOUT < DELIVERY_TIMEOUT


def test_the_limits_grow_from_x_to_the_delivery_to_the_lease() -> None:
    assert CONNECT_TIMEOUT + X_TIMEOUT < DELIVERY_TIMEOUT < LEASE


def test_an_attempt_whose_publisher_stopped_is_not_taken_for_absent_while_x_may_still_be_asked() -> None:
    assert longest(X_TIMEOUT) < SURE_AFTER


def test_a_batch_of_the_longest_posts_and_a_page_of_the_longest_tweets_are_no_answers_that_are_too_large() -> None:
    text, tokens, the_rest = 4_000 * 6, 4_100, 4_000  # a character of a text is at most six bytes, as \\u0001 in JSON
    tweet, its_links_and_times = 12_500 * 3, 10_000  # X counts what is not Latin twice, up to 25,000

    assert 100 * (text + tokens + the_rest) < ANSWER_BYTES
    assert 100 * (tweet + its_links_and_times) < ANSWER_BYTES


def test_every_limit_is_positive() -> None:
    durations = [value for value in vars(limits).values() if isinstance(value, timedelta)]

    assert len(durations) > 20
    assert min(durations) > timedelta()
