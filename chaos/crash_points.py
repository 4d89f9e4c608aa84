"""Where the functions can be made to die: this module runs inside the functions host, around their clients.

A crash point is armed by a file of its name in the directory of the environment variable CHAOS_ARMED. The first thread
that reaches it takes the file away and kills its whole process, as a lost machine would, with everything in flight.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from shared.core.drafts import Draft
from shared.core.event_store import Row
from shared.core.model import Account, Claim, ClaimedPost, Decision, PublishResult, Recorded, TurnToWait
from shared.hasura.draft_store import HasuraDraftStore
from shared.hasura.event_store import HasuraEventStore
from shared.hasura.post_store import HasuraPostStore
from shared.x.client import X
from shared.x.searched_timeline import SearchedTimeline

ARMED = "CHAOS_ARMED"

HIT = ".hit"

CREATING_POINTS = (
    "before_insert",
    "after_insert",
    "before_event",
    "after_event",
    "before_record_event",
    "after_record_event",
)
POINTS = (
    *CREATING_POINTS,
    "before_claim",
    "after_claim",
    "before_publish",
    "after_publish",
    "before_record",
    "after_record",
    "before_reconcile",
    "after_reconcile",
    "before_wait",
    "after_wait",
    "before_answer",
)


class _CrashableEventStore(HasuraEventStore):
    """The product's own store of events, with crash points around the creation and the record of one."""

    def create_event(self, at: datetime, payload: Mapping[str, Any]) -> Row:
        with _crashable("event"):
            return super().create_event(at, payload)

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        with _crashable("record_event"):
            return super().record_event(post_id, event_id, at, instead_of)


class CrashableDraftStore(_CrashableEventStore, HasuraDraftStore):
    """The product's own store of drafts, with crash points around an insert."""

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        with _crashable("insert"):
            return super().insert_post(draft, token, key)


class CrashablePostStore(_CrashableEventStore, HasuraPostStore):
    """The product's own store of posts, with crash points around a claim, a wait and a record."""

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        with _crashable("claim"):
            return super().claim_due_posts(delivered_post_id)

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        with _crashable("wait"):
            return super().wait_for_due_posts(caller, stay, wait)

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        with _crashable("record"):
            return super().record(post, decision)


class CrashableX(X):
    """The product's own client of X, with crash points around a post and a search."""

    def publish(self, account: Account, text: str) -> PublishResult:
        with _crashable("publish"):
            return super().publish(account, text)

    def timeline(self, account: Account, since: datetime, until: datetime) -> SearchedTimeline:
        return _CrashableTimeline(self._pages(account, since, until))


class _CrashableTimeline(SearchedTimeline):
    """The same for each search."""

    def find(self, text: str, since: datetime) -> list[str]:
        with _crashable("reconcile"):
            return super().find(text, since)


CRASHABLE_CLIENTS: Mapping[str, Mapping[str, type]] = {
    "createPost": {"HasuraDraftStore": CrashableDraftStore},
    "postTweet": {"HasuraPostStore": CrashablePostStore, "X": CrashableX},
}
"""For each function: the clients of its module by their names there, and what takes their place."""


def crashable(function: ModuleType) -> Callable[[func.HttpRequest, func.Context], func.HttpResponse]:
    """The `main` of a function's module, which gets these clients in place of its own."""
    for name, client in CRASHABLE_CLIENTS[function.__name__].items():
        assert hasattr(function, name), f"{function.__name__} has no client {name} by now"
        setattr(function, name, client)

    def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        answer: func.HttpResponse = function.main(req, context)
        _die_if_armed("before_answer")
        return answer

    return main


@contextmanager
def _crashable(step: str) -> Iterator[None]:
    _die_if_armed(f"before_{step}")
    yield
    _die_if_armed(f"after_{step}")


def _die_if_armed(point: str) -> None:
    armed = Path(os.environ[ARMED]) / point
    try:
        armed.rename(armed.with_suffix(HIT))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
