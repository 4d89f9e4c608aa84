"""Fault injection into deliveries. Not a part of Hasura: its control routes are under ``/_local``."""

import logging
from collections import Counter
from typing import Literal, get_args

log = logging.getLogger(__name__)

EventKind = Literal["one_off", "cron", "table"]
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)


class DeliveryFaults:
    """How many of the next events of each kind are to be delivered twice, and how many not at all."""

    def __init__(self) -> None:
        self._drop: Counter[str] = Counter()
        self._duplicate: Counter[str] = Counter()

    def drop_next(self, kind: str, times: int) -> None:
        """The next events are locked and not delivered, as if the server had crashed after it locked them."""
        self._drop[kind] += times

    def duplicate_next(self, kind: str, times: int) -> None:
        """The next events are delivered twice at the same time."""
        self._duplicate[kind] += times

    def deliveries_of_next(self, kind: EventKind) -> int:
        """How many times to deliver the next event: 1 without a fault. Each fault is used once."""
        if self._drop[kind]:
            self._drop[kind] -= 1
            log.info("injected fault: an event is not delivered and stays locked")
            return 0
        if self._duplicate[kind]:
            self._duplicate[kind] -= 1
            return 2
        return 1
