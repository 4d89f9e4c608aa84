"""Sets the server up from ``hasura/`` at its start, as docker-compose.yml does.

What the image ``cli-migrations-v3`` does: the metadata, then the migrations. On a new database the tables do not exist
yet when the metadata is applied, so event triggers get no SQL trigger by that. Then what the service
``event_triggers`` of docker-compose.yml does: a reload that creates them. The image's own plain reload after the
migrations is left out, because this reload follows at once.
"""

import asyncio
import logging
from pathlib import Path

from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events.cron_triggers import cron_trigger
from local.hasura.inconsistencies import log_inconsistent
from local.hasura.metadata import MetadataRefused
from local.hasura.metadata_directory import load_metadata
from local.hasura.schema_cache import Recreated, SchemaCache, allow_inconsistent
from local.postgres import migrate

log = logging.getLogger(__name__)


async def set_up(schema_cache: SchemaCache, project: Path, database_url: str) -> None:
    """`project` holds ``metadata`` and ``migrations/default``. Raises MetadataRefused, and then has changed nothing."""
    directory = project / "metadata"
    metadata = load_metadata(directory)
    try:
        cron = [cron_trigger(entry, "$.cron_triggers") for entry in metadata.cron_triggers]
        await schema_cache.replace(metadata.with_cron_triggers([]), cron, allow_inconsistent)
    except HasuraError as error:
        raise MetadataRefused(f"{directory}: {error.path}: {error.message}.") from error
    for name in await asyncio.to_thread(migrate, database_url, project / "migrations" / "default"):
        log.info("migration %s applied", name)
    await schema_cache.reload(Recreated.ALL)
    log_inconsistent(schema_cache.inconsistent)


async def lift_author_limits(pool: AsyncConnectionPool) -> None:
    """As an operator could, for authors without exceptions of their own."""
    async with pool.connection() as connection:
        await connection.execute(
            "update public.app set"
            " max_pending = 2147483647, max_changes = 2147483647, max_posts_a_day = 2147483647, max_drafts = 2147483647"
        )
