"""The queries for Application Insights ask for what the functions log."""

import re
from pathlib import Path

import pytest

from shared.core.model import State
from shared.log import LogEvent

ROOT = Path(__file__).parents[2]
QUERIES = sorted((ROOT / "infra" / "queries").glob("*.kql"))

each_query = pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.stem)


def fields() -> set[str]:
    """Those in the table of docs/log-events.md."""
    table = (ROOT / "docs" / "log-events.md").read_text().split("\n| field |")[1].split("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


@each_query
def test_a_query_reads_fields_that_a_line_has(query: Path) -> None:
    assert set(re.findall(r"\bline\.(\w+)", query.read_text())) <= fields()


@each_query
def test_a_query_compares_with_events_and_states_that_there_are(query: Path) -> None:
    text = re.sub("//.*", "", query.read_text())
    words = set(re.findall(r"'(\w+)'", text)) - {"postTweet"}

    assert words <= {*LogEvent, *State}


def test_the_operator_is_asked_to_look_at_each_event_that_is_an_error_and_does_not_mend_itself() -> None:
    asked = set(re.findall(r"'(\w+)'", (ROOT / "infra" / "queries" / "operator.kql").read_text()))
    errors = re.findall(r"^\| `(\w+)` \| error \|", (ROOT / "docs" / "log-events.md").read_text(), re.MULTILINE)

    assert set(errors) - asked == {LogEvent.EVENT_NOT_CREATED}  # the sweep publishes the post
