"""One examination: what is read, in which order, and what it is held against."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from doctor import bells, configuration, database, metadata, posts, timelines
from doctor.findings import NAMES, CannotExamine, Finding
from doctor.hasura_api import HasuraApi
from doctor.metadata_findings import metadata_findings
from doctor.migrations import expected_objects
from doctor.post_findings import PATIENCE, post_findings
from doctor.posts import Post, Posts
from shared.clock import SystemClock
from shared.config import Settings
from shared.core.model import Account
from shared.errors import NotSent, OutcomeUnknown, ScheduledPostsError, TryFailed
from shared.hasura.client import WEBHOOK_PATH, WEBHOOK_SECRET_HEADER, Hasura
from shared.http import client as http_client
from shared.http.client import HttpAnswer
from shared.x.client import X

PROBE_TIMEOUT = 10.0
"""Seconds for an answer to a question that needs no work."""

NO_EVENT: list[str] = []
"""JSON that is no event: postTweet refuses it before it does anything."""


@dataclass(frozen=True)
class Scope:
    """How far to look.

    Closed posts are looked at when they changed `within` that time. X is asked about at most `most_looks` texts, the
    latest. `functions` is where this machine reaches the functions, when that is not ACTIONS_BASE_URL.
    """

    within: timedelta = timedelta(days=1)
    most_looks: int = 20
    functions: str | None = None


@dataclass
class Report:
    """What was found; `notes` are what an operator may want to know though nothing is wrong."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, findings: Iterable[Finding]) -> None:
        """Each finding once, however many checks come to it."""
        self.findings += [finding for finding in dict.fromkeys(findings) if finding not in self.findings]

    @contextmanager
    def part(self) -> Iterator[None]:
        """What cannot be read is a finding, and no reason to leave the rest."""
        try:
            yield
        except CannotExamine as error:
            self.add([error.finding])


def examine(settings: Settings, scope: Scope) -> Report:
    """Looks at everything, changes nothing."""
    return _Examination(settings, scope).report


class _Examination:
    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.report = Report()
        self._settings = settings
        self._scope = scope
        self._hasura = HasuraApi(settings)
        self._x_client = X(settings, SystemClock().now)
        self._clocks = {"this machine": 0.0}
        for part in (self._sign_in, self._functions, self._x, self._hasura_and_posts):
            with self.report.part():
                part()
        self.report.add(configuration.clock_findings(self._clocks))
        self.report.findings.sort(key=lambda finding: NAMES.index(finding.name))
        apart = max(self._clocks.values()) - min(self._clocks.values())
        self._note(f"clocks: {', '.join(self._clocks)}; at most {apart:.1f} s apart")

    def _sign_in(self) -> None:
        self.report.add(configuration.token_setting_findings(self._settings.hasura_graphql_jwt_secret))

    def _functions(self) -> None:
        """The one thing that is sent: a call that postTweet must refuse, once for its secret and once for its body."""
        address = self._scope.functions or self._settings.actions_base_url
        if "{{" in address:
            return self._note(f"functions: not asked, only Hasura knows where {address} is (--functions URL says it)")
        url = address + WEBHOOK_PATH
        try:
            to_wrong_secret = self._timed("the functions", lambda: _ring(url, secrets.token_hex(16)))
            to_right_secret = _ring(url, self._settings.webhook_secret)
        except (NotSent, OutcomeUnknown) as error:
            raise CannotExamine(configuration.unreachable_functions(address, error.detail)) from error
        webhook = configuration.Webhook(address, to_wrong_secret.status, to_right_secret.status)
        self.report.add(configuration.webhook_findings(webhook))
        return self._note("functions: asked with a wrong secret, and with a body that is no event")

    def _x(self) -> None:
        """Who nobody is, which X answers with 401: that it answers, and what time it has."""
        address = self._settings.x_base_url
        url = address + "/2/users/me"
        try:
            answer = self._timed("X", lambda: http_client.get(url, params={}, read_timeout=PROBE_TIMEOUT))
        except (NotSent, OutcomeUnknown) as error:
            sentence = f"X at {address} could not be asked: {error.detail}. Correct the address, or wait for X."
            raise CannotExamine(Finding("misconfigured", "X_BASE_URL", sentence)) from error
        if answer.status in (404, 405):
            sentence = f"X's API is not at {address} (HTTP {answer.status}). Correct the address."
            raise CannotExamine(Finding("misconfigured", "X_BASE_URL", sentence))

    def _timed(self, name: str, ask: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Keeps by how much the clock behind an answer is ahead; its Date has half a second cut off on average."""
        asked = time.time()
        answer = ask()
        middle = (asked + time.time()) / 2
        with suppress(KeyError, ValueError):  # a server need not say the time
            self._clocks[name] = parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5 - middle
        return answer

    def _hasura_and_posts(self) -> None:
        has_sweep = self._metadata_and_migrations()
        asked = time.time()
        [row] = self._hasura.rows("select extract(epoch from clock_timestamp()) as now")
        self._clocks["the database"] = float(row["now"]) - (asked + time.time()) / 2

        now = datetime.fromtimestamp(float(row["now"]), UTC)
        seen = posts.read_posts(self._hasura, now - self._scope.within)
        self.report.add(post_findings(seen, now))
        self.report.notes += self._notes_on(seen, now)
        with self.report.part():
            self._bells(seen, now, has_sweep)
        with self.report.part():
            self._timelines(seen, now)

    def _metadata_and_migrations(self) -> bool:
        """Whether Hasura has the sweep."""
        wanted = metadata.expected_metadata()
        actual = metadata.metadata_at_hasura(
            self._hasura.metadata("export_metadata", {}), self._hasura.metadata("get_cron_triggers", {})
        )
        self.report.add(metadata_findings(wanted, actual))
        inconsistent = self._hasura.metadata("get_inconsistent_metadata", {})
        self.report.add(configuration.inconsistency_findings(inconsistent["inconsistent_objects"]))

        objects = database.objects_in(self._hasura.rows(database.OBJECTS))
        self.report.add(database.migration_findings(expected_objects(), objects))
        there = {name: trigger for name, trigger in wanted.event_triggers.items() if name in actual.event_triggers}
        self.report.add(database.sql_trigger_findings(database.sql_triggers_of(there), objects))
        return bells.SWEEP in actual.cron_triggers

    def _notes_on(self, seen: Posts, now: datetime) -> Iterator[str]:
        counts = Counter(post.state for post in seen.all)
        states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none"
        yield f"posts: {states} (closed ones of the last {self._scope.within / timedelta(hours=1):g} h)"
        if seen.are_cut:
            yield f"posts: only the {posts.MOST} most urgent were read"
        for post in seen.in_state("unknown"):
            if post.not_before is None:
                yield f"{post.subject} waits for its author: {post.reason}"
        if held := {f"@{post.account_name}" for post in seen.all if post.held_until and post.held_until > now}:
            yield f"accounts that wait because X wants it: {', '.join(sorted(held))}"

    def _bells(self, seen: Posts, now: datetime, has_sweep: bool) -> None:
        alarms = bells.read_alarms(self._hasura)
        address = self._settings.actions_base_url
        self.report.add(bells.alarm_findings(alarms.seen, address, has_sweep, now))
        self._note(f"alarms: {len(alarms.seen)} pending")
        if locked := sum(alarm.is_locked and alarm.rings_at < now - PATIENCE for alarm in alarms.seen):
            self._note(f"alarms: {locked} locked for long; Hasura rings them when it is restarted, the sweep before")

        if alarms.missed:
            self._note(f"alarms: {alarms.missed} more slipped by while they were read, so none is said to be missing")
        else:
            without = bells.posts_without_alarm(seen.in_state("scheduled"), alarms.seen, address, now)
            self._posts_without_alarm(without, has_sweep)
        if has_sweep:
            self._sweep(now)

    def _posts_without_alarm(self, without: list[Post], has_sweep: bool) -> None:
        if not has_sweep:
            self.report.add(bells.lost_without_sweep(without))
        elif without:
            self._note(f"posts: {len(without)} have no alarm; the sweep will publish them, up to a minute late")

    def _sweep(self, now: datetime) -> None:
        sweep = bells.read_sweep(self._hasura)
        self.report.add(bells.sweep_findings(sweep, now))
        if sweep.rings:
            self._note(f"sweep: rang at {sweep.rings[0].at:%H:%M:%SZ}, answered {sweep.rings[0].status}")

    def _timelines(self, seen: Posts, now: datetime) -> None:
        questions = timelines.questions(seen.all)
        asked = questions[: self._scope.most_looks]
        accounts = timelines.read_accounts(self._hasura, (question.account_id for question in asked))
        failures: dict[str, TryFailed] = {}
        for question in asked:
            account = accounts.get(question.account_id)
            if account is None or account.name in failures:
                continue
            try:
                self.report.add(timelines.sight_findings(self._sight(question, account), now))
            except TryFailed as error:
                failures[account.name] = error
        self._note(f"timelines: X was asked about {len(asked)} of {len(questions)} texts")
        self.report.notes += [f"timelines: not @{name}'s: {error.detail}" for name, error in failures.items()]
        self.report.add(timelines.blindness_findings(failures, number_of_accounts=len(accounts)))

    def _sight(self, question: timelines.Question, account: Account) -> timelines.Sight:
        """Raises TryFailed when X does not show it, CannotExamine when Hasura does not say whose it is."""
        found = self._x_client.find(account, question.text, question.since)
        try:
            known = Hasura(self._settings).published_elsewhere(found) if found else set()
        except ScheduledPostsError as error:
            raise CannotExamine(Finding("misconfigured", "Hasura", str(error))) from error
        return timelines.Sight(question, account.name, found, frozenset(known))

    def _note(self, sentence: str) -> None:
        self.report.notes.append(sentence)


def _ring(url: str, secret: str) -> HttpAnswer:
    return http_client.post(url, NO_EVENT, headers={WEBHOOK_SECRET_HEADER: secret}, read_timeout=PROBE_TIMEOUT)
