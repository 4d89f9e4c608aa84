"""Will it ring? The alarms that are set at Hasura, and the sweep."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from doctor.findings import Finding
from doctor.hasura_api import HasuraApi
from doctor.post_findings import PATIENCE
from doctor.posts import Post
from shared.config import WEBHOOK_SECRET_NAME
from shared.hasura.client import WEBHOOK_PATH, WEBHOOK_SECRET_HEADER

SWEEP = "publish_due_posts"

PAGE = 10_000
"""How many alarms are read at once; there may be a hundred thousand."""

OVERLAP = 100
"""How far a page reaches into the one before it: alarms that ring meanwhile move the later ones up."""


@dataclass(frozen=True)
class Alarm:
    """A one-off event of ours that was not delivered yet; `rings_at` is when it is tried next."""

    post_id: int | None
    webhook: str
    sends_secret: bool
    rings_at: datetime
    is_locked: bool


@dataclass(frozen=True)
class Alarms:
    """The alarms that were read; `missed` is how many events were pending besides that no page showed."""

    seen: tuple[Alarm, ...]
    missed: int = 0


@dataclass(frozen=True)
class Ring:
    """A try of Hasura's to ring; `status` is None where nobody answered."""

    at: datetime
    status: int | None


@dataclass(frozen=True)
class Sweep:
    """The cron trigger: when it rings next, and how its latest rings went, newest first."""

    next_at: datetime | None
    rings: tuple[Ring, ...]


def read_alarms(hasura: HasuraApi) -> Alarms:
    """The pending alarms that ring postTweet, wherever; Hasura may have other events of other programs."""
    page = _pending(hasura, get_rows_count=True)
    number: int = page["count"]
    events = {event["id"]: event for event in page["events"]}
    for offset in range(PAGE - OVERLAP, number, PAGE - OVERLAP):
        events |= {event["id"]: event for event in _pending(hasura, offset=offset)["events"]}
    ours = tuple(_alarm(event) for event in events.values() if event["webhook_conf"].endswith(WEBHOOK_PATH))
    return Alarms(ours, missed=max(0, number - len(events)))


def _pending(hasura: HasuraApi, **part: int) -> Any:
    pending = {"type": "one_off", "status": ["scheduled", "locked"], "limit": PAGE}
    return hasura.metadata("get_scheduled_events", {**pending, **part})


def read_sweep(hasura: HasuraApi) -> Sweep:
    """What Hasura has planned for the sweep, and logged of it."""
    of_sweep = {"type": "cron", "trigger_name": SWEEP}
    planned = hasura.metadata("get_scheduled_events", {**of_sweep, "status": ["scheduled"], "limit": 1})["events"]
    logged = hasura.metadata("get_scheduled_event_invocations", {**of_sweep, "limit": 2})["invocations"]
    return Sweep(
        _when_it_rings(planned[0]) if planned else None,
        tuple(Ring(datetime.fromisoformat(one["created_at"]), one["status"]) for one in logged),
    )


def _alarm(event: dict[str, Any]) -> Alarm:
    payload = event["payload"] if isinstance(event["payload"], dict) else {}
    headers = event["header_conf"] or []
    return Alarm(
        post_id=int(payload["id"]) if str(payload.get("id", "")).isdecimal() else None,
        webhook=event["webhook_conf"],
        sends_secret=any(
            (header["name"].lower(), header.get("value_from_env")) == (WEBHOOK_SECRET_HEADER, WEBHOOK_SECRET_NAME)
            for header in headers
        ),
        rings_at=_when_it_rings(event),
        is_locked=event["status"] == "locked",
    )


def _when_it_rings(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["next_retry_at"] or event["scheduled_time"])


def alarm_findings(alarms: Iterable[Alarm], address: str, has_sweep: bool, now: datetime) -> Iterator[Finding]:
    """`address` is where alarms are set to ring now; a template of Hasura's, there or here, is Hasura's to fill in."""
    alarms = list(alarms)
    elsewhere = Counter(alarm.webhook for alarm in alarms if not _rings_at(address, alarm))
    for webhook, number in elsewhere.items():
        what_then = "the sweep publishes those posts, up to a minute late" if has_sweep else "they publish nothing"
        sentence = (
            f"{_alarms(number)} at {webhook}, where the functions are no longer; {what_then}. "
            "With {{ACTIONS_BASE_URL}} as this setting alarms follow a change of address."
        )
        yield Finding("misconfigured", "ACTIONS_BASE_URL", sentence)
    if without := sum(not alarm.sends_secret for alarm in alarms):
        sentence = f"{_alarms(without)} without the header {WEBHOOK_SECRET_HEADER}, so postTweet will refuse them."
        yield Finding("misconfigured", "alarms", sentence)
    if overdue := [alarm for alarm in alarms if not alarm.is_locked and alarm.rings_at < now - PATIENCE]:
        sentence = f"Hasura has not rung {len(overdue)} of them, due since {min(one.rings_at for one in overdue)}."
        yield Finding("stuck", "alarms", f"{sentence} Look into Hasura's log; a restart has it go on.")


def sweep_findings(sweep: Sweep, now: datetime) -> Iterator[Finding]:
    """Of a cron trigger that Hasura has. One ring that failed is a hiccup, unless it had the wrong secret."""
    subject = f"cron trigger {SWEEP}"
    if sweep.next_at is None:
        yield Finding("misconfigured", subject, "Hasura has planned no ring of it. Reload the metadata.")
    elif sweep.next_at < now - PATIENCE:
        sentence = f"Hasura has not rung it since {sweep.next_at}. Look into Hasura's log; a restart has it go on."
        yield Finding("stuck", subject, sentence)
    in_vain = [ring for ring in sweep.rings[:2] if not _went_well(ring)]
    if len(in_vain) == 2 or (sweep.rings and sweep.rings[0].status == HTTPStatus.UNAUTHORIZED):
        yield _rang_in_vain(sweep.rings[0], subject)


def _went_well(ring: Ring) -> bool:
    return ring.status is not None and 200 <= ring.status < 300


def _rang_in_vain(ring: Ring, subject: str) -> Finding:
    """In the words of the latest ring, with its time: what was mended since is not seen before the next one."""
    at = f"At {ring.at:%H:%M:%SZ}, when Hasura rang last,"
    match ring.status:
        case HTTPStatus.UNAUTHORIZED:
            sentence = f"{at} it did so with another secret than postTweet had. Give both the same and restart Hasura."
            return Finding("misconfigured", WEBHOOK_SECRET_NAME, sentence)
        case None | 404:
            what = "nobody answered" if ring.status is None else "there was no postTweet (404)"
            sentence = f"{at} {what}. Correct ACTIONS_BASE_URL in Hasura's environment, or start it there."
            return Finding("misconfigured", "ACTIONS_BASE_URL", sentence)
        case status:
            return Finding(
                "stuck", subject, f"{at} and before, it was not answered well: {status}. Look into postTweet's log."
            )


def posts_without_alarm(scheduled: Iterable[Post], alarms: Iterable[Alarm], address: str, now: datetime) -> list[Post]:
    """Posts whose time is ahead and for which no alarm will ring postTweet: the sweep alone will publish them."""
    alarmed = {alarm.post_id for alarm in alarms if alarm.sends_secret and _rings_at(address, alarm)}
    return [post for post in scheduled if post.schedule_for > now and post.id not in alarmed]


def _rings_at(address: str, alarm: Alarm) -> bool:
    return alarm.webhook == address + WEBHOOK_PATH or "{{" in alarm.webhook + address


def lost_without_sweep(posts: Iterable[Post]) -> Iterator[Finding]:
    """Posts without an alarm where the sweep is missing, too."""
    for post in posts:
        sentence = (
            "It has no alarm that reaches postTweet, and there is no sweep, so nobody will publish it. "
            "Apply hasura/metadata."
        )
        yield Finding("lost", post.subject, sentence)


def _alarms(number: int) -> str:
    return "One alarm rings" if number == 1 else f"{number} alarms ring"
