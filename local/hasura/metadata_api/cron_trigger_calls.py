"""The metadata calls on cron triggers."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.events import cron_triggers
from local.hasura.events.cron_triggers import CronTrigger, cron_trigger
from local.hasura.json_arguments import boolean, mapping, optional, required, text
from local.hasura.metadata_api.commands import SUCCESS, Command

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CronTriggerCalls:
    """Each method reads the arguments of one call and returns the command."""

    pool: AsyncConnectionPool
    environment: Mapping[str, str]

    def create(self, args: Any, path: str) -> Command:
        """``create_cron_trigger``; ``replace: true`` changes one that exists."""
        given = mapping(args, path)
        return partial(
            self._create, cron_trigger(given, path), optional(given, "replace", boolean, path) or False, path
        )

    def delete(self, args: Any, path: str) -> Command:
        """``delete_cron_trigger``."""
        return partial(self._delete, required(mapping(args, path), "name", text, path), path)

    def get(self, args: Any, path: str) -> Command:
        """``get_cron_triggers``: ``{"cron_triggers": [...]}`` with full retry_conf."""
        mapping(args, path)
        return self._get

    async def _create(self, trigger: CronTrigger, replace: bool, path: str) -> dict[str, str]:
        missing = trigger.webhook.missing_variables(self.environment)
        if missing:
            raise HasuraError("invalid-configuration", f"environment variables not set: {', '.join(missing)}", path)
        async with self.pool.connection() as connection, connection.transaction():
            if not replace and trigger.name in await cron_triggers.stored(connection):
                raise HasuraError("already-exists", f"cron trigger with name: {trigger.name} already exists", path)
            await cron_triggers.store(connection, trigger)
        log.info("cron trigger %s: %s at %s", trigger.name, trigger.webhook.short_name, trigger.schedule)
        return SUCCESS

    async def _delete(self, name: str, path: str) -> dict[str, str]:
        async with self.pool.connection() as connection, connection.transaction():
            if name not in await cron_triggers.stored(connection):
                raise HasuraError("not-exists", f"cron trigger with name: {name} does not exist", path)
            await cron_triggers.remove(connection, name)
        log.info("cron trigger %s deleted", name)
        return SUCCESS

    async def _get(self) -> dict[str, Any]:
        async with self.pool.connection() as connection:
            triggers = await cron_triggers.stored(connection)
        return {"cron_triggers": [trigger.as_metadata() for trigger in triggers.values()]}
