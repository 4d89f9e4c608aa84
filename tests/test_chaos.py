"""What the proof rests on: a plan that a seed repeats, and a judge that would notice if a post were lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chaos.asked import Asked, Said
from chaos.crash_points import POINTS
from chaos.plan import PlannedPost, draw
from chaos.verdict import Verdict, judge

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DUE = NOW - timedelta(minutes=5)


class TestAPlan:
    def test_is_the_same_for_the_same_seed(self) -> None:
        assert draw(seed=7, posts=50, seconds=30) == draw(seed=7, posts=50, seconds=30)

    def test_is_another_for_another_seed(self) -> None:
        assert draw(seed=7, posts=50, seconds=30) != draw(seed=8, posts=50, seconds=30)

    def test_comes_to_every_crash_point(self) -> None:
        blows = draw(seed=7, posts=50, seconds=20).blows

        assert {blow.options["point"] for blow in blows if blow.kind == "arm_crash_point"} == set(POINTS)

    def test_gives_every_post_a_mark_of_its_own(self) -> None:
        assert len({post.mark for post in draw(seed=7, posts=50, seconds=30).posts}) == 50


def asked(**known: Any) -> Asked:
    """A stored post that its author left alone, and what else is known of it."""
    plan = PlannedPost("[1.1]", "alice", "hello", 0.0, None, known.pop("when_late", "skip"), False, 1, ())
    asked = Asked(plan, post_id=1, created="yes", texts=[Said("[1.1] hello")], times=[Said(DUE)])
    for name, value in known.items():
        setattr(asked, name, value)
    return asked


def row(**columns: Any) -> dict[str, Any]:
    """A published row."""
    attempt = {"number": 1, "text": "[1.1] hello", "outcome": "tweeted", "status_code": 201}
    return {
        "text": "[1.1] hello", "state": "tweeted", "tweet_id": "5", "reason": None, "schedule_for": DUE,
        "not_before": None, "attempts": [attempt], **columns,
    }  # fmt: skip


def tweet(**fields: Any) -> dict[str, Any]:
    """What X has of it."""
    return {"id": "5", "text": "[1.1] hello", "username": "alice", "created_at": "2026-05-04T11:55:01.000Z", **fields}


def kinds_found(verdict: Verdict) -> list[str]:
    return [finding.kind for finding in verdict.findings]


class TestTheJudge:
    def test_has_nothing_to_say_of_a_post_that_is_out_once(self) -> None:
        verdict = judge([asked()], [row()], [tweet()], NOW)

        assert (kinds_found(verdict), verdict.became) == ([], {"published": 1})

    @pytest.mark.parametrize(
        ("rows", "tweets", "kinds"),
        [
            pytest.param([row()], [tweet(), tweet(id="6")], ["twice"], id="two-tweets"),
            pytest.param([row()], [], ["lost"], id="row-says-out-and-it-is-not"),
            pytest.param([], [], ["lost"], id="no-row"),
            pytest.param([row(state="scheduled", attempts=[])], [], ["lost"], id="overdue"),
            pytest.param([row(state="sending", attempts=[])], [], ["lost"], id="still-sending"),
            pytest.param([row(state="unknown", reason="?", not_before=NOW)], [], ["lost"], id="look-still-planned"),
            pytest.param([row(state="missed", reason="late")], [], ["lost"], id="missed-though-in-time"),
            pytest.param([row(state="failed", reason="no", attempts=[])], [], ["unexplained"], id="failed-untried"),
            pytest.param([row()], [tweet(text="[1.1] other")], ["wrong text"], id="another-text"),
            pytest.param([row()], [tweet(username="bob")], ["unwanted"], id="another-account"),
            pytest.param([row()], [tweet(created_at="2026-05-04T11:54:59Z")], ["too early"], id="before-its-time"),
            pytest.param([row()], [tweet(), tweet(text="[1.2] stray")], ["unwanted"], id="nobody-asked"),
        ],
    )
    def test_notices(self, rows: list[dict[str, Any]], tweets: list[dict[str, Any]], kinds: list[str]) -> None:
        assert kinds_found(judge([asked()], rows, tweets, NOW)) == kinds

    def test_notices_an_attempt_whose_outcome_the_log_never_tells(self) -> None:
        attempts = [{"number": 1, "outcome": "unknown"}, {**row()["attempts"][0], "number": 2}]

        assert kinds_found(judge([asked()], [row(attempts=attempts)], [tweet()], NOW)) == ["unexplained"]

    def test_notices_an_edit_that_came_before_the_try_and_did_not_go_out(self) -> None:
        edited = asked(texts=[Said("[1.1] hello"), Said("[1.1] bye", after_attempt=0)])

        assert kinds_found(judge([edited], [row()], [tweet()], NOW)) == ["wrong text"]

    def test_takes_an_edit_that_came_after_the_try_for_too_late(self) -> None:
        edited = asked(texts=[Said("[1.1] hello"), Said("[1.1] bye", after_attempt=1)])

        assert kinds_found(judge([edited], [row(text="[1.1] bye")], [tweet()], NOW)) == []

    def test_notices_a_deleted_post_that_is_out(self) -> None:
        deleted = asked(deleted="yes", deleted_when="scheduled")

        assert kinds_found(judge([deleted], [], [tweet()], NOW)) == ["unwanted"]

    def test_knows_that_a_post_of_unknown_outcome_may_be_out_when_it_is_deleted(self) -> None:
        deleted = asked(deleted="yes", deleted_when="unknown")

        assert kinds_found(judge([deleted], [], [tweet()], NOW)) == []

    def test_takes_a_missed_post_as_its_author_chose_it(self) -> None:
        backdated = row(state="missed", reason="too late", attempts=[], tweet_id=None)

        assert kinds_found(judge([asked(was_backdated=True)], [backdated], [], NOW)) == []
        assert kinds_found(judge([asked(was_backdated=True, when_late="publish")], [backdated], [], NOW)) == ["lost"]

    def test_takes_no_answer_to_a_create_for_a_post_that_may_not_be_there(self) -> None:
        unsure = asked(created="perhaps")

        assert kinds_found(judge([unsure], [], [], NOW)) == []
        assert kinds_found(judge([unsure], [], [tweet()], NOW)) == ["unwanted"]
