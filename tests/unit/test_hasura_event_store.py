"""What Hasura is told of an event, and how it is written down on its post."""

import json
from typing import Any

import pytest
import responses
from answering_hasura import EVENT, GRAPHQL, METADATA
from calling import SETTINGS, settings
from hasura_calls import NOON, body_of

from shared.hasura.event_store import HasuraEventStore


@pytest.fixture
def events() -> HasuraEventStore:
    return HasuraEventStore(settings())


class TestCreateEvent:
    def created(self, network: responses.RequestsMock, payload: dict[str, Any], **changed: str) -> Any:
        """What Hasura is asked to create."""
        network.post(METADATA, json=EVENT)
        HasuraEventStore(settings(**changed)).create_event(NOON, payload)
        return body_of(network.calls[-1])["args"]

    @pytest.mark.parametrize("answer", [EVENT, {"message": "success"}], ids=["since v2.1", "v1.3 and v2.0"])
    def test_gives_what_hasura_says(
        self, events: HasuraEventStore, network: responses.RequestsMock, answer: Any
    ) -> None:
        network.post(METADATA, json=answer)

        assert events.create_event(NOON, {"id": 7}) == answer

    def test_names_the_secret_of_the_webhook_and_does_not_hold_it(self, network: responses.RequestsMock) -> None:
        event = self.created(network, {"id": 7})

        assert event["headers"] == [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}]
        assert SETTINGS["WEBHOOK_SECRET"] not in json.dumps(event)

    @pytest.mark.parametrize("address", ["http://functions.test", "{{ACTIONS_BASE_URL}}"])
    def test_leaves_a_template_in_the_address_for_hasura_to_fill_in(
        self, network: responses.RequestsMock, address: str
    ) -> None:
        event = self.created(network, {"id": 7}, ACTIONS_BASE_URL=address)

        assert event["webhook"] == f"{address}/api/postTweet"

    def test_keeps_the_event_deliverable_longer_than_its_post_is_publishable(
        self, network: responses.RequestsMock
    ) -> None:
        event = self.created(network, {"id": 7}, MAX_LATENESS_SECONDS="600")

        assert event["retry_conf"]["tolerance_seconds"] > 600

    def test_says_in_the_console_of_hasura_what_the_event_is_for(self, network: responses.RequestsMock) -> None:
        assert self.created(network, {"id": 7})["comment"] == "publishes post 7"


@pytest.mark.parametrize(("affected_rows", "is_kept"), [(1, True), (0, False)])
def test_an_event_is_kept_unless_another_delivery_has_kept_one_meanwhile(
    events: HasuraEventStore, network: responses.RequestsMock, affected_rows: int, is_kept: bool
) -> None:
    network.post(GRAPHQL, json={"data": {"update_scheduled_post": {"affected_rows": affected_rows}}})

    assert events.record_event(7, "new", NOON, instead_of="old") is is_kept
