"""X's ids: 64-bit numbers that begin with the time of creation in milliseconds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime.fromtimestamp(1288834974.657, UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SEQUENCE_BITS = 22
_GREATEST = (1 << 63) - 1


class Snowflakes:
    """Creates ids that always grow, also when the clock is set back; `last` is the greatest one of earlier runs."""

    def __init__(self, now: Callable[[], datetime], last: int = 0) -> None:
        self._now = now
        self._last = last

    def new(self) -> int:
        """The next id."""
        self._last = max(self._last + 1, first_id_at(self._now()))
        return self._last


def first_id_at(moment: datetime) -> int:
    """The smallest id that `moment`'s millisecond can have; so ids compare with times."""
    return (moment - _EPOCH) // _MILLISECOND << _SEQUENCE_BITS


def in_range(snowflake: int) -> int:
    """The id, or the nearest 64-bit number, which a database can compare; 19 digits may exceed 64 bits."""
    return max(-1, min(snowflake, _GREATEST))


def moment_of(snowflake: int) -> datetime:
    """When the id was created, to the millisecond, in UTC."""
    return _EPOCH + (snowflake >> _SEQUENCE_BITS) * _MILLISECOND


def rfc3339(moment: datetime) -> str:
    """``2026-01-01T00:00:00.000Z``, as X writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
