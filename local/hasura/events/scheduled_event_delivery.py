"""The loop that rings: it locks what is due, calls the webhooks, and writes down what became of it."""

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
from local.hasura.events.scheduled_events import CRON, ONE_OFF, EventTables
from local.hasura.events.steering import Steering
from local.hasura.events.webhook_client import Outcome, WebhookClient
from local.hasura.events.webhook_definition import RetryConf, Webhook
from local.hasura.timestamps import utc_text

log = logging.getLogger(__name__)

_CRON_TOP_UP_INTERVAL = 60


@dataclass(frozen=True)
class DueEvent:
    """A locked event. `late` is how late it was at `locked_at`, a reading of the monotonic clock."""

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
        """Whether it has become too late to ring at all; the database's clock says so, read when it was locked."""
        late_now = self.late.total_seconds() + time.monotonic() - self.locked_at
        return late_now > self.retry_conf.tolerance_seconds


class ScheduledEventDelivery:
    """Delivers one-off and cron events: those of a poll all at once, or in a row as Hasura did up to v2.21."""

    def __init__(
        self,
        pool: AsyncConnectionPool,
        webhooks: WebhookClient,
        environment: Mapping[str, str],
        steering: Steering,
        *,
        poll_interval: float,
        concurrent: bool,
    ) -> None:
        self._pool = pool
        self._webhooks = webhooks
        self._environment = environment
        self._steering = steering
        self._poll_interval = poll_interval
        self._deliver_all = self._deliver_at_once if concurrent else self._deliver_in_a_row
        self._stopping = asyncio.Event()
        self._next_top_up = 0.0

    async def run(self) -> None:
        """Polls until stop() is called; every poll waits for the slowest webhook of the one before."""
        while not self._stopping.is_set():
            try:
                await self._top_up_cron_events()
                await self._deliver_due()
            except psycopg.Error as error:
                log.warning("scheduled events rest: the database does not answer (%s)", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._poll_interval)

    def stop(self) -> None:
        """Lets run() end once the events in flight are done."""
        self._stopping.set()

    async def unlock(self) -> None:
        """Gives back every locked event, another server's too, as Hasura does when it starts and when it ends."""
        async with self._pool.connection(timeout=2) as connection:
            unlocked = await scheduled_events.unlock_all(connection)
        if unlocked:
            log.info("%d locked events are free again", unlocked)

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
        """Events of a trigger whose variables are missing wait: to Hasura that trigger is inconsistent."""
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
                for _ in range(self._steering.deliveries_of_next("one_off" if event.tables is ONE_OFF else "cron")):
                    deliveries.create_task(self._deliver(event))

    async def _deliver_in_a_row(self, events: list[DueEvent]) -> None:
        for event in events:
            if self._stopping.is_set():
                return
            await self._deliver_at_once([event])

    async def _deliver(self, event: DueEvent) -> None:
        try:
            if event.is_beyond_tolerance:
                await self._let_die(event)
            else:
                await self._ring(event)
        except psycopg.Error as error:
            log.warning("%s stays locked: its outcome could not be stored (%s)", event.name, type(error).__name__)
        except Exception:  # whatever is wrong with one event, the others ring
            log.exception("%s stays locked: a fault of this program (%s)", event.name, event.id)

    async def _let_die(self, event: DueEvent) -> None:
        log.info("%s is dead: later than %gs (%s)", event.name, event.retry_conf.tolerance_seconds, event.id)
        async with self._pool.connection() as connection:
            await scheduled_events.set_status(connection, event.tables, event.id, "dead")

    async def _ring(self, event: DueEvent) -> None:
        """The log and the status are two transactions, as in Hasura: a crash in between means another delivery."""
        outcome = await self._webhooks.call(event.webhook, event.envelope, event.retry_conf.timeout_seconds, "1")
        async with self._pool.connection() as connection:
            await scheduled_events.log_try(connection, event.tables, event.id, outcome)
            await self._settle(connection, event, outcome)

    async def _settle(self, connection: psycopg.AsyncConnection, event: DueEvent, outcome: Outcome) -> None:
        """Retry-After wins over the interval, and over the number of retries."""
        if outcome.delivered:
            if event.tables is ONE_OFF or outcome.status != 200:
                log.info("rang %s -> %s (%s)", event.name, outcome.words, event.id)
            await scheduled_events.set_status(connection, event.tables, event.id, "delivered")
        elif outcome.retry_after is None and event.tries >= event.retry_conf.num_retries:
            log.info("rang %s -> %s, gave up (tries: %d) (%s)", event.name, outcome.words, event.tries + 1, event.id)
            await scheduled_events.set_status(connection, event.tables, event.id, "error")
        else:
            seconds = outcome.retry_after or event.retry_conf.retry_interval_seconds
            log.info("rang %s -> %s, again in %gs (%s)", event.name, outcome.words, seconds, event.id)
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
