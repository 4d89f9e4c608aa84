"""What an invocation of the webhook is about, in every form that Hasura sends."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.model import Delivery
from shared.errors import MalformedRequest
from shared.hasura.events import delivery_of

EVENT_ID = "b918cd10-8853-4e66-91b8-81b5cd16e44b"


def scheduled_event(payload: Any) -> dict[str, Any]:
    return {
        "id": EVENT_ID,
        "scheduled_time": "2026-05-04T12:00:00Z",
        "payload": payload,
        "created_at": "2026-05-04T09:12:33.123456Z",
        "comment": "publishes post 7",
    }


def cron_event(payload: Any) -> dict[str, Any]:
    return {
        "id": EVENT_ID,
        "name": "publish_due_posts",
        "scheduled_time": "2026-05-04T12:00:00Z",
        "payload": payload,
    }


def table_event(new: Any, old: Any = None) -> dict[str, Any]:
    return {
        "id": "8e2f6c1a-0c55-4a3e-9f0b-6f5f3d1c7a10",
        "created_at": "2026-05-04T10:11:12.123456",
        "trigger": {"name": "post_moved"},
        "table": {"schema": "public", "name": "scheduled_post"},
        "event": {"op": "UPDATE", "data": {"old": old, "new": new}, "session_variables": None},
        "delivery_info": {"current_retry": 0, "max_retries": 5},
    }


def requested(is_follow_up: bool) -> dict[str, Any]:
    new = {"is_follow_up": is_follow_up, "requested_at": "2026-05-04T10:11:12.123456+00:00"}
    table = {"schema": "public", "name": "delivery_request"}
    return table_event(new) | {"trigger": {"name": "delivery_requested"}, "table": table}


def bare_post(post_id: Any) -> dict[str, Any]:
    return {"id": post_id, "schedule_for": "2026-05-04T12:00:00+00:00", "text": "Hello"}


@pytest.mark.parametrize(
    ("body", "delivery"),
    [
        pytest.param(scheduled_event(bare_post(7)), Delivery(7, EVENT_ID), id="scheduled event"),
        pytest.param(scheduled_event({"id": 7}), Delivery(7, EVENT_ID), id="scheduled event with the least payload"),
        pytest.param(
            table_event({"id": 7}, {"id": 7}), Delivery(7), id="table event: its id is not an event's to delete"
        ),
        pytest.param(bare_post(7), Delivery(7), id="bare post of a Hasura before v1.3"),
        pytest.param(scheduled_event(bare_post("7")), Delivery(7, EVENT_ID), id="bigint as a string"),
        pytest.param(table_event({"id": "7"}), Delivery(7), id="bigint as a string in a table event"),
        pytest.param(bare_post(2**63 - 1), Delivery(2**63 - 1), id="largest id"),
        pytest.param(bare_post(str(2**63 - 1)), Delivery(2**63 - 1), id="largest id as a string"),
        pytest.param(cron_event({}), Delivery(None, EVENT_ID), id="sweep"),
        pytest.param(cron_event(None), Delivery(None, EVENT_ID), id="sweep without a payload"),
        pytest.param(scheduled_event(None), Delivery(None, EVENT_ID), id="scheduled event without a payload"),
        pytest.param(requested(is_follow_up=True), Delivery(None, is_follow_up=True), id="follow-up"),
        pytest.param(requested(is_follow_up=False), Delivery(None), id="new posts that are due soon"),
        pytest.param(scheduled_event({"id": 7}) | {"id": 5}, Delivery(7), id="an event id that is none"),
    ],
)
def test_each_form_of_an_event_is_understood(body: Any, delivery: Delivery) -> None:
    assert delivery_of(body) == delivery


class TestMalformedIs:
    @pytest.mark.parametrize(
        "post_id",
        [
            pytest.param(None, id="null"),
            pytest.param(True, id="bool"),
            pytest.param(7.0, id="float"),
            pytest.param(0, id="zero"),
            pytest.param(-7, id="negative"),
            pytest.param(2**63, id="beyond-bigint"),
            pytest.param("", id="empty"),
            pytest.param("-7", id="negative-string"),
            pytest.param("7.0", id="float-string"),
            pytest.param("²", id="superscript"),
            pytest.param("b918cd10-8853-4e66-91b8-81b5cd16e44b", id="uuid"),
            pytest.param(str(2**63), id="beyond-bigint-string"),
            pytest.param("9" * 5000, id="endless-string"),
            pytest.param([7], id="list"),
            pytest.param({"id": 7}, id="object"),
        ],
    )
    @pytest.mark.parametrize(
        "wrapped",
        [
            pytest.param(lambda post_id: scheduled_event({"id": post_id}), id="scheduled-event"),
            pytest.param(lambda post_id: table_event({"id": post_id}), id="table-event"),
            pytest.param(bare_post, id="bare-post"),
        ],
    )
    def test_an_event_whose_post_has_no_row_id(self, wrapped: Callable[[Any], Any], post_id: Any) -> None:
        with pytest.raises(MalformedRequest, match="no id"):
            delivery_of(wrapped(post_id))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({}, id="empty-object"),
            pytest.param({"id": 7}, id="id-alone"),
            pytest.param({"payload": {"id": 7}}, id="payload-alone"),
            pytest.param({"event": {"data": {"new": {"id": 7}}}}, id="event-alone"),
            pytest.param(scheduled_event([{"id": 7}]), id="payload-is-a-list"),
            pytest.param(scheduled_event("7"), id="payload-is-a-string"),
            pytest.param(scheduled_event(""), id="payload-is-an-empty-string"),
            pytest.param(scheduled_event([]), id="payload-is-an-empty-list"),
            pytest.param(scheduled_event(False), id="payload-is-false"),
            pytest.param(scheduled_event({"id": "\u0667"}), id="id-in-other-digits"),
            pytest.param(scheduled_event({"post": {"id": 7}}), id="payload-is-no-post"),
            pytest.param(table_event(None, {"id": 7}), id="deleted-row"),
            pytest.param({**table_event(None), "event": None}, id="null-event"),
            pytest.param({**table_event(None), "event": {"data": [7]}}, id="event-data-is-a-list"),
            pytest.param({**table_event(None), "event": {}}, id="event-without-data"),
        ],
    )
    def test_whatever_is_no_event_of_a_post(self, body: Any) -> None:
        with pytest.raises(MalformedRequest):
            delivery_of(body)


KEYS = ["id", "scheduled_time", "payload", "trigger", "table", "event", "data", "new", "old", "schedule_for"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.integers().map(str),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
        | inner.map(scheduled_event)
        | inner.map(table_event)
        | inner.map(bare_post)
    ),
    max_leaves=8,
)


@given(
    body=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6) | JSON.map(scheduled_event) | JSON.map(table_event)
)
def test_any_json_object_is_a_delivery_or_malformed(body: dict[str, Any]) -> None:
    try:
        delivery = delivery_of(body)
    except MalformedRequest:
        return
    assert delivery.post_id is None or (type(delivery.post_id) is int and 0 < delivery.post_id < 2**63)
    assert delivery.event_id is None or type(delivery.event_id) is str
