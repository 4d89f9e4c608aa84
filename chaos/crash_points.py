"""Where the functions can be made to die: this module runs inside the functions host, around their clients.

A crash point is armed by a file of its name in the directory of the environment variable CHAOS_ARMED. The first thread
to come by takes the file away and kills its whole process, as a lost machine would, with everything in flight.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType

from shared.core.drafts import Draft
from shared.core.model import Account, Outcome, Post, Row
from shared.hasura.client import Hasura
from shared.x.client import X

ARMED = "CHAOS_ARMED"

STEPS = ("insert", "alarm", "claim", "send", "record", "look")
POINTS = tuple(f"{when}_{step}" for step in STEPS for when in ("before", "after"))

HIT = ".hit"


class MortalHasura(Hasura):
    """The product's own client, with a crash point on either side of each step."""

    def insert_post(self, draft: Draft, token: str, key: str | None = None) -> Row | None:
        with _mortal("insert"):
            return super().insert_post(draft, token, key)

    def set_alarm(self, at: datetime, post: Row | None) -> Row:
        with _mortal("alarm"):
            return super().set_alarm(at, post)

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        with _mortal("claim"):
            return super().claim_due_posts(ringing_post_id)

    def record(self, post: Post, outcome: Outcome) -> None:
        with _mortal("record"):
            super().record(post, outcome)


class MortalX(X):
    """The same for X."""

    def publish(self, account: Account, text: str) -> str:
        with _mortal("send"):
            return super().publish(account, text)

    def find(self, account: Account, text: str, since: datetime) -> list[str]:
        with _mortal("look"):
            return super().find(account, text, since)


def make_mortal(function: ModuleType) -> None:
    """Gives a function's module these clients in place of its own."""
    for name, client in (("Hasura", MortalHasura), ("X", MortalX)):
        if hasattr(function, name):
            setattr(function, name, client)


@contextmanager
def _mortal(step: str) -> Iterator[None]:
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
