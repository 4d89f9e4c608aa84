"""What chaos rests on: a plan that a seed repeats, and a checker that would notice a lost post."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chaos import checker
from chaos.checker import CheckResult, Expectation, Write, check
from chaos.crash_points import POINTS
from chaos.plan import HANG, PlannedPost, make_plan
from shared import limits

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DUE = NOW - timedelta(minutes=5)


class TestThePlan:
    def test_the_same_seed_gives_the_same_plan(self) -> None:
        assert make_plan(seed=7, posts=50, seconds=30) == make_plan(seed=7, posts=50, seconds=30)

    def test_another_seed_gives_another_plan(self) -> None:
        assert make_plan(seed=7, posts=50, seconds=30) != make_plan(seed=8, posts=50, seconds=30)

    def test_every_crash_point_is_armed(self) -> None:
        faults = make_plan(seed=7, posts=50, seconds=20).faults

        assert {fault.options["point"] for fault in faults if fault.kind == "arm_crash_point"} == set(POINTS)

    def test_while_x_hangs_in_a_plan_of_a_minute_nothing_kills_the_functions(self) -> None:
        faults = make_plan(seed=7, posts=50, seconds=60).faults

        hangs = [fault.at for fault in faults if fault.options.get("ms") == HANG * 1000]
        deadly = [fault.at for fault in faults if fault.kind in ("kill_functions", "arm_crash_point", "outage")]
        assert hangs
        assert not [at for at in deadly if min(hangs) <= at <= max(hangs) + HANG]

    def test_some_author_writes_the_same_text_more_than_once(self) -> None:
        posts = make_plan(seed=7, posts=50, seconds=30).posts

        assert Counter((post.author, post.text(0)) for post in posts).most_common(1)[0][1] > 1

    def test_every_post_has_a_mark_of_its_own(self) -> None:
        assert len({post.mark for post in make_plan(seed=7, posts=50, seconds=30).posts}) == 50


def expected(**known: Any) -> Expectation:
    """What the author of a stored post expects who left it alone, and what else is known of it."""
    mark, when_late = known.pop("mark", "[1.1]"), known.pop("when_late", "skip")
    plan = PlannedPost(mark, "[1.1]", "alice", "hello", 0.0, None, when_late, False, 1, ())
    expectation = Expectation(plan, post_id=1, created="yes", texts=[Write("[1.1] hello")], times=[Write(DUE)])
    for name, value in known.items():
        setattr(expectation, name, value)
    return expectation


def entry(number: int = 1, outcome: str | None = "tweeted", **columns: Any) -> dict[str, Any]:
    """An attempt in the log of a row."""
    return {
        "number": number,
        "text": "[1.1] hello",
        "outcome": outcome,
        "rejection": None,
        "status_code": None,
        "failed_reconciliations": 0,
        **columns,
    }


def row(**columns: Any) -> dict[str, Any]:
    """A published row."""
    return {
        "id": 1, "text": "[1.1] hello", "state": "tweeted", "tweet_id": "5", "reason": None, "schedule_for": DUE,
        "reconcile_at": None, "attempts": [entry()], **columns,
    }  # fmt: skip


def unpublished(state: str, reason: str | None, *attempts: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """A row that is not published."""
    return row(state=state, reason=reason, tweet_id=None, attempts=list(attempts), **columns)


def tweet(**fields: Any) -> dict[str, Any]:
    """What X has of it."""
    return {"id": "5", "text": "[1.1] hello", "username": "alice", "created_at": "2026-05-04T11:55:01.000Z", **fields}


def absent(times: int) -> list[dict[str, Any]]:
    """Attempts that X did not answer and does not have."""
    return [entry(number + 1, "absent") for number in range(times)]


ANOTHER_ROW = row(id=2, tweet_id="6", schedule_for=DUE + MINUTE)
ANOTHER_TWEET = tweet(id="6", created_at="2026-05-04T11:56:01.000Z")
REJECTED_ROW = unpublished("failed", "no", entry(outcome="rejected", status_code=403), id=2)


def kinds_found(result: CheckResult) -> list[str]:
    return [finding.kind for finding in result.findings]


class TestTheChecker:
    def test_a_post_that_is_published_once_is_no_finding(self) -> None:
        result = check([expected()], [row()], [tweet()], NOW)

        assert (kinds_found(result), result.became) == ([], {"published": 1})

    @pytest.mark.parametrize(
        ("rows", "tweets", "kinds"),
        [
            pytest.param([row()], [tweet(), tweet(id="6")], ["twice"], id="two-tweets"),
            pytest.param([row()], [], ["lost"], id="row-says-published-and-it-is-not"),
            pytest.param([], [], ["lost"], id="no-row"),
            pytest.param([unpublished("scheduled", None)], [], ["lost"], id="overdue"),
            pytest.param([unpublished("sending", None)], [], ["lost"], id="still-sending"),
            pytest.param([unpublished("unknown", "?", reconcile_at=NOW)], [], ["lost"], id="still-to-be-reconciled"),
            pytest.param([unpublished("missed", "late")], [], ["lost"], id="missed-though-in-time"),
            pytest.param([unpublished("failed", "no")], [], ["unexplained"], id="failed-without-an-attempt"),
            pytest.param([row()], [tweet(text="[1.1] other")], ["wrong text"], id="another-text"),
            pytest.param([row()], [tweet(username="bob")], ["unwanted"], id="another-account"),
            pytest.param([row()], [tweet(created_at="2026-05-04T11:54:59Z")], ["too early"], id="before-its-time"),
            pytest.param([row()], [tweet(), tweet(text="[1.2] stray")], ["unwanted"], id="nobody-asked"),
        ],
    )
    def test_a_broken_promise_is_found(
        self, rows: list[dict[str, Any]], tweets: list[dict[str, Any]], kinds: list[str]
    ) -> None:
        assert kinds_found(check([expected()], rows, tweets, NOW)) == kinds

    @pytest.mark.parametrize(
        ("rows", "tweets", "kinds"),
        [
            pytest.param([row(), ANOTHER_ROW], [tweet(), ANOTHER_TWEET], [], id="each-published-once"),
            pytest.param([row(tweet_id="6"), row(id=2)], [tweet(), ANOTHER_TWEET], [], id="each-has-the-other's-tweet"),
            pytest.param([row(), ANOTHER_ROW], [tweet(), tweet(id="6")], ["too early"], id="one-before-its-time"),
            pytest.param([row(), ANOTHER_ROW], [tweet(), ANOTHER_TWEET, tweet(id="7")], ["twice"], id="one-tweet-more"),
            pytest.param([row(), REJECTED_ROW], [tweet(), ANOTHER_TWEET], ["twice"], id="the-rejected-one-is-out-too"),
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
    def test_the_tweets_of_equal_texts_are_counted(
        self, rows: list[dict[str, Any]], tweets: list[dict[str, Any]], kinds: list[str]
    ) -> None:
        equal = [expected(), expected(mark="[1.2]", post_id=2, times=[Write(DUE + MINUTE)])]

        assert kinds_found(check(equal, rows, tweets, NOW)) == kinds

    def test_the_row_of_an_author_without_an_answer_is_known_by_its_time(self) -> None:
        unanswered = expected(created="perhaps", post_id=None)
        equal = [unanswered, expected(mark="[1.2]", post_id=2, times=[Write(DUE + MINUTE)])]

        result = check(equal, [row(), ANOTHER_ROW], [tweet(), ANOTHER_TWEET], NOW)

        assert (kinds_found(result), result.became) == ([], {"published": 2})

    def test_an_attempt_whose_outcome_the_log_never_tells_is_found(self) -> None:
        attempts = [entry(1, "unknown"), entry(2)]

        assert kinds_found(check([expected()], [row(attempts=attempts)], [tweet()], NOW)) == ["unexplained"]

    def test_an_acknowledged_edit_before_the_attempt_that_was_not_sent_is_found(self) -> None:
        edited = expected(texts=[Write("[1.1] hello"), Write("[1.1] bye", after_attempt=0)])

        assert kinds_found(check([edited], [row()], [tweet()], NOW)) == ["wrong text"]

    def test_an_edit_after_the_attempt_came_too_late(self) -> None:
        edited = expected(texts=[Write("[1.1] hello"), Write("[1.1] bye", after_attempt=1)])

        assert kinds_found(check([edited], [row(text="[1.1] bye")], [tweet()], NOW)) == []

    def test_a_deleted_post_that_is_published_is_found(self) -> None:
        deleted = expected(deleted="yes", deleted_when="scheduled")

        assert kinds_found(check([deleted], [], [tweet()], NOW)) == ["unwanted"]

    def test_a_post_of_unknown_outcome_may_be_on_x_when_it_is_deleted(self) -> None:
        deleted = expected(deleted="yes", deleted_when="unknown")

        assert kinds_found(check([deleted], [], [tweet()], NOW)) == []

    def test_a_draft_is_no_finding_if_its_author_made_it_one_and_stays_one(self) -> None:
        draft = unpublished("draft", None)

        assert kinds_found(check([expected(drafted="yes")], [draft], [], NOW)) == []
        assert kinds_found(check([expected(drafted="perhaps")], [draft], [], NOW)) == []
        assert kinds_found(check([expected(drafted="perhaps")], [row()], [tweet()], NOW)) == []
        assert kinds_found(check([expected()], [draft], [], NOW)) == ["unexplained"]
        assert kinds_found(check([expected(drafted="yes")], [draft], [tweet()], NOW)) == ["unwanted"]
        assert kinds_found(check([expected(drafted="yes")], [row()], [tweet()], NOW)) == ["unwanted"]

    def test_a_backdated_post_is_missed_only_if_its_author_chose_so(self) -> None:
        backdated = unpublished("missed", "too late")

        assert kinds_found(check([expected(was_backdated=True)], [backdated], [], NOW)) == []
        assert kinds_found(check([expected(was_backdated=True, when_late="publish")], [backdated], [], NOW)) == ["lost"]

    def test_a_create_without_an_answer_may_have_stored_nothing(self) -> None:
        unsure = expected(created="perhaps")

        assert kinds_found(check([unsure], [], [], NOW)) == []
        assert kinds_found(check([unsure], [], [tweet()], NOW)) == ["unwanted"]

    @pytest.mark.parametrize(
        ("attempts", "kinds"),
        [
            pytest.param([*absent(10), entry(11, "rejected")], [], id="rejected-after-ten-without-an-answer"),
            pytest.param([*absent(9), entry(10, "rejected")], ["unexplained"], id="rejected-after-nine"),
            pytest.param([*absent(11), entry(12, "rejected")], ["unexplained", "unexplained"], id="sent-eleven-times"),
            pytest.param(
                [entry(number, "not_sent") for number in range(1, 11)], [], id="failed-after-ten-without-a-connection"
            ),
            pytest.param(
                [*absent(9), entry(10, "not_sent")], ["unexplained"], id="failed-after-one-without-a-connection"
            ),
        ],
    )
    def test_a_post_fails_after_ten_attempts_of_one_kind(
        self, attempts: list[dict[str, Any]], kinds: list[str]
    ) -> None:
        failed = unpublished("failed", "ten times", *attempts)

        assert kinds_found(check([expected()], [failed], [], NOW)) == kinds

    def test_eleven_sends_without_an_answer_are_found_whatever_lies_between(self) -> None:
        limited = entry(6, "not_sent", rejection="account", status_code=429)
        attempts = [*absent(5), limited, *(entry(number, "absent") for number in range(7, 13)), entry(13)]

        assert kinds_found(check([expected()], [row(attempts=attempts)], [tweet()], NOW)) == ["unexplained"]

    def test_the_attempts_before_a_post_was_opened_again_do_not_count(self) -> None:
        attempts = [*absent(10), entry(11, "rejected"), entry(12, "opened"), entry(13, "absent"), entry(14)]

        assert kinds_found(check([expected()], [row(attempts=attempts)], [tweet()], NOW)) == []

    @pytest.mark.parametrize(("failed", "kinds"), [(5, []), (4, ["unexplained"])])
    def test_a_post_is_left_to_its_author_after_five_failed_reconciliations(
        self, failed: int, kinds: list[str]
    ) -> None:
        left = unpublished("unknown", "X could not be asked", entry(outcome="unknown", failed_reconciliations=failed))

        assert kinds_found(check([expected()], [left], [], NOW)) == kinds

    def test_the_limits_of_the_checker_are_those_that_the_product_promises(self) -> None:
        assert checker.MAX_UNANSWERED == limits.MAX_UNANSWERED
        assert checker.MAX_UNSENT == limits.MAX_UNSENT
        assert len(limits.RECONCILE_WAITS) == checker.MAX_FAILED_RECONCILIATIONS
