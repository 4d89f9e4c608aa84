"""The metadata calls on the metadata itself. It lives in files: it is read from there, never written."""

from dataclasses import dataclass
from typing import Any

from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers
from local.hasura.metadata_api.commands import SUCCESS, Command
from local.hasura.metadata_directory import MetadataRefused
from local.hasura.schema_cache import SchemaCache


@dataclass(frozen=True)
class MetadataCalls:
    """Each method takes the arguments of one call, which it does not need, and returns the command."""

    pool: AsyncConnectionPool
    schema_cache: SchemaCache

    def export(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``export_metadata``: one document, its version 3."""
        return self._export

    def reload(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``reload_metadata``: reads the files anew and writes all SQL triggers anew."""
        return self._reload

    def inconsistencies(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``get_inconsistent_metadata``."""
        return self._inconsistencies

    async def _export(self) -> dict[str, Any]:
        async with self.pool.connection() as connection:
            triggers = (await cron_triggers.stored(connection)).values()
        exported = [trigger.as_exported() for trigger in triggers if trigger.include_in_metadata]
        return {"version": 3, "sources": [self.schema_cache.metadata.database], "cron_triggers": exported}

    async def _reload(self) -> dict[str, Any]:
        try:
            await self.schema_cache.build()
        except MetadataRefused as error:
            raise HasuraError("invalid-configuration", str(error)) from error
        return {**SUCCESS, "is_consistent": not self.schema_cache.inconsistencies}

    async def _inconsistencies(self) -> dict[str, Any]:
        found = [{"reason": sentence} for sentence in self.schema_cache.inconsistencies]
        return {"is_consistent": not found, "inconsistent_objects": found}
