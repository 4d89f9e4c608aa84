"""Which of Hasura's events are a user's, and that none is left of those that are being delivered."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from admin import events_of_user
from admin.connection import CommandRefused
from admin.events_of_user import MOST_PAUSES, PAGE, delete_one_off_events, delete_table_events
from admin.hasura_api import HasuraApi


class Events:
    """As much of Hasura's metadata API as is used."""

    def __init__(self, payloads: list[Any]) -> None:
        self.events = [{"id": str(number), "payload": payload} for number, payload in enumerate(payloads)]

    def metadata(self, operation: str, args: Mapping[str, Any]) -> Any:
        if operation == "get_scheduled_events":
            return {"events": self.events[args["offset"] :][: args["limit"]]}
        self.events = [event for event in self.events if event["id"] != args["event_id"]]
        return {"message": "success"}

    def payloads(self) -> list[Any]:
        return [event["payload"] for event in self.events]


def deleted(events: Events) -> int:
    return delete_one_off_events(cast(HasuraApi, events), user_id=7, post_ids={70, 71})


def test_events_of_the_user_and_of_the_users_posts_are_deleted_and_no_others() -> None:
    others = [{"id": 80, "user_id": 8}, {"follow_up": True}, None, [7], "7", {"id": 7}, {"user_id": None}]
    events = Events(
        [*others, {"id": 70, "user_id": 7}, {"id": 71, "schedule_for": "2026-05-04"}, {"id": 99, "user_id": 7}]
    )

    assert deleted(events) == 3
    assert events.payloads() == others


def test_all_pages_are_read() -> None:
    events = Events([{"id": number, "user_id": number % 2 + 7} for number in range(100, 100 + 2 * PAGE)])

    assert deleted(events) == PAGE
    assert {payload["user_id"] for payload in events.payloads()} == {8}


def test_events_that_cannot_be_deleted_end_the_command_with_words() -> None:
    class Undeletable(Events):
        def metadata(self, operation: str, args: Mapping[str, Any]) -> Any:
            return super().metadata(operation, args) if operation == "get_scheduled_events" else None

    with pytest.raises(CommandRefused, match="run the command again"):
        deleted(Undeletable([{"id": 70, "user_id": 7}]))


class TableEvents:
    """An event whose delivery ends in this pass of the command, just before it deletes events: then its invocation is
    written."""

    def __init__(self, last_pass: int) -> None:
        self.passes_left = last_pass
        self.events, self.invocations = 1, 0

    def change(self, statement: str) -> dict[str, int]:
        if "delete from hdb_catalog.event_invocation_logs" in statement:
            number, self.invocations = self.invocations, 0
            return {"deleted": number}
        if "delete from hdb_catalog.event_log" not in statement:
            return {"locked": self.events if self.passes_left else 0}
        assert "locked is null" in statement
        self.passes_left -= 1
        if self.passes_left:
            return {"deleted": 0}
        number, self.events, self.invocations = self.events, 0, 1
        return {"deleted": number}


def test_the_end_of_a_delivery_is_waited_for_and_its_invocation_goes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_of_user, "PAUSE_SECONDS", 0)
    hasura = TableEvents(last_pass=3)

    assert delete_table_events(cast(HasuraApi, hasura), 7, "alice") == (1, 1)
    assert (hasura.events, hasura.invocations) == (0, 0)


def test_a_delivery_without_an_end_ends_the_command_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_of_user, "PAUSE_SECONDS", 0)

    with pytest.raises(CommandRefused, match="Run the command again"):
        delete_table_events(cast(HasuraApi, TableEvents(last_pass=MOST_PAUSES + 1)), 7, "alice")
