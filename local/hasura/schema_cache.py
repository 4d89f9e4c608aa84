"""The metadata applied to the live database: the GraphQL API, the consistent triggers, and the inconsistencies."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers, event_triggers
from local.hasura.events.cron_triggers import CronTrigger, cron_trigger
from local.hasura.events.event_triggers import EventTrigger
from local.hasura.graphql_api import GraphQLApi
from local.hasura.metadata_directory import Metadata, MetadataRefused, load_metadata

log = logging.getLogger(__name__)


class SchemaCache:
    """Hasura's schema cache. Empty until the first build().

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
        self._building = asyncio.Lock()

    async def build(self) -> None:
        """Reads the metadata directory; replaces the GraphQL API, the cron triggers and the SQL triggers.

        Raises MetadataRefused and then changes nothing.
        """
        async with self._building:
            metadata = load_metadata(self._directory)
            try:
                cron = [cron_trigger(entry, "$.cron_triggers") for entry in metadata.cron_triggers]
                await self._apply(metadata, cron)
            except HasuraError as error:
                raise MetadataRefused(f"{self._directory}: {error.path}: {error.message}.") from error

    async def rebuild(self) -> None:
        """Applies the metadata to the database as it is now. The metadata stays the same."""
        async with self._building:
            async with self._pool.connection() as connection:
                cron = await cron_triggers.stored(connection)
            await self._apply(self.metadata, list(cron.values()))

    async def _apply(self, metadata: Metadata, cron: list[CronTrigger]) -> None:
        triggers = event_triggers.event_triggers_of(metadata.tables)
        graphql = GraphQLApi(metadata.tables, metadata.functions)
        async with self._pool.connection() as connection:
            inconsistencies = await graphql.load(connection)
            async with connection.transaction():
                await cron_triggers.replace_all(connection, cron)
                consistent, broken = await self._install(connection, triggers)
        self.inconsistencies = inconsistencies + broken + self._broken(cron)
        self.metadata, self.graphql, self.event_triggers = metadata, graphql, consistent
        for sentence in self.inconsistencies:
            log.warning("inconsistent metadata: %s", sentence)

    async def _install(
        self, connection: AsyncConnection, triggers: list[EventTrigger]
    ) -> tuple[dict[str, EventTrigger], list[str]]:
        """The SQL triggers of an inconsistent trigger are not replaced; existing ones go on capturing."""
        consistent, inconsistencies = {}, []
        await event_triggers.uninstall_others(connection, triggers)
        for trigger in triggers:
            columns = await event_triggers.columns_of(connection, trigger.schema, trigger.table)
            if not columns:
                inconsistencies.append(f"event trigger {trigger.name}: no table {trigger.schema}.{trigger.table}")
            elif absent := trigger.missing_columns(columns):
                inconsistencies.append(f"event trigger {trigger.name}: {trigger.table} has no {', '.join(absent)}")
            elif missing := trigger.webhook.missing_variables(self._environment):
                inconsistencies.append(f"event trigger {trigger.name}: {_not_set(missing)}")
            else:
                await event_triggers.install(connection, trigger)
                consistent[trigger.name] = trigger
        return consistent, inconsistencies

    def _broken(self, triggers: list[CronTrigger]) -> list[str]:
        missing = {trigger.name: trigger.webhook.missing_variables(self._environment) for trigger in triggers}
        return [f"cron trigger {name}: {_not_set(names)}" for name, names in missing.items() if names]


def _not_set(names: list[str]) -> str:
    return f"environment variables not set: {', '.join(names)}"
