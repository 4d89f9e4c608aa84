"""The stored metadata applied to the live database: the GraphQL API, the consistent triggers, what is inconsistent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.types.json import Json
from psycopg_pool import AsyncConnectionPool

from local.hasura import schema_changes
from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers, event_triggers
from local.hasura.events.cron_triggers import CronTrigger
from local.hasura.events.event_triggers import EventTrigger, Operation
from local.hasura.graphql_api import GraphQLApi
from local.hasura.graphql_api.allow_list import AllowList
from local.hasura.graphql_api.postgres_catalog import read_catalog
from local.hasura.inconsistencies import InconsistentObject
from local.hasura.metadata import Metadata

T = TypeVar("T")

_TRUE = ("true", "t", "yes", "y")
"""What Hasura takes for true in its environment."""

Check = Callable[[list[InconsistentObject]], None]
"""Takes what would be inconsistent, and raises HasuraError to refuse it; then nothing is changed."""

_Captured = tuple[str, str, tuple[Operation, ...], tuple[str, ...]]
"""What the SQL triggers of an event trigger are made from: schema, table, operations, and the table's columns."""


class Recreated(Enum):
    """Which event triggers get their SQL triggers when the schema cache is built (Hasura's Schema/Cache.hs)."""

    NONE = auto()
    """After a start of the server, and after a plain ``reload_metadata``."""
    CHANGED = auto()
    """After a change of the metadata: those that are not as in the last build. One whose table was missing counts."""
    ALL = auto()
    """After ``reload_metadata`` with ``recreate_event_triggers``, and after ``run_sql`` with a metadata check."""


@dataclass(frozen=True)
class _Built:
    metadata: Metadata
    graphql: GraphQLApi
    event_triggers: Mapping[str, EventTrigger]
    captured: Mapping[str, _Captured]
    inconsistent: list[InconsistentObject]


class SchemaCache:
    """Hasura's schema cache. Empty until start().

    The metadata is kept in ``hdb_catalog.hdb_metadata``; its cron triggers are in a table of their own.
    """

    def __init__(self, pool: AsyncConnectionPool, environment: Mapping[str, str]) -> None:
        self._pool = pool
        self._environment = environment
        self._building = asyncio.Lock()
        self._built = _Built(Metadata({}, []), GraphQLApi([], []), {}, {}, [])
        self.when_changed: Callable[[], None] = _nothing
        """Is called when another schema cache is in use."""

    @property
    def metadata(self) -> Metadata:
        """As stored, without cron triggers."""
        return self._built.metadata

    @property
    def graphql(self) -> GraphQLApi:
        return self._built.graphql

    @property
    def event_triggers(self) -> Mapping[str, EventTrigger]:
        """The consistent ones, by name."""
        return self._built.event_triggers

    @property
    def inconsistent(self) -> list[InconsistentObject]:
        """What the metadata has and the database, the environment or this emulation has not."""
        return self._built.inconsistent

    async def start(self) -> None:
        """Builds from the stored metadata; creates no SQL trigger."""
        async with self._building, self._pool.connection() as connection:
            cursor = await connection.execute("select metadata from hdb_catalog.hdb_metadata")
            row = await cursor.fetchone()
            metadata = _stored(row[0]) if row else Metadata({}, [])
            await self._adopt(connection, await self._build(connection, metadata), Recreated.NONE)

    async def reload(self, recreated: Recreated) -> None:
        """Builds again, from the same metadata and the database as it is now."""
        async with self._building, self._pool.connection() as connection:
            await self._adopt(connection, await self._build(connection, self.metadata), recreated)

    async def replace(self, metadata: Metadata, cron: Iterable[CronTrigger], check: Check) -> None:
        """Stores other metadata and builds from it. Event triggers that it does not have lose their SQL triggers."""
        async with self._building, self._pool.connection() as connection, connection.transaction():
            await cron_triggers.replace_all(connection, cron)
            await self._store(connection, metadata, check)

    async def change(self, metadata: Metadata, check: Check) -> None:
        """Like replace(); the cron triggers stay."""
        async with self._building, self._pool.connection() as connection, connection.transaction():
            await self._store(connection, metadata, check)

    async def run_and_check(self, run: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """The result of SQL that may change the schema. What it drops leaves the metadata, too.

        Raises HasuraError. When the metadata depends on what was dropped (``dependency-error``), the SQL is rolled
        back. When it does not fit the schema for another reason (``unexpected``), the SQL is committed all the same.
        """
        async with self._building, self._pool.connection() as connection:
            async with connection.transaction():
                before = await read_catalog(connection)
                result = await run(connection)
                after = await read_catalog(connection)
                schema_changes.refuse_overloads(self.metadata, after)
                built = await self._build(connection, schema_changes.without_dropped(self.metadata, before, after))
                new = [one for one in built.inconsistent if one not in self.inconsistent]
                if new and schema_changes.has_lost_parts(self.metadata, before, after):
                    raise schema_changes.dependency_error(new)
            if new:
                message = "cannot continue due to newly found inconsistent metadata"
                raise HasuraError("unexpected", message, internal=[one.as_json() for one in new], status=500)
            await self._write(connection, built.metadata)
            await self._adopt(connection, built, Recreated.ALL)
        return result

    async def _store(self, connection: AsyncConnection, metadata: Metadata, check: Check) -> None:
        built = await self._build(connection, metadata)
        check(built.inconsistent)
        await self._write(connection, metadata)
        await event_triggers.uninstall_others(connection, event_triggers.event_triggers_of(metadata.tables))
        await self._adopt(connection, built, Recreated.CHANGED)

    async def _write(self, connection: AsyncConnection, metadata: Metadata) -> None:
        await connection.execute(
            "insert into hdb_catalog.hdb_metadata (id, metadata) values (1, %s) on conflict (id) do update set"
            " metadata = excluded.metadata, resource_version = hdb_metadata.resource_version + 1",
            [Json(metadata.as_document())],
        )

    async def _adopt(self, connection: AsyncConnection, built: _Built, recreated: Recreated) -> None:
        """Creates SQL triggers, and makes what was built what is used from now on."""
        for name, trigger in built.event_triggers.items():
            is_changed = self._built.captured.get(name) != built.captured[name]
            if recreated is Recreated.ALL or (recreated is Recreated.CHANGED and is_changed):
                await event_triggers.install(connection, trigger)
        self._built = built
        self.when_changed()

    async def _build(self, connection: AsyncConnection, metadata: Metadata) -> _Built:
        allow_list = AllowList(metadata.query_collections, metadata.allow_list)
        is_enforced = self._environment.get("HASURA_GRAPHQL_ENABLE_ALLOWLIST", "").lower() in _TRUE
        graphql = GraphQLApi(metadata.tables, metadata.functions, allow_list if is_enforced else None)
        inconsistent = await graphql.load(connection)
        inconsistent += allow_list.inconsistent_objects(graphql.admin_schema)
        consistent: dict[str, EventTrigger] = {}
        captured: dict[str, _Captured] = {}
        for trigger in event_triggers.event_triggers_of(metadata.tables):
            columns = await event_triggers.columns_of(connection, trigger.schema, trigger.table)
            if not columns:
                continue  # the table is inconsistent, and Hasura does not look at what it has
            if reason := self._why_inconsistent(trigger, columns):
                name = f"event_trigger {trigger.name} in table {trigger.table} in source default"
                inconsistent.append(InconsistentObject("event_trigger", name, reason))
            else:
                consistent[trigger.name] = trigger
                captured[trigger.name] = (trigger.schema, trigger.table, trigger.operations, tuple(columns))
        for cron in (await cron_triggers.stored(connection)).values():
            if missing := cron.webhook.missing_variables(self._environment):
                inconsistent.append(InconsistentObject("cron_trigger", f"cron_trigger {cron.name}", _not_set(missing)))
        return _Built(metadata, graphql, consistent, captured, inconsistent)

    def _why_inconsistent(self, trigger: EventTrigger, columns: list[str]) -> str | None:
        if absent := trigger.missing_columns(columns):
            return f"{trigger.table} has no {', '.join(absent)}"
        missing = trigger.webhook.missing_variables(self._environment)
        return _not_set(missing) if missing else None


def _stored(document: Mapping[str, Any]) -> Metadata:
    """The document that `_write` stored, which may be one of an earlier version of this program."""
    [database] = document["sources"] or [{}]
    return Metadata(database, [], document.get("query_collections", []), document.get("allowlist", []))


def allow_inconsistent(inconsistent: list[InconsistentObject]) -> None:
    """A check that refuses nothing."""


def refuse_inconsistent(inconsistent: list[InconsistentObject]) -> None:
    """A check that refuses whatever is inconsistent."""
    if inconsistent:
        found = [one.as_json() for one in inconsistent]
        raise HasuraError("unexpected", "cannot continue due to inconsistent metadata", internal=found)


def _nothing() -> None:
    """Called when nobody wants to know."""


def _not_set(names: list[str]) -> str:
    return f"environment variables not set: {', '.join(names)}"
