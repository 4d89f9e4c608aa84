"""Hasura, played by `responses`: answers each operation by its name, and keeps what it was asked."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import responses

GRAPHQL = "http://hasura.test/v1/graphql"
METADATA = "http://hasura.test/v1/metadata"
EVENT = {"message": "success", "event_id": "b918cd10-8853-4e66-91b8-81b5cd16e44b"}


@dataclass(frozen=True)
class Asked:
    """One request: a GraphQL operation with its variables, or a metadata operation with its arguments."""

    operation: str
    arguments: dict[str, Any]
    headers: dict[str, str]


class AnsweringHasura:
    """Answers `answers[operation]`, or what that returns: a GraphQL operation's data, or a body with ``errors``."""

    def __init__(self, network: responses.RequestsMock) -> None:
        self.asked: list[Asked] = []
        self._events = 0
        self.answers: dict[str, Any] = {
            "recordEvent": {"update_scheduled_post": {"affected_rows": 1}},
            "claimDuePosts": {"claim_due_posts": []},
            "findPost": {
                "scheduled_post_by_pk": None,
                "app": [{"paused_until": None}],
                "database_clock": [{"now": datetime.now(UTC).isoformat()}],
            },
            "recordOutcome": {"record_outcome": [{"recorded": True, "state": "tweeted"}]},
            "waitForDuePosts": {
                "wait_for_due_posts": [{"is_needed": False, "is_callers": False, "due_in_seconds": None}]
            },
            "requestFollowUp": {"request_follow_up": [{"id": 1}]},
            "releaseFollowUp": {"update_app": {"affected_rows": 1}},
        }
        network.add_callback(responses.POST, GRAPHQL, self._graphql)
        network.add_callback(responses.POST, METADATA, self._metadata)

    def operations(self) -> list[str]:
        return [asked.operation for asked in self.asked]

    def events_to_record(self) -> int:
        """How many events were set and answered with their ids, and are not kept on their posts yet."""
        return self._events - self.operations().count("recordEvent")

    def arguments(self, operation: str) -> dict[str, Any]:
        """Those of the only request for this operation."""
        [arguments] = [asked.arguments for asked in self.asked if asked.operation == operation]
        return arguments

    def _graphql(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or b"")
        operation = body["query"].split()[1].partition("(")[0]
        self.asked.append(Asked(operation, body["variables"], dict(request.headers)))
        answer = self.answers[operation]() if callable(self.answers[operation]) else self.answers[operation]
        return 200, {}, json.dumps(answer if "errors" in answer else {"data": answer})

    def _metadata(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or b"")
        self.asked.append(Asked(body["type"], body["args"], dict(request.headers)))
        answer = self.answers.get(body["type"], EVENT)
        self._events += body["type"] == "create_scheduled_event" and "event_id" in answer
        return 200, {}, json.dumps(answer)
