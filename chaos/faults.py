"""Fault injection: what is done to a running stack, each kind a method whose arguments the plan has."""

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

from chaos.database import Database
from chaos.plan import SLOWEST_ANSWER, Fault
from chaos.stack import CrashableFunctions
from local.running_stack import RunningStack

OUTAGE = timedelta(minutes=80)
"""Longer than a lease, than X may show a new post late, and than the hour, with its jitter, that a pause lasts."""

_CONTROLS = {"drop_next": "dropped", "duplicate_next": "delivered twice"}

_PATIENCE = timedelta(seconds=30)

_DELIVERIES_AT_ONCE = 32


class FaultInjector:
    """Injects faults into a running stack, and counts them. May be called from many threads."""

    def __init__(self, stack: RunningStack, functions: CrashableFunctions, database: Database) -> None:
        self.injected: Counter[str] = Counter()
        self.x_faults: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self._stack = stack
        self._functions = functions
        self._database = database

    def inject(self, fault: Fault) -> None:
        """Injects it, and again while Hasura is down or too busy to answer; gives up when that lasts."""
        methods: dict[str, Callable[..., None]] = {
            "kill_functions": self._kill_functions,
            "arm_crash_point": self._arm_crash_point,
            "outage": self.outage,
            "kill_hasura": self._kill_hasura,
            "delete_pending_events": self._delete_pending_events,
            "deliver_often": self._deliver_often,
            "sweep": self._sweep,
            "drop_next": partial(self._control_hasura, "drop_next"),
            "duplicate_next": partial(self._control_hasura, "duplicate_next"),
            "fail_x": self._fail_x,
        }
        if not _is_answered(partial(methods[fault.kind], **fault.options)):
            self.injected[f"faults that nobody answered: {fault.kind}"] += 1

    def outage(self) -> None:
        """The functions are down for OUTAGE, seen from the database. What X was asked before has ended by then."""
        with self._functions.outage():
            time.sleep(SLOWEST_ANSWER + 0.5)
            self._database.pass_time(OUTAGE)
        self.injected[f"outage of the functions for {OUTAGE}"] += 1

    def deliver(self) -> dict[str, Any]:
        """Calls postTweet for no post in particular, as the sweep does; returns its answer. Raises RequestException."""
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
        self.injected["kill -9 of the functions host"] += 1

    def _arm_crash_point(self, point: str) -> None:
        self._functions.arm(point)
        self.injected["crash point armed"] += 1

    def _kill_hasura(self) -> None:
        os.kill(self._stack.pids["hasura"], signal.SIGKILL)
        self.injected["kill -9 of Hasura"] += 1

    def _delete_pending_events(self) -> None:
        pending = self._stack.metadata("get_scheduled_events", {"type": "one_off", "status": ["scheduled"]})["events"]
        for event in pending:
            self._stack.metadata("delete_scheduled_event", {"type": "one_off", "event_id": event["id"]})
            self.injected["one_off events deleted, all pending ones at once"] += 1

    def _deliver_often(self, times: int) -> None:
        """So many deliveries, as fast as they go, once the functions answer."""
        self._functions.wait_until_it_answers()
        began = time.monotonic()
        with ThreadPoolExecutor(_DELIVERIES_AT_ONCE) as pool:
            self.answers.update(pool.map(lambda _: self._answer_to_a_delivery(), range(times)))
        self.injected[f"burst of {times} deliveries, {time.monotonic() - began:.1f} s"] += 1

    def _sweep(self) -> None:
        """What the cron trigger does each minute; here the minutes are short."""
        self.answers[self._answer_to_a_delivery()] += 1
        self.injected["sweeps of our own"] += 1

    def _answer_to_a_delivery(self) -> str:
        try:
            self.deliver()
        except requests.HTTPError as error:
            return f"status {error.response.status_code}"
        except requests.RequestException:
            return "no answer"
        return "status 200"

    def _control_hasura(self, route: str, trigger: str, times: int) -> None:
        requests.post(
            f"{self._stack.urls['hasura']}/_local/{route}",
            json={"kind": trigger, "times": times},
            headers={"x-hasura-admin-secret": self._stack.settings["HASURA_GRAPHQL_ADMIN_SECRET"]},
            timeout=10,
        ).raise_for_status()
        self.injected[f"{trigger} events told to be {_CONTROLS[route]}"] += times

    def _fail_x(self, kind: str, endpoint: str, times: int, **options: Any) -> None:
        self._stack.fail(kind, times, endpoint=endpoint, **options)
        self.x_faults[f"{kind} ({endpoint})"] += times


def _is_answered(inject: Callable[[], None]) -> bool:
    deadline = time.monotonic() + _PATIENCE.total_seconds()
    while time.monotonic() < deadline:
        try:
            inject()
            return True
        except (requests.RequestException, KeyError):  # KeyError: Hasura has no process id while it starts again
            time.sleep(0.2)
    return False
