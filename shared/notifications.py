"""Tells the operator's mail or chat gateway that a post needs its author: signed JSON, as Standard Webhooks has it.

Hasura's event trigger ``post_ended`` (hasura/optional/) delivers each change of state to postTweet. The event says only
that something changed; what is sent is the row, read again.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol

from shared import log
from shared.config import Settings
from shared.core.clock import Clock
from shared.core.model import PostOfAuthor, State, StateChange
from shared.errors import ConfigurationError
from shared.http import client as http_client
from shared.limits import NOTIFY_ANSWER_BYTES, NOTIFY_TIMEOUT, NOTIFY_WAITS
from shared.log import LogEvent


class AuthorStore(Protocol):
    """Where the posts and their authors are. May raise a Problem."""

    def post_of_author(self, post_id: int) -> PostOfAuthor | None:
        """The post as it is now; None when there is none."""


@dataclass(frozen=True)
class NotificationResult:
    """What became of a change of state. `message_type`: what was sent, or is to be sent; None: nothing is.

    `is_settled`: Hasura need not deliver the event again. `retry_after`: when it should, if it does.
    """

    post_id: int
    message_type: str | None
    detail: str
    is_settled: bool = True
    retry_after: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """What Hasura's log of invocations shows."""
        return {"post_id": self.post_id, "notification": self.message_type, "detail": self.detail}


def notify(change: StateChange, store: AuthorStore, settings: Settings, clock: Clock) -> NotificationResult:
    """Sends the message for a post that is failed, missed, or unknown for its author to decide.

    The message of one event always has the same id, so that the receiver can tell a repeated one. Raises
    HasuraUnavailable when the post could not be read, ConfigurationError without NOTIFY_URL.
    """
    if settings.notify_url is None or settings.notify_secret is None:
        raise ConfigurationError("Hasura has the event trigger post_ended, but NOTIFY_URL is not set.")
    if change.is_open or change.state in (State.TWEETED, State.DRAFT):
        return NotificationResult(change.post_id, None, "Its author need not act.")
    post = store.post_of_author(change.post_id)
    if post is None:
        return NotificationResult(change.post_id, None, "There is no such post any more.")
    if post.state != change.state or post.is_open:
        return NotificationResult(change.post_id, None, f"It is {post.state} by now.")
    message = _message(post)
    try:
        answer = http_client.post(
            settings.notify_url,
            message,
            timeout=NOTIFY_TIMEOUT,
            headers={"Accept-Encoding": "identity"},
            most_bytes=NOTIFY_ANSWER_BYTES,
            auth=_signed_with(settings.notify_secret, change.event_id, int(clock.now().timestamp())),
        )
    except http_client.TransportError as error:
        return _not_sent(change, message["type"], str(error))
    if 200 <= answer.status < 300:
        log.info(
            LogEvent.NOTIFICATION_SENT,
            f"post {post.id}: {message['type']} is sent",
            post_id=post.id,
            state=post.state,
        )
        return NotificationResult(change.post_id, message["type"], "It is sent.")
    if answer.status == HTTPStatus.GONE:
        log.warning(
            LogEvent.NOTIFICATION_NOT_WANTED,
            f"post {post.id}: the receiver of notifications answers 410, it wants no {message['type']}",
            post_id=post.id,
            state=post.state,
        )
        return NotificationResult(change.post_id, message["type"], "The receiver does not want it (410).")
    return _not_sent(change, message["type"], f"the receiver answers {answer.status}")


def _message(post: PostOfAuthor) -> dict[str, Any]:
    return {
        "type": f"post.{post.state}",
        "timestamp": post.updated_at.isoformat(),
        "data": {
            "post_id": post.id,
            "user_id": post.user_id,
            "username": post.username,
            "account_name": post.account_name,
            "state": post.state,
            "reason": post.reason,
            "schedule_for": post.schedule_for.isoformat(),
        },
    }


def _signed_with(secret: str, message_id: str, timestamp: int) -> http_client.Sign:
    """Signs the body as it leaves (Standard Webhooks, signature v1)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))

    def sign(request: Any) -> Any:
        signed = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + request.body, "sha256")
        request.headers["webhook-id"] = message_id
        request.headers["webhook-timestamp"] = str(timestamp)
        request.headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
        return request

    return sign


def _not_sent(change: StateChange, message_type: str, why: str) -> NotificationResult:
    if change.is_last:
        log.error(
            LogEvent.NOTIFICATION_GIVEN_UP,
            f"post {change.post_id}: {message_type} is given up after {change.retry + 1} deliveries: {why}",
            post_id=change.post_id,
            state=change.state,
        )
        return NotificationResult(change.post_id, message_type, f"It is given up: {why}.", is_settled=False)
    log.warning(
        LogEvent.NOTIFICATION_NOT_SENT,
        f"post {change.post_id}: {message_type} is not sent, Hasura delivers it again: {why}",
        post_id=change.post_id,
        state=change.state,
    )
    wait = NOTIFY_WAITS[min(change.retry, len(NOTIFY_WAITS) - 1)]
    return NotificationResult(
        change.post_id, message_type, f"It is not sent: {why}.", is_settled=False, retry_after=wait
    )
