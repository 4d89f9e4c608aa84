"""The doctor: each check by itself, and a whole stack that is healthy, and then made ill in every way by hand."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from waiting import wait_until

from doctor import bells, configuration, expected, timelines
from doctor.__main__ import find_settings, printed
from doctor.bells import Alarm, Ring, Sweep
from doctor.configuration import Webhook
from doctor.examination import Report, Scope, examine
from doctor.findings import NAMES, Finding
from doctor.post_findings import post_findings
from doctor.posts import Attempt, Post, Posts
from local.running_stack import RunningStack, started
from shared import config
from shared.config import Settings
from shared.errors import AccountHeld, AppHeld, ConfigurationError, SignInRefused, TryFailed

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SWEEP = "cron trigger publish_due_posts"


def ago(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def attempt(number: int = 1, outcome: str | None = "tweeted", text: str = "hello") -> Attempt:
    finished_at = ago(minutes=9) if outcome else None
    return Attempt(number, text, started_at=ago(minutes=10), finished_at=finished_at, outcome=outcome)


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
            (post(attempt=0, attempts=(attempt(1, "not_sent"),)), "stuck"),
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


class TestAlarms:
    ADDRESS = "http://functions.test"

    def alarm(self, **differing: Any) -> Alarm:
        return replace(Alarm(7, f"{self.ADDRESS}/api/postTweet", True, NOW, is_locked=False), **differing)

    def test_nothing_is_said_of_alarms_that_will_ring(self) -> None:
        alarms = [
            self.alarm(),
            self.alarm(webhook="{{ACTIONS_BASE_URL}}/api/postTweet"),
            self.alarm(rings_at=ago(minutes=2)),
            self.alarm(rings_at=ago(hours=1), is_locked=True),
        ]

        assert list(bells.alarm_findings(alarms, self.ADDRESS, NOW)) == []

    def test_alarms_at_another_address_are_one_finding_for_the_address(self) -> None:
        alarms = [self.alarm(webhook="http://old.test/api/postTweet")] * 2

        [finding] = bells.alarm_findings(alarms, self.ADDRESS, NOW)

        assert (finding.name, finding.subject) == ("misconfigured", "ACTIONS_BASE_URL")
        assert finding.sentence.startswith("2 alarms ring at http://old.test/api/postTweet")

    def test_where_hasura_fills_in_the_address_nobody_else_can_say_which_is_wrong(self) -> None:
        assert list(bells.alarm_findings([self.alarm()], "{{ACTIONS_BASE_URL}}", NOW)) == []

    def test_alarms_without_the_secret_are_found(self) -> None:
        [finding] = bells.alarm_findings([self.alarm(sends_secret=False)], self.ADDRESS, NOW)

        assert (finding.name, finding.subject) == ("misconfigured", "alarms")

    def test_alarms_that_hasura_does_not_ring_are_found(self) -> None:
        [finding] = bells.alarm_findings([self.alarm(rings_at=ago(minutes=4))], self.ADDRESS, NOW)

        assert (finding.name, finding.subject) == ("stuck", "alarms")

    def test_a_post_ahead_for_which_nothing_rings_is_lost_only_without_a_sweep(self) -> None:
        without = bells.posts_without_alarm([post(), post(id=8), post(id=9, schedule_for=NOW)], [self.alarm()], NOW)

        assert [one.id for one in without] == [8]
        assert names(bells.lost_without_sweep(without)) == [("lost", "post 8")]


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


class TestTimelines:
    def findings(self, found: list[str], known: set[str], *rows: Post, now: datetime = NOW) -> list[tuple[str, str]]:
        question = timelines.Question(1, "hello", ago(minutes=11), rows)
        return names(timelines.sight_findings(timelines.Sight(question, found, frozenset(known)), now))

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

    def test_an_attempt_with_an_earlier_text_does_not_make_the_tweet_lost(self) -> None:
        assert self.findings([], set(), tweeted(text="hello again")) == []

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
            tweeted(account_id=None),
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


class TestWhatMustBeThere:
    def at_hasura(self, **differing: Any) -> expected.Metadata:
        return replace(expected.expected_metadata(), **differing)

    def findings(self, actual: expected.Metadata) -> list[tuple[str, str]]:
        return names(configuration.metadata_findings(expected.expected_metadata(), actual))

    def test_metadata_as_in_the_repository_is_well(self) -> None:
        assert self.findings(self.at_hasura()) == []

    def test_a_hasura_without_metadata_lacks_every_object(self) -> None:
        found = self.findings(expected.metadata_at_hasura({"version": 3, "sources": []}, {"cron_triggers": []}))

        assert {("misconfigured", subject) for subject in ("table account", "function claim_due_posts", SWEEP)} <= set(
            found
        )
        assert ("misconfigured", "event trigger post_moved") in found

    @pytest.mark.parametrize(
        "differing",
        [
            {"headers": []},
            {"headers": [{"name": "x-webhook-secret", "value_from_env": "OTHER"}]},
            {"webhook": "http://elsewhere.test/api/postTweet"},
            {"schedule": "0 * * * *"},
        ],
    )
    def test_a_bell_that_rings_otherwise_is_found(self, differing: dict[str, Any]) -> None:
        sweep = expected.expected_metadata().cron_triggers["publish_due_posts"]

        actual = self.at_hasura(cron_triggers={"publish_due_posts": {**sweep, **differing}})

        assert self.findings(actual) == [("misconfigured", SWEEP)]

    @pytest.mark.parametrize("column_or_filter", ["columns", "filter"])
    def test_a_permission_that_allows_something_else_is_found(self, column_or_filter: str) -> None:
        tables = expected.expected_metadata().tables
        permission = tables["account"]["select_permissions"][0]["permission"]
        permission[column_or_filter] = ["access_token"] if column_or_filter == "columns" else {}

        assert self.findings(self.at_hasura(tables=tables)) == [("misconfigured", "table account")]

    def test_what_a_later_migration_drops_need_not_be_there(self, tmp_path: Path) -> None:
        def migration(name: str, sql: str) -> None:
            (tmp_path / name).mkdir()
            (tmp_path / name / "up.sql").write_text(sql)

        migration("1_first", "create table public.a (x text, constraint c check (true)); -- constraint d check\n")
        migration("2_second", "alter table public.a\n  drop constraint c,\n  add column y text; create trigger t")

        assert expected.expected_objects(tmp_path) == {
            ("table", "a"): "1_first",
            ("column", "y"): "2_second",
            ("trigger", "t"): "2_second",
        }

    def test_one_finding_names_all_that_a_migration_would_make(self) -> None:
        wanted = {("table", "a"): "1_first", ("column", "y"): "2_second", ("trigger", "t"): "2_second"}

        [finding] = configuration.migration_findings(wanted, {("table", "a")})

        assert finding.subject == "migration 2_second"
        assert "column y, trigger t" in finding.sentence


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
    "counter": ("stuck", "update scheduled_post set attempt = 0"),
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
    "migration 1795100000000_never_lost_never_twice": (
        "alter table scheduled_post disable trigger states_have_their_order",
        "alter table scheduled_post enable trigger states_have_their_order",
    ),
    "trigger notify_hasura_post_moved_UPDATE": (
        'alter table scheduled_post disable trigger "notify_hasura_post_moved_UPDATE"',
        'alter table scheduled_post enable trigger "notify_hasura_post_moved_UPDATE"',
    ),
    "migration 1795000000000_scheduled_posts": (
        "alter table scheduled_post disable trigger one_line_end",
        "alter table scheduled_post enable trigger one_line_end",
    ),
}
"""By what is found: what is done, and what undoes it."""


class TestIllConfiguration:
    @pytest.mark.parametrize(("subject", "differing"), ILL_SETTINGS)
    def test_a_wrong_setting_is_found(self, ward: Ward, subject: str, differing: dict[str, str]) -> None:
        ward.publish(f"Behind it {uuid.uuid4()}")

        found = ward.examine(replace(ward.settings, **differing))  # type: ignore[arg-type]

        assert found == {("misconfigured", subject)}

    @pytest.mark.parametrize("subject", ILL_DATABASES)
    def test_what_is_missing_in_the_database_is_found(self, ward: Ward, subject: str) -> None:
        done, undone = ILL_DATABASES[subject]
        ward.force(done)
        try:
            assert ward.examine() == {("misconfigured", subject)}
        finally:
            ward.force(undone)

    def test_a_sweep_that_does_not_send_the_secret_is_found(self, ward: Ward) -> None:
        sweep = expected.expected_metadata().cron_triggers["publish_due_posts"]
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
