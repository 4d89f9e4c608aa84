"""Delivers the events of table event triggers: a limited number at once, in no guaranteed order."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Json
from psycopg_pool import AsyncConnectionPool

from local.hasura.events.event_triggers import EventTrigger
from local.hasura.events.faults import DeliveryFaults
from local.hasura.events.webhooks import Invocation, WebhookClient
from local.hasura.timestamps import zoneless_text

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EventLimits:
    """Rows of a fetch, webhooks called at once, and seconds between an empty fetch and the next."""

    batch_size: int
    pool_size: int
    fetch_interval: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "EventLimits":
        """From HASURA_GRAPHQL_EVENTS_FETCH_BATCH_SIZE, _HTTP_POOL_SIZE and _FETCH_INTERVAL (milliseconds)."""

        def setting(name: str, default: int) -> int:
            given = environment.get(f"HASURA_GRAPHQL_EVENTS_{name}") or str(default)
            if not given.isdecimal():
                raise ValueError(f"HASURA_GRAPHQL_EVENTS_{name}: expected a whole number.")
            return int(given)

        return cls(
            setting("FETCH_BATCH_SIZE", 100), setting("HTTP_POOL_SIZE", 100), setting("FETCH_INTERVAL", 1000) / 1000
        )

    @property
    def delivery_is_off(self) -> bool:
        """A zero turns the delivery off; events are still captured."""
        return not (self.batch_size and self.pool_size and self.fetch_interval)


class EventTriggerDelivery:
    """Fetches events and calls their webhooks; `triggers` returns the consistent event triggers by name."""

    def __init__(
        self,
        pool: AsyncConnectionPool,
        webhooks: WebhookClient,
        triggers: Callable[[], Mapping[str, EventTrigger]],
        faults: DeliveryFaults,
        limits: EventLimits,
    ) -> None:
        self._pool = pool
        self._webhooks = webhooks
        self._triggers = triggers
        self._faults = faults
        self._limits = limits
        self._free = asyncio.Semaphore(limits.pool_size)
        self._locked: set[str] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Delivers until stop() is called, then waits for the deliveries in flight."""
        if self._limits.delivery_is_off:
            return
        async with asyncio.TaskGroup() as tasks:
            events = await self._fetch()
            while not self._stopping.is_set():
                if events:
                    next_fetch = tasks.create_task(self._fetch())  # Hasura has two batches locked as well
                    await self._start_all(events, tasks)
                    events = await next_fetch
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stopping.wait(), self._limits.fetch_interval)
                    events = await self._fetch()

    def stop(self) -> None:
        """Ends run(); events that were fetched but not delivered stay locked until unlock()."""
        self._stopping.set()

    async def unlock(self) -> None:
        """Unlocks the events that this server has locked, and no others."""
        async with self._pool.connection(timeout=2) as connection:
            await connection.execute(
                "update hdb_catalog.event_log set locked = null where id = any(%s)", [list(self._locked)]
            )

    async def _fetch(self) -> list[dict[str, Any]]:
        """A lock older than half an hour has expired."""
        try:
            async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(
                    "with due as materialized ("
                    " select id from hdb_catalog.event_log where not delivered and not error and not archived"
                    " and (locked is null or locked < now() - interval '30 minutes')"
                    " and (next_retry_at is null or next_retry_at <= now()) and trigger_name = any(%s)"
                    " order by locked nulls first, next_retry_at nulls first, created_at"
                    " limit %s for update skip locked)"
                    " update hdb_catalog.event_log set locked = now() from due where event_log.id = due.id"
                    " returning event_log.*",
                    [list(self._triggers()), self._limits.batch_size],
                )
                events = await cursor.fetchall()
        except psycopg.Error as error:
            log.warning("no table events fetched: the database does not answer (%s)", type(error).__name__)
            return []
        self._locked.update(event["id"] for event in events)
        return sorted(events, key=lambda event: event["created_at"])

    async def _start_all(self, events: list[dict[str, Any]], tasks: asyncio.TaskGroup) -> None:
        for event in events:
            for _ in range(self._faults.deliveries_of_next("table")):
                await self._free.acquire()
                if self._stopping.is_set():
                    return
                tasks.create_task(self._deliver(event))

    async def _deliver(self, event: dict[str, Any]) -> None:
        trigger = self._triggers().get(event["trigger_name"])
        try:
            if trigger is None:
                await self._postpone(event["id"])
            else:
                await self._post(event, trigger)
            self._locked.discard(event["id"])
        except psycopg.Error as error:
            log.warning("event %s stays locked: the result could not be stored (%s)", event["id"], type(error).__name__)
        except Exception:  # one faulty event must not stop the others
            log.exception("event %s stays locked: an error of this program", event["id"])
        finally:
            self._free.release()

    async def _post(self, event: dict[str, Any], trigger: EventTrigger) -> None:
        invocation = await self._webhooks.call(trigger.webhook, _body(event, trigger), trigger.timeout_sec, "2")
        async with self._pool.connection() as connection, connection.transaction():
            await _log_invocation(connection, event, invocation)
            await _settle(connection, event, trigger, invocation)

    async def _postpone(self, event_id: str) -> None:
        """For an event whose trigger was removed after the fetch; it is not counted as a try."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update hdb_catalog.event_log"
                " set locked = null, next_retry_at = now() + interval '1 minute' where id = %s",
                [event_id],
            )


def _body(event: Mapping[str, Any], trigger: EventTrigger) -> dict[str, Any]:
    return {
        "id": event["id"],
        "created_at": zoneless_text(event["created_at"]),
        "trigger": {"name": trigger.name},
        "table": {"schema": event["schema_name"], "name": event["table_name"]},
        "event": event["payload"],
        "delivery_info": {"current_retry": event["tries"], "max_retries": trigger.num_retries},
    }


async def _log_invocation(
    connection: psycopg.AsyncConnection, event: Mapping[str, Any], invocation: Invocation
) -> None:
    await connection.execute(
        "insert into hdb_catalog.event_invocation_logs (trigger_name, event_id, status, request, response)"
        " values (%s, %s, %s, %s, %s)",
        [event["trigger_name"], event["id"], invocation.status, Json(invocation.request), Json(invocation.response)],
    )


async def _settle(
    connection: psycopg.AsyncConnection, event: Mapping[str, Any], trigger: EventTrigger, invocation: Invocation
) -> None:
    """Retry-After has precedence over the interval and over the number of retries. No event expires."""
    seconds = None
    gives_up = invocation.retry_after is None and event["tries"] >= trigger.num_retries
    if not invocation.delivered and not gives_up:
        seconds = invocation.retry_after or trigger.interval_sec
    await connection.execute(
        "update hdb_catalog.event_log set tries = tries + 1, locked = null, delivered = %s, error = %s,"
        " next_retry_at = now() + make_interval(secs => %s) where id = %s",
        [invocation.delivered, not invocation.delivered and gives_up, seconds, event["id"]],
    )
    if invocation.delivered:
        then = ""
    elif gives_up:
        then = f", gave up (tries: {event['tries'] + 1})"
    else:
        then = f", retry in {seconds}s"
    log.info("event %s -> %s%s (%s)", trigger.name, invocation.result, then, event["id"])
