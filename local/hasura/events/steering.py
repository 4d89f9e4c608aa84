"""Telling the deliveries to misbehave the way life does. Not a part of Hasura: the routes are under ``/_local``."""

import logging
from collections import Counter
from typing import Literal, get_args

log = logging.getLogger(__name__)

EventKind = Literal["one_off", "cron", "table"]
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)


class Steering:
    """How many of the next events of each kind are to be delivered twice, and how many not at all."""

    def __init__(self) -> None:
        self._drop: Counter[str] = Counter()
        self._duplicate: Counter[str] = Counter()

    def drop_next(self, kind: str, times: int) -> None:
        """The next events are locked and never delivered, as if the server had crashed holding them."""
        self._drop[kind] += times

    def duplicate_next(self, kind: str, times: int) -> None:
        """The next events are delivered twice at the same time."""
        self._duplicate[kind] += times

    def deliveries_of_next(self, kind: EventKind) -> int:
        """How often to deliver the event at hand: 1, unless told otherwise. Each order counts down."""
        if self._drop[kind]:
            self._drop[kind] -= 1
            log.info("dropped an event, as told: it stays locked")
            return 0
        if self._duplicate[kind]:
            self._duplicate[kind] -= 1
            return 2
        return 1
