"""The server: its parts, its start and its end."""

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
from local.hasura.cors import AllowedOrigins
from local.hasura.events.event_trigger_delivery import EventLimits, EventTriggerDelivery
from local.hasura.events.faults import DeliveryFaults
from local.hasura.events.scheduled_event_delivery import ScheduledEventDelivery
from local.hasura.events.webhooks import WebhookClient, http_session
from local.hasura.http_api import HttpApi
from local.hasura.metadata_api.endpoints import metadata_endpoints
from local.hasura.schema_cache import SchemaCache
from local.hasura.set_up import lift_author_limits, set_up
from local.hasura.subscriptions.endpoint import WebSockets

log = logging.getLogger(__name__)

_CATALOG = Path(__file__).with_name("catalog.sql")
_LARGEST_BODY = 100 * 2**20
_LARGEST_POOL = 16
_SECONDS_TO_FINISH = "5"
"""Hasura's default is 60, which is too long for Ctrl-C."""


@dataclass(frozen=True)
class Configuration:
    """`environment` holds Hasura's own settings and the variables that the metadata names. `poll_interval`: seconds.

    `project` is applied at the start (set_up.py). None: the server starts with the metadata that the database has.
    `limits_authors`: whether the limits of authors stay as the database has them.
    """

    database_url: str
    project: Path | None
    environment: Mapping[str, str]
    poll_interval: float
    concurrent: bool
    server_version: str
    limits_authors: bool = True


def application(configuration: Configuration) -> web.Application:
    """The server as an application, which delivers events between start-up and clean-up.

    Raises ValueError when the environment is wrong; start-up raises MetadataRefused when the metadata is.
    """
    server = _Server(configuration)
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[server.allowed_origins.answer])
    app.add_routes(server.http_api.routes())
    app.on_shutdown.append(server.web_sockets.stop)
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
        self._faults = DeliveryFaults()
        self._pool = _pool(configuration.database_url)
        self._schema_cache = SchemaCache(self._pool, environment)
        authentication = Authentication.from_environment(environment)
        self.allowed_origins = AllowedOrigins.from_environment(environment)
        self.web_sockets = WebSockets(authentication, self._pool, self._schema_cache, self.allowed_origins, environment)
        self.http_api = HttpApi(
            authentication,
            self._pool,
            self._schema_cache,
            metadata_endpoints(self._pool, self._schema_cache, environment),
            self._faults,
            self.web_sockets,
            configuration.server_version,
        )

    async def life(self, app: web.Application) -> AsyncIterator[None]:  # noqa: ARG002
        """Starts the server before the yield, and ends it after."""
        async with self._pool:
            async with self._pool.connection() as connection:
                await connection.execute(_CATALOG.read_text())
            await self._schema_cache.start()
            if self._configuration.project:
                await set_up(self._schema_cache, self._configuration.project, self._configuration.database_url)
            if not self._configuration.limits_authors:
                await lift_author_limits(self._pool)
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
            self._faults,
            poll_interval=self._configuration.poll_interval,
            concurrent=self._configuration.concurrent,
        )

    def _table_events(self, webhooks: WebhookClient) -> EventTriggerDelivery:
        return EventTriggerDelivery(
            self._pool, webhooks, lambda: self._schema_cache.event_triggers, self._faults, self._event_limits
        )


@asynccontextmanager
async def _running(
    deliveries: list[ScheduledEventDelivery | EventTriggerDelivery], seconds_to_finish: float
) -> AsyncIterator[None]:
    """Delivers meanwhile. At the end, deliveries in flight get some seconds; events still locked are unlocked."""
    tasks = [asyncio.create_task(delivery.run()) for delivery in deliveries]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        for delivery in deliveries:
            delivery.stop()
        log.info("stopping: deliveries in flight have %g s to end", seconds_to_finish)
        _, unfinished = await asyncio.wait(tasks, timeout=seconds_to_finish)
        for task in unfinished:
            task.cancel()
        await asyncio.wait(tasks)
        try:
            for delivery in deliveries:
                await delivery.unlock()
        except psycopg.Error as error:
            log.warning("events in flight stay locked: the database does not answer (%s)", type(error).__name__)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("a delivery loop ended with an error of this program", exc_info=error)


def _pool(database_url: str) -> AsyncConnectionPool:
    """Autocommit connections in UTC; a restart of the database does not break the pool."""
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
