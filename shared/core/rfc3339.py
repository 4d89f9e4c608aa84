"""Times as RFC 3339 writes them, read by the same rules on every Python.

Where the RFC leaves a choice:

- ``t`` and ``z`` may be lowercase, and a space may stand for the ``T``.
- Fraction digits beyond microseconds are cut off.
- A leap second (``:60``) is the last second of a month in UTC; it is read as the instant one second after ``:59``.
- ``-00:00`` is UTC.
"""

import re
from datetime import UTC, datetime, timedelta

_DATE_TIME = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"([Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]+))?(?P<offset>[Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?)?"
)
_DATE_TIME_FIELDS = ("year", "month", "day", "hour", "minute", "second")


class MissingOffset(ValueError):
    """A date, with a time or without one, that has no offset: it names no instant."""


def read_instant(text: str) -> datetime:
    """The instant that a date-time names, in UTC. Raises MissingOffset, or ValueError when it is no date-time."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date-time as RFC 3339 writes it")
    year, month, day, hour, minute, second = (int(digits or 0) for digits in match.group(*_DATE_TIME_FIELDS))
    microsecond = int((match["fraction"] or "")[:6].ljust(6, "0"))
    leap = second == 60
    local = datetime(year, month, day, hour, minute, 59 if leap else second, microsecond, UTC)
    if match["offset"] is None:
        raise MissingOffset("the date-time has no offset")
    try:
        instant = local - _offset(match["offset"]) + timedelta(seconds=leap)
    except OverflowError as error:
        raise ValueError("the date-time is outside the years that can be read") from error
    if leap and (instant.day, instant.hour, instant.minute, instant.second) != (1, 0, 0, 0):
        raise ValueError("second 60 is not the last second of a month in UTC")
    return instant


def _offset(text: str) -> timedelta:
    if text in "Zz":
        return timedelta(0)
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return -offset if text[0] == "-" else offset
