"""One examination: what is read, in which order, and what it is compared with."""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from admin.hasura_api import HasuraApi
from doctor import configuration, database, metadata, posts, timelines, triggers
from doctor.posts import Posts
from doctor.report import CannotExamine, Report, misconfigured
from shared.clock import SystemClock
from shared.config import Settings
from shared.core.model import CannotAsk, TimelineUnavailable, TokensUnreadable
from shared.errors import ScheduledPostsError
from shared.hasura.event_store import WEBHOOK_PATH, WEBHOOK_SECRET_HEADER
from shared.hasura.post_store import HasuraPostStore
from shared.http import client as http_client
from shared.http.client import HttpAnswer, TransportError
from shared.limits import RECONCILE_TIME
from shared.x.client import X

PROBE_TIMEOUT = timedelta(seconds=10)
"""For an answer that needs no work."""

NO_EVENT: list[str] = []
"""JSON that is no event: postTweet refuses it before it does anything."""


@dataclass(frozen=True)
class Scope:
    """How much is examined.

    Closed posts are examined when they changed `within` that time. At most `reconcile` texts are reconciled with X, the
    latest. `functions` is where this machine reaches the functions, when that is not ACTIONS_BASE_URL.
    """

    within: timedelta = timedelta(days=1)
    reconcile: int = 20
    functions: str | None = None


def examine(settings: Settings, scope: Scope) -> Report:
    """Reads everything, changes nothing."""
    return _Examination(settings, scope).report


class _Examination:
    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.report = Report()
        self._settings = settings
        self._scope = scope
        self._hasura = HasuraApi(settings)
        self._x = X(settings, SystemClock().now)
        self._clocks = {"this machine": 0.0}
        self.report.add(configuration.token_setting_findings(settings.hasura_graphql_jwt_secret))
        for step in (self._probe_functions, self._probe_x, self._examine_hasura):
            with self.report.step():
                step()
        self.report.add(configuration.clock_findings(self._clocks))
        apart = max(self._clocks.values()) - min(self._clocks.values())
        self.report.note(f"clocks: {', '.join(self._clocks)}; at most {apart:.1f} s apart")

    def _probe_functions(self) -> None:
        """The one thing that is sent: a call that postTweet must refuse, once for its secret and once for its body."""
        address = self._scope.functions or self._settings.actions_base_url
        if "{{" in address:
            return self.report.note(f"functions: not asked, only Hasura knows where {address} is (see --functions)")
        url = address + WEBHOOK_PATH
        try:
            to_wrong_secret = self._timed("the functions", lambda: _deliver_no_event(url, secrets.token_hex(16)))
            to_right_secret = _deliver_no_event(url, self._settings.webhook_secret)
        except TransportError as error:
            sentence = f"postTweet at {address} could not be asked: {error}."
            cure = "Start the functions, or correct the address."
            raise CannotExamine(misconfigured("ACTIONS_BASE_URL", sentence, cure)) from error
        self.report.add(configuration.webhook_findings(address, to_wrong_secret.status, to_right_secret.status))
        return self.report.note("functions: asked with a wrong secret, and with a body that is no event")

    def _probe_x(self) -> None:
        """Without a sign-in, which X answers with 401: that it answers, and what time it has."""
        address = self._settings.x_base_url
        url = address + "/2/users/me"
        try:
            answer = self._timed("X", lambda: http_client.get(url, params={}, timeout=PROBE_TIMEOUT))
        except TransportError as error:
            sentence = f"X at {address} could not be asked: {error}."
            raise CannotExamine(misconfigured("X_BASE_URL", sentence, "Correct the address, or wait for X.")) from error
        if answer.status in (404, 405):
            sentence = f"X's API is not at {address} (HTTP {answer.status})."
            raise CannotExamine(misconfigured("X_BASE_URL", sentence, "Correct the address."))

    def _timed(self, name: str, ask: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Keeps by how much the clock behind an answer is ahead; its Date has half a second cut off on average."""
        asked = time.time()
        answer = ask()
        middle = (asked + time.time()) / 2
        with suppress(KeyError, ValueError):  # a server need not say the time
            self._clocks[name] = parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5 - middle
        return answer

    def _examine_hasura(self) -> None:
        has_sweep = self._examine_metadata_and_database()
        now = self._database_time()
        seen = posts.read_posts(self._hasura, now - self._scope.within)
        self.report.add(posts.post_findings(seen, now))
        counts = Counter(post.state for post in seen.all)
        states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "none"
        self.report.note(f"posts: {states} (closed ones of the last {self._scope.within / timedelta(hours=1):g} h)")
        self.report.notes += posts.post_notes(seen, now)
        with self.report.step():
            self._examine_triggers(seen, has_sweep, now)
        with self.report.step():
            self._examine_timelines(seen, now)

    def _examine_metadata_and_database(self) -> bool:
        """Whether Hasura has the sweep."""
        wanted = metadata.expected_metadata()
        actual = metadata.metadata_at_hasura(
            self._hasura.metadata("export_metadata", {}), self._hasura.metadata("get_cron_triggers", {})
        )
        self.report.add(metadata.metadata_findings(wanted, actual))
        self.report.add(configuration.notification_findings(self._settings.notify_url, actual))
        expected = database.expected_catalog()
        catalog = database.Catalog(**self._hasura.select(database.CATALOG))
        self.report.add(database.database_findings(expected, catalog))
        inconsistent = self._hasura.metadata("get_inconsistent_metadata", {})["inconsistent_objects"]
        self.report.add(configuration.inconsistency_findings(inconsistent, catalog.objects))
        event_triggers = metadata.event_triggers({name: parts for name, parts in wanted.items() if name in actual})
        self.report.add(database.hasura_trigger_findings(event_triggers, catalog))
        self.report.note(f"database: PostgreSQL {catalog.postgresql}, compared with {expected.postgresql}")
        if additional := database.additional_objects(expected, catalog):
            self.report.note(f"database: has besides what the migrations make: {', '.join(additional)}")
        return f"cron trigger {triggers.SWEEP}" in actual

    def _database_time(self) -> datetime:
        asked = time.time()
        seconds = self._hasura.select("select json_build_object('now', extract(epoch from clock_timestamp()))")["now"]
        self._clocks["the database"] = seconds - (asked + time.time()) / 2
        return datetime.fromtimestamp(seconds, UTC)

    def _examine_triggers(self, seen: Posts, has_sweep: bool, now: datetime) -> None:
        events = triggers.read_events(self._hasura)
        address = self._settings.actions_base_url
        self.report.add(triggers.event_findings(events.all, address, has_sweep, now))
        self.report.note(f"scheduled events: {len(events.all)} pending")
        self.report.notes += triggers.event_notes(events.all, now)
        without = triggers.posts_without_event(seen.all, events.all, address, now)
        if events.unread:
            self.report.note(f"scheduled events: {events.unread} were not read, so none is said to be missing")
        elif not has_sweep:
            self.report.add(triggers.lost_without_sweep(without))
        elif without:
            listed = ", ".join(str(post.id) for post in without[:10]) + (", ..." if len(without) > 10 else "")
            self.report.note(f"posts without an event: {listed}; the sweep publishes them, up to a minute late")
        if has_sweep:
            sweep = triggers.read_sweep(self._hasura)
            self.report.add(triggers.sweep_findings(sweep, now))
            if sweep.invocations:
                latest = sweep.invocations[0]
                self.report.note(f"sweep: delivered at {latest.at:%H:%M:%SZ}, answered {latest.status}")

    def _examine_timelines(self, seen: Posts, now: datetime) -> None:
        sent = timelines.sent_texts(seen.all)
        asked = sent[: self._scope.reconcile]
        accounts = timelines.read_accounts(self._hasura, (one.x_user_id for one in asked))
        failures: dict[str, CannotAsk | TokensUnreadable] = {}
        for one in asked:
            account = accounts.get(one.x_user_id)
            if account is None or account.name in failures:
                continue
            try:
                shown = self._x.timeline(account, one.since, SystemClock().now() + RECONCILE_TIME).find(
                    one.text, one.since
                )
            except TimelineUnavailable as error:
                failures[account.name] = error.result
                continue
            known = self._tweets_of_posts(shown)
            self.report.add(timelines.timeline_findings(one, account.name, shown, known, now))
        self.report.note(f"timelines: {len(asked)} of {len(sent)} texts were reconciled with X")
        self.report.notes += [f"timelines: not @{name}'s: {failure.detail}" for name, failure in failures.items()]
        self.report.add(timelines.unavailable_findings(failures, number_of_accounts=len(accounts)))

    def _tweets_of_posts(self, tweet_ids: list[str]) -> set[str]:
        try:
            return HasuraPostStore(self._settings).published_elsewhere(tweet_ids) if tweet_ids else set()
        except ScheduledPostsError as error:
            raise CannotExamine(misconfigured("Hasura", str(error), "Read Hasura's log.")) from error


def _deliver_no_event(url: str, secret: str) -> HttpAnswer:
    return http_client.post(url, NO_EVENT, headers={WEBHOOK_SECRET_HEADER: secret}, timeout=PROBE_TIMEOUT)
