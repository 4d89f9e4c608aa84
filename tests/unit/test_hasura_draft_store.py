"""How a draft becomes a row: what Hasura is sent, and what its answers mean."""

from dataclasses import replace

import pytest
import responses
from answering_hasura import GRAPHQL
from calling import settings
from hasura_calls import DRAFT, STORED, TOKEN, answering, body_of, refusal

from shared.core.schedule import EarlierPost
from shared.errors import Forbidden
from shared.hasura import documents
from shared.hasura.draft_store import HasuraDraftStore


@pytest.fixture
def drafts() -> HasuraDraftStore:
    return HasuraDraftStore(settings())


class TestInsertPost:
    def test_gives_the_stored_row(self, drafts: HasuraDraftStore, network: responses.RequestsMock) -> None:
        answering(network, "insert_post")

        assert drafts.insert_post(DRAFT, TOKEN, None) == STORED

    def test_leaves_out_what_the_author_left_out(
        self, drafts: HasuraDraftStore, network: responses.RequestsMock
    ) -> None:
        answering(network, "insert_post")

        drafts.insert_post(DRAFT, TOKEN, None)

        assert body_of(network.calls[0])["variables"]["post"].keys() == {"text", "schedule_for", "when_late"}

    @pytest.mark.parametrize("own", [7, "7"], ids=["a number", "a number as text"])
    def test_of_one_s_own_user_id_is_stored_without_it(
        self, drafts: HasuraDraftStore, network: responses.RequestsMock, own: int | str
    ) -> None:
        network.post(GRAPHQL, json={"data": {"user": [{"id": own}]}})
        answering(network, "insert_post")

        assert drafts.insert_post(replace(DRAFT, user_id=7), TOKEN, "a-key") == STORED

        asked, inserted = (body_of(call) for call in network.calls)
        assert (asked["query"], asked["variables"]) == (documents.AUTHOR, {})
        assert inserted["variables"]["post"].keys() == {
            "text", "schedule_for", "when_late", "request_key", "request_draft",
        }  # fmt: skip
        assert inserted["variables"]["post"]["request_draft"]["user_id"] == 7

    def test_of_the_user_id_of_anybody_else_is_refused_and_not_inserted(
        self, drafts: HasuraDraftStore, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"user": [{"id": 7}]}})

        with pytest.raises(Forbidden) as refused:
            drafts.insert_post(replace(DRAFT, user_id=8), TOKEN, None)

        assert refused.value.detail == "user_id must be your own."
        assert len(network.calls) == 1

    def test_with_a_user_id_by_somebody_who_never_signed_up_says_to_sign_up(
        self, drafts: HasuraDraftStore, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"user": []}})
        network.post(GRAPHQL, json=refusal("constraint-violation", 'Not-NULL violation. null value in "user_id"'))

        with pytest.raises(Forbidden, match="Sign up first"):
            drafts.insert_post(replace(DRAFT, user_id=8), TOKEN, None)

    def test_of_a_key_that_is_used_already_gives_none(
        self, drafts: HasuraDraftStore, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": None}})

        assert drafts.insert_post(DRAFT, TOKEN, "a-key") is None


class TestPostOfKey:
    def test_gives_the_post_with_the_draft_and_the_event_of_its_first_request(
        self, drafts: HasuraDraftStore, network: responses.RequestsMock
    ) -> None:
        row = {**STORED, "request_draft": {"text": "Hello"}, "event_id": "an-event"}
        network.post(GRAPHQL, json={"data": {"scheduled_post": [row]}})

        assert drafts.post_of_key("a-key", TOKEN) == EarlierPost(STORED, {"text": "Hello"}, "an-event")

    def test_gives_none_where_there_is_none(self, drafts: HasuraDraftStore, network: responses.RequestsMock) -> None:
        answering(network, "post_of_key")

        assert drafts.post_of_key("a-key", TOKEN) is None
