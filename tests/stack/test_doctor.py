"""The doctor: each check by itself, and a whole stack that is healthy, and then made ill in every way by hand."""

import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from waiting import wait_until

from doctor import bells, configuration, database, timelines
from doctor.__main__ import find_settings, printed
from doctor.bells import Alarm, Ring, Sweep
from doctor.configuration import Webhook
from doctor.examination import Report, Scope, examine
from doctor.findings import NAMES, Finding
from doctor.hasura_api import HasuraApi
from doctor.metadata import Json, expected_metadata, metadata_at_hasura
from doctor.metadata_findings import metadata_findings
from doctor.migrations import DatabaseObject, Made, expected_objects
from doctor.post_findings import post_findings
from doctor.posts import Attempt, Post, Posts
from local.hasura.metadata_directory import load_metadata
from local.running_stack import RunningStack, started
from shared import config
from shared.config import Settings
from shared.errors import AccountHeld, AppHeld, ConfigurationError, SignInRefused, TryFailed

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SWEEP = "cron trigger publish_due_posts"


def ago(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def attempt(
    number: int = 1, outcome: str | None = "tweeted", text: str = "hello", account_id: int | None = 1
) -> Attempt:
    finished_at = ago(minutes=9) if outcome else None
    return Attempt(number, account_id, text, started_at=ago(minutes=10), finished_at=finished_at, outcome=outcome)


def post(**differing: Any) -> Post:
    """A post that is well: scheduled for in an hour, never tried."""
    scheduled = Post(
        id=7,
        account_id=1,
        account_name="alice",
        text="hello",
        schedule_for=NOW + timedelta(hours=1),
        state="scheduled",
        attempt=0,
        not_before=None,
        lease_until=None,
        tweet_id=None,
        reason=None,
        held_until=None,
        attempts=(),
    )
    return replace(scheduled, **differing)


def tweeted(**differing: Any) -> Post:
    was = {"state": "tweeted", "schedule_for": ago(minutes=10), "attempt": 1, "tweet_id": "1", "attempts": (attempt(),)}
    return post(**{**was, **differing})


def posts(*seen: Post, app_held_until: datetime | None = None) -> Posts:
    return Posts(seen, app_held_until, "X wants our app's credits topped up first." if app_held_until else None, False)


def names(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.name, finding.subject) for finding in findings]


class TestPosts:
    @pytest.mark.parametrize(
        "well",
        [
            post(),
            post(schedule_for=ago(minutes=2)),  # the sweep may just come
            post(schedule_for=ago(hours=1), not_before=NOW + timedelta(minutes=5)),
            post(schedule_for=ago(hours=1), held_until=NOW + timedelta(minutes=5)),
            post(state="sending", lease_until=ago(minutes=2), attempt=1, attempts=(attempt(outcome=None),)),
            post(state="unknown", not_before=ago(minutes=2), attempt=1, attempts=(attempt(outcome="unknown"),)),
            post(state="unknown", not_before=ago(hours=1), lease_until=ago(minutes=2)),
            post(state="unknown"),  # its author decides
            post(state="failed", account_id=None),
            post(attempt=0, attempts=(attempt(1, "not_sent"),)),  # the claim counts on from the log
            tweeted(),
            tweeted(account_id=None),
            tweeted(attempt=3, attempts=(attempt(1, "absent"), attempt(2, "opened"), attempt(3))),
        ],
    )
    def test_nothing_is_said_of_a_post_that_is_well(self, well: Post) -> None:
        assert list(post_findings(posts(well), NOW)) == []

    @pytest.mark.parametrize(
        ("ill", "name"),
        [
            (post(schedule_for=ago(minutes=4)), "stuck"),
            (post(schedule_for=ago(hours=9), not_before=ago(minutes=4), held_until=ago(hours=1)), "stuck"),
            (
                post(state="sending", lease_until=ago(minutes=4), attempt=1, attempts=(attempt(outcome=None),)),
                "stuck",
            ),
            (post(state="unknown", not_before=ago(minutes=4)), "stuck"),
            (post(state="unknown", not_before=ago(hours=1), lease_until=ago(minutes=4)), "stuck"),
            (post(attempt=1, attempts=(attempt(outcome=None),)), "orphaned"),
            (post(state="sending", lease_until=NOW), "orphaned"),
            (tweeted(attempts=()), "orphaned"),
            (tweeted(attempts=(attempt(outcome="unknown"),)), "orphaned"),
            (post(account_id=None), "orphaned"),
            (tweeted(tweet_id=None), "lost"),
            (post(state="failed", attempt=1, attempts=(attempt(),)), "lost"),
            (tweeted(attempt=2, attempts=(attempt(1), attempt(2))), "doubled"),
        ],
    )
    def test_what_is_wrong_with_a_post_is_found_and_named(self, ill: Post, name: str) -> None:
        assert names(post_findings(posts(ill), NOW)) == [(name, "post 7")]

    def test_a_hold_of_the_whole_app_is_one_finding_however_many_posts_wait(self) -> None:
        overdue = post(schedule_for=ago(hours=1))

        [finding] = post_findings(posts(overdue, app_held_until=NOW + timedelta(hours=1)), NOW)

        assert (finding.name, finding.subject) == ("stuck", "app")
        assert "X wants our app's credits topped up first." in finding.sentence

    def test_posts_that_waited_for_the_app_get_time_after_the_hold_to_go_out(self) -> None:
        overdue = post(schedule_for=ago(hours=1))

        assert names(post_findings(posts(overdue, app_held_until=ago(minutes=1)), NOW)) == []
        assert names(post_findings(posts(overdue, app_held_until=ago(minutes=4)), NOW)) == [("stuck", "post 7")]

    def test_two_published_posts_of_one_account_with_one_text_are_twins(self) -> None:
        first, second = tweeted(text="hello  you"), tweeted(id=8, text="hello you\n", tweet_id="2")

        assert names(post_findings(posts(first, second), NOW)) == [("doubled", "posts 7, 8")]

    def test_the_same_text_on_two_accounts_is_no_twin(self) -> None:
        assert names(post_findings(posts(tweeted(), tweeted(id=8, account_id=2, tweet_id="2")), NOW)) == []


class HasuraWithAlarms:
    """Where some of the soonest ring after each call."""

    def __init__(self, number: int, ringing: int) -> None:
        alarm = {"webhook_conf": "http://functions.test/api/postTweet", "header_conf": [], "status": "scheduled"}
        times = {"scheduled_time": NOW.isoformat(), "next_retry_at": None}
        self._events = [{**alarm, **times, "id": f"event {n}", "payload": {"id": n}} for n in range(number)]
        self._ringing = ringing

    def metadata(self, operation: str, args: dict[str, Any]) -> Any:
        assert operation == "get_scheduled_events"
        page = self._events[args.get("offset", 0) :][: args["limit"]]
        answer = {"events": page, "count": len(self._events)}
        self._events = self._events[self._ringing :]
        return answer


class TestAlarms:
    ADDRESS = "http://functions.test"
    ELSEWHERE = "http://old.test/api/postTweet"

    def alarm(self, **differing: Any) -> Alarm:
        return replace(Alarm(7, f"{self.ADDRESS}/api/postTweet", True, NOW, is_locked=False), **differing)

    def test_nothing_is_said_of_alarms_that_will_ring(self) -> None:
        alarms = [
            self.alarm(),
            self.alarm(webhook="{{ACTIONS_BASE_URL}}/api/postTweet"),
            self.alarm(rings_at=ago(minutes=2)),
            self.alarm(rings_at=ago(hours=1), is_locked=True),
        ]

        assert list(self.findings(alarms)) == []

    def test_alarms_at_another_address_are_one_finding_for_the_address(self) -> None:
        [finding] = self.findings([self.alarm(webhook=self.ELSEWHERE)] * 2)

        assert (finding.name, finding.subject) == ("misconfigured", "ACTIONS_BASE_URL")
        assert finding.sentence.startswith(f"2 alarms ring at {self.ELSEWHERE}")

    def test_that_the_sweep_will_do_for_them_is_said_only_where_there_is_one(self) -> None:
        elsewhere = [self.alarm(webhook=self.ELSEWHERE)]

        [with_sweep], [without] = self.findings(elsewhere), self.findings(elsewhere, has_sweep=False)

        assert "the sweep publishes" in with_sweep.sentence
        assert "the sweep publishes" not in without.sentence

    def test_where_hasura_fills_in_the_address_nobody_else_can_say_which_is_wrong(self) -> None:
        assert list(bells.alarm_findings([self.alarm()], "{{ACTIONS_BASE_URL}}", True, NOW)) == []

    def test_alarms_without_the_secret_are_found(self) -> None:
        [finding] = self.findings([self.alarm(sends_secret=False)])

        assert (finding.name, finding.subject) == ("misconfigured", "alarms")

    def test_alarms_that_hasura_does_not_ring_are_found(self) -> None:
        [finding] = self.findings([self.alarm(rings_at=ago(minutes=4))])

        assert (finding.name, finding.subject) == ("stuck", "alarms")

    def test_a_post_ahead_for_which_nothing_rings_is_lost_only_without_a_sweep(self) -> None:
        seen = [post(), post(id=8), post(id=9, schedule_for=NOW)]

        without = bells.posts_without_alarm(seen, [self.alarm()], self.ADDRESS, NOW)

        assert [one.id for one in without] == [8]
        assert names(bells.lost_without_sweep(without)) == [("lost", "post 8")]

    @pytest.mark.parametrize(
        ("differing", "reaches_it"),
        [
            ({}, True),
            ({"webhook": "{{ACTIONS_BASE_URL}}/api/postTweet"}, True),
            ({"webhook": ELSEWHERE}, False),
            ({"sends_secret": False}, False),
        ],
    )
    def test_an_alarm_that_does_not_reach_post_tweet_is_none(self, differing: dict[str, Any], reaches_it: bool) -> None:
        without = bells.posts_without_alarm([post()], [self.alarm(**differing)], self.ADDRESS, NOW)

        assert without == ([] if reaches_it else [post()])

    @pytest.mark.parametrize(("ringing", "missed"), [(0, 0), (bells.OVERLAP, 0), (bells.OVERLAP + 7, 7)])
    def test_alarms_are_read_page_by_page_though_some_ring_meanwhile(self, ringing: int, missed: int) -> None:
        number = bells.PAGE + 3_000

        alarms = bells.read_alarms(HasuraWithAlarms(number, ringing))  # type: ignore[arg-type]

        assert len({alarm.post_id for alarm in alarms.seen}) == number - missed
        assert alarms.missed == missed

    def findings(self, alarms: list[Alarm], has_sweep: bool = True) -> list[Finding]:
        return list(bells.alarm_findings(alarms, self.ADDRESS, has_sweep, NOW))


class TestTheSweep:
    def findings(self, next_at: datetime | None, *statuses: int | None) -> list[tuple[str, str]]:
        rings = tuple(Ring(ago(minutes=minutes), status) for minutes, status in enumerate(statuses))
        return names(bells.sweep_findings(Sweep(next_at, rings), NOW))

    @pytest.mark.parametrize("statuses", [(), (200,), (200, 401), (503, 200), (None, 200), (None,)])
    def test_a_sweep_that_rings_is_well_hiccups_included(self, statuses: tuple[int | None, ...]) -> None:
        assert self.findings(NOW, *statuses) == []

    def test_a_sweep_for_which_nothing_is_planned_is_found(self) -> None:
        assert self.findings(None, 200) == [("misconfigured", SWEEP)]

    def test_a_sweep_that_hasura_does_not_ring_is_found(self) -> None:
        assert self.findings(ago(minutes=4), 200) == [("stuck", SWEEP)]

    def test_a_refused_secret_is_no_hiccup(self) -> None:
        assert self.findings(NOW, 401, 200) == self.findings(NOW, 401) == [("misconfigured", "WEBHOOK_SECRET")]

    @pytest.mark.parametrize(
        ("status", "found"),
        [
            (401, ("misconfigured", "WEBHOOK_SECRET")),
            (404, ("misconfigured", "ACTIONS_BASE_URL")),
            (None, ("misconfigured", "ACTIONS_BASE_URL")),
            (500, ("stuck", SWEEP)),
        ],
    )
    def test_the_answer_to_rings_in_vain_tells_why(self, status: int | None, found: tuple[str, str]) -> None:
        assert self.findings(NOW, status, 503) == [found]

    @pytest.mark.parametrize("status", [401, 404, None, 500])
    def test_what_the_latest_ring_tells_is_told_with_its_time(self, status: int | None) -> None:
        rings = (Ring(ago(minutes=1), status), Ring(ago(minutes=2), status))

        [finding] = bells.sweep_findings(Sweep(NOW, rings), NOW)

        assert finding.sentence.startswith("At 09:29:00Z")

    def test_after_a_good_ring_nothing_is_said_of_those_before(self) -> None:
        assert self.findings(NOW, 200, 401, 401) == []


class TestTimelines:
    def findings(self, found: list[str], known: set[str], *rows: Post, now: datetime = NOW) -> list[tuple[str, str]]:
        question = timelines.Question(1, "hello", ago(minutes=11), rows)
        return names(timelines.sight_findings(timelines.Sight(question, "alice", found, frozenset(known)), now))

    def test_what_the_rows_say_and_x_shows_is_well(self) -> None:
        assert self.findings(["1"], {"1"}, tweeted()) == []
        assert self.findings([], set(), post(state="failed")) == []
        assert self.findings(["5"], {"5"}, post(state="failed")) == []  # another post's

    def test_a_second_tweet_of_a_text_is_doubled(self) -> None:
        assert self.findings(["1", "2"], {"1"}, tweeted()) == [("doubled", "post 7")]

    def test_a_tweet_that_no_row_knows_is_orphaned(self) -> None:
        rows = post(state="failed"), post(id=8, state="unknown")

        assert self.findings(["2"], set(), *rows) == [("orphaned", "posts 7, 8")]

    def test_a_tweet_that_x_does_not_show_is_lost_once_x_surely_would(self) -> None:
        assert self.findings([], set(), tweeted()) == [("lost", "post 7")]
        assert self.findings([], set(), tweeted(), now=ago(minutes=8)) == []

    @pytest.mark.parametrize("accepted", [attempt(2, text="hello again"), attempt(2, account_id=2)])
    def test_an_attempt_with_another_text_or_account_does_not_make_the_tweet_lost(self, accepted: Attempt) -> None:
        assert self.findings([], set(), tweeted(attempt=2, attempts=(attempt(1, "absent"), accepted))) == []

    @pytest.mark.parametrize("edited", [{"text": "hello again"}, {"account_id": 2, "account_name": "bob"}])
    def test_what_was_sent_counts_and_not_what_the_row_says_by_now(self, edited: dict[str, Any]) -> None:
        assert self.findings([], set(), tweeted(**edited)) == [("lost", "post 7")]

    def test_a_tweet_is_looked_for_on_the_account_that_it_was_sent_from(self) -> None:
        moved = tweeted(account_id=2, account_name="bob", attempts=(attempt(account_id=1),))

        [question] = timelines.questions([moved])
        [finding] = timelines.sight_findings(timelines.Sight(question, "alice", [], frozenset()), NOW)

        assert question.account_id == 1
        assert "@alice" in finding.sentence

    def test_x_is_asked_for_every_text_that_was_sent_the_latest_first(self) -> None:
        edited = tweeted(attempts=(attempt(1, "absent", "helo"), attempt(2)), text="hello")
        newer = post(id=8, state="failed", attempts=(replace(attempt(1, "refused", "no"), started_at=NOW),))

        questions = timelines.questions([edited, newer])

        asked = [(one.text, [row.id for row in one.posts]) for one in questions]
        assert asked == [("no", [8]), ("helo", [7]), ("hello", [7])]
        assert questions[1].since < ago(minutes=10)

    @pytest.mark.parametrize(
        "busy",
        [
            post(),
            post(state="sending", attempts=(attempt(outcome=None),)),
            post(state="unknown", not_before=NOW, attempts=(attempt(outcome="unknown"),)),
            post(attempts=(attempt(outcome="opened"),)),
            tweeted(attempts=(attempt(account_id=None),)),  # the account was removed
        ],
    )
    def test_x_is_not_asked_about_posts_that_are_under_way_or_were_never_sent(self, busy: Post) -> None:
        assert timelines.questions([busy]) == []

    def test_the_keys_are_suspected_only_when_every_account_is_refused(self) -> None:
        def subjects(failures: dict[str, TryFailed]) -> list[str]:
            return [finding.subject for finding in timelines.blindness_findings(failures, number_of_accounts=2)]

        refused = SignInRefused("X no longer accepts our sign-in.", status_code=401)

        assert subjects({"a": refused, "b": refused}) == ["CONSUMER_API_KEY, CONSUMER_API_SECRET"]
        assert subjects({"a": refused}) == []
        assert subjects({"a": AccountHeld("Limited.")}) == []
        assert subjects({"a": AppHeld("No credits."), "b": AppHeld("No credits.")}) == ["our app on X"]


class TestConfiguration:
    @pytest.mark.parametrize(
        ("statuses", "subject"),
        [
            ((401, 401), "WEBHOOK_SECRET"),
            ((500, 500), "functions"),
            ((404, 404), "ACTIONS_BASE_URL"),
            ((400, 400), "ACTIONS_BASE_URL"),  # does not look at the secret
            ((401, 200), "ACTIONS_BASE_URL"),
        ],
    )
    def test_the_answers_of_the_webhook_tell_what_is_wrong(self, statuses: tuple[int, int], subject: str) -> None:
        found = configuration.webhook_findings(Webhook("http://functions.test", *statuses))

        assert names(found) == [("misconfigured", subject)]

    def test_an_inconsistent_object_is_told_in_the_words_of_hasura(self) -> None:
        objects = [
            {"type": "cron_trigger", "name": "publish_due_posts", "reason": "variable 'WEBHOOK_SECRET' not set"},
            {"reason": "no such table"},
        ]

        first, second = configuration.inconsistency_findings(objects)

        assert first.subject == SWEEP
        assert "variable 'WEBHOOK_SECRET' not set" in first.sentence
        assert (second.subject, second.name) == ("Hasura's metadata", "misconfigured")

    def test_the_clock_that_differs_from_the_others_is_found(self) -> None:
        clocks = {"this machine": 0.0, "X": 0.4, "the database": -90.0, "the functions": -0.2}

        [finding] = configuration.clock_findings(clocks)

        assert finding.subject == "the clock of the database"
        assert finding.sentence.startswith("It is 90 s behind")

    def test_when_all_others_agree_it_is_this_clock(self) -> None:
        clocks = {"this machine": 0.0, "X": 300.0, "the database": 300.5}

        assert names(configuration.clock_findings(clocks)) == [("misconfigured", "the clock of this machine")]

    def test_clocks_less_than_a_minute_apart_are_well(self) -> None:
        assert names(configuration.clock_findings({"this machine": 0.0, "X": 50.0, "the database": -5.0})) == []

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
        return names(metadata_findings(expected_metadata(), metadata_at_hasura(export, cron)))

    def test_metadata_as_in_the_repository_is_well(self) -> None:
        assert self.findings(*files()) == []

    def test_an_export_in_another_order_and_wrapping_is_well(self) -> None:
        export, cron = files()

        assert self.findings({"resource_version": 7, "metadata": backwards(export)}, backwards(cron)) == []

    def test_an_export_with_every_default_and_other_spellings_is_well(self) -> None:
        export, cron = files()
        configuration = {"column_config": {}, "custom_column_names": {}, "custom_root_fields": {}}
        for table in export["sources"][0]["tables"]:
            table.update(is_enum=False, configuration=configuration, computed_fields=[], remote_relationships=[])
        account, post, user = (table_in(export, name) for name in ("account", "scheduled_post", "user"))
        del account["select_permissions"][0]["comment"]
        of_account = account["select_permissions"][0]["permission"]
        of_account.update(limit=None, allow_aggregations=False, computed_fields=[], query_root_fields=None)
        of_account["filter"] = {
            "$and": [{"account_users": {"user": {"username": {"$eq": "x-hasura-user-id"}}}}],
            "_and": [],
        }
        user["select_permissions"][0]["permission"]["filter"] = {"username": "X-HASURA-USER-ID"}
        post["object_relationships"][0]["using"] = {"foreign_key_constraint_on": ["account_id"]}
        post["array_relationships"][0]["using"] = {
            "foreign_key_constraint_on": {"columns": ["post_id"], "table": "post_attempt"}
        }
        post["insert_permissions"][0]["permission"].update(set={}, backend_only=False)
        post["delete_permissions"][0]["permission"]["backend_only"] = False
        del post["event_triggers"][0]["definition"]["enable_manual"]
        post["event_triggers"][0].update(cleanup_config=None, request_transform=None)
        function = export["sources"][0]["functions"][0]
        function.update(permissions=[], comment=None)
        function["configuration"].update(session_argument=None, custom_root_fields={})
        sweep = cron["cron_triggers"][0]
        sweep.update(payload=None, request_transform=None, comment="other words")
        sweep["retry_conf"]["timeout_seconds"] = 60.0
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

        subjects = ("table account", "function claim_due_posts", "event trigger post_moved", SWEEP)
        assert {("misconfigured", subject) for subject in subjects} <= set(found)

    @pytest.mark.parametrize(
        "differing",
        [
            {"headers": []},
            {"headers": [{"name": "x-webhook-secret", "value_from_env": "OTHER"}]},
            {"webhook": "http://elsewhere.test/api/postTweet"},
            {"schedule": "0 * * * *"},
            {"payload": {"id": 7}},
            {"retry_conf": {"num_retries": 0, "timeout_seconds": 1, "tolerance_seconds": 120}},
            {"request_transform": {"version": 2}},
        ],
    )
    def test_a_sweep_that_rings_otherwise_is_found(self, differing: dict[str, Any]) -> None:
        export, cron = files()
        cron["cron_triggers"][0].update(differing)

        assert self.findings(export, cron) == [("misconfigured", SWEEP)]

    @pytest.mark.parametrize(
        "differing",
        [
            {"retry_conf": {"num_retries": 0, "interval_sec": 15, "timeout_sec": 60}},
            {"definition": {"update": {"columns": ["text"], "payload": ["id", "user_id", "schedule_for", "state"]}}},
            {"definition": {"update": {"columns": ["schedule_for"]}}},
            {"webhook": None, "webhook_from_env": "ELSEWHERE"},
        ],
    )
    def test_an_event_trigger_that_rings_otherwise_is_found(self, differing: dict[str, Any]) -> None:
        export, cron = files()
        table_in(export, "scheduled_post")["event_triggers"][0].update(differing)

        assert self.findings(export, cron) == [("misconfigured", "event trigger post_moved")]

    @pytest.mark.parametrize(
        ("kind", "permission"),
        [
            ("select_permissions", {"columns": "*", "filter": {}}),
            ("delete_permissions", {"filter": {}}),
        ],
    )
    def test_a_role_with_rights_that_the_files_do_not_give_is_found(self, kind: str, permission: Json) -> None:
        export, cron = files()
        table_in(export, "account").setdefault(kind, []).append({"role": "anonymous", "permission": permission})

        [finding] = metadata_findings(expected_metadata(), metadata_at_hasura(export, cron))

        assert finding.subject == "table account"
        assert "anonymous" in finding.sentence

    def test_a_role_that_may_claim_posts_is_found(self) -> None:
        export, cron = files()
        export["sources"][0]["functions"][0]["permissions"] = [{"role": "user"}]

        assert self.findings(export, cron) == [("misconfigured", "function claim_due_posts")]

    def test_a_role_that_inherits_the_rights_of_ours_is_found(self) -> None:
        export, cron = files()
        export["inherited_roles"] = [{"role_name": "anonymous", "role_set": ["user", "reader"]}]

        assert self.findings(export, cron) == [("misconfigured", "role anonymous")]

    @pytest.mark.parametrize(
        "differing",
        [
            {"columns": ["access_token"]},
            {"columns": "*"},
            {"filter": {}},
            {"filter": {"account_users": {"user": {"username": {"_neq": "X-Hasura-User-Id"}}}}},
            {"filter": {"_or": [{"account_users": {"user": {"username": {"_eq": "X-Hasura-User-Id"}}}}, {}]}},
            {"allow_aggregations": True},
            {"limit": 0},
            {"query_root_fields": []},
        ],
    )
    def test_a_permission_that_allows_something_else_is_found(self, differing: Json) -> None:
        export, cron = files()
        table_in(export, "account")["select_permissions"][0]["permission"].update(differing)

        assert self.findings(export, cron) == [("misconfigured", "table account")]

    @pytest.mark.parametrize(
        ("kind", "permission"),
        [
            ("insert_permissions", {"set": {"state": "tweeted"}}),
            ("insert_permissions", {"backend_only": True}),
            ("update_permissions", {"check": None}),
        ],
    )
    def test_a_permission_that_writes_something_else_is_found(self, kind: str, permission: Json) -> None:
        export, cron = files()
        table_in(export, "scheduled_post")[kind][0]["permission"].update(permission)

        assert self.findings(export, cron) == [("misconfigured", "table scheduled_post")]

    @pytest.mark.parametrize(
        "relationships",
        [
            [],
            [{"name": "account_users", "using": {"foreign_key_constraint_on": {"table": "account", "column": "id"}}}],
        ],
    )
    def test_a_relationship_that_is_missing_or_another_is_found(self, relationships: list[Json]) -> None:
        export, cron = files()
        table_in(export, "account")["array_relationships"] = relationships

        assert self.findings(export, cron) == [("misconfigured", "table account")]

    def test_a_relationship_or_setting_that_the_files_do_not_have_is_found(self) -> None:
        export, cron = files()
        user = {"remote_table": "user", "column_mapping": {"id": "id"}}
        table_in(export, "app")["object_relationships"] = [{"name": "user", "using": {"manual_configuration": user}}]
        table_in(export, "user")["configuration"] = {"custom_name": "author"}

        assert self.findings(export, cron) == [("misconfigured", "table app"), ("misconfigured", "table user")]


def left_by(*migrations: str) -> dict[str, Made]:
    """What migrations with this SQL leave behind, by its name as a finding tells it."""
    with tempfile.TemporaryDirectory() as folder:
        for number, sql in enumerate(migrations, start=1):
            up = Path(folder, str(number), "up.sql")
            up.parent.mkdir()
            up.write_text(sql)
        return {str(one): made for one, made in expected_objects(Path(folder)).items()}


class TestMigrations:
    def test_a_table_has_its_columns_and_constraints_those_without_a_name_too(self) -> None:
        found = left_by("""
            create table public."user" (  -- constraint not_this check (true)
              id bigint generated by default as identity primary key,
              name text not null default 'x; create table y (z int)' unique check (name <> '('),
              kind text constraint known check (kind in ('a', 'b')),
              friend bigint references public."user" on delete set null,
              unique (name, kind),
              constraint not_alone check (friend is distinct from id)
            );""")

        assert list(found) == [
            "table user",
            "column id of user",
            "constraint user_pkey of user",
            "column name of user",
            "constraint user_name_key of user",
            "constraint user_name_check of user",
            "column kind of user",
            "constraint known of user",
            "column friend of user",
            "constraint user_friend_fkey of user",
            "constraint user_name_kind_key of user",
            "constraint not_alone of user",
        ]

    def test_indexes_functions_and_triggers_are_known_by_what_they_do(self) -> None:
        found = left_by("""
            create unique index a_once on public.a (x) where y is null;
            create function public.f(x int default 1) returns trigger language plpgsql as $$
            begin  -- as it stands
              return ';';
            end
            $$;
            create trigger t before insert or update of x on public.a for each row when (new.x > (1))
              execute function public.f();""")

        assert list(found) == ["unique index a_once of a", "function f", "trigger t of a"]
        assert found["function f"].definition == "begin  -- as it stands\n              return ';';\n            end"
        assert found["trigger t of a"].definition == "f"

    def test_the_last_migration_that_defines_a_function_counts(self) -> None:
        first, second = (f"create or replace function public.f() returns int as $$ {n} $$;" for n in (1, 2))

        found = left_by(first, second)

        assert (found["function f"].migration, found["function f"].definition) == ("2", "2")

    @pytest.mark.parametrize(
        ("later", "remaining"),
        [
            ("drop trigger if exists t on public.a;", {"trigger t of a": None}),
            ("drop function public.f(int, text) cascade;", {"function f": None, "trigger t of a": None}),
            ("drop index if exists public.i, public.j;", {"index i of a": None}),
            (
                "alter table public.a drop constraint c, add column y text;",
                {"constraint c of a": None, "column y of a": ""},
            ),
            ("alter table a drop column x;", {"column x of a": None, "constraint c of a": None, "index i of a": None}),
            (
                "drop table public.b cascade;",
                {"table b": None, "column z of b": None, "constraint b_z_fkey of b": None},
            ),
            (
                "alter function public.f(int, text) rename to g;",
                {"function f": None, "function g": "1", "trigger t of a": "g"},
            ),
            ("alter trigger t on public.a rename to u;", {"trigger t of a": None, "trigger u of a": "f"}),
            ("alter index public.i rename to k;", {"index i of a": None, "index k of a": ""}),
            ("alter table public.a rename constraint c to d;", {"constraint c of a": None, "constraint d of a": ""}),
            (
                "alter table a rename column x to y; alter table a drop column y;",
                {"column x of a": None, "constraint c of a": None, "index i of a": None},
            ),
            (
                "alter table public.b rename to c;",
                {
                    "table b": None,
                    "column z of b": None,
                    "constraint b_z_fkey of b": None,
                    "table c": "",
                    "column z of c": "",
                    "constraint b_z_fkey of c": "",
                },
            ),
        ],
    )
    def test_what_a_later_migration_drops_and_renames_is_followed(
        self, later: str, remaining: dict[str, str | None]
    ) -> None:
        first = """
            create table public.a (x int, constraint c check (x > 0));
            create table public.b (z int references public.a);
            create index i on public.a (x);
            create function public.f(n int, t text) returns trigger as $$ 1 $$;
            create trigger t before update on public.a for each row execute function public.f();"""

        before = {name: made.definition for name, made in left_by(first).items()}
        after = {name: made.definition for name, made in left_by(first, later).items()}

        expected = {**before, **remaining}
        assert after == {name: definition for name, definition in expected.items() if definition is not None}

    def test_one_finding_names_all_that_a_migration_would_make(self) -> None:
        table, column, function = (
            DatabaseObject("table", "a"),
            DatabaseObject("column", "y", "a"),
            DatabaseObject("function", "f"),
        )
        wanted = {table: Made("1_first"), column: Made("2_second"), function: Made("2_second", "as it is")}

        [finding] = database.migration_findings(wanted, {table: {""}, function: {"otherwise"}})

        assert finding.subject == "migration 2_second"
        assert "lacks what it makes: column y of a; it has otherwise: function f." in finding.sentence

    def test_a_function_is_the_same_whatever_ends_its_lines(self) -> None:
        row = {"kind": "function", "name": "f", "of_table": "", "definition": "\r\nbegin\r\nend\r\n"}

        actual = database.objects_in([row])

        assert (
            list(database.migration_findings({DatabaseObject("function", "f"): Made("1", "begin\nend")}, actual)) == []
        )


class TestItsSettings:
    def test_the_environment_comes_first(self, tmp_path: Path) -> None:
        environment = {one.name: one.default or "{}" for one in config.SETTINGS}

        _, source = find_settings(tmp_path, environment, tmp_path / ".env")

        assert source == "the environment and .env"

    def test_without_them_it_takes_those_of_the_local_stack(self, ward: "Ward") -> None:
        settings, source = find_settings(ward.data, {}, ward.data / ".env")

        assert settings.webhook_secret == ward.settings.webhook_secret
        assert settings.app_base_api == "http://localhost:3100"
        assert source == f"the local stack's, in {ward.data}"

    def test_where_no_stack_ever_ran_it_says_so_and_draws_no_secrets(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="no local stack has run"):
            find_settings(tmp_path / "none", {}, tmp_path / ".env")

        assert not (tmp_path / "none").exists()


def test_a_report_names_the_finding_its_subject_and_what_to_do() -> None:
    report = Report([Finding("stuck", "post 7", "It was due. Ring.")], ["alarms: 1 pending"])

    assert printed(report).split("\n") == [
        "  stuck          post 7",
        "                 It was due. Ring.",
        "",
        "  alarms: 1 pending",
        "",
        "1 finding.",
    ]


def test_a_report_does_not_steer_the_terminal() -> None:
    assert printed(Report([], ["post 7 waits for its author: \x1b[2J\rgone"])).startswith(
        "  post 7 waits for its author: ?[2J?gone\n"
    )


def first_column(of: str) -> list[str]:
    """Of the table in the document that is headed so."""
    table = (ROOT / "docs/doctor.md").read_text().split(f"\n| {of} |", 1)[1].split("\n\n")[0]
    return re.findall(r"^\| `([\w-]+)", table, re.MULTILINE)


def test_the_document_explains_every_name_and_every_option() -> None:
    shown = subprocess.run([sys.executable, "-m", "doctor", "--help"], cwd=ROOT, capture_output=True, text=True).stdout

    assert first_column("name") == list(NAMES)
    assert set(first_column("option")) == set(re.findall(r"--[a-z]+", shown)) - {"--help"}


class Ward:
    """A stack of its own to be made ill, and its doctor."""

    def __init__(self, stack: RunningStack, data: Path) -> None:
        self.stack = stack
        self.data = data
        self.settings = config.load(stack.settings, dotenv=data / ".env")

    def examine(self, settings: Settings | None = None) -> set[tuple[str, str]]:
        """The name and the subject of each finding."""
        return {(finding.name, finding.subject) for finding in examine(settings or self.settings, Scope()).findings}

    def publish(self, text: str) -> int:
        """The id of a post that was created, and tried, the usual way."""
        token = self.stack.token("u" + uuid.uuid4().hex[:12])
        created = self.stack.create_post(token, {"text": text, "schedule_for": datetime.now(UTC).isoformat()})
        post_id: int = created.json()["insert_scheduled_post_one"]["id"]
        state = "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state } }"
        wait_until(
            lambda: self.stack.graphql(state, {"id": post_id})["scheduled_post_by_pk"]["state"],
            lambda seen: seen not in ("scheduled", "sending"),
        )
        return post_id

    def force(self, statement: str) -> None:
        """Writes what no rule of the database would let pass."""
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement)  # type: ignore[call-overload]

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
        """So that no ring comes and heals."""
        self.stack.metadata("delete_cron_trigger", {"name": "publish_due_posts"})
        try:
            yield
        finally:
            self.stack.metadata("reload_metadata", {})


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[Ward]:
    data = tmp_path_factory.mktemp("ward")
    with started(data, "--poll-interval", "0.05", "--rate-limit", "off") as stack:
        yield Ward(stack, data)


@pytest.fixture(autouse=True)
def _healthy_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "ward" in request.fixturenames:
        request.getfixturevalue("ward").force("truncate scheduled_post, post_attempt")


def run_doctor(ward: Ward) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **ward.stack.settings}
    command = [sys.executable, "-m", "doctor"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


class TestAWholeStack:
    def test_when_all_is_well_it_says_so_and_what_it_looked_at(self, ward: Ward) -> None:
        ward.publish("All is well & example.com")

        doctor = run_doctor(ward)

        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        assert "All is well" in doctor.stdout
        assert "posts: 1 tweeted" in doctor.stdout
        assert "X was asked about 1 of 1 texts" in doctor.stdout
        assert doctor.stderr == ""

    def test_when_something_is_ill_its_status_says_so(self, ward: Ward) -> None:
        with ward.without_sweep():
            doctor = run_doctor(ward)

        assert doctor.returncode == 1
        assert f"  misconfigured  {SWEEP}" in doctor.stdout
        assert not any(secret in doctor.stdout for secret in ward.stack.settings.values() if "://" not in secret)

    def test_x_is_asked_once_who_an_account_is(self, ward: Ward) -> None:
        token = ward.stack.token("once")
        for text in ("One", "Another"):
            ward.stack.create_post(token, {"text": text, "schedule_for": datetime.now(UTC).isoformat()})
        wait_until(lambda: ward.stack.tweets("once"), lambda seen: len(seen) == 2)
        wait_until(ward.examine, lambda found: not found)
        ward.stack.fail("slow", times=2, endpoint="users/me", ms=1)

        ward.examine()

        [waiting] = requests.get(f"{ward.stack.urls['x']}/_local/fail", timeout=10).json()
        assert waiting["times"] == 1
        ward.examine()  # so that nothing waits for the other tests

    def test_it_changes_nothing(self, ward: Ward) -> None:
        ward.publish("Do not touch")
        everything = "query { scheduled_post { id updated_at state } post_attempt { post_id number finished_at } }"
        before = ward.stack.graphql(everything), ward.stack.tweets()

        ward.examine()

        assert (ward.stack.graphql(everything), ward.stack.tweets()) == before


ILL_ROWS: dict[str, tuple[str, str]] = {
    "overdue": (
        "stuck",
        "update scheduled_post set state = 'scheduled', tweet_id = null, schedule_for = now() - interval '10 min'",
    ),
    "lease": (
        "stuck",
        "update scheduled_post set state = 'sending', tweet_id = null, lease_until = now() - interval '10 min'",
    ),
    "look": (
        "stuck",
        "update scheduled_post set state = 'unknown', tweet_id = null, reason = '', not_before = now() - interval '1h'",
    ),
    "open attempt": (
        "orphaned",
        "insert into post_attempt (post_id, number, text) select id, 1, text from scheduled_post",
    ),
    "no account": ("orphaned", "update scheduled_post set account_id = null, state = 'scheduled', tweet_id = null"),
    "accepted in vain": ("lost", "update scheduled_post set state = 'failed', tweet_id = null, reason = 'by hand'"),
    "no tweet": ("lost", "update scheduled_post set tweet_id = null"),
    "another tweet": ("doubled", "update scheduled_post set tweet_id = '999'"),
    "two accepted": (
        "doubled",
        "insert into post_attempt select id, 0, now(), now(), text, 'tweeted', 201, '' from scheduled_post",
    ),
}
"""By what is done to a published post, by hand and against all rules: the finding, and the SQL."""


class TestIllRows:
    @pytest.mark.parametrize("illness", ILL_ROWS)
    def test_an_ill_row_is_found(self, ward: Ward, illness: str) -> None:
        name, by_hand = ILL_ROWS[illness]
        post_id = ward.publish(f"{illness} {uuid.uuid4()}")
        with ward.without_sweep():
            if illness == "open attempt":
                ward.force("delete from post_attempt")
            ward.force(by_hand)

            found = ward.examine()

        assert (name, f"post {post_id}") in found

    def test_two_rows_with_tweets_of_one_text_are_found(self, ward: Ward) -> None:
        token = ward.stack.token("twin")
        for text in ("Twin", "Twin, too"):
            ward.stack.create_post(token, {"text": text, "schedule_for": datetime.now(UTC).isoformat()})
        wait_until(lambda: ward.stack.tweets("twin"), lambda seen: len(seen) == 2)
        wait_until(ward.examine, lambda found: not found)
        ward.force("update scheduled_post set text = 'Twin'")

        found = ward.examine()

        assert [subject for name, subject in found if name == "doubled" and subject.startswith("posts ")]

    def test_a_tweet_that_no_row_knows_is_found_on_the_timeline(self, ward: Ward) -> None:
        ward.stack.fail("reset_after")
        post_id = ward.publish(f"Nobody knows {uuid.uuid4()}")
        assert ward.examine() == set()  # it will be looked up
        ward.force("update scheduled_post set not_before = null")

        assert ward.examine() == {("orphaned", f"post {post_id}")}

    def test_a_post_without_alarm_is_lost_when_there_is_no_sweep_either(self, ward: Ward) -> None:
        in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        created = ward.stack.create_post(ward.stack.token("lost"), {"text": "?", "schedule_for": in_an_hour}).json()
        ward.stack.metadata(
            "delete_scheduled_event", {"type": "one_off", "event_id": created["scheduled_event"]["event_id"]}
        )

        assert ward.examine() == set()
        with ward.without_sweep():
            assert ("lost", f"post {created['insert_scheduled_post_one']['id']}") in ward.examine()

    def test_a_hold_of_the_whole_app_is_found(self, ward: Ward) -> None:
        ward.force("update app set held_until = now() + interval '1 hour', held_because = 'No credits.'")
        try:
            assert ward.examine() == {("stuck", "app")}
        finally:
            ward.force("update app set held_until = null, held_because = null")


ILL_SETTINGS: list[tuple[str, dict[str, str]]] = [
    ("APP_BASE_API", {"app_base_api": "http://localhost:1"}),
    ("ACTIONS_BASE_URL", {"actions_base_url": "http://localhost:1"}),
    ("X_BASE_URL", {"x_base_url": "http://localhost:1"}),
    ("HASURA_GRAPHQL_ADMIN_SECRET", {"hasura_graphql_admin_secret": "wrong"}),
    ("HASURA_GRAPHQL_JWT_SECRET", {"hasura_graphql_jwt_secret": "wrong"}),
    ("WEBHOOK_SECRET", {"webhook_secret": "wrong"}),
    ("CONSUMER_API_KEY, CONSUMER_API_SECRET", {"consumer_api_secret": "wrong"}),
]
ILL_DATABASES: dict[str, tuple[str, str]] = {
    "trigger states_have_their_order of scheduled_post": (
        "alter table scheduled_post disable trigger states_have_their_order",
        "alter table scheduled_post enable trigger states_have_their_order",
    ),
    "trigger one_line_end of scheduled_post": (
        "alter table scheduled_post disable trigger one_line_end",
        "alter table scheduled_post enable trigger one_line_end",
    ),
    "unique index post_attempt_one_at_a_time of post_attempt": (
        "alter index post_attempt_one_at_a_time rename to gone",
        "alter index gone rename to post_attempt_one_at_a_time",
    ),
    "index scheduled_post_due of scheduled_post": (
        "alter index scheduled_post_due rename to gone",
        "alter index gone rename to scheduled_post_due",
    ),
    "constraint post_attempt_pkey of post_attempt": (
        "alter table post_attempt rename constraint post_attempt_pkey to gone",
        "alter table post_attempt rename constraint gone to post_attempt_pkey",
    ),
    "column held_because of account": (
        "alter table account rename column held_because to gone",
        "alter table account rename column gone to held_because",
    ),
    "trigger touch_updated_at of scheduled_post": (
        "alter trigger touch_updated_at on scheduled_post rename to gone;"
        "create trigger touch_updated_at before update on account for each row execute function hold_no_longer()",
        "drop trigger touch_updated_at on account; alter trigger gone on scheduled_post rename to touch_updated_at",
    ),
}
"""By what a finding names: what is done, and what undoes it."""


class TestIllConfiguration:
    @pytest.mark.parametrize(("subject", "differing"), ILL_SETTINGS)
    def test_a_wrong_setting_is_found(self, ward: Ward, subject: str, differing: dict[str, str]) -> None:
        ward.publish(f"Behind it {uuid.uuid4()}")

        found = ward.examine(replace(ward.settings, **differing))  # type: ignore[arg-type]

        assert found == {("misconfigured", subject)}

    def test_the_database_has_just_what_the_migrations_are_read_to_make(self, ward: Ward) -> None:
        actual = database.objects_in(HasuraApi(ward.settings).rows(database.OBJECTS))

        wanted = {one: {made.definition} for one, made in expected_objects().items()}

        assert {one: made for one, made in actual.items() if not one.name.startswith("notify_hasura_")} == wanted

    @pytest.mark.parametrize("illness", ILL_DATABASES)
    def test_what_is_missing_in_the_database_or_otherwise_is_found(self, ward: Ward, illness: str) -> None:
        done, undone = ILL_DATABASES[illness]
        migrations = {str(one): made.migration for one, made in expected_objects().items()}
        with ward.altered(done, undone):
            found = examine(ward.settings, Scope()).findings

        assert [finding.subject for finding in found] == [f"migration {migrations[illness]}"]
        assert illness in found[0].sentence

    def test_a_claim_that_claims_nothing_is_found(self, ward: Ward) -> None:
        statement = "select pg_get_functiondef('claim_due_posts'::regproc) as as_it_is"
        [row] = HasuraApi(ward.settings).rows(statement)
        head, _, tail = row["as_it_is"].split("$function$")
        claims_nothing = "begin return query select * from public.scheduled_post where false; end"
        with ward.altered(f"{head}$function${claims_nothing}$function${tail}", row["as_it_is"]):
            [finding] = examine(ward.settings, Scope()).findings

        assert finding.name == "misconfigured"
        assert "it has otherwise: function claim_due_posts." in finding.sentence.replace("The database", "it")

    def test_a_trigger_of_hasura_that_is_off_is_found(self, ward: Ward) -> None:
        off, on = (
            f'alter table scheduled_post {do} trigger "notify_hasura_post_moved_UPDATE"' for do in ("disable", "enable")
        )
        with ward.altered(off, on):
            assert ward.examine() == {("misconfigured", "trigger notify_hasura_post_moved_UPDATE")}

    def test_a_sweep_that_does_not_send_the_secret_is_found(self, ward: Ward) -> None:
        [sweep] = files()[1]["cron_triggers"]
        ward.stack.metadata("create_cron_trigger", {**sweep, "headers": [], "schedule": "0 0 1 1 *", "replace": True})
        try:
            assert ward.examine() == {("misconfigured", SWEEP)}
        finally:
            ward.stack.metadata("reload_metadata", {})

    def test_a_function_that_hasura_cannot_track_is_found_in_its_own_words(self, ward: Ward) -> None:
        ward.force("alter function claim_due_posts rename to gone")
        ward.stack.metadata("reload_metadata", {})
        try:
            assert ("misconfigured", "Hasura's metadata") in ward.examine()
        finally:
            ward.force("alter function gone rename to claim_due_posts")
            ward.stack.metadata("reload_metadata", {})

    def test_a_template_for_hasura_alone_is_noted_and_can_be_told_otherwise(self, ward: Ward) -> None:
        settings = replace(ward.settings, actions_base_url="{{ACTIONS_BASE_URL}}")

        alone = examine(settings, Scope())
        told = examine(settings, Scope(functions=ward.settings.actions_base_url))

        assert alone.findings == told.findings == []
        assert any(note.startswith("functions: not asked") for note in alone.notes)
        assert any(note.startswith("functions: asked") for note in told.notes)
