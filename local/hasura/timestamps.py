"""How Hasura parses and prints instants in its metadata API and in the body of a webhook call."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from local.hasura.json_arguments import parse_failed, text

_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?"
    r"(Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)",
    re.ASCII,
)


def instant(value: Any, path: str) -> datetime:
    """Parses a timestamp with a zone, e.g. ``2022-06-18T18:45:00Z``; a timestamp without one is refused.

    The forms are those of Hasura's JSON library (aeson's UTCTime); a fraction is cut to microseconds.
    """
    given = text(value, path)
    parts = _TIMESTAMP.fullmatch(given)
    if parts is None:
        raise _unreadable(given, path)
    try:
        local = datetime.fromisoformat(f"{parts['date']}T{parts['time']}:{parts['second'] or '00'}")
        return (local + _fraction(parts)).replace(tzinfo=_zone(parts)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _unreadable(given, path) from error


def utc_text(moment: datetime) -> str:
    """``2022-06-04T09:12:33.5Z``: UTC, a fraction only as long as needed."""
    return f"{zoneless_text(moment.astimezone(UTC))}Z"


def zoneless_text(moment: datetime) -> str:
    """``2022-06-04T09:12:33.5``: as PostgreSQL prints a ``timestamp`` in JSON."""
    whole, _, fraction = moment.replace(tzinfo=None).isoformat().partition(".")
    return f"{whole}.{fraction}".rstrip("0").rstrip(".") if fraction else whole


def _fraction(parts: re.Match[str]) -> timedelta:
    return timedelta(microseconds=int((parts["fraction"] or "0").ljust(6, "0")[:6]))


def _zone(parts: re.Match[str]) -> timezone:
    offset = timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    return timezone(-offset if parts["sign"] == "-" else offset)


def _unreadable(given: str, path: str) -> Exception:
    return parse_failed(f"could not parse date: {given!r} is not a timestamp with a time zone", path)
