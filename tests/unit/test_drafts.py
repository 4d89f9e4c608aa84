"""What an author may ask for, and the message for each fault."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.core.drafts import Draft, read_draft
from shared.errors import InvalidDraft

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def fields(**changes: object) -> dict[str, object]:
    return {"text": "Hello", "schedule_for": "2026-05-04T13:00:00Z", **changes}


def faults_of(given: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDraft) as raised:
        read_draft(given, NOW)
    return [(fault.field, fault.detail) for fault in raised.value.faults]


def test_a_draft_needs_a_text_and_a_time_alone() -> None:
    draft = read_draft(fields(), NOW)

    assert draft == Draft("Hello", datetime(2026, 5, 4, 13, 0, tzinfo=UTC), account_id=None, user_id=None)


def test_a_time_with_another_offset_is_the_same_instant_in_utc() -> None:
    draft = read_draft(fields(schedule_for="2026-05-04T16:30:00.125+02:00"), NOW)

    assert draft.schedule_for == datetime(2026, 5, 4, 14, 30, 0, 125000, tzinfo=UTC)
    assert draft.schedule_for.tzinfo is UTC


def test_a_time_may_be_written_in_lower_case() -> None:
    assert read_draft(fields(schedule_for="2026-05-04t13:00:00z"), NOW) == read_draft(fields(), NOW)


def test_line_ends_become_one_lf() -> None:
    assert read_draft(fields(text="a\r\nb\rc\n"), NOW).text == "a\nb\nc\n"


def test_an_account_and_a_user_may_be_named_by_their_row_ids() -> None:
    draft = read_draft(fields(account_id=3, user_id=2**62), NOW)

    assert (draft.account_id, draft.user_id) == (3, 2**62)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        pytest.param({"text": None}, "text", "missing", id="text-missing"),
        pytest.param({"text": ""}, "text", "empty", id="text-empty"),
        pytest.param({"text": " \n\t"}, "text", "empty", id="text-blank"),
        pytest.param({"text": 7}, "text", "string", id="text-no-string"),
        pytest.param({"text": "a" * 281}, "text", "281", id="text-too-long"),
        pytest.param({"text": "漢" * 141}, "text", "282", id="text-too-heavy"),
        pytest.param({"text": "a" * 5000}, "text", "5000", id="text-endless"),
        pytest.param({"text": "a\x00b"}, "text", "U+0000", id="text-with-nul"),
        pytest.param({"text": "a\ud800"}, "text", "U+D800", id="text-with-lone-surrogate"),
        pytest.param({"schedule_for": None}, "schedule_for", "missing", id="time-missing"),
        pytest.param({"schedule_for": "2026-05-04T13:00:00"}, "schedule_for", "offset", id="time-without-offset"),
        pytest.param({"schedule_for": "2026-05-04"}, "schedule_for", "offset", id="time-is-a-day"),
        pytest.param({"schedule_for": "tomorrow"}, "schedule_for", "no time", id="time-unparsable"),
        pytest.param(
            {"schedule_for": "2026-05-04T13:00:00+05:60"}, "schedule_for", "no time", id="time-offset-60-minutes"
        ),
        pytest.param({"schedule_for": "2026-05-04T13:00:00.Z"}, "schedule_for", "no time", id="time-without-fraction"),
        pytest.param({"schedule_for": "2026-05-04x13:00:00Z"}, "schedule_for", "no time", id="time-other-separator"),
        pytest.param({"schedule_for": 1777900000}, "schedule_for", "no time", id="time-a-number"),
        pytest.param({"schedule_for": {"at": 1}}, "schedule_for", "no time", id="time-an-object"),
        pytest.param({"schedule_for": "0001-01-01T00:00:00+23:00"}, "schedule_for", "no time", id="time-out-of-range"),
        pytest.param({"schedule_for": "2026-05-04T11:58:59Z"}, "schedule_for", "past", id="time-in-the-past"),
        pytest.param({"schedule_for": "2027-05-06T12:00:01Z"}, "schedule_for", "year", id="time-too-far-ahead"),
        pytest.param({"account_id": "3"}, "account_id", "number", id="account-no-number"),
        pytest.param({"account_id": True}, "account_id", "number", id="account-a-boolean"),
        pytest.param({"user_id": 0}, "user_id", "number", id="user-zero"),
        pytest.param({"user_id": 2**63}, "user_id", "number", id="user-too-large"),
        pytest.param({"state": "tweeted"}, "state", "no such field", id="unknown-field"),
    ],
)
def test_a_fault_is_listed_with_its_field(change: dict[str, object], field: str, words: str) -> None:
    [(named, detail)] = faults_of(fields(**change))

    assert named == field
    assert words in detail


def test_all_faults_are_listed_at_once() -> None:
    named = [field for field, _ in faults_of({"text": "", "schedule_for": "soon", "account_id": "x", "colour": 1})]

    assert named == ["colour", "text", "schedule_for", "account_id"]


@pytest.mark.parametrize("late_by", [0, 59], ids=["now", "within-the-grace"])
def test_a_time_just_past_is_taken(late_by: int) -> None:
    time = NOW - timedelta(seconds=late_by)

    assert read_draft(fields(schedule_for=time.isoformat()), NOW).schedule_for == time


def test_a_time_a_year_ahead_is_taken() -> None:
    time = (NOW + timedelta(days=365)).astimezone(timezone(timedelta(hours=-11)))

    assert read_draft(fields(schedule_for=time.isoformat()), NOW).schedule_for == time
