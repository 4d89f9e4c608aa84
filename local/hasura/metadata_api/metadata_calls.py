"""The metadata calls on the metadata as a whole: replaced, exported, reloaded, and what of it is inconsistent."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers
from local.hasura.events.cron_triggers import CronTrigger, cron_trigger
from local.hasura.inconsistencies import log_inconsistent
from local.hasura.json_arguments import boolean, list_of, mapping, optional, text
from local.hasura.metadata import Metadata, MetadataRefused
from local.hasura.metadata_api.commands import SUCCESS, Command
from local.hasura.schema_cache import Check, Recreated, SchemaCache, allow_inconsistent, refuse_inconsistent

_SOURCE = "default"


@dataclass(frozen=True)
class MetadataCalls:
    """Each method reads the arguments of one call and returns the command."""

    pool: AsyncConnectionPool
    schema_cache: SchemaCache

    def replace(self, args: Any, path: str) -> Command:
        """``replace_metadata``, whose arguments are a document, or in its version 2 one beside options."""
        given = mapping(args, path)
        if "metadata" not in given:
            return partial(self._replace, *_parsed(given, path), refuse_inconsistent)
        check = (
            allow_inconsistent if optional(given, "allow_inconsistent_metadata", boolean, path) else refuse_inconsistent
        )
        return partial(
            self._replace_2, *_parsed(mapping(given["metadata"], f"{path}.metadata"), f"{path}.metadata"), check
        )

    def export(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``export_metadata``: one document, its version 3."""
        return self._export

    def export_2(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``export_metadata`` with ``"version": 2``: the document beside how often it was changed."""
        return self._export_2

    def reload(self, args: Any, path: str) -> Command:
        """``reload_metadata``; creates SQL triggers with ``recreate_event_triggers``: true, or a list of sources."""
        given = mapping(args, path)
        for key in ("reload_sources", "reload_remote_schemas"):
            _sources(given, key, path)  # everything is reloaded in any case
        recreated = Recreated.ALL if _SOURCE in _sources(given, "recreate_event_triggers", path) else Recreated.NONE
        return partial(self._reload, recreated)

    def inconsistencies(self, args: Any, path: str) -> Command:  # noqa: ARG002
        """``get_inconsistent_metadata``."""
        return self._inconsistencies

    async def _replace(self, metadata: Metadata, cron: list[CronTrigger], check: Check) -> dict[str, Any]:
        await self.schema_cache.replace(metadata, cron, check)
        return SUCCESS

    async def _replace_2(self, metadata: Metadata, cron: list[CronTrigger], check: Check) -> dict[str, Any]:
        await self.schema_cache.replace(metadata, cron, check)
        return await self._inconsistencies()

    async def _export(self) -> dict[str, Any]:
        async with self.pool.connection() as connection:
            triggers = (await cron_triggers.stored(connection)).values()
        exported = [trigger.as_exported() for trigger in triggers if trigger.include_in_metadata]
        return self.schema_cache.metadata.with_cron_triggers(exported).as_document()

    async def _export_2(self) -> dict[str, Any]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute("select resource_version from hdb_catalog.hdb_metadata")
            row = await cursor.fetchone()
        return {"resource_version": row[0] if row else 0, "metadata": await self._export()}

    async def _reload(self, recreated: Recreated) -> dict[str, Any]:
        await self.schema_cache.reload(recreated)
        log_inconsistent(self.schema_cache.inconsistent)
        return {**SUCCESS, "is_consistent": not self.schema_cache.inconsistent}

    async def _inconsistencies(self) -> dict[str, Any]:
        found = [one.as_json() for one in self.schema_cache.inconsistent]
        return {"is_consistent": not found, "inconsistent_objects": found}


def _parsed(document: Any, path: str) -> tuple[Metadata, list[CronTrigger]]:
    try:
        metadata = Metadata.from_document(document)
    except MetadataRefused as refused:
        raise HasuraError("not-supported", str(refused), path) from refused
    cron = [cron_trigger(entry, f"{path}.cron_triggers[{index}]") for index, entry in enumerate(metadata.cron_triggers)]
    return metadata.with_cron_triggers([]), cron


def _sources(given: Any, key: str, path: str) -> list[str]:
    """``true`` means all sources, ``false`` or nothing means none. Raises ``not-exists`` for one that is not there."""
    value = given.get(key, False)
    if isinstance(value, bool):
        return [_SOURCE] if value else []
    names = list_of(text)(value, f"{path}.{key}")
    for name in names:
        if name != _SOURCE:
            raise HasuraError("not-exists", f'Source with name "{name}" not found in metadata', path)
    return names
