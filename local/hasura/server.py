"""The server: what it is made of, and what happens between its start and its end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from local.hasura.authentication import Authentication
from local.hasura.cors import allow_any_origin
from local.hasura.events.event_trigger_delivery import EventLimits, EventTriggerDelivery
from local.hasura.events.scheduled_event_delivery import ScheduledEventDelivery
from local.hasura.events.steering import Steering
from local.hasura.events.webhook_client import WebhookClient, http_session
from local.hasura.http_api import HttpApi
from local.hasura.metadata_api.endpoints import metadata_endpoints
from local.hasura.schema_cache import SchemaCache

log = logging.getLogger(__name__)

_CATALOG = Path(__file__).with_name("catalog.sql")
_LARGEST_BODY = 100 * 2**20
_LARGEST_POOL = 16
_SECONDS_TO_FINISH = "5"
"""Hasura's own default is 60; whoever presses Ctrl-C wants it shorter."""


@dataclass(frozen=True)
class Configuration:
    """`environment` holds Hasura's own settings and the variables that the metadata names. `poll_interval`: seconds."""

    database_url: str
    metadata: Path
    environment: Mapping[str, str]
    poll_interval: float
    concurrent: bool
    server_version: str


def application(configuration: Configuration) -> web.Application:
    """The server as an application, which does its work between start-up and clean-up.

    Raises ValueError when the environment is wrong; start-up raises MetadataRefused when the metadata is.
    """
    server = _Server(configuration)
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[allow_any_origin])
    app.add_routes(server.http_api.routes())
    app.cleanup_ctx.append(server.life)
    return app


class _Server:
    def __init__(self, configuration: Configuration) -> None:
        environment = configuration.environment
        self._configuration = configuration
        self._event_limits = EventLimits.from_environment(environment)
        self._seconds_to_finish = float(
            environment.get("HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT") or _SECONDS_TO_FINISH
        )
        self._steering = Steering()
        self._pool = _pool(configuration.database_url)
        self._schema_cache = SchemaCache(configuration.metadata, self._pool, environment)
        self.http_api = HttpApi(
            Authentication.from_environment(environment),
            self._pool,
            self._schema_cache,
            metadata_endpoints(self._pool, self._schema_cache, environment),
            self._steering,
            configuration.server_version,
        )

    async def life(self, app: web.Application) -> AsyncIterator[None]:  # noqa: ARG002
        """Up to the yield the server starts; from there on it ends."""
        async with self._pool:
            async with self._pool.connection() as connection:
                await connection.execute(_CATALOG.read_text())
            await self._schema_cache.build()
            async with http_session() as http:
                webhooks = WebhookClient(http, self._configuration.environment, self._configuration.server_version)
                scheduled_events, table_events = self._scheduled_events(webhooks), self._table_events(webhooks)
                await scheduled_events.unlock()
                async with _running([scheduled_events, table_events], self._seconds_to_finish):
                    yield

    def _scheduled_events(self, webhooks: WebhookClient) -> ScheduledEventDelivery:
        return ScheduledEventDelivery(
            self._pool,
            webhooks,
            self._configuration.environment,
            self._steering,
            poll_interval=self._configuration.poll_interval,
            concurrent=self._configuration.concurrent,
        )

    def _table_events(self, webhooks: WebhookClient) -> EventTriggerDelivery:
        return EventTriggerDelivery(
            self._pool, webhooks, lambda: self._schema_cache.event_triggers, self._steering, self._event_limits
        )


@asynccontextmanager
async def _running(
    deliveries: list[ScheduledEventDelivery | EventTriggerDelivery], seconds_to_finish: float
) -> AsyncIterator[None]:
    """Delivers meanwhile. At the end events in flight get some seconds; what is locked then is given back."""
    tasks = [asyncio.create_task(delivery.run()) for delivery in deliveries]
    for task in tasks:
        task.add_done_callback(_report_fault)
    try:
        yield
    finally:
        for delivery in deliveries:
            delivery.stop()
        _, unfinished = await asyncio.wait(tasks, timeout=seconds_to_finish)
        for task in unfinished:
            task.cancel()
        await asyncio.wait(tasks)
        try:
            for delivery in deliveries:
                await delivery.unlock()
        except psycopg.Error as error:
            log.warning("what is in flight stays locked: the database does not answer (%s)", type(error).__name__)


def _report_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()):
        log.error("a delivery loop ended with a fault of this program", exc_info=fault)


def _pool(database_url: str) -> AsyncConnectionPool:
    """Connections in UTC, without a transaction of their own, that survive a restart of the database."""
    return AsyncConnectionPool(
        database_url,
        kwargs={"autocommit": True},
        configure=_use_utc,
        check=AsyncConnectionPool.check_connection,
        min_size=2,
        max_size=_LARGEST_POOL,
        timeout=10,
        reconnect_timeout=2,
        open=False,
    )


async def _use_utc(connection: psycopg.AsyncConnection) -> None:
    await connection.execute("set timezone to 'UTC'")
