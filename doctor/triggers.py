"""Will there be deliveries? The scheduled events that are pending at Hasura, and the cron trigger of the sweep."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from admin.hasura_api import HasuraApi
from doctor.posts import PATIENCE, Post
from doctor.report import Finding, about_posts, misconfigured
from shared.config import WEBHOOK_SECRET_NAME
from shared.core.model import State
from shared.hasura.event_store import WEBHOOK_PATH, WEBHOOK_SECRET_HEADER

SWEEP = "publish_due_posts"

PAGE = 10_000
"""How many events are read at once; there may be a hundred thousand."""

OVERLAP = 100
"""By how much a page overlaps with the one before it: events that are delivered meanwhile move the later ones up."""


@dataclass(frozen=True)
class ScheduledEvent:
    """A one-off event of ours that is pending; `deliver_at` is when its delivery is tried next."""

    post_id: int | None
    webhook: str
    sends_secret: bool
    deliver_at: datetime
    is_locked: bool

    def reaches(self, address: str) -> bool:
        """A template, there or here, is Hasura's to fill in."""
        return self.webhook == address + WEBHOOK_PATH or "{{" in self.webhook + address


@dataclass(frozen=True)
class PendingEvents:
    """The events that were read; `unread` is how many were pending besides that no page showed."""

    all: tuple[ScheduledEvent, ...]
    unread: int = 0


@dataclass(frozen=True)
class Invocation:
    """A delivery of Hasura's; `status` is None where nobody answered."""

    at: datetime
    status: int | None


@dataclass(frozen=True)
class Sweep:
    """The cron trigger: when it fires next, and its latest invocations, newest first."""

    next_at: datetime | None
    invocations: tuple[Invocation, ...]


def read_events(hasura: HasuraApi) -> PendingEvents:
    """The pending events whose webhook is postTweet, wherever; Hasura may have those of other programs."""
    page = _pending(hasura, get_rows_count=True)
    number: int = page["count"]
    events = {event["id"]: event for event in page["events"]}
    for offset in range(PAGE - OVERLAP, number, PAGE - OVERLAP):
        events |= {event["id"]: event for event in _pending(hasura, offset=offset)["events"]}
    ours = tuple(_event(event) for event in events.values() if event["webhook_conf"].endswith(WEBHOOK_PATH))
    return PendingEvents(ours, unread=max(0, number - len(events)))


def _pending(hasura: HasuraApi, **part: int) -> Any:
    pending = {"type": "one_off", "status": ["scheduled", "locked"], "limit": PAGE}
    return hasura.metadata("get_scheduled_events", {**pending, **part})


def _event(event: dict[str, Any]) -> ScheduledEvent:
    payload = event["payload"] if isinstance(event["payload"], dict) else {}
    headers = event["header_conf"] or []
    return ScheduledEvent(
        post_id=int(payload["id"]) if str(payload.get("id", "")).isdecimal() else None,
        webhook=event["webhook_conf"],
        sends_secret=any(
            (header["name"].lower(), header.get("value_from_env")) == (WEBHOOK_SECRET_HEADER, WEBHOOK_SECRET_NAME)
            for header in headers
        ),
        deliver_at=_deliver_at(event),
        is_locked=event["status"] == "locked",
    )


def _deliver_at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["next_retry_at"] or event["scheduled_time"])


def read_sweep(hasura: HasuraApi) -> Sweep:
    """What Hasura has planned for the sweep, and logged of it."""
    of_sweep = {"type": "cron", "trigger_name": SWEEP}
    planned = hasura.metadata("get_scheduled_events", {**of_sweep, "status": ["scheduled"], "limit": 1})["events"]
    logged = hasura.metadata("get_scheduled_event_invocations", {**of_sweep, "limit": 2})["invocations"]
    return Sweep(
        _deliver_at(planned[0]) if planned else None,
        tuple(Invocation(datetime.fromisoformat(one["created_at"]), one["status"]) for one in logged),
    )


def event_findings(events: Iterable[ScheduledEvent], address: str, has_sweep: bool, now: datetime) -> Iterator[Finding]:
    """`address` is where events are delivered that are created now."""
    events = list(events)
    for webhook, number in Counter(event.webhook for event in events if not event.reaches(address)).items():
        what_then = "The sweep publishes their posts, up to a minute late." if has_sweep else "They publish nothing."
        sentence = f"{_events(number)} to {webhook}, where the functions are no longer. {what_then}"
        cure = "With {{ACTIONS_BASE_URL}} as this setting events follow a change of address."
        yield misconfigured("ACTIONS_BASE_URL", sentence, cure)
    if without := sum(not event.sends_secret for event in events):
        sentence = f"{_events(without)} without the header {WEBHOOK_SECRET_HEADER}, which postTweet refuses."
        yield misconfigured("scheduled events", sentence, "Delete them at Hasura; the sweep publishes their posts.")
    if overdue := [event for event in events if not event.is_locked and event.deliver_at < now - PATIENCE]:
        since = min(event.deliver_at for event in overdue)
        sentence = f"Hasura has not delivered {len(overdue)} of them, due since {since:%Y-%m-%d %H:%M:%SZ}."
        yield Finding("stuck", "scheduled events", sentence, "Read Hasura's log; after a restart it goes on.")


def _events(number: int) -> str:
    return "One scheduled event will be delivered" if number == 1 else f"{number} scheduled events will be delivered"


def sweep_findings(sweep: Sweep, now: datetime) -> Iterator[Finding]:
    """Of a cron trigger that Hasura has. One failed delivery may be a passing error, unless it had the wrong secret."""
    subject = f"cron trigger {SWEEP}"
    if sweep.next_at is None:
        yield misconfigured(subject, "Hasura has planned no delivery of it.", "Reload the metadata.")
    elif sweep.next_at < now - PATIENCE:
        sentence = f"Hasura has not delivered it since {sweep.next_at:%Y-%m-%d %H:%M:%SZ}."
        yield Finding("stuck", subject, sentence, "Read Hasura's log; after a restart it goes on.")
    failed = [one for one in sweep.invocations[:2] if one.status is None or not 200 <= one.status < 300]
    if len(failed) == 2 or (failed and sweep.invocations[0].status == HTTPStatus.UNAUTHORIZED):
        yield _failed_delivery(sweep.invocations[0], subject)


def _failed_delivery(latest: Invocation, subject: str) -> Finding:
    """With the time of the latest delivery: what was mended since is not seen before the next one."""
    at = f"At {latest.at:%H:%M:%SZ}, at the latest delivery,"
    match latest.status:
        case HTTPStatus.UNAUTHORIZED:
            sentence = f"{at} Hasura sent another secret than postTweet has."
            return misconfigured(WEBHOOK_SECRET_NAME, sentence, "Give both the same, and restart Hasura.")
        case None | HTTPStatus.NOT_FOUND:
            what = "nobody answered" if latest.status is None else "there was no postTweet (404)"
            cure = "Correct ACTIONS_BASE_URL in Hasura's environment, or start the functions there."
            return misconfigured("ACTIONS_BASE_URL", f"{at} {what}.", cure)
        case status:
            sentence = f"{at} and at the one before, postTweet did not succeed ({status})."
            return Finding("stuck", subject, sentence, "Read the log of postTweet.")


def posts_without_event(
    posts: Iterable[Post], events: Iterable[ScheduledEvent], address: str, now: datetime
) -> list[Post]:
    """Posts that are not due soon and for which no pending event reaches postTweet: the sweep alone publishes them."""
    with_event = {event.post_id for event in events if event.sends_secret and event.reaches(address)}
    return [
        post
        for post in posts
        if post.state == State.SCHEDULED and post.due_at > now + PATIENCE and post.id not in with_event
    ]


def lost_without_sweep(posts: Iterable[Post]) -> Iterator[Finding]:
    """Posts without an event where the sweep is missing, too."""
    for post in posts:
        sentence = "No scheduled event of it reaches postTweet, and there is no sweep, so nobody will publish it."
        yield about_posts("lost", [post.id], sentence, "Apply hasura/metadata.")


def event_notes(events: Iterable[ScheduledEvent], now: datetime) -> Iterator[str]:
    """Events that do no harm and are not as the core leaves them, where all goes well."""
    events = list(events)
    if locked := sum(event.is_locked and event.deliver_at < now - PATIENCE for event in events):
        yield f"scheduled events: {locked} locked for long; Hasura delivers them after its next restart"
    per_post = Counter(event.post_id for event in events if event.post_id is not None)
    if several := sorted(post_id for post_id, number in per_post.items() if number > 1):
        listed = ", ".join(map(str, several[:10])) + (", ..." if len(several) > 10 else "")
        yield f"scheduled events: more than one is pending for the same post ({listed}), which does no harm"
