"""What is logged: one JSON object a line, which Application Insights reads with ``parse_json(message)``.

Azure hands on the text of a log record alone, without the fields of `extra`. Log from the function's own thread: Azure
drops what other threads log. docs/log-events.md explains each event.
"""

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from types import MappingProxyType
from typing import Any

_TRACEBACK_CHARACTERS = 12_000
"""Application Insights cuts a message at 32,768 characters; half a JSON object could not be read."""


class LogEvent(StrEnum):
    """What can be logged."""

    POST_CREATED = "post_created"
    POST_CREATED_AGAIN = "post_created_again"
    EVENT_CREATED = "event_created"
    EVENT_NOT_CREATED = "event_not_created"
    EVENT_NOT_RECORDED = "event_not_recorded"
    EVENT_NOT_DELETED = "event_not_deleted"
    CLAIM_FAILED = "claim_failed"
    FOLLOW_UP_NOT_CREATED = "follow_up_not_created"
    WAITING_ENDED = "waiting_ended"
    POST_STATE_CHANGED = "post_state_changed"
    OUTCOME_NOT_RECORDED = "outcome_not_recorded"
    OUTCOME_TOO_LATE = "outcome_too_late"
    OPERATOR_MUST_ACT = "operator_must_act"
    NOTIFICATION_SENT = "notification_sent"
    NOTIFICATION_NOT_SENT = "notification_not_sent"
    NOTIFICATION_GIVEN_UP = "notification_given_up"
    NOTIFICATION_NOT_WANTED = "notification_not_wanted"
    KEYS_NOT_FETCHED = "keys_not_fetched"
    REQUEST_REFUSED = "request_refused"
    UNAVAILABLE = "unavailable"
    CONFIGURATION_ERROR = "configuration_error"
    UNEXPECTED_ERROR = "unexpected_error"


_logger = logging.getLogger("scheduled_posts")

_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=MappingProxyType({}))


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Adds `fields` to each line that the current thread logs until the block ends."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def info(event: LogEvent, message: str, **fields: Any) -> None:
    """Something happened as it should. A field that is None is left out."""
    _log(logging.INFO, event, message, fields)


def warning(event: LogEvent, message: str, **fields: Any) -> None:
    """Something failed that mends itself."""
    _log(logging.WARNING, event, message, fields)


def error(event: LogEvent, message: str, **fields: Any) -> None:
    """Something failed that somebody should look at."""
    _log(logging.ERROR, event, message, fields)


def exception(event: LogEvent, message: str, **fields: Any) -> None:
    """An error, with the traceback of the exception that is being handled."""
    _log(logging.ERROR, event, message, {**fields, "traceback": traceback.format_exc()[-_TRACEBACK_CHARACTERS:]})


def _log(level: int, event: LogEvent, message: str, fields: Mapping[str, Any]) -> None:
    given = {name: value for name, value in fields.items() if value is not None}
    line = {"message": message, "event": event, **_bound.get(), **given}
    _logger.log(level, "%s", json.dumps(line, default=str))
