"""Which metadata commands each endpoint takes. ``/v1/metadata`` alone reads and deletes scheduled events."""

from collections.abc import Mapping

from psycopg_pool import AsyncConnectionPool

from local.hasura.metadata_api.commands import CommandParser, MetadataApi, unknown_on_query, unknown_on_v1_metadata
from local.hasura.metadata_api.event_trigger_calls import EventTriggerCalls
from local.hasura.metadata_api.metadata_calls import MetadataCalls
from local.hasura.metadata_api.run_sql import RunSql
from local.hasura.metadata_api.scheduled_event_calls import CronTriggerCalls, ScheduledEventCalls
from local.hasura.schema_cache import SchemaCache


def metadata_endpoints(
    pool: AsyncConnectionPool, schema_cache: SchemaCache, environment: Mapping[str, str]
) -> dict[str, MetadataApi]:
    """The three endpoints, by path."""
    scheduled = ScheduledEventCalls(pool)
    cron = CronTriggerCalls(pool, environment)
    events = EventTriggerCalls(pool, schema_cache)
    metadata = MetadataCalls(pool, schema_cache)
    run_sql: dict[str, CommandParser] = {"run_sql": RunSql(pool, schema_cache).run}
    on_both: dict[str, CommandParser] = {
        "create_scheduled_event": scheduled.create,
        "create_cron_trigger": cron.create,
        "delete_cron_trigger": cron.delete,
        "replace_metadata": metadata.replace,
        "export_metadata": metadata.export,
        "reload_metadata": metadata.reload,
        "get_inconsistent_metadata": metadata.inconsistencies,
    }
    on_v1_query = {
        **on_both,
        **run_sql,
        "create_event_trigger": events.create,
        "delete_event_trigger": events.delete,
        "invoke_event_trigger": events.invoke,
        "redeliver_event": events.redeliver,
    }
    on_v1_metadata = {
        **on_both,
        "get_scheduled_events": scheduled.get,
        "get_scheduled_event_invocations": scheduled.invocations,
        "delete_scheduled_event": scheduled.delete,
        "get_cron_triggers": cron.get,
        "pg_create_event_trigger": events.create,
        "pg_delete_event_trigger": events.delete,
        "pg_invoke_event_trigger": events.invoke,
        "pg_redeliver_event": events.redeliver,
        "pg_get_event_logs": events.logs,
        "pg_get_event_invocation_logs": events.invocation_logs,
        "pg_get_event_by_id": events.event_by_id,
    }
    return {
        "/v1/query": MetadataApi(on_v1_query, unknown_on_query(list(on_v1_query))),
        "/v1/metadata": MetadataApi(
            on_v1_metadata, unknown_on_v1_metadata, of_version_2={"export_metadata": metadata.export_2}
        ),
        "/v2/query": MetadataApi(run_sql, unknown_on_query(list(run_sql))),
    }
