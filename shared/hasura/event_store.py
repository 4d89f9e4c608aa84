"""The scheduled events in Hasura, and which of them a post has."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.config import WEBHOOK_SECRET_NAME, Settings
from shared.core.event_store import Row
from shared.hasura import documents
from shared.hasura.client import HasuraClient
from shared.limits import DELIVERY_RETRIES, DELIVERY_RETRY_INTERVAL, DELIVERY_TIMEOUT, EVENT_GRACE

WEBHOOK_SECRET_HEADER = "x-webhook-secret"
WEBHOOK_PATH = "/api/postTweet"


class HasuraEventStore:
    """An EventStore. Every method may raise HasuraUnavailable and ConfigurationError, also those of its subclasses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = HasuraClient(settings)
        self.early = timedelta(seconds=settings.early_seconds)

    def create_event(self, at: datetime, payload: Mapping[str, Any]) -> Row:
        """Hasura's answer to create_scheduled_event: ``message``, and ``event_id`` since v2.1.

        The event stays deliverable longer than its post stays publishable, so that its last delivery can mark the post
        as missed.
        """
        tolerance = timedelta(seconds=self._settings.max_lateness_seconds) + EVENT_GRACE
        event = {
            "webhook": self._settings.actions_base_url + WEBHOOK_PATH,
            "schedule_at": at.isoformat(),
            "payload": payload,
            "headers": [{"name": WEBHOOK_SECRET_HEADER, "value_from_env": WEBHOOK_SECRET_NAME}],
            "retry_conf": {
                "num_retries": DELIVERY_RETRIES,
                "retry_interval_seconds": int(DELIVERY_RETRY_INTERVAL.total_seconds()),
                "timeout_seconds": int(DELIVERY_TIMEOUT.total_seconds()),
                "tolerance_seconds": int(tolerance.total_seconds()),
            },
            "comment": f"publishes post {payload['id']}",
        }
        return self._client.metadata("create_scheduled_event", event)

    def delete_event(self, event_id: str) -> None:
        """Takes a one-off scheduled event back; Hasura does not mind one that is gone already."""
        self._client.metadata("delete_scheduled_event", {"type": "one_off", "event_id": event_id})

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        """Writes the event down on its post; False when the post has another event than `instead_of` by now."""
        earlier = {"_is_null": True} if instead_of is None else {"_eq": instead_of}
        variables = {
            "post": {"id": {"_eq": post_id}, "event_id": earlier},
            "event": {"event_id": event_id, "event_at": at.isoformat()},
        }
        recorded = self._client.as_admin(documents.RECORD_EVENT, variables)["update_scheduled_post"]
        return bool(recorded["affected_rows"])

    def forget_event(self, post_id: int, event_id: str) -> None:
        """Takes the event off its post, unless the post has another one by now."""
        variables = {
            "post": {"id": {"_eq": post_id}, "event_id": {"_eq": event_id}},
            "event": {"event_id": None, "event_at": None},
        }
        self._client.as_admin(documents.RECORD_EVENT, variables)
