"""What an author may ask for: the rules of a draft, every breach told at once."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from shared.core.rfc3339 import MissingOffset, read_instant
from shared.errors import Fault, InvalidDraft
from shared.limits import DRAFT_GRACE, DRAFT_HORIZON
from shared.x.text_length import one_line_end, text_fault

WHEN_LATE = ("skip", "publish")
"""What an author may want of a post that is too late: no longer published, or published anyway."""


@dataclass(frozen=True)
class Draft:
    """What an author wants published. No account means the author's only one; no user means the one who is calling."""

    text: str
    schedule_for: datetime
    account_id: int | None = None
    user_id: int | None = None
    when_late: str = WHEN_LATE[0]

    def as_json(self) -> dict[str, Any]:
        """Its fields as GraphQL takes them."""
        return {**vars(self), "schedule_for": self.schedule_for.isoformat()}


def read_draft(fields: Mapping[str, Any], now: datetime) -> Draft:
    """The draft in a JSON object. Raises InvalidDraft with every fault of it."""
    return _read(fields, partial(_time_fault, now=now))


def read_repeated_draft(fields: Mapping[str, Any]) -> Draft:
    """The draft in a JSON object, whose time may have passed. Raises InvalidDraft with every other fault of it."""
    return _read(fields, lambda _: None)


_TimeFault = Callable[[datetime], str | None]


def _read(fields: Mapping[str, Any], time_fault: _TimeFault) -> Draft:
    faults = [
        Fault(name[:40], f"There is no such field; a draft has {', '.join(Draft.__dataclass_fields__)}.")
        for name in itertools.islice((name for name in fields if name not in Draft.__dataclass_fields__), 10)
    ]
    draft = Draft(
        text=_text(fields.get("text"), faults),
        schedule_for=_schedule_for(fields.get("schedule_for"), time_fault, faults),
        account_id=_row_id("account_id", fields.get("account_id"), faults),
        user_id=_row_id("user_id", fields.get("user_id"), faults),
        when_late=_when_late(fields.get("when_late", WHEN_LATE[0]), faults),
    )
    if faults:
        raise InvalidDraft(faults)
    return draft


def _text(value: Any, faults: list[Fault]) -> str:
    if not isinstance(value, str):
        faults.append(Fault("text", "text is missing." if value is None else "text must be a string."))
        return ""
    text = one_line_end(value)
    if fault := text_fault(text):
        faults.append(Fault("text", fault))
    return text


def _schedule_for(value: Any, time_fault: _TimeFault, faults: list[Fault]) -> datetime:
    try:
        time = _instant(value)
        fault = time_fault(time)
    except ValueError as error:
        time, fault = datetime.min, str(error)
    if fault:
        faults.append(Fault("schedule_for", fault))
    return time


def _time_fault(schedule_for: datetime, now: datetime) -> str | None:
    if schedule_for < now - DRAFT_GRACE:
        return "schedule_for is in the past."
    if schedule_for > now + DRAFT_HORIZON:
        return "schedule_for is more than a year ahead."
    return None


def _instant(value: Any) -> datetime:
    if value is None:
        raise ValueError("schedule_for is missing.")
    try:
        return read_instant(value)
    except MissingOffset:
        raise ValueError(
            "schedule_for has no offset, so it names no instant: write it like 2026-05-04T09:30:00+02:00."
        ) from None
    except (TypeError, ValueError):
        raise ValueError("schedule_for is no time: write it like 2026-05-04T09:30:00Z.") from None


def _row_id(name: str, value: Any, faults: list[Fault]) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63):
        return value
    faults.append(Fault(name, f"{name} must be the number of a row."))
    return None


def _when_late(value: Any, faults: list[Fault]) -> str:
    if value in WHEN_LATE:
        return str(value)
    faults.append(Fault("when_late", f"when_late must be one of {', '.join(WHEN_LATE)}."))
    return WHEN_LATE[0]
