"""The doctor: each check by itself, and a whole stack that is well, and then broken by hand."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from calling import SETTINGS
from waiting import wait_until

from admin.connection import find_settings
from admin.pause import UNTIL_RESUMED
from doctor import configuration, timelines, triggers
from doctor.comparison import Objects
from doctor.database import Catalog, additional_objects, database_findings, expected_catalog, hasura_trigger_findings
from doctor.examination import Scope, examine
from doctor.metadata import Json, event_triggers, expected_metadata, metadata_at_hasura, metadata_findings
from doctor.posts import App, Attempt, Post, Posts, post_findings, post_notes
from doctor.report import KINDS, CannotExamine, Finding, Report, about_posts, as_json, as_text, misconfigured
from doctor.triggers import Invocation, ScheduledEvent, Sweep
from local.hasura.metadata_directory import load_metadata
from local.running_stack import RunningStack, started
from local.settings import stack_urls
from shared import config
from shared.config import Settings
from shared.core.model import CannotAsk, Rejection, TokensUnreadable
from shared.errors import ConfigurationError
from shared.x.sealed_tokens import TokenKeys

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SWEEP = "cron trigger publish_due_posts"


def ago(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def ahead(**ahead: float) -> datetime:
    return NOW + timedelta(**ahead)


def attempt(
    number: int = 1, outcome: str | None = "tweeted", text: str = "hello", x_user_id: str | None = "1001"
) -> Attempt:
    finished_at = ago(minutes=9) if outcome else None
    return Attempt(number, x_user_id, text, started_at=ago(minutes=10), finished_at=finished_at, outcome=outcome)


OPEN = (attempt(outcome=None),)


def post(**differing: Any) -> Post:
    """A post that is well: scheduled for in an hour, never attempted."""
    scheduled = Post(
        id=7,
        account_id=1,
        account_name="alice",
        text="hello",
        schedule_for=ahead(hours=1),
        state="scheduled",
        next_attempt_at=None,
        reconcile_at=None,
        lease_until=None,
        tweet_id=None,
        reason=None,
        paused_until=None,
        attempts=(),
    )
    return replace(scheduled, **differing)


def tweeted(**differing: Any) -> Post:
    was = {"state": "tweeted", "schedule_for": ago(minutes=10), "tweet_id": "1", "attempts": (attempt(),)}
    return post(**{**was, **differing})


def subjects(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.subject) for finding in findings]


def said(findings: Iterable[Finding]) -> list[str]:
    """``kind subject: sentence`` of each."""
    return [f"{finding.kind} {finding.subject}: {finding.sentence}" for finding in findings]


WRONG_POSTS = {
    "stuck post 7: It was due at 2026-05-04 09:26:00Z, 4 min ago, and no delivery has claimed it.": [
        post(schedule_for=ago(minutes=4)),
        post(schedule_for=ago(hours=9), next_attempt_at=ago(minutes=4), paused_until=ago(hours=1)),
    ],
    "stuck post 7: Its lease ran out at 2026-05-04 06:30:00Z, 3 h ago, and no delivery has claimed it since.": [
        post(state="sending", lease_until=ago(hours=3), attempts=OPEN)
    ],
    "stuck post 7: It was to be reconciled at 2026-05-04 09:26:00Z, 4 min ago, and no delivery has done it.": [
        post(state="unknown", reconcile_at=ago(minutes=4)),
        post(state="unknown", reconcile_at=ago(hours=1), lease_until=ago(minutes=4)),
    ],
    "stuck post 7: A change without the triggers left its attempt 1 open though the post is scheduled, so "
    "claim_due_posts skips it.": [post(schedule_for=ago(hours=9), attempts=OPEN), post(attempts=OPEN)],
    "orphaned post 7: A change without the triggers left its attempt 1 open though the post is failed.": [
        post(state="failed", attempts=OPEN)
    ],
    "orphaned post 7: It is being sent, but its log has no open attempt that could say what becomes of it.": [
        post(state="sending", lease_until=NOW),
        post(state="sending", lease_until=NOW, attempts=(attempt(outcome="not_sent"),)),
    ],
    "orphaned post 7: The row says tweeted as 1, but its log has no attempt that X accepted.": [
        tweeted(attempts=()),
        tweeted(attempts=(attempt(outcome="unknown"),)),
    ],
    "orphaned post 7: Its X account was removed, so it will fail at its time.": [post(account_id=None)],
    "lost post 7: X accepted its attempt 1, but the row is failed, so it may be published again.": [
        post(state="failed", attempts=(attempt(),))
    ],
    "duplicate post 7: X accepted 2 of its attempts (1, 2).": [tweeted(attempts=(attempt(1), attempt(2)))],
}
"""By what is said of them."""


class TestPosts:
    @pytest.mark.parametrize(
        "well",
        [
            post(),
            post(schedule_for=ago(minutes=2)),  # the sweep may just come
            post(schedule_for=ago(hours=1), next_attempt_at=ahead(minutes=5)),
            post(schedule_for=ago(hours=1), paused_until=ahead(minutes=5)),
            post(state="sending", lease_until=ago(minutes=2), attempts=OPEN),
            post(state="unknown", reconcile_at=ago(minutes=2), attempts=(attempt(outcome="unknown"),)),
            post(state="unknown", reconcile_at=ago(hours=1), lease_until=ago(minutes=2)),
            post(state="unknown"),  # its author decides
            post(state="failed", account_id=None),
            post(attempts=(attempt(1, "not_sent"),)),
            tweeted(),
            tweeted(account_id=None),
            tweeted(attempts=(attempt(1, "absent"), attempt(2, "opened"), attempt(3))),
        ],
    )
    def test_nothing_is_said_of_a_post_that_is_well(self, well: Post) -> None:
        assert list(post_findings(Posts((well,)), NOW)) == []

    @pytest.mark.parametrize(
        ("sentence", "wrong"), [(sentence, wrong) for sentence, posts in WRONG_POSTS.items() for wrong in posts]
    )
    def test_what_is_wrong_with_a_post_is_said_in_one_sentence(self, sentence: str, wrong: Post) -> None:
        assert said(post_findings(Posts((wrong,)), NOW)) == [sentence]

    def test_a_pause_of_the_whole_app_is_one_finding_however_many_posts_wait(self) -> None:
        app = App(ahead(hours=1), "X wants our app's credits topped up first.")

        found = post_findings(Posts((post(schedule_for=ago(hours=1)), post(id=8)), app), NOW)

        assert said(found) == [
            "stuck app: No post is attempted before 2026-05-04 10:30:00Z: X wants our app's credits topped up first."
        ]

    def test_a_pause_that_an_operator_ends_is_said_to_last_until_then(self) -> None:
        found = post_findings(Posts((), App(UNTIL_RESUMED, "Back at noon.")), NOW)

        assert said(found) == ["stuck app: No post is attempted before `make resume`: Back at noon."]

    def test_posts_that_waited_for_the_app_have_time_after_the_pause(self) -> None:
        overdue = post(schedule_for=ago(hours=1))

        assert subjects(post_findings(Posts((overdue,), App(ago(minutes=1))), NOW)) == []
        assert subjects(post_findings(Posts((overdue,), App(ago(minutes=4))), NOW)) == [("stuck", "post 7")]

    def test_two_published_posts_of_one_account_with_one_text_are_duplicates(self) -> None:
        first, second = tweeted(text="hello  you"), tweeted(id=8, text="hello you\n", tweet_id="2")

        [finding] = post_findings(Posts((first, second)), NOW)

        assert said([finding]) == ["duplicate posts 7, 8: They were published from @alice with the same text, as 1, 2."]
        assert finding.post_ids == (7, 8)

    def test_the_same_text_on_two_accounts_is_no_duplicate(self) -> None:
        assert list(post_findings(Posts((tweeted(), tweeted(id=8, account_id=2, tweet_id="2"))), NOW)) == []

    def test_what_waits_and_is_not_wrong_is_noted(self) -> None:
        undecided = post(state="unknown", reason="It may be on X.")
        paused = post(id=8, paused_until=ahead(minutes=5))
        app = App(follow_up_until=ago(hours=1))

        assert list(post_notes(Posts((undecided, paused), app, is_cut=True), NOW)) == [
            "posts: only the 10000 most urgent were read",
            "post 7 waits for its author to decide: It may be on X.",
            "accounts that are paused: @alice",
            "the follow-up delivery that was due by 2026-05-04 08:30:00Z has not come",
        ]

    def test_a_follow_up_delivery_that_is_still_to_come_is_not_noted(self) -> None:
        assert list(post_notes(Posts((), App(follow_up_until=ahead(minutes=1))), NOW)) == []


class HasuraWithEvents:
    """Delivers some of the soonest after each call."""

    def __init__(self, number: int, delivered: int) -> None:
        event = {"webhook_conf": "http://functions.test/api/postTweet", "header_conf": [], "status": "scheduled"}
        times = {"scheduled_time": NOW.isoformat(), "next_retry_at": None}
        self._events = [{**event, **times, "id": f"event {n}", "payload": {"id": n}} for n in range(number)]
        self._delivered = delivered

    def metadata(self, operation: str, args: dict[str, Any]) -> Any:
        assert operation == "get_scheduled_events"
        page = self._events[args.get("offset", 0) :][: args["limit"]]
        answer = {"events": page, "count": len(self._events)}
        self._events = self._events[self._delivered :]
        return answer


class TestScheduledEvents:
    ADDRESS = "http://functions.test"
    ELSEWHERE = "http://old.test/api/postTweet"

    def event(self, **differing: Any) -> ScheduledEvent:
        return replace(ScheduledEvent(7, f"{self.ADDRESS}/api/postTweet", True, NOW, is_locked=False), **differing)

    def findings(self, *events: ScheduledEvent, has_sweep: bool = True) -> list[str]:
        return said(triggers.event_findings(events, self.ADDRESS, has_sweep, NOW))

    def test_nothing_is_said_of_events_that_will_be_delivered(self) -> None:
        found = self.findings(
            self.event(),
            self.event(webhook="{{ACTIONS_BASE_URL}}/api/postTweet"),
            self.event(deliver_at=ago(minutes=2)),
            self.event(deliver_at=ago(hours=1), is_locked=True),
        )

        assert found == []

    @pytest.mark.parametrize(
        ("differing", "sentence"),
        [
            (
                {"webhook": ELSEWHERE},
                f"misconfigured ACTIONS_BASE_URL: 2 scheduled events will be delivered to {ELSEWHERE}, where the "
                "functions are no longer. The sweep publishes their posts, up to a minute late.",
            ),
            (
                {"sends_secret": False},
                "misconfigured scheduled events: 2 scheduled events will be delivered without the header "
                "x-webhook-secret, which postTweet refuses.",
            ),
            (
                {"deliver_at": ago(minutes=4)},
                "stuck scheduled events: Hasura has not delivered 2 of them, due since 2026-05-04 09:26:00Z.",
            ),
        ],
    )
    def test_what_is_wrong_with_events_is_one_finding(self, differing: dict[str, Any], sentence: str) -> None:
        wrong = self.event(**differing)

        assert self.findings(wrong, wrong) == [sentence]

    def test_that_the_sweep_publishes_the_posts_is_said_only_where_there_is_one(self) -> None:
        [sentence] = self.findings(self.event(webhook=self.ELSEWHERE), has_sweep=False)

        assert sentence.endswith("where the functions are no longer. They publish nothing.")

    def test_where_hasura_fills_in_the_address_nobody_else_can_say_which_is_wrong(self) -> None:
        assert list(triggers.event_findings([self.event()], "{{ACTIONS_BASE_URL}}", True, NOW)) == []

    def test_a_post_that_is_not_due_soon_and_has_no_event_is_lost_only_without_a_sweep(self) -> None:
        seen = [post(), post(id=8), post(id=9, schedule_for=ahead(minutes=1)), post(id=10, state="failed")]

        without = triggers.posts_without_event(seen, [self.event()], self.ADDRESS, NOW)

        assert said(triggers.lost_without_sweep(without)) == [
            "lost post 8: No scheduled event of it reaches postTweet, and there is no sweep, so nobody will publish it."
        ]

    @pytest.mark.parametrize(
        ("differing", "reaches_it"),
        [
            ({}, True),
            ({"webhook": "{{ACTIONS_BASE_URL}}/api/postTweet"}, True),
            ({"webhook": ELSEWHERE}, False),
            ({"sends_secret": False}, False),
            ({"post_id": None}, False),
        ],
    )
    def test_an_event_that_does_not_reach_post_tweet_is_none(self, differing: dict[str, Any], reaches_it: bool) -> None:
        without = triggers.posts_without_event([post()], [self.event(**differing)], self.ADDRESS, NOW)

        assert without == ([] if reaches_it else [post()])

    def test_several_events_of_one_post_and_events_that_are_locked_for_long_are_noted(self) -> None:
        locked = self.event(post_id=None, deliver_at=ago(hours=1), is_locked=True)

        notes = list(triggers.event_notes([self.event(), self.event(), self.event(post_id=8), locked], NOW))

        assert notes == [
            "scheduled events: 1 locked for long; Hasura delivers them after its next restart",
            "scheduled events: more than one is pending for the same post (7), which does no harm",
        ]

    @pytest.mark.parametrize(("delivered", "unread"), [(0, 0), (triggers.OVERLAP, 0), (triggers.OVERLAP + 7, 7)])
    def test_events_are_read_page_by_page_though_some_are_delivered_meanwhile(
        self, delivered: int, unread: int
    ) -> None:
        number = triggers.PAGE + 3_000

        events = triggers.read_events(HasuraWithEvents(number, delivered))  # type: ignore[arg-type]

        assert len({event.post_id for event in events.all}) == number - unread
        assert events.unread == unread


class TestTheSweep:
    def findings(self, next_at: datetime | None, *statuses: int | None) -> list[str]:
        invocations = tuple(Invocation(ago(minutes=minutes), status) for minutes, status in enumerate(statuses))
        return said(triggers.sweep_findings(Sweep(next_at, invocations), NOW))

    @pytest.mark.parametrize("statuses", [(), (200,), (200, 401), (503, 200), (None, 200), (None,), (200, 401, 401)])
    def test_a_sweep_that_is_delivered_is_well_one_failure_included(self, statuses: tuple[int | None, ...]) -> None:
        assert self.findings(NOW, *statuses) == []

    LATEST = "At 09:30:00Z, at the latest delivery,"
    SECRET = f"misconfigured WEBHOOK_SECRET: {LATEST} Hasura sent another secret than postTweet has."
    ADDRESS = f"misconfigured ACTIONS_BASE_URL: {LATEST}"

    @pytest.mark.parametrize(
        ("next_at", "statuses", "sentence"),
        [
            (None, (200,), f"misconfigured {SWEEP}: Hasura has planned no delivery of it."),
            (ago(minutes=4), (200,), f"stuck {SWEEP}: Hasura has not delivered it since 2026-05-04 09:26:00Z."),
            (NOW, (401,), SECRET),
            (NOW, (401, 200), SECRET),
            (NOW, (404, 503), f"{ADDRESS} there was no postTweet (404)."),
            (NOW, (None, 503), f"{ADDRESS} nobody answered."),
            (
                NOW,
                (500, None),
                f"stuck {SWEEP}: {LATEST} and at the one before, postTweet did not succeed (500).",
            ),
        ],
    )
    def test_what_is_wrong_with_the_sweep_is_said_in_one_sentence(
        self, next_at: datetime | None, statuses: tuple[int | None, ...], sentence: str
    ) -> None:
        assert self.findings(next_at, *statuses) == [sentence]


class TestTimelines:
    def findings(self, shown: list[str], known: set[str], *rows: Post, now: datetime = NOW) -> list[str]:
        sent = timelines.SentText("1001", "hello", ago(minutes=11), rows)
        return said(timelines.timeline_findings(sent, "alice", shown, known, now))

    def test_what_the_rows_say_and_x_shows_is_well(self) -> None:
        assert self.findings(["1"], {"1"}, tweeted()) == []
        assert self.findings([], set(), post(state="failed")) == []
        assert self.findings(["5"], {"5"}, post(state="failed")) == []  # another post's

    def test_a_second_tweet_of_a_text_is_a_duplicate(self) -> None:
        assert self.findings(["1", "2"], {"1"}, tweeted()) == [
            "duplicate post 7: @alice has this text on X as 2, which no row knows, beside the tweet of the row."
        ]

    def test_a_tweet_that_no_row_knows_is_orphaned(self) -> None:
        rows = post(state="failed"), post(id=8, state="unknown")

        assert self.findings(["2"], set(), *rows) == [
            "orphaned posts 7, 8: @alice has this text on X as 2, which no row knows; here it is failed and unknown."
        ]

    def test_a_tweet_that_x_does_not_show_is_lost_once_x_surely_would(self) -> None:
        assert self.findings([], set(), tweeted()) == [
            "lost post 7: The row says tweeted as 1, but X does not show that on @alice."
        ]
        assert self.findings([], set(), tweeted(), now=ago(minutes=8)) == []

    @pytest.mark.parametrize("accepted", [attempt(2, text="hello again"), attempt(2, x_user_id="1002")])
    def test_an_attempt_with_another_text_or_account_does_not_make_the_tweet_lost(self, accepted: Attempt) -> None:
        assert self.findings([], set(), tweeted(attempts=(attempt(1, "absent"), accepted))) == []

    @pytest.mark.parametrize("edited", [{"text": "hello again"}, {"account_id": 2, "account_name": "bob"}])
    def test_what_was_sent_counts_and_not_what_the_row_says_by_now(self, edited: dict[str, Any]) -> None:
        assert self.findings([], set(), tweeted(**edited)) == self.findings([], set(), tweeted()) != []

    def test_x_is_asked_about_every_text_on_the_account_that_it_was_sent_from_the_latest_first(self) -> None:
        edited = tweeted(attempts=(attempt(1, "absent", "helo"), attempt(2)), account_id=2, account_name="bob")
        newer = post(id=8, state="failed", attempts=(replace(attempt(1, "rejected", "no"), started_at=NOW),))

        sent = timelines.sent_texts([edited, newer])

        asked = [(one.x_user_id, one.text, [row.id for row in one.posts]) for one in sent]
        assert asked == [("1001", "no", [8]), ("1001", "helo", [7]), ("1001", "hello", [7])]
        assert sent[1].since < ago(minutes=10)

    @pytest.mark.parametrize(
        "busy",
        [
            post(),
            post(state="sending", attempts=OPEN),
            post(state="unknown", reconcile_at=NOW, attempts=(attempt(outcome="unknown"),)),
            post(attempts=(attempt(outcome="opened"),)),
            tweeted(attempts=(attempt(x_user_id=None),)),  # it had no account
        ],
    )
    def test_x_is_not_asked_about_posts_that_are_under_way_or_were_never_sent(self, busy: Post) -> None:
        assert timelines.sent_texts([busy]) == []

    def test_the_keys_are_suspected_only_when_the_sign_in_of_every_account_is_rejected(self) -> None:
        def suspected(failures: dict[str, CannotAsk | TokensUnreadable]) -> list[str]:
            found = timelines.unavailable_findings(failures, number_of_accounts=2)
            return [finding.subject for finding in found]

        rejected = CannotAsk("X no longer accepts our sign-in for @a: link @a anew.", what=Rejection.SIGN_IN)
        limited = CannotAsk("X limits how much @a may do for now.", timedelta(minutes=15))
        no_credits = CannotAsk("X wants our app's credits topped up first.", timedelta(hours=1), what=Rejection.APP)

        assert suspected({"a": rejected, "b": rejected}) == ["CONSUMER_API_KEY, CONSUMER_API_SECRET"]
        assert suspected({"a": rejected}) == []
        assert suspected({"a": rejected, "b": limited}) == []
        assert suspected({"a": no_credits, "b": no_credits}) == ["our app on X"]
        assert suspected({"a": TokensUnreadable("Sorry.", "they do not open"), "b": rejected}) == ["X_TOKEN_KEYS"]


class TestConfiguration:
    NOT_POST_TWEET = "misconfigured ACTIONS_BASE_URL: What answers at http://f.test is not postTweet as it is here"

    @pytest.mark.parametrize(
        ("statuses", "sentence"),
        [
            ((401, 401), "misconfigured WEBHOOK_SECRET: postTweet at http://f.test has another one."),
            (
                (500, 500),
                "misconfigured functions: postTweet at http://f.test answers 500: a setting of its own is wrong.",
            ),
            (
                (404, 405),
                f"{NOT_POST_TWEET}: 404 to a wrong secret (401 is right), 405 to a body that is no event "
                "(400 is right).",
            ),
            (
                (400, 400),
                f"{NOT_POST_TWEET}: 400 to a wrong secret (401 is right), 400 to a body that is no event "
                "(400 is right).",
            ),
        ],
    )
    def test_the_answers_of_the_webhook_tell_what_is_wrong(self, statuses: tuple[int, int], sentence: str) -> None:
        assert said(configuration.webhook_findings("http://f.test", *statuses)) == [sentence]

    def test_a_webhook_that_checks_the_secret_first_is_well(self) -> None:
        assert list(configuration.webhook_findings("http://f.test", 401, 400)) == []

    def test_an_inconsistent_object_is_told_in_the_words_of_hasura(self) -> None:
        not_set = "Inconsistent object: environment variable 'WEBHOOK_SECRET' not set"
        objects = [
            {"type": "cron_trigger", "name": "cron_trigger publish_due_posts", "reason": not_set},
            {"type": "event_trigger", "name": "post_moved", "reason": "something else"},
            {"reason": "no such thing"},
        ]

        found = list(configuration.inconsistency_findings(objects, []))

        left_out = "Hasura calls it inconsistent, and leaves it out"
        assert said(found) == [
            f"misconfigured {SWEEP}: {left_out}: environment variable 'WEBHOOK_SECRET' not set.",
            f"misconfigured event trigger post_moved: {left_out}: something else.",
            f"misconfigured Hasura's metadata: {left_out}: no such thing.",
        ]
        assert [one.cure.partition(":")[0] for one in found] == [
            "Give it to Hasura in its environment, and start Hasura again.",
            "Mend that, and reload the metadata",
            "Mend that, and reload the metadata",
        ]

    def test_an_inconsistent_table_is_passed_over_when_the_database_lacks_it_too(self) -> None:
        reason = 'Inconsistent object: no such table/view exists in source: "app"'
        app = {"type": "table", "name": "table app in source default", "reason": reason}

        [finding] = configuration.inconsistency_findings([app], ["table app", "function f(integer)"])

        assert finding.cure.startswith("The migrations were applied after the metadata.")
        assert list(configuration.inconsistency_findings([app], ["table account"])) == []

    @pytest.mark.parametrize(
        ("clocks", "found"),
        [
            ({"X": 50.0, "the database": -5.0}, []),
            ({"X": 0.4, "the database": -90.0, "the functions": -0.2}, [("the database", "It is 90 s behind")]),
            ({"X": 300.0, "the database": 300.5}, [("this machine", "It is 300 s behind")]),
        ],
    )
    def test_the_clock_that_differs_from_most_is_found(
        self, clocks: dict[str, float], found: list[tuple[str, str]]
    ) -> None:
        findings = configuration.clock_findings({"this machine": 0.0, **clocks})

        wrong = "times are compared wrongly, and X rejects signatures."
        assert said(findings) == [f"misconfigured the clock of {name}: {how}: {wrong}" for name, how in found]

    @pytest.mark.parametrize("secret", ["not JSON", json.dumps({"type": "none", "key": "not to be shown"})])
    def test_a_setting_that_cannot_verify_tokens_is_found_and_not_shown(self, secret: str) -> None:
        [finding] = configuration.token_setting_findings(secret)

        assert finding.subject == "HASURA_GRAPHQL_JWT_SECRET"
        assert "not to be shown" not in finding.sentence

    def test_a_setting_that_verifies_tokens_is_well(self) -> None:
        assert list(configuration.token_setting_findings(json.dumps({"type": "HS256", "key": "k" * 32}))) == []


def files() -> tuple[Json, Json]:
    """What ``hasura/metadata`` says, as Hasura would answer export_metadata and get_cron_triggers."""
    loaded = load_metadata(ROOT / "hasura/metadata")
    return {"version": 3, "sources": [loaded.database]}, {"cron_triggers": loaded.cron_triggers}


def table_in(export: Json, name: str) -> Json:
    [table] = [table for table in export["sources"][0]["tables"] if table["table"]["name"] == name]
    return table  # type: ignore[no-any-return]


def backwards(value: Any) -> Any:
    """Every list and every object in the other order."""
    if isinstance(value, dict):
        return {name: backwards(one) for name, one in reversed(value.items())}
    return [backwards(one) for one in reversed(value)] if isinstance(value, list) else value


class TestMetadata:
    def findings(self, export: Json, cron: Json) -> list[tuple[str, str]]:
        found = metadata_findings(expected_metadata(), metadata_at_hasura(export, cron))
        return [(finding.subject.removesuffix(" at Hasura"), finding.sentence) for finding in found]

    def test_metadata_as_in_the_repository_is_well(self) -> None:
        assert self.findings(*files()) == []

    def test_an_export_in_another_order_and_wrapping_is_well(self) -> None:
        export, cron = files()

        assert self.findings({"resource_version": 7, "metadata": backwards(export)}, backwards(cron)) == []

    def test_an_export_with_every_default_is_well(self) -> None:
        export, cron = files()
        defaults: Json = {"column_config": {}, "custom_column_names": {}, "custom_root_fields": {}}
        for table in export["sources"][0]["tables"]:
            table.update(is_enum=False, configuration=defaults, computed_fields=[], remote_relationships=[])
        account, post = table_in(export, "account"), table_in(export, "scheduled_post")
        del account["select_permissions"][0]["comment"]
        of_account = account["select_permissions"][0]["permission"]
        of_account.update(computed_fields=[], query_root_fields=None)
        table_in(export, "app")["select_permissions"][0]["permission"].update(allow_aggregations=False)
        post["array_relationships"][0]["using"]["foreign_key_constraint_on"]["table"] = "post_attempt"
        post["insert_permissions"][0]["permission"].update(set={}, backend_only=False)
        del post["event_triggers"][0]["definition"]["enable_manual"]
        post["event_triggers"][0].update(cleanup_config=None, request_transform=None)
        function = export["sources"][0]["functions"][0]
        function.update(permissions=[], comment=None)
        function["configuration"].update(session_argument=None, custom_root_fields={})
        sweep = cron["cron_triggers"][0]
        sweep.update(payload=None, request_transform=None, comment="other words")
        sweep["retry_conf"]["timeout_seconds"] = 150.0
        sweep["headers"][0]["name"] = "X-Webhook-Secret"
        export.update(inherited_roles=[{"role_name": "editor", "role_set": ["author", "reader"]}])  # another program's

        assert self.findings(export, cron) == []

    def test_what_hasura_has_for_other_programs_is_passed_over(self) -> None:
        export, cron = files()
        everybody = {"role": "anonymous", "permission": {"columns": "*", "filter": {}}}
        for table in ({"schema": "crm", "name": "account"}, {"schema": "public", "name": "invoice"}):
            export["sources"][0]["tables"].append({"table": table, "select_permissions": [everybody]})
        cron["cron_triggers"].append({"name": "invoices", "webhook": "http://crm.test", "schedule": "0 0 1 * *"})

        assert self.findings(export, cron) == []

    def test_a_hasura_without_metadata_lacks_every_object(self) -> None:
        found = self.findings({"version": 3, "sources": []}, {"cron_triggers": []})

        assert found == [(name, "It is missing.") for name in expected_metadata()]
        assert {"table account", "function claim_due_posts", "event trigger post_moved", SWEEP} <= set(
            expected_metadata()
        )

    @pytest.mark.parametrize(
        ("differing", "which"),
        [
            ({"headers": []}, "its headers is another"),
            ({"headers": [{"name": "x-webhook-secret", "value_from_env": "OTHER"}]}, "its headers is another"),
            ({"schedule": "0 * * * *"}, 'its schedule is "0 * * * *" instead of "* * * * *"'),
            ({"payload": {"id": 7}}, None),
            ({"retry_conf": {"num_retries": 0, "timeout_seconds": 1}}, "its retry_conf is another"),
            ({"request_transform": {"version": 2}}, None),
            (
                {"webhook": "http://elsewhere.test/api/postTweet"},
                'its webhook is "http://elsewhere.test/api/postTweet" instead of "{{ACTIONS_BASE_URL}}/api/postTweet"',
            ),
        ],
    )
    def test_a_sweep_that_is_another_is_found(self, differing: dict[str, Any], which: str | None) -> None:
        export, cron = files()
        cron["cron_triggers"][0].update(differing)

        besides = f"It has what hasura/metadata does not give it: {', '.join(differing)}."
        assert self.findings(export, cron) == [(SWEEP, f"It is not as it should be: {which}." if which else besides)]

    @pytest.mark.parametrize(
        "differing",
        [
            {"retry_conf": {"num_retries": 0, "interval_sec": 15, "timeout_sec": 60}},
            {"definition": {"update": {"columns": ["text"], "payload": ["id", "user_id", "schedule_for", "state"]}}},
            {"definition": {"update": {"columns": ["schedule_for"]}}},
            {"webhook": None, "webhook_from_env": "ELSEWHERE"},
        ],
    )
    def test_an_event_trigger_that_is_another_is_found(self, differing: dict[str, Any]) -> None:
        export, cron = files()
        table_in(export, "scheduled_post")["event_triggers"][0].update(differing)

        assert [subject for subject, _ in self.findings(export, cron)] == ["event trigger post_moved"]

    @pytest.mark.parametrize(
        ("table", "kind", "permission"),
        [
            ("account", "select", {"columns": ["sealed_tokens"]}),
            ("account", "select", {"columns": "*"}),
            ("account", "select", {"filter": {}}),
            ("account", "select", {"filter": {"account_users": {"user": {"username": {"_neq": "X-Hasura-User-Id"}}}}}),
            ("app", "select", {"allow_aggregations": True}),
            ("account", "select", {"limit": 0}),
            ("account", "select", {"query_root_fields": []}),
            ("scheduled_post", "insert", {"set": {"state": "tweeted"}}),
            ("scheduled_post", "insert", {"backend_only": True}),
            ("scheduled_post", "update", {"check": None}),
        ],
    )
    def test_a_permission_that_allows_something_else_is_found(self, table: str, kind: str, permission: Json) -> None:
        export, cron = files()
        table_in(export, table)[f"{kind}_permissions"][0]["permission"].update(permission)

        sentence = f"It is not as it should be: its {kind} permission of the role user is another."
        assert self.findings(export, cron) == [(f"table {table}", sentence)]

    def test_rights_that_the_files_do_not_give_are_found(self) -> None:
        export, cron = files()
        anybody = {"role": "anonymous", "permission": {"columns": "*", "filter": {}}}
        user = {"remote_table": "user", "column_mapping": {"id": "id"}}
        table_in(export, "account")["select_permissions"].append(anybody)
        table_in(export, "app")["object_relationships"] = [{"name": "user", "using": {"manual_configuration": user}}]
        table_in(export, "user")["configuration"] = {"custom_name": "author"}
        export["sources"][0]["functions"][0]["permissions"] = [{"role": "user"}]
        export["inherited_roles"] = [{"role_name": "anonymous", "role_set": ["user", "reader"]}]

        besides = "It has what hasura/metadata does not give it"
        assert self.findings(export, cron) == [
            ("table account", f"{besides}: select permission of the role anonymous."),
            ("table app", f"{besides}: object relationship user."),
            ("table user", f"{besides}: configuration."),
            ("function claim_due_posts", f"{besides}: permission of the role user."),
            ("role anonymous", "It inherits the rights of user."),
        ]

    @pytest.mark.parametrize(
        ("relationships", "which"),
        [
            ([], "it has no array relationship account_users"),
            (
                [
                    {
                        "name": "account_users",
                        "using": {"foreign_key_constraint_on": {"table": "account", "column": "id"}},
                    }
                ],
                "its array relationship account_users is another",
            ),
        ],
    )
    def test_a_relationship_that_is_missing_or_another_is_found(self, relationships: list[Json], which: str) -> None:
        export, cron = files()
        table_in(export, "account")["array_relationships"] = relationships

        assert self.findings(export, cron) == [("table account", f"It is not as it should be: {which}.")]


class TestDatabase:
    EXPECTED = Catalog(
        16,
        {
            "table a": {
                "column id": "bigint not null",
                "constraint a_check": "CHECK (((id > 0) AND (name = ANY (ARRAY['x'::text]))))",
            },
            "function f(bigint)": {"arguments": "n bigint", "source": {"sha256": "1"}},
        },
    )

    def findings(self, actual: Catalog) -> list[tuple[str, str]]:
        return [(finding.subject, finding.sentence) for finding in database_findings(self.EXPECTED, actual)]

    def test_a_table_and_a_function_that_are_missing_are_one_finding_each(self) -> None:
        assert self.findings(Catalog(16, {})) == [
            ("table a in the database", "It is missing."),
            ("function f(bigint) in the database", "It is missing."),
        ]

    def test_what_differs_is_said_in_words(self) -> None:
        actual: Objects = {
            "table a": {"column id": "integer not null"},
            "function f(bigint)": {"arguments": "n bigint", "source": {"sha256": "2"}},
        }

        assert self.findings(Catalog(16, actual)) == [
            (
                "table a in the database",
                "It is not as it should be: it has no constraint a_check; "
                'its column id is "integer not null" instead of "bigint not null".',
            ),
            ("function f(bigint) in the database", "It is not as it should be: its source is another."),
        ]

    @pytest.mark.parametrize(
        ("printed", "is_same"),
        [
            ("CHECK ((id > 0) AND (name = ANY (ARRAY['x'])))", True),
            ("CHECK ((id > 0 AND name = ANY (ARRAY['x'::character varying]::text[])))", True),
            ("CHECK (((id > 1) AND (name = ANY (ARRAY['x'::text]))))", False),
        ],
    )
    def test_another_version_of_postgresql_may_print_other_parentheses_and_casts(
        self, printed: str, is_same: bool
    ) -> None:
        table = {**self.EXPECTED.objects["table a"], "constraint a_check": printed}
        objects = {**self.EXPECTED.objects, "table a": table}

        assert (self.findings(Catalog(17, objects)) == []) is is_same
        assert self.findings(Catalog(16, objects)) != []

    def test_what_our_tables_have_besides_is_named_but_for_the_triggers_of_hasura(self) -> None:
        additional = {"index a_name": "...", "trigger notify_hasura_moved_UPDATE": "..."}
        objects: Objects = {
            **self.EXPECTED.objects,
            "table a": {**self.EXPECTED.objects["table a"], **additional},
            "table of_another_program": {"column id": "bigint"},
            "function f()": {},
            "function of_another_program()": {},
        }

        assert additional_objects(self.EXPECTED, Catalog(16, objects)) == ["index a_name of table a", "function f()"]

    @pytest.mark.parametrize(
        ("parts", "is_found"),
        [
            ({}, True),
            ({"trigger notify_hasura_post_moved_UPDATE": "CREATE TRIGGER ... (disabled)"}, True),
            ({"trigger notify_hasura_post_moved_UPDATE": "CREATE TRIGGER ..."}, False),
        ],
    )
    def test_a_trigger_of_hasura_that_is_missing_or_disabled_is_found(
        self, parts: dict[str, str], is_found: bool
    ) -> None:
        another = {"trigger notify_hasura_delivery_requested_INSERT": "CREATE TRIGGER ..."}
        actual = Catalog(16, {"table scheduled_post": parts, "table delivery_request": another})

        found = subjects(hasura_trigger_findings(event_triggers(expected_metadata()), actual))

        assert found == [("misconfigured", "trigger notify_hasura_post_moved_UPDATE")] * is_found


class TestItsSettings:
    def test_the_environment_comes_first(self, tmp_path: Path) -> None:
        _, source = find_settings(tmp_path, SETTINGS, tmp_path / ".env")

        assert source == "the environment and .env"

    def test_without_them_it_takes_those_of_the_local_stack(self, broken: "BrokenStack") -> None:
        settings, source = find_settings(broken.data, {}, broken.data / ".env")

        urls = stack_urls({})
        assert settings.webhook_secret == broken.settings.webhook_secret
        assert (settings.app_base_api, settings.actions_base_url) == (urls["hasura"], urls["functions"])
        assert settings.x_base_url == urls["x"]
        assert source == f"the local stack's, in {broken.data}"

    def test_where_no_stack_ever_ran_it_says_so_and_makes_no_secrets(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="no local stack has run"):
            find_settings(tmp_path / "none", {}, tmp_path / ".env")

        assert not (tmp_path / "none").exists()

    def test_it_does_not_import_the_development_stack(self) -> None:
        program = "import sys, doctor.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
        imported = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

        assert {"doctor", "shared", "yaml"} <= set(imported.stdout.split())
        assert set(imported.stdout.split()).isdisjoint({"local", "psycopg", "aiohttp", "graphql", "psutil"})

    @pytest.mark.parametrize("address", ["http://functions.test", "functions.test"])
    def test_the_webhooks_secret_is_sent_to_no_address_that_the_settings_would_refuse(self, address: str) -> None:
        addresses = dict.fromkeys(("APP_BASE_API", "ACTIONS_BASE_URL", "X_BASE_URL"), "https://localhost:9")
        settings = {**SETTINGS, **addresses, "ALLOW_PLAIN_HTTP": "false"}

        doctor = run_doctor(settings, "--functions", address, "--json")

        [finding] = json.loads(doctor.stdout)["findings"]
        assert doctor.returncode == 1
        assert finding["sentence"].startswith("Settings: ACTIONS_BASE_URL ")


class TestReport:
    REPORT = Report()
    REPORT.add([misconfigured("WEBHOOK_SECRET", "It is wrong.", "Set it.")])
    REPORT.add([about_posts("stuck", [8, 7], "They were due.", "Wait."), about_posts("lost", [7], "Gone.", "Look.")])
    REPORT.add([about_posts("lost", [7], "Gone.", "Look.")])
    REPORT.note("scheduled events: 1 pending")

    def test_its_text_names_each_finding_once_its_subject_and_what_to_do(self) -> None:
        assert as_text(self.REPORT).split("\n") == [
            "  lost           post 7",
            "                 Gone. Look.",
            "  stuck          posts 7, 8",
            "                 They were due. Wait.",
            "  misconfigured  WEBHOOK_SECRET",
            "                 It is wrong. Set it.",
            "",
            "  scheduled events: 1 pending",
            "",
            "3 findings.",
        ]

    def test_its_json_has_the_same(self) -> None:
        lost, stuck, wrong = json.loads(json.dumps(as_json(self.REPORT)))["findings"]

        assert lost == {"kind": "lost", "subject": "post 7", "sentence": "Gone.", "cure": "Look.", "post_ids": [7]}
        assert (stuck["kind"], stuck["subject"], stuck["post_ids"]) == ("stuck", "posts 7, 8", [7, 8])
        assert (wrong["kind"], wrong["subject"], wrong["post_ids"]) == ("misconfigured", "WEBHOOK_SECRET", [])
        assert as_json(self.REPORT)["notes"] == ["scheduled events: 1 pending"]

    def test_its_text_does_not_control_the_terminal(self) -> None:
        text = as_text(Report([], ["post 7 waits for its author: \x1b[2J\rgone"]))

        assert text.startswith("  post 7 waits for its author: ?[2J?gone\n")

    def test_what_cannot_be_read_is_a_finding_and_the_next_step_follows(self) -> None:
        report = Report()

        with report.step():
            raise CannotExamine(misconfigured("X_BASE_URL", "It is wrong.", "Set it."))

        assert subjects(report.findings) == [("misconfigured", "X_BASE_URL")]


DOCUMENT = (ROOT / "docs/doctor.md").read_text()


def first_column(of: str) -> list[str]:
    """Of the table in the document that is headed so."""
    table = DOCUMENT.split(f"\n| {of} |", 1)[1].split("\n\n")[0]
    return re.findall(r"^\| `([\w-]+)", table, re.MULTILINE)


def test_the_document_explains_every_kind_and_every_option() -> None:
    shown = subprocess.run([sys.executable, "-m", "doctor", "--help"], cwd=ROOT, capture_output=True, text=True).stdout

    assert first_column("kind") == list(KINDS)
    assert set(first_column("option")) == set(re.findall(r"--[a-z]+", shown)) - {"--help"}


def test_the_document_on_hasura_has_the_command_that_the_doctor_prints() -> None:
    assert f"\n{configuration.RELOAD}\n" in (ROOT / "docs/hasura.md").read_text()


def test_the_document_shows_the_shape_of_the_json() -> None:
    example = json.loads(DOCUMENT.split("```json\n", 1)[1].split("```", 1)[0])
    finding = about_posts("stuck", [7], "It was due.", "Wait.")

    assert example.keys() == as_json(Report()).keys()
    assert [one.keys() for one in example["findings"]] == [as_json(Report([finding]))["findings"][0].keys()] * 2


UNDER_WAY = """
select
  (
    select count(*) from hdb_catalog.hdb_scheduled_events
    where status in ('scheduled', 'locked') and scheduled_time < now() + interval '1 minute'
  ) + (select count(*) from hdb_catalog.event_log where not delivered and not error and not archived)
  + (select count(*) from hdb_catalog.hdb_cron_events where status = 'locked')"""


class BrokenStack:
    """A stack of its own to be broken by hand, and its doctor."""

    def __init__(self, stack: RunningStack, data: Path) -> None:
        self.stack = stack
        self.data = data
        self.settings = config.load(stack.settings, dotenv=data / ".env")

    def examine(self, settings: Settings | None = None) -> set[tuple[str, str]]:
        """The kind and the subject of each finding."""
        return set(subjects(examine(settings or self.settings, Scope()).findings))

    def schedule(self, text: str, username: str | None = None, **ahead: float) -> Any:
        """What createPost answers."""
        token = self.stack.token(username or "u" + uuid.uuid4().hex[:12])
        at = datetime.now(UTC) + timedelta(**ahead)
        return self.stack.create_post(token, {"text": text, "schedule_for": at.isoformat()}).json()

    def publish(self, text: str, username: str | None = None) -> int:
        """The id of a post that was created, and attempted, the usual way."""
        post_id: int = self.schedule(text, username)["insert_scheduled_post_one"]["id"]
        state = "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state } }"
        wait_until(
            lambda: self.stack.graphql(state, {"id": post_id})["scheduled_post_by_pk"]["state"],
            lambda seen: seen not in ("scheduled", "sending"),
        )
        return post_id

    def events_under_way(self) -> object:
        """How many events are due that Hasura has not delivered yet."""
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as connection:
            row = connection.execute(UNDER_WAY).fetchone()
        return row[0] if row else None

    def force(self, statement: str) -> None:
        """Writes what no trigger of the database would let pass."""
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement.encode())

    @contextmanager
    def altered(self, done: str, undone: str) -> Iterator[None]:
        """So that the database is otherwise than the migrations make it."""
        self.force(done)
        try:
            yield
        finally:
            self.force(undone)

    @contextmanager
    def without_sweep(self) -> Iterator[None]:
        """So that no delivery comes and mends it; those of events that are under way have ended."""
        self.stack.metadata("delete_cron_trigger", {"name": "publish_due_posts"})
        wait_until(self.events_under_way, lambda number: number == 0)
        try:
            yield
        finally:
            self.restore_sweep()

    def restore_sweep(self) -> None:
        """Makes the cron trigger again what the files say."""
        [sweep] = files()[1]["cron_triggers"]
        self.stack.metadata("create_cron_trigger", {**sweep, "replace": True})


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[BrokenStack]:
    data = tmp_path_factory.mktemp("broken")
    with started(data, "--poll-interval", "0.2", "--rate-limit", "off") as stack:
        yield BrokenStack(stack, data)


@pytest.fixture(autouse=True)
def _without_posts_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "broken" in request.fixturenames:
        request.getfixturevalue("broken").force("truncate scheduled_post, post_attempt")


def run_doctor(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "doctor", *options]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=150
    )


class TestAWholeStack:
    def test_when_all_is_well_it_says_so_and_what_it_examined(self, broken: BrokenStack) -> None:
        broken.publish("All is well & example.com")

        doctor = run_doctor(broken.stack.settings)

        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        assert "All is well" in doctor.stdout
        assert "posts: 1 tweeted" in doctor.stdout
        assert "timelines: 1 of 1 texts were reconciled with X" in doctor.stdout
        assert doctor.stderr == ""

    def test_when_something_is_wrong_its_status_says_so(self, broken: BrokenStack) -> None:
        with broken.without_sweep():
            doctor = run_doctor(broken.stack.settings)

        assert doctor.returncode == 1
        assert f"  misconfigured  {SWEEP} at Hasura" in doctor.stdout
        assert not any(secret in doctor.stdout for secret in broken.stack.settings.values() if "://" not in secret)

    def test_its_json_is_the_whole_of_its_output(self, broken: BrokenStack) -> None:
        with broken.without_sweep():
            doctor = run_doctor(broken.stack.settings, "--json")

        assert doctor.returncode == 1
        assert [finding["subject"] for finding in json.loads(doctor.stdout)["findings"]] == [f"{SWEEP} at Hasura"]

    def test_a_setting_that_is_wrong_is_a_finding_in_the_json(self, broken: BrokenStack) -> None:
        doctor = run_doctor({**broken.stack.settings, "APP_BASE_API": "nowhere"}, "--json")

        [finding] = json.loads(doctor.stdout)["findings"]
        assert (doctor.returncode, finding["kind"], finding["subject"]) == (1, "misconfigured", "settings")
        assert "APP_BASE_API" in finding["sentence"]

    def test_it_changes_nothing(self, broken: BrokenStack) -> None:
        post_id = broken.publish("Do not touch")
        event = "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { event_id } }"  # it is written down later
        wait_until(
            lambda: broken.stack.graphql(event, {"id": post_id})["scheduled_post_by_pk"],
            lambda post: post["event_id"],
        )
        everything = "query { scheduled_post { id updated_at state } post_attempt { post_id number finished_at } }"
        before = broken.stack.graphql(everything), broken.stack.tweets()

        broken.examine()

        assert (broken.stack.graphql(everything), broken.stack.tweets()) == before


WRONG_ROWS: dict[str, tuple[str, str]] = {
    "overdue": (
        "stuck",
        "update scheduled_post set state = 'scheduled', tweet_id = null, schedule_for = now() - interval '10 min'",
    ),
    "lease": (
        "stuck",
        "update scheduled_post set state = 'sending', tweet_id = null, lease_until = now() - interval '10 min'",
    ),
    "reconciliation": (
        "stuck",
        "update scheduled_post set state = 'unknown', tweet_id = null, reason = '', "
        "reconcile_at = now() - interval '1h'",
    ),
    "open attempt": (
        "stuck",
        "update scheduled_post set state = 'scheduled', tweet_id = null; "
        "update post_attempt set finished_at = null, outcome = null",
    ),
    "open attempt of a post that ended": (
        "orphaned",
        "update post_attempt set finished_at = null, outcome = null",
    ),
    "no account": ("orphaned", "update scheduled_post set account_id = null, state = 'scheduled', tweet_id = null"),
    "accepted in vain": ("lost", "update scheduled_post set state = 'failed', tweet_id = null, reason = 'by hand'"),
    "another tweet": ("duplicate", "update scheduled_post set tweet_id = '999'"),
    "two accepted": (
        "duplicate",
        "insert into post_attempt (post_id, number, user_id, text, finished_at, outcome) "
        "select id, 0, user_id, text, now(), 'tweeted' from scheduled_post",
    ),
}
"""By what is done to a published post, by hand and without the triggers: the kind of finding, and the SQL."""


class TestWrongRows:
    @pytest.mark.parametrize("what", WRONG_ROWS)
    def test_a_row_that_is_wrong_is_found(self, broken: BrokenStack, what: str) -> None:
        kind, by_hand = WRONG_ROWS[what]
        post_id = broken.publish(f"{what} {uuid.uuid4()}")
        with broken.without_sweep():
            broken.force(by_hand)

            found = broken.examine()

        assert (kind, f"post {post_id}") in found

    def test_a_scheduled_post_with_an_open_attempt_is_not_claimed_as_the_finding_says(
        self, broken: BrokenStack
    ) -> None:
        post_id = broken.publish(f"Left open {uuid.uuid4()}")
        broken.force(WRONG_ROWS["open attempt"][1])

        claimed = broken.stack.graphql("mutation { claim_due_posts(args: {}) { post_id } }")["claim_due_posts"]

        assert claimed == []
        [finding] = (one for one in examine(broken.settings, Scope()).findings if one.kind == "stuck")
        assert finding.post_ids == (post_id,)
        assert "claim_due_posts skips it" in finding.sentence

    def test_a_draft_is_passed_over(self, broken: BrokenStack) -> None:
        broken.publish(f"Back to the drafts {uuid.uuid4()}")
        broken.force("update scheduled_post set state = 'draft', tweet_id = null, schedule_for = null")

        assert broken.examine() == set()

    def test_two_rows_with_tweets_of_one_text_are_found(self, broken: BrokenStack) -> None:
        ids = [broken.publish(text, username="again") for text in ("Once", "Once more")]
        broken.force("update scheduled_post set text = 'Once'")

        assert ("duplicate", f"posts {ids[0]}, {ids[1]}") in broken.examine()

    def test_a_tweet_that_no_row_knows_is_found_on_the_timeline(self, broken: BrokenStack) -> None:
        broken.stack.fail("reset_after")
        post_id = broken.publish(f"Nobody knows {uuid.uuid4()}")
        broken.force("update scheduled_post set reconcile_at = null")  # so that nobody reconciles it

        assert broken.examine() == {("orphaned", f"post {post_id}")}

    def test_a_post_without_an_event_is_lost_only_when_there_is_no_sweep_either(self, broken: BrokenStack) -> None:
        created = broken.schedule("?", hours=1)
        post_id, event_id = created["insert_scheduled_post_one"]["id"], created["scheduled_event"]["event_id"]
        broken.stack.metadata("delete_scheduled_event", {"type": "one_off", "event_id": event_id})

        with_sweep = examine(broken.settings, Scope())
        with broken.without_sweep():
            without_sweep = broken.examine()

        assert with_sweep.findings == []
        assert f"posts without an event: {post_id}; the sweep publishes them, up to a minute late" in with_sweep.notes
        assert ("lost", f"post {post_id}") in without_sweep

    def test_a_pause_of_the_whole_app_is_found(self, broken: BrokenStack) -> None:
        with broken.altered(
            "update app set paused_until = now() + interval '1 hour', paused_reason = 'No credits.'",
            "update app set paused_until = null, paused_reason = null",
        ):
            assert broken.examine() == {("stuck", "app")}


WRONG_SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("APP_BASE_API", {"app_base_api": "http://localhost:1"}),
    ("ACTIONS_BASE_URL", {"actions_base_url": "http://localhost:1"}),
    ("X_BASE_URL", {"x_base_url": "http://localhost:1"}),
    ("HASURA_GRAPHQL_ADMIN_SECRET", {"hasura_graphql_admin_secret": "wrong"}),
    ("HASURA_GRAPHQL_JWT_SECRET", {"hasura_graphql_jwt_secret": "wrong"}),
    ("WEBHOOK_SECRET", {"webhook_secret": "wrong"}),
    ("CONSUMER_API_KEY, CONSUMER_API_SECRET", {"consumer_api_secret": "wrong"}),
    ("X_TOKEN_KEYS", {"x_token_keys": TokenKeys.of("another:" + "k" * 42 + "A")}),
]
WRONG_DATABASES: list[tuple[str, str, str, str]] = [
    (
        "table scheduled_post",
        "alter table scheduled_post disable trigger check_new_post",
        "alter table scheduled_post enable trigger check_new_post",
        "check_new_post() (disabled)",
    ),
    (
        "table post_attempt",
        "alter index post_attempt_one_at_a_time rename to gone",
        "alter index gone rename to post_attempt_one_at_a_time",
        "it has no index post_attempt_one_at_a_time",
    ),
    (
        "table account",
        "alter table account alter paused_reason set default 'why'",
        "alter table account alter paused_reason drop default",
        'its column paused_reason is "text default \'why\'::text" instead of "text"',
    ),
    (
        "table app",
        "alter table app alter follow_up_until type timestamp",
        "alter table app alter follow_up_until type timestamptz",
        'its column follow_up_until is "timestamp without time zone" instead of "timestamp with time zone"',
    ),
    (
        "function one_line_end(text)",
        "alter function one_line_end volatile",
        "alter function one_line_end immutable",
        'its volatility is "volatile" instead of "immutable"',
    ),
    (
        "view latest_change",
        "alter view latest_change rename to gone",
        "alter view gone rename to latest_change",
        "It is missing.",
    ),
    (
        "view latest_change",
        "alter view latest_change set (security_invoker = true)",
        "alter view latest_change reset (security_invoker)",
        'its settings is "security_invoker=true" instead of ""',
    ),
]
"""What is wrong, the SQL that does it and that undoes it, and what the finding says of it."""


class TestWrongConfiguration:
    @pytest.mark.parametrize(("subject", "differing"), WRONG_SETTINGS)
    def test_a_wrong_setting_is_found(self, broken: BrokenStack, subject: str, differing: dict[str, str]) -> None:
        broken.publish(f"Behind it {uuid.uuid4()}")

        found = broken.examine(replace(broken.settings, **differing))  # type: ignore[arg-type]

        assert found == {("misconfigured", subject)}

    @pytest.mark.parametrize(
        ("what", "done", "undone", "said"), WRONG_DATABASES, ids=[done for _, done, *_ in WRONG_DATABASES]
    )
    def test_what_is_missing_in_the_database_or_otherwise_is_found(
        self, broken: BrokenStack, what: str, done: str, undone: str, said: str
    ) -> None:
        with broken.altered(done, undone):
            found = examine(broken.settings, Scope()).findings

        assert subjects(found) == [("misconfigured", f"{what} in the database")]
        assert said in found[0].sentence

    def test_a_claim_that_claims_nothing_is_found(self, broken: BrokenStack) -> None:
        [name] = [name for name in expected_catalog().objects if name.startswith("function claim_due_posts(")]
        with psycopg.connect(broken.stack.settings["PG_DATABASE_URL"]) as connection:
            row = connection.execute("select pg_get_functiondef('claim_due_posts'::regproc)").fetchone()
        assert row is not None
        head, _, tail = row[0].split("$function$")
        claims_nothing = "begin return query select * from public.claimed_post; end"
        with broken.altered(f"{head}$function${claims_nothing}$function${tail}", row[0]):
            found = examine(broken.settings, Scope()).findings

        sentence = "It is not as it should be: its source is another."
        assert said(found) == [f"misconfigured {name} in the database: {sentence}"]

    def test_a_view_with_another_query_is_found(self, broken: BrokenStack) -> None:
        with psycopg.connect(broken.stack.settings["PG_DATABASE_URL"]) as connection:
            row = connection.execute("select pg_get_viewdef('latest_change'::regclass)").fetchone()
        assert row is not None
        replace_view = "create or replace view latest_change as "
        without_posts = (
            'select id as user_id, username, null::timestamptz as updated_at, 0::bigint as posts from "user"'
        )
        with broken.altered(replace_view + without_posts, replace_view + row[0]):
            found = examine(broken.settings, Scope()).findings

        assert subjects(found) == [("misconfigured", "view latest_change in the database")]
        assert 'its query is "SELECT id AS user_id, username, NULL::timestamp' in found[0].sentence

    def test_a_trigger_of_hasura_that_is_off_is_found(self, broken: BrokenStack) -> None:
        off, on = (
            f'alter table scheduled_post {do} trigger "notify_hasura_post_moved_UPDATE"' for do in ("disable", "enable")
        )
        with broken.altered(off, on):
            assert broken.examine() == {("misconfigured", "trigger notify_hasura_post_moved_UPDATE")}

    def test_a_sweep_that_does_not_send_the_secret_is_found(self, broken: BrokenStack) -> None:
        [sweep] = files()[1]["cron_triggers"]
        not_now = f"0 0 1 {(datetime.now(UTC) + timedelta(days=180)).month} *"
        broken.stack.metadata("create_cron_trigger", {**sweep, "headers": [], "schedule": not_now, "replace": True})
        try:
            assert broken.examine() == {("misconfigured", f"{SWEEP} at Hasura")}
        finally:
            broken.restore_sweep()

    def test_a_missing_trigger_of_hasura_is_created_by_the_command_that_the_doctor_prints(
        self, broken: BrokenStack
    ) -> None:
        broken.force('drop trigger "notify_hasura_post_moved_UPDATE" on scheduled_post')
        broken.stack.metadata("reload_metadata", {})

        doctor = run_doctor(broken.stack.settings)

        assert "misconfigured  trigger notify_hasura_post_moved_UPDATE" in doctor.stdout
        [command] = [line for line in doctor.stdout.splitlines() if "recreate_event_triggers" in line]
        subprocess.run(["sh", "-c", command], env={**os.environ, **broken.stack.settings}, check=True)
        assert broken.examine() == set()

    def test_a_function_that_hasura_cannot_track_is_found_in_its_own_words(self, broken: BrokenStack) -> None:
        broken.force("create function claim_due_posts(a text) returns setof app language sql as 'select * from app'")
        broken.stack.metadata("reload_metadata", {})
        try:
            [finding] = examine(broken.settings, Scope()).findings
        finally:
            broken.force("drop function claim_due_posts(text)")
            broken.stack.metadata("reload_metadata", {})

        assert finding.subject == "function claim_due_posts in source default"
        assert 'function "claim_due_posts" is overloaded' in finding.sentence

    def test_a_table_that_came_after_the_metadata_is_found_with_the_command_that_shows_it_to_hasura(
        self, broken: BrokenStack
    ) -> None:
        broken.force("alter table app rename to elsewhere")
        broken.stack.metadata("reload_metadata", {})
        broken.force("alter table elsewhere rename to app")
        try:
            found = examine(broken.settings, Scope()).findings
        finally:
            broken.stack.metadata("reload_metadata", {"recreate_event_triggers": True})

        finding = next(one for one in found if one.subject == "table app in source default")
        assert finding.cure.startswith("The migrations were applied after the metadata.")
        assert finding.cure.endswith(f"\n{configuration.RELOAD}")

    def test_a_template_for_hasura_alone_is_noted_and_can_be_told_otherwise(self, broken: BrokenStack) -> None:
        settings = replace(broken.settings, actions_base_url="{{ACTIONS_BASE_URL}}")

        alone = examine(settings, Scope())
        told = examine(settings, Scope(functions=broken.settings.actions_base_url))

        assert alone.findings == told.findings == []
        assert any(note.startswith("functions: not asked") for note in alone.notes)
        assert any(note.startswith("functions: asked") for note in told.notes)
