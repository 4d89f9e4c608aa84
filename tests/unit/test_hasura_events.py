"""Which post an invocation of the webhook is about, in every form that Hasura sends."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedRequest
from shared.hasura.events import ringing_post_id


def scheduled_event(payload: Any) -> dict[str, Any]:
    return {
        "id": "b918cd10-8853-4e66-91b8-81b5cd16e44b",
        "scheduled_time": "2026-05-04T12:00:00Z",
        "payload": payload,
        "created_at": "2026-05-04T09:12:33.123456Z",
        "comment": "publishes post 7",
    }


def cron_event(payload: Any) -> dict[str, Any]:
    return {
        "id": "5f0c7c2e-8853-4e66-91b8-81b5cd16e44b",
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


def bare_post(post_id: Any) -> dict[str, Any]:
    return {"id": post_id, "schedule_for": "2026-05-04T12:00:00+00:00", "text": "Hello"}


class TestTheRingingPost:
    @pytest.mark.parametrize(
        ("body", "post_id"),
        [
            pytest.param(scheduled_event(bare_post(7)), 7, id="scheduled-event"),
            pytest.param(scheduled_event({"id": 7}), 7, id="least-payload"),
            pytest.param(table_event({"id": 7, "state": "scheduled"}, {"id": 7}), 7, id="table-event"),
            pytest.param(bare_post(7), 7, id="bare-post"),
            pytest.param(scheduled_event(bare_post("7")), 7, id="stringified-id"),
            pytest.param(table_event({"id": "7"}), 7, id="stringified-id-in-a-table-event"),
            pytest.param(bare_post(2**63 - 1), 2**63 - 1, id="largest-id"),
            pytest.param(bare_post(str(2**63 - 1)), 2**63 - 1, id="largest-id-stringified"),
        ],
    )
    def test_is_the_one_in_the_event(self, body: Any, post_id: int) -> None:
        assert ringing_post_id(body) == post_id

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(cron_event({}), id="cron"),
            pytest.param(cron_event(None), id="cron-without-payload"),
            pytest.param(scheduled_event(None), id="scheduled-event-without-payload"),
        ],
    )
    def test_is_none_for_the_sweep(self, body: Any) -> None:
        assert ringing_post_id(body) is None

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
    def test_whose_id_is_none_is_malformed(self, wrapped: Callable[[Any], Any], post_id: Any) -> None:
        with pytest.raises(MalformedRequest, match="no id"):
            ringing_post_id(wrapped(post_id))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({}, id="empty-object"),
            pytest.param([], id="list"),
            pytest.param(None, id="null"),
            pytest.param("7", id="string"),
            pytest.param(7, id="number"),
            pytest.param({"id": 7}, id="id-alone"),
            pytest.param({"payload": {"id": 7}}, id="payload-alone"),
            pytest.param({"event": {"data": {"new": {"id": 7}}}}, id="event-alone"),
            pytest.param(scheduled_event([{"id": 7}]), id="payload-is-a-list"),
            pytest.param(scheduled_event("7"), id="payload-is-a-string"),
            pytest.param(scheduled_event({"post": {"id": 7}}), id="payload-is-no-post"),
            pytest.param(table_event(None, {"id": 7}), id="deleted-row"),
            pytest.param({**table_event(None), "event": None}, id="null-event"),
            pytest.param({**table_event(None), "event": {"data": [7]}}, id="event-data-is-a-list"),
            pytest.param({**table_event(None), "event": {}}, id="event-without-data"),
        ],
    )
    def test_of_anything_else_is_malformed(self, body: Any) -> None:
        with pytest.raises(MalformedRequest):
            ringing_post_id(body)


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


@given(body=JSON)
def test_any_json_names_a_post_or_the_sweep_or_is_malformed(body: Any) -> None:
    try:
        post_id = ringing_post_id(body)
    except MalformedRequest:
        return
    assert post_id is None or (type(post_id) is int and 0 < post_id < 2**63)
