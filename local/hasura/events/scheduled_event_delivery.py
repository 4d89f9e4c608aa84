"""Delivers scheduled events: locks those that are due, calls their webhooks, and stores the results."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from local.hasura.events import cron_triggers, scheduled_events
from local.hasura.events.cron_triggers import CronTrigger
from local.hasura.events.faults import DeliveryFaults
from local.hasura.events.scheduled_events import CRON, ONE_OFF, EventTables
from local.hasura.events.webhooks import Invocation, RetryConf, Webhook, WebhookClient
from local.hasura.timestamps import utc_text

log = logging.getLogger(__name__)

_CRON_TOP_UP_INTERVAL = 60


@dataclass(frozen=True)
class DueEvent:
    """A locked event. `late` is how late it was at `locked_at`, a time of the monotonic clock."""

    tables: EventTables
    id: str
    name: str
    webhook: Webhook
    retry_conf: RetryConf
    envelope: dict[str, Any]
    tries: int
    late: timedelta
    locked_at: float

    @property
    def is_beyond_tolerance(self) -> bool:
        """Whether it is too late to deliver the event; counted from the database's time when it was locked."""
        late_now = self.late.total_seconds() + time.monotonic() - self.locked_at
        return late_now > self.retry_conf.tolerance_seconds


class ScheduledEventDelivery:
    """Delivers the events of each poll: all at once, or one after another as Hasura did up to v2.21."""

    def __init__(
        self,
        pool: AsyncConnectionPool,
        webhooks: WebhookClient,
        environment: Mapping[str, str],
        faults: DeliveryFaults,
        *,
        poll_interval: float,
        concurrent: bool,
    ) -> None:
        self._pool = pool
        self._webhooks = webhooks
        self._environment = environment
        self._faults = faults
        self._poll_interval = poll_interval
        self._deliver_all = self._deliver_at_once if concurrent else self._deliver_one_by_one
        self._stopping = asyncio.Event()
        self._next_top_up = 0.0

    async def run(self) -> None:
        """Polls until stop() is called; each poll starts after the slowest delivery of the one before."""
        while not self._stopping.is_set():
            try:
                await self._top_up_cron_events()
                await self._deliver_due()
            except psycopg.Error as error:
                log.warning("no scheduled events delivered: the database does not answer (%s)", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._poll_interval)

    def stop(self) -> None:
        """Ends run() after the deliveries in flight."""
        self._stopping.set()

    async def unlock(self) -> None:
        """Unlocks every event, also those of another server, as Hasura does when it starts and when it ends."""
        async with self._pool.connection(timeout=2) as connection:
            unlocked = await scheduled_events.unlock_all(connection)
        if unlocked:
            log.info("%d locked events are unlocked", unlocked)

    async def _top_up_cron_events(self) -> None:
        if time.monotonic() < self._next_top_up:
            return
        self._next_top_up = time.monotonic() + _CRON_TOP_UP_INTERVAL
        async with self._pool.connection() as connection:
            await cron_triggers.top_up(connection)

    async def _deliver_due(self) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            cron_events = await self._lock_due_cron_events(connection)
            one_off_events = [_one_off(row) for row in await scheduled_events.lock_due(connection, ONE_OFF)]
        await self._deliver_all(cron_events)
        await self._deliver_all(one_off_events)

    async def _lock_due_cron_events(self, connection: psycopg.AsyncConnection) -> list[DueEvent]:
        """Events of a trigger whose variables are missing wait, because Hasura has that trigger as inconsistent."""
        triggers = {
            name: trigger
            for name, trigger in (await cron_triggers.stored(connection)).items()
            if not trigger.webhook.missing_variables(self._environment)
        }
        rows = await scheduled_events.lock_due(connection, CRON, list(triggers))
        return [_cron(row, triggers[row["trigger_name"]]) for row in rows]

    async def _deliver_at_once(self, events: list[DueEvent]) -> None:
        async with asyncio.TaskGroup() as deliveries:
            for event in events:
                for _ in range(self._faults.deliveries_of_next("one_off" if event.tables is ONE_OFF else "cron")):
                    deliveries.create_task(self._deliver(event))

    async def _deliver_one_by_one(self, events: list[DueEvent]) -> None:
        for event in events:
            if self._stopping.is_set():
                return
            await self._deliver_at_once([event])

    async def _deliver(self, event: DueEvent) -> None:
        try:
            if event.is_beyond_tolerance:
                await self._mark_dead(event)
            else:
                await self._call(event)
        except psycopg.Error as error:
            log.warning("event %s stays locked: the result could not be stored (%s)", event.name, type(error).__name__)
        except Exception:  # one faulty event must not stop the others
            log.exception("event %s stays locked: an error of this program (%s)", event.name, event.id)

    async def _mark_dead(self, event: DueEvent) -> None:
        log.info("event %s is dead: more than %gs late (%s)", event.name, event.retry_conf.tolerance_seconds, event.id)
        async with self._pool.connection() as connection:
            await scheduled_events.set_status(connection, event.tables, event.id, "dead")

    async def _call(self, event: DueEvent) -> None:
        """Stores log and status in two transactions, as Hasura does: after a crash in between, it delivers again."""
        invocation = await self._webhooks.call(event.webhook, event.envelope, event.retry_conf.timeout_seconds, "1")
        async with self._pool.connection() as connection:
            await scheduled_events.log_invocation(connection, event.tables, event.id, invocation)
            await self._settle(connection, event, invocation)

    async def _settle(self, connection: psycopg.AsyncConnection, event: DueEvent, invocation: Invocation) -> None:
        """Retry-After has precedence over the interval and over the number of retries."""
        if invocation.delivered:
            if event.tables is ONE_OFF or invocation.status != 200:
                log.info("event %s -> %s (%s)", event.name, invocation.result, event.id)
            await scheduled_events.set_status(connection, event.tables, event.id, "delivered")
        elif invocation.retry_after is None and event.tries >= event.retry_conf.num_retries:
            tries = event.tries + 1
            log.info("event %s -> %s, gave up (tries: %d) (%s)", event.name, invocation.result, tries, event.id)
            await scheduled_events.set_status(connection, event.tables, event.id, "error")
        else:
            seconds = invocation.retry_after or event.retry_conf.retry_interval_seconds
            log.info("event %s -> %s, retry in %gs (%s)", event.name, invocation.result, seconds, event.id)
            await scheduled_events.retry_in(connection, event.tables, event.id, seconds)


def _one_off(row: Mapping[str, Any]) -> DueEvent:
    webhook = Webhook(row["webhook_conf"], row["header_conf"] or [])
    envelope = {
        "id": row["id"],
        "scheduled_time": utc_text(row["scheduled_time"]),
        "payload": row["payload"],
        "created_at": utc_text(row["created_at"]),
        **_comment(row["comment"]),
    }
    return _due(ONE_OFF, row, webhook.short_name, webhook, RetryConf(**(row["retry_conf"] or {})), envelope)


def _cron(row: Mapping[str, Any], trigger: CronTrigger) -> DueEvent:
    envelope = {
        "id": row["id"],
        "name": trigger.name,
        "scheduled_time": utc_text(row["scheduled_time"]),
        "payload": trigger.payload,
        **_comment(trigger.comment),
    }
    return _due(CRON, row, f"cron {trigger.name}", trigger.webhook, trigger.retry_conf, envelope)


def _due(
    tables: EventTables,
    row: Mapping[str, Any],
    name: str,
    webhook: Webhook,
    retry_conf: RetryConf,
    envelope: dict[str, Any],
) -> DueEvent:
    return DueEvent(tables, row["id"], name, webhook, retry_conf, envelope, row["tries"], row["late"], time.monotonic())


def _comment(comment: str | None) -> dict[str, str]:
    return {} if comment is None else {"comment": comment}
