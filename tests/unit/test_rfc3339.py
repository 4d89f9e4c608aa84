"""Times as RFC 3339 writes them, the same on every Python."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.rfc3339 import MissingOffset, read_instant

NINE_THIRTY = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-05-04T09:30:00Z", NINE_THIRTY, id="utc"),
        pytest.param("2026-05-04t09:30:00z", NINE_THIRTY, id="lowercase"),
        pytest.param("2026-05-04 09:30:00Z", NINE_THIRTY, id="space-for-T"),
        pytest.param("2026-05-04T09:30:00+00:00", NINE_THIRTY, id="offset-zero"),
        pytest.param("2026-05-04T09:30:00-00:00", NINE_THIRTY, id="negative-offset-zero"),
        pytest.param("2026-05-04T11:30:00+02:00", NINE_THIRTY, id="east"),
        pytest.param("2026-05-04T06:00:00-03:30", NINE_THIRTY, id="west"),
        pytest.param("2026-05-05T09:29:00+23:59", NINE_THIRTY, id="largest-offset-east"),
        pytest.param("2026-05-03T09:31:00-23:59", NINE_THIRTY, id="largest-offset-west"),
        pytest.param("2026-05-04T09:30:00.5Z", NINE_THIRTY.replace(microsecond=500_000), id="one-fraction-digit"),
        pytest.param("2026-05-04T09:30:00.000001Z", NINE_THIRTY.replace(microsecond=1), id="microseconds"),
        pytest.param("2026-05-04T09:30:00.1234569Z", NINE_THIRTY.replace(microsecond=123_456), id="cut-off-digits"),
        pytest.param("2026-05-04T09:30:00." + "9" * 5000 + "Z", NINE_THIRTY.replace(microsecond=999_999), id="endless"),
        pytest.param("2028-02-29T00:00:00Z", datetime(2028, 2, 29, tzinfo=UTC), id="leap-day"),
        pytest.param("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC), id="leap-second"),
        pytest.param("1990-12-31T15:59:60-08:00", datetime(1991, 1, 1, tzinfo=UTC), id="leap-second-west"),
        pytest.param("2016-12-31T23:59:60.5Z", datetime(2017, 1, 1, 0, 0, 0, 500_000, UTC), id="leap-second-fraction"),
    ],
)
def test_a_date_time_of_rfc_3339_is_an_instant_in_utc(text: str, instant: datetime) -> None:
    assert read_instant(text) == instant
    assert read_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-05-04", id="date"),
        pytest.param("2026-05-04T09:30", id="as-a-browser-gives-a-local-time"),
        pytest.param("2026-05-04T09:30:00", id="seconds"),
        pytest.param("2026-05-04 09:30:00.5", id="fraction"),
    ],
)
def test_a_time_without_offset_names_no_instant(text: str) -> None:
    with pytest.raises(MissingOffset):
        read_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("tomorrow", id="word"),
        pytest.param("2026-05-04T09:30:00+05:60", id="sixty-minutes-in-the-offset"),
        pytest.param("2026-05-04T09:30:00+24:00", id="offset-of-a-day"),
        pytest.param("2026-05-04T09:30:00+0200", id="offset-without-colon"),
        pytest.param("2026-05-04T09:30:00+02", id="offset-in-hours"),
        pytest.param("2026-05-04T09:30:00+02:00:00", id="offset-with-seconds"),
        pytest.param("2026-05-04T09:30:00 Z", id="space-before-Z"),
        pytest.param("2026-05-04T09:30:00\N{MINUS SIGN}02:00", id="typographic-minus"),
        pytest.param("2026-05-04T09:30:00.Z", id="point-without-digits"),
        pytest.param("2026-05-04T09:30:00,5Z", id="comma"),
        pytest.param("2026-05-04T09:30Z", id="no-seconds"),
        pytest.param("2026-05-04T09Z", id="no-minutes"),
        pytest.param("2026-05-04Z", id="date-with-Z"),
        pytest.param("2026-05-04x09:30:00Z", id="another-separator"),
        pytest.param("2026-05-04_09:30:00Z", id="underscore"),
        pytest.param("2026-05-04  09:30:00Z", id="two-spaces"),
        pytest.param("20260504T093000Z", id="iso-8601-basic"),
        pytest.param("2026-W19-1T09:30:00Z", id="week-date"),
        pytest.param("2026-124T09:30:00Z", id="ordinal-date"),
        pytest.param("+2026-05-04T09:30:00Z", id="signed-year"),
        pytest.param("2026-5-4T09:30:00Z", id="one-digit-month"),
        pytest.param("2026-05-04T24:00:00Z", id="hour-24"),
        pytest.param("2026-05-04T09:60:00Z", id="minute-60"),
        pytest.param("2026-05-04T09:30:61Z", id="second-61"),
        pytest.param("2026-05-04T09:30:60Z", id="second-60-within-the-day"),
        pytest.param("2026-05-04T23:59:60Z", id="second-60-within-the-month"),
        pytest.param("2016-12-31T23:59:60+01:00", id="second-60-within-the-month-in-utc"),
        pytest.param("2026-02-29T09:30:00Z", id="no-leap-year"),
        pytest.param("2026-13-01T09:30:00Z", id="month-13"),
        pytest.param("2026-13-01T09:30:00", id="month-13-without-offset"),
        pytest.param("0000-01-01T00:00:00Z", id="year-zero"),
        pytest.param("0001-01-01T00:00:00+23:00", id="before-the-first-year"),
        pytest.param("9999-12-31T23:59:00-23:00", id="after-the-last-year"),
        pytest.param("9999-12-31T23:59:60Z", id="leap-second-of-the-last-year"),
        pytest.param("2026-05-04T09:30:00Z\n", id="line-end-behind"),
        pytest.param(" 2026-05-04T09:30:00Z", id="space-in-front"),
        pytest.param("\u0662\u0660\u0662\u0666-05-04T09:30:00Z", id="digits-of-another-script"),
    ],
)
def test_anything_else_is_refused_and_not_taken_for_a_time_without_offset(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_instant(text)

    assert not isinstance(caught.value, MissingOffset)


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS)


@given(TIMES, st.sampled_from("Tt "))
def test_every_time_is_read_as_it_was_written(time: datetime, separator: str) -> None:
    assert read_instant(time.isoformat(separator)) == time


@given(
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,7})?([Zz]|[+-][0-9:]{5})?"
    )
    | st.text()
)
@example("2026-12-31T23:59:60Z")
def test_any_text_is_an_instant_or_refused_with_a_value_error(text: str) -> None:
    try:
        instant = read_instant(text)
    except ValueError:
        return
    assert instant.tzinfo is UTC
