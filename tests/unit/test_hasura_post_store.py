"""What is claimed, recorded and waited for: what Hasura is sent, and what its answers mean."""

from datetime import timedelta
from typing import Any

import pytest
import responses
from answering_hasura import GRAPHQL
from calling import settings
from hasura_calls import POST, TWEETED, answering, body_of

from shared.core.model import Claim, Recorded, State, TurnToWait
from shared.hasura.post_store import HasuraPostStore


@pytest.fixture
def posts() -> HasuraPostStore:
    return HasuraPostStore(settings())


class TestClaimAndRecord:
    def test_a_claim_may_be_empty(self, posts: HasuraPostStore, network: responses.RequestsMock) -> None:
        answering(network, "claim_due_posts")

        assert posts.claim_due_posts(None) == Claim()

    def test_a_claim_follows_the_settings(self, network: responses.RequestsMock) -> None:
        answering(network, "claim_due_posts")
        posts = HasuraPostStore(settings(PUBLISH_BATCH="3", MAX_LATENESS_SECONDS="600"))

        posts.claim_due_posts(None)

        args = body_of(network.calls[0])["variables"]["args"]
        assert (args["batch_size"], args["max_lateness_seconds"]) == (posts.batch_size, 600) == (3, 600)

    @pytest.mark.parametrize(
        ("answer", "recorded"),
        [
            pytest.param([{"recorded": True, "state": "tweeted"}], Recorded(True, State.TWEETED), id="written"),
            pytest.param([{"recorded": False, "state": "sending"}], Recorded(False, State.SENDING), id="too late"),
            pytest.param([], Recorded(False, None), id="the post was deleted"),
        ],
    )
    def test_a_record_says_whether_it_was_written_and_what_the_post_is_now(
        self, posts: HasuraPostStore, network: responses.RequestsMock, answer: Any, recorded: Recorded
    ) -> None:
        network.post(GRAPHQL, json={"data": {"record_outcome": answer}})

        assert posts.record(POST, TWEETED) == recorded


class TestFindPost:
    def test_gives_none_when_there_is_none(self, posts: HasuraPostStore, network: responses.RequestsMock) -> None:
        answering(network, "find_post")

        assert posts.find_post(7) is None


def test_tweets_of_other_posts_are_known(posts: HasuraPostStore, network: responses.RequestsMock) -> None:
    network.post(GRAPHQL, json={"data": {"scheduled_post": [{"tweet_id": "2"}]}})

    assert posts.published_elsewhere(["1", "2"]) == {"2"}


class TestTheTurnToWait:
    def asked(self, network: responses.RequestsMock, **settings_given: str) -> Any:
        """The arguments."""
        answering(network, "wait_for_due_posts")
        stay, wait = timedelta(seconds=20), timedelta(seconds=59.5)
        HasuraPostStore(settings(**settings_given)).wait_for_due_posts("a-delivery", stay, wait)
        return body_of(network.calls[-1])["variables"]["args"]

    def test_is_asked_for_posts_that_are_due_a_little_later_than_events_are_early(
        self, network: responses.RequestsMock
    ) -> None:
        args = self.asked(network, EARLY_SECONDS="15")

        assert args == {"caller": "a-delivery", "ahead_seconds": 17, "stay_seconds": 20, "wait_seconds": 59.5}

    def test_is_asked_for_no_posts_when_events_are_not_early(self, network: responses.RequestsMock) -> None:
        assert self.asked(network, EARLY_SECONDS="0")["ahead_seconds"] == 0

    @pytest.mark.parametrize(
        ("due_in", "is_in"), [(1.5, timedelta(seconds=1.5)), ("1.5", timedelta(seconds=1.5)), (None, None)]
    )
    def test_comes_with_the_time_until_the_next_post(
        self, posts: HasuraPostStore, network: responses.RequestsMock, due_in: Any, is_in: timedelta | None
    ) -> None:
        row = {"is_needed": True, "is_callers": False, "due_in_seconds": due_in}
        network.post(GRAPHQL, json={"data": {"wait_for_due_posts": [row]}})

        turn = posts.wait_for_due_posts("a-delivery", timedelta(), timedelta(seconds=60))

        assert turn == TurnToWait(is_needed=True, is_callers=False, due_in=is_in)
