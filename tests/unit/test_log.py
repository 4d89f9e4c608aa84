"""What is logged: one JSON object a line, of events that docs/log-events.md explains."""

import ast
import json
import logging
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from shared import log
from shared.log import LogEvent

ROOT = Path(__file__).parents[2]
CODE = [*(ROOT / "shared").rglob("*.py"), *(ROOT / name / "__init__.py" for name in ("createPost", "postTweet"))]


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.message) for record in caplog.records]


def test_a_line_is_one_json_object_with_its_sentence_and_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    log.info(LogEvent.POST_CREATED, "post 7 is stored\nfor 100 %", post_id=7)

    assert "\n" not in caplog.records[0].message
    assert lines(caplog) == [{"message": "post 7 is stored\nfor 100 %", "event": "post_created", "post_id": 7}]


def test_a_field_without_a_value_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    log.info(LogEvent.POST_STATE_CHANGED, "post 7 is failed", tweet_id=None)

    assert lines(caplog) == [{"message": "post 7 is failed", "event": "post_state_changed"}]


@pytest.mark.parametrize("strange", ["\ud800", "Grüße 🎉", '"}', "\x00"])
def test_any_text_can_be_logged(caplog: pytest.LogCaptureFixture, strange: str) -> None:
    log.info(LogEvent.POST_CREATED, strange)

    assert lines(caplog)[0]["message"] == strange


@pytest.mark.parametrize(
    ("log_it", "level"),
    [(log.info, logging.INFO), (log.warning, logging.WARNING), (log.error, logging.ERROR)],
    ids=["info", "warning", "error"],
)
def test_a_line_has_the_level_of_its_event(caplog: pytest.LogCaptureFixture, log_it: Any, level: int) -> None:
    log_it(LogEvent.POST_CREATED, "x")

    assert [record.levelno for record in caplog.records] == [level]


def test_an_exception_is_within_the_one_object(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("a detail")
    except KeyError:
        log.exception(LogEvent.UNEXPECTED_ERROR, "unexpected error")

    [line] = lines(caplog)
    assert line["traceback"].endswith("KeyError: 'a detail'\n")
    assert caplog.records[0].exc_info is None


def test_an_endless_traceback_is_cut_so_that_the_object_stays_whole(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("x" * 100_000)
    except KeyError:
        log.exception(LogEvent.UNEXPECTED_ERROR, "unexpected error")

    assert len(caplog.records[0].message) < 32_768


def test_bound_fields_are_on_each_line_of_the_block_alone(caplog: pytest.LogCaptureFixture) -> None:
    with log.bound(invocation_id="i"), log.bound(event_id="e"):
        log.info(LogEvent.POST_CREATED, "within", post_id=7)
    log.info(LogEvent.POST_CREATED, "after")

    within, after = lines(caplog)
    assert (within["invocation_id"], within["event_id"], within["post_id"]) == ("i", "e", 7)
    assert after == {"message": "after", "event": "post_created"}


def test_a_field_of_the_line_wins_over_a_bound_one(caplog: pytest.LogCaptureFixture) -> None:
    with log.bound(event_id="the one that was delivered"):
        log.info(LogEvent.EVENT_CREATED, "x", event_id="the one that was created")

    assert lines(caplog)[0]["event_id"] == "the one that was created"


def logged() -> dict[str, tuple[set[str], set[str]]]:
    """The levels and the fields of each event, as the code logs it."""
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(ast.Name("log"), level), args=[ast.Attribute(ast.Name("LogEvent"), name), _]
                ):
                    levels, fields = found[LogEvent[name]]
                    levels.add("error" if level == "exception" else level)
                    fields |= {str(keyword.arg) for keyword in node.keywords}
                    fields |= {"traceback"} if level == "exception" else set()
    return found


def documented() -> dict[str, tuple[set[str], set[str]]]:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", (ROOT / "docs/log-events.md").read_text(), re.MULTILINE)
    return {event: ({level}, set(re.findall(r"`(\w+)`", fields))) for event, level, fields in rows}


def test_every_event_is_documented_with_its_level_and_its_fields() -> None:
    assert documented() == logged()


def test_every_event_that_is_known_is_logged_somewhere() -> None:
    assert logged().keys() == {str(event) for event in LogEvent}


def test_nothing_is_logged_in_another_way() -> None:
    others = [path for path in CODE if re.search(r"^logger = |^\s*print\(", path.read_text(), re.MULTILINE)]

    assert others == []
