"""What is done to the stack, each kind a method whose arguments the plan has drawn."""

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import requests

from chaos.drawing_blows import SLOWEST_ANSWER
from chaos.mortal_functions import MortalFunctions
from chaos.plan import Blow
from chaos.time_jump import jump
from local.running_stack import RunningStack

JUMP = timedelta(minutes=80)
"""Longer than a lease, than X may show a new post late, and than the hour, with its jitter, that a hold lasts."""

_STEERED = {"drop_next": "dropped", "duplicate_next": "delivered twice"}

_PATIENCE = timedelta(seconds=30)


class Blows:
    """Strikes a running stack; `struck` counts what was done. May be called from many threads."""

    def __init__(self, stack: RunningStack, functions: MortalFunctions) -> None:
        self.struck: Counter[str] = Counter()
        self.x_fails: Counter[str] = Counter()
        self.rings: Counter[str] = Counter()
        self._stack = stack
        self._functions = functions

    def strike(self, blow: Blow) -> None:
        """Does it, and again while Hasura is down or too busy to answer; in vain when that lasts."""
        strikes: dict[str, Callable[..., None]] = {
            "kill_functions": self._kill_functions,
            "arm_crash_point": self._arm_crash_point,
            "jump_in_time": self.jump_in_time,
            "kill_hasura": self._kill_hasura,
            "delete_pending_events": self._delete_pending_events,
            "ring_often": self._ring_often,
            "sweep": self._sweep,
            "drop_next": partial(self._steer, "drop_next"),
            "duplicate_next": partial(self._steer, "duplicate_next"),
            "fail_x": self._fail_x,
        }
        if not _is_answered(partial(strikes[blow.kind], **blow.options)):
            self.struck[f"blows that nobody answered: {blow.kind}"] += 1

    def jump_in_time(self) -> None:
        """An outage of the functions of JUMP, seen from the database: what X was asked before has ended by then."""
        with self._functions.outage():
            time.sleep(SLOWEST_ANSWER + 0.5)
            jump(self._stack.settings["PG_DATABASE_URL"], JUMP)
        self.struck[f"outage of the functions for {JUMP}"] += 1

    def ring(self) -> dict[str, Any]:
        """Rings postTweet for no post in particular, as the sweep does; returns its answer. Raises RequestException."""
        now = datetime.now(UTC).isoformat()
        answer = requests.post(
            f"{self._stack.urls['functions']}/api/postTweet",
            json={"id": str(uuid.uuid4()), "scheduled_time": now, "payload": None},
            headers={"x-webhook-secret": self._stack.settings["WEBHOOK_SECRET"]},
            timeout=60,
        )
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def _kill_functions(self) -> None:
        self._functions.kill()
        self.struck["kill -9 of the functions host"] += 1

    def _arm_crash_point(self, point: str) -> None:
        self._functions.arm(point)
        self.struck["crash point armed"] += 1

    def _kill_hasura(self) -> None:
        os.kill(self._stack.pids["hasura"], signal.SIGKILL)
        self.struck["kill -9 of Hasura"] += 1

    def _delete_pending_events(self) -> None:
        pending = self._stack.metadata("get_scheduled_events", {"type": "one_off", "status": ["scheduled"]})["events"]
        for event in pending:
            self._stack.metadata("delete_scheduled_event", {"type": "one_off", "event_id": event["id"]})
            self.struck["one_off events deleted, all pending ones at once"] += 1

    def _ring_often(self, times: int) -> None:
        """As many rings as there are posts, as fast as they go, once somebody is there to hear them."""
        self._functions.wait_until_it_answers()
        began = time.monotonic()
        with ThreadPoolExecutor(32) as pool:
            self.rings.update(pool.map(lambda _: self._how_it_rang(), range(times)))
        self.struck[f"burst of {times} rings, {time.monotonic() - began:.1f} s"] += 1

    def _sweep(self) -> None:
        """What cron does each minute; here the minutes are short."""
        self.rings[self._how_it_rang()] += 1
        self.struck["sweeps of our own"] += 1

    def _how_it_rang(self) -> str:
        try:
            self.ring()
        except requests.HTTPError as error:
            return f"status {error.response.status_code}"
        except requests.RequestException:
            return "no answer"
        return "status 200"

    def _steer(self, how: str, bell: str, times: int) -> None:
        requests.post(
            f"{self._stack.urls['hasura']}/_local/{how}",
            json={"kind": bell, "times": times},
            headers={"x-hasura-admin-secret": self._stack.settings["HASURA_GRAPHQL_ADMIN_SECRET"]},
            timeout=10,
        ).raise_for_status()
        self.struck[f"{bell} events told to be {_STEERED[how]}"] += times

    def _fail_x(self, kind: str, endpoint: str, times: int, **options: Any) -> None:
        self._stack.fail(kind, times, endpoint=endpoint, **options)
        self.x_fails[f"{kind} ({endpoint})"] += times


def _is_answered(strike: Callable[[], None]) -> bool:
    deadline = time.monotonic() + _PATIENCE.total_seconds()
    while time.monotonic() < deadline:
        try:
            strike()
            return True
        except (requests.RequestException, KeyError):  # KeyError: Hasura has no process id while it starts again
            time.sleep(0.2)
    return False
