"""What the metadata means for the live database: the GraphQL API, the triggers that work, and what does not fit."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers, event_capture
from local.hasura.events.cron_triggers import CronTrigger, cron_trigger
from local.hasura.events.event_triggers import EventTrigger, event_triggers_of
from local.hasura.graphql_api import GraphQLApi
from local.hasura.metadata_directory import Metadata, MetadataRefused, load_metadata

log = logging.getLogger(__name__)


class SchemaCache:
    """Hasura's word for it. Empty until the first build().

    `event_triggers` are the consistent ones, by name; `inconsistencies` are sentences.
    """

    def __init__(self, directory: Path, pool: AsyncConnectionPool, environment: Mapping[str, str]) -> None:
        self.metadata = Metadata({}, [])
        self.graphql = GraphQLApi([], [])
        self.event_triggers: Mapping[str, EventTrigger] = {}
        self.inconsistencies: list[str] = []
        self._directory = directory
        self._pool = pool
        self._environment = environment
        self._one_at_a_time = asyncio.Lock()

    async def build(self) -> None:
        """Reads the metadata directory and makes cron triggers and SQL triggers what it says. Raises MetadataRefused.

        When it raises, everything stays as it was.
        """
        async with self._one_at_a_time:
            metadata = load_metadata(self._directory)
            try:
                cron = [cron_trigger(entry, "$.cron_triggers") for entry in metadata.cron_triggers]
                await self._fit(metadata, cron)
            except HasuraError as error:
                raise MetadataRefused(f"{self._directory}: {error.path}: {error.message}.") from error

    async def rebuild(self) -> None:
        """Fits the metadata to the database as it is now. Of the metadata itself, nothing changes."""
        async with self._one_at_a_time:
            async with self._pool.connection() as connection:
                cron = await cron_triggers.stored(connection)
            await self._fit(self.metadata, list(cron.values()))

    async def _fit(self, metadata: Metadata, cron: list[CronTrigger]) -> None:
        event_triggers = event_triggers_of(metadata.tables)
        graphql = GraphQLApi(metadata.tables, metadata.functions)
        async with self._pool.connection() as connection:
            inconsistencies = await graphql.load(connection)
            async with connection.transaction():
                await cron_triggers.replace_all(connection, cron)
                consistent, broken = await self._install(connection, event_triggers)
        self.inconsistencies = inconsistencies + broken + self._broken(cron)
        self.metadata, self.graphql, self.event_triggers = metadata, graphql, consistent
        for sentence in self.inconsistencies:
            log.warning("inconsistent metadata: %s", sentence)

    async def _install(
        self, connection: AsyncConnection, triggers: list[EventTrigger]
    ) -> tuple[dict[str, EventTrigger], list[str]]:
        """An inconsistent trigger is not written anew; where its SQL is there already, it goes on capturing."""
        consistent, inconsistencies = {}, []
        await event_capture.uninstall_others(connection, triggers)
        for trigger in triggers:
            columns = await event_capture.columns_of(connection, trigger.schema, trigger.table)
            if not columns:
                inconsistencies.append(f"event trigger {trigger.name}: no table {trigger.schema}.{trigger.table}")
            elif absent := trigger.missing_columns(columns):
                inconsistencies.append(f"event trigger {trigger.name}: {trigger.table} has no {', '.join(absent)}")
            elif missing := trigger.webhook.missing_variables(self._environment):
                inconsistencies.append(f"event trigger {trigger.name}: {_not_set(missing)}")
            else:
                await event_capture.install(connection, trigger)
                consistent[trigger.name] = trigger
        return consistent, inconsistencies

    def _broken(self, triggers: list[CronTrigger]) -> list[str]:
        missing = {trigger.name: trigger.webhook.missing_variables(self._environment) for trigger in triggers}
        return [f"cron trigger {name}: {_not_set(names)}" for name, names in missing.items() if names]


def _not_set(names: list[str]) -> str:
    return f"environment variables not set: {', '.join(names)}"
