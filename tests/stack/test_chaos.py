"""The proof in short, and what it rests on: a plan that a seed repeats, and a judge that would notice a lost post."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chaos.asked import Asked, Said
from chaos.crash_points import POINTS
from chaos.drawing import draw
from chaos.drawing_blows import HANG
from chaos.plan import PlannedPost
from chaos.verdict import Verdict, judge

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DUE = NOW - timedelta(minutes=5)


POSTS = 100


@dataclass(frozen=True)
class Storm:
    """What ``python -m chaos`` ended with, printed and reported."""

    status: int
    printed: str
    report: dict[str, Any]


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Storm:
    """The short proof, a storm of 36 seconds."""
    directory = tmp_path_factory.mktemp("chaos")
    options = f"--seed 1 --posts {POSTS} --minutes 0.3 --data {directory}/run --json {directory}/found"
    run = subprocess.run(
        [sys.executable, "-m", "chaos", *options.split()], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    printed = run.stdout + run.stderr
    assert (directory / "found").exists(), printed
    return Storm(run.returncode, printed, json.loads((directory / "found").read_text()))


class TestAStorm:
    """Asserted is what is promised however slow the machine is, and that enough went wrong to put it to the test."""

    def test_loses_nothing_and_doubles_nothing(self, storm: Storm) -> None:
        assert set(storm.report["verdict"].values()) == {0}, storm.printed
        assert storm.status == 0, storm.printed

    def test_leaves_nothing_for_the_doctor_to_find(self, storm: Storm) -> None:
        assert storm.report["doctor"]["findings"] == [], storm.report["doctor"]["words"]

    def test_tells_what_became_of_every_post(self, storm: Storm) -> None:
        assert sum(storm.report["became"].values()) == POSTS, storm.printed
        assert storm.report["became"]["published"] > POSTS / 3, storm.printed

    def test_kills_the_functions_in_the_midst_of_things(self, storm: Storm) -> None:
        assert len(storm.report["crashes"].keys() & POINTS) > len(POINTS) / 2, storm.printed


class TestAPlan:
    def test_is_the_same_for_the_same_seed(self) -> None:
        assert draw(seed=7, posts=50, seconds=30) == draw(seed=7, posts=50, seconds=30)

    def test_is_another_for_another_seed(self) -> None:
        assert draw(seed=7, posts=50, seconds=30) != draw(seed=8, posts=50, seconds=30)

    def test_comes_to_every_crash_point(self) -> None:
        blows = draw(seed=7, posts=50, seconds=20).blows

        assert {blow.options["point"] for blow in blows if blow.kind == "arm_crash_point"} == set(POINTS)

    def test_of_a_minute_leaves_the_functions_alive_while_x_hangs(self) -> None:
        blows = draw(seed=7, posts=50, seconds=60).blows

        hangs = [blow.at for blow in blows if blow.options.get("ms") == HANG * 1000]
        deadly = [blow.at for blow in blows if blow.kind in ("kill_functions", "arm_crash_point", "jump_in_time")]
        assert hangs
        assert not [at for at in deadly if min(hangs) <= at <= max(hangs) + HANG]

    def test_has_authors_who_write_the_same_text_more_than_once(self) -> None:
        texts = Counter((post.author, post.text(0)) for post in draw(seed=7, posts=50, seconds=30).posts)

        assert texts.most_common(1)[0][1] > 1

    def test_gives_every_post_a_mark_of_its_own(self) -> None:
        assert len({post.mark for post in draw(seed=7, posts=50, seconds=30).posts}) == 50


def asked(**known: Any) -> Asked:
    """A stored post that its author left alone, and what else is known of it."""
    mark, when_late = known.pop("mark", "[1.1]"), known.pop("when_late", "skip")
    plan = PlannedPost(mark, "[1.1]", "alice", "hello", 0.0, None, when_late, False, 1, ())
    asked = Asked(plan, post_id=1, created="yes", texts=[Said("[1.1] hello")], times=[Said(DUE)])
    for name, value in known.items():
        setattr(asked, name, value)
    return asked


def row(**columns: Any) -> dict[str, Any]:
    """A published row."""
    attempt = {"number": 1, "text": "[1.1] hello", "outcome": "tweeted", "status_code": 201}
    return {
        "id": 1, "text": "[1.1] hello", "state": "tweeted", "tweet_id": "5", "reason": None, "schedule_for": DUE,
        "not_before": None, "attempts": [attempt], **columns,
    }  # fmt: skip


def tweet(**fields: Any) -> dict[str, Any]:
    """What X has of it."""
    return {"id": "5", "text": "[1.1] hello", "username": "alice", "created_at": "2026-05-04T11:55:01.000Z", **fields}


ANOTHER_ROW = row(id=2, tweet_id="6", schedule_for=DUE + MINUTE)
ANOTHER_TWEET = tweet(id="6", created_at="2026-05-04T11:56:01.000Z")
REFUSED_ROW = row(
    id=2, state="failed", tweet_id=None, reason="no", attempts=[{"number": 1, "outcome": "refused", "status_code": 403}]
)


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

    @pytest.mark.parametrize(
        ("rows", "tweets", "kinds"),
        [
            pytest.param([row(), ANOTHER_ROW], [tweet(), ANOTHER_TWEET], [], id="each-out-once"),
            pytest.param([row(tweet_id="6"), row(id=2)], [tweet(), ANOTHER_TWEET], [], id="each-has-the-other's-tweet"),
            pytest.param([row(), ANOTHER_ROW], [tweet(), tweet(id="6")], ["too early"], id="one-before-its-time"),
            pytest.param([row(), ANOTHER_ROW], [tweet(), ANOTHER_TWEET, tweet(id="7")], ["twice"], id="one-tweet-more"),
            pytest.param([row(), REFUSED_ROW], [tweet(), ANOTHER_TWEET], ["twice"], id="the-refused-one-is-out-too"),
            pytest.param([row(), row(id=2)], [tweet()], ["lost"], id="both-are-said-to-be-the-same-tweet"),
            pytest.param([row(), ANOTHER_ROW], [tweet()], ["lost"], id="one-has-no-tweet"),
            pytest.param(
                [row(), ANOTHER_ROW, row(id=3, tweet_id="7")],
                [tweet(), ANOTHER_TWEET, tweet(id="7")],
                ["twice", "twice"],
                id="a-row-more",
            ),
        ],
    )
    def test_counts_what_is_out_of_equal_texts(
        self, rows: list[dict[str, Any]], tweets: list[dict[str, Any]], kinds: list[str]
    ) -> None:
        twins = [asked(), asked(mark="[1.2]", post_id=2, times=[Said(DUE + MINUTE)])]

        assert kinds_found(judge(twins, rows, tweets, NOW)) == kinds

    def test_knows_the_row_of_an_author_without_an_answer_by_its_time(self) -> None:
        twins = [asked(created="perhaps", post_id=None), asked(mark="[1.2]", post_id=2, times=[Said(DUE + MINUTE)])]

        verdict = judge(twins, [row(), ANOTHER_ROW], [tweet(), ANOTHER_TWEET], NOW)

        assert (kinds_found(verdict), verdict.became) == ([], {"published": 2})

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
