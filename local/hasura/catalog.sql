-- Hasura's own tables, as its catalog lays them out. Run at every start.

create schema if not exists hdb_catalog;

-- The metadata, one row.

create table if not exists hdb_catalog.hdb_metadata (
  id               integer primary key,
  metadata         json not null,
  resource_version integer not null default 1 unique
);

-- One-off scheduled events.

create table if not exists hdb_catalog.hdb_scheduled_events (
  id             text primary key default gen_random_uuid()::text,
  webhook_conf   json not null,
  scheduled_time timestamptz not null,
  retry_conf     json,
  payload        json,
  header_conf    json,
  status         text not null default 'scheduled'
                 check (status in ('scheduled', 'locked', 'delivered', 'error', 'dead')),
  tries          integer not null default 0,
  created_at     timestamptz default now(),
  next_retry_at  timestamptz,
  comment        text
);

create index if not exists hdb_scheduled_event_status on hdb_catalog.hdb_scheduled_events (status);

create table if not exists hdb_catalog.hdb_scheduled_event_invocation_logs (
  id         text primary key default gen_random_uuid()::text,
  event_id   text references hdb_catalog.hdb_scheduled_events on update cascade on delete cascade,
  status     integer,
  request    json,
  response   json,
  created_at timestamptz default now()
);

create index if not exists hdb_scheduled_event_invocation_event
  on hdb_catalog.hdb_scheduled_event_invocation_logs (event_id);

-- Cron triggers. Hasura 2 keeps them in its metadata, too; one table does that here, as in Hasura 1.3.

create table if not exists hdb_catalog.hdb_cron_triggers (
  name                text primary key,
  webhook             text not null,
  schedule            text not null,
  payload             json,
  headers             json not null,
  retry_conf          json not null,
  include_in_metadata boolean not null,
  comment             text
);

create table if not exists hdb_catalog.hdb_cron_events (
  id             text primary key default gen_random_uuid()::text,
  trigger_name   text not null,
  scheduled_time timestamptz not null,
  status         text not null default 'scheduled'
                 check (status in ('scheduled', 'locked', 'delivered', 'error', 'dead')),
  tries          integer not null default 0,
  created_at     timestamptz default now(),
  next_retry_at  timestamptz
);

create index if not exists hdb_cron_event_status on hdb_catalog.hdb_cron_events (status);

create unique index if not exists hdb_cron_events_unique_scheduled
  on hdb_catalog.hdb_cron_events (trigger_name, scheduled_time) where status = 'scheduled';

create table if not exists hdb_catalog.hdb_cron_event_invocation_logs (
  id         text primary key default gen_random_uuid()::text,
  event_id   text references hdb_catalog.hdb_cron_events on update cascade on delete cascade,
  status     integer,
  request    json,
  response   json,
  created_at timestamptz default now()
);

create index if not exists hdb_cron_event_invocation_event
  on hdb_catalog.hdb_cron_event_invocation_logs (event_id);

-- Table event triggers: the queue, and the function that the triggers of the tables write it with.
-- created_at and next_retry_at have no zone, as in Hasura: every session must be in UTC.

create table if not exists hdb_catalog.event_log (
  id            text primary key default gen_random_uuid()::text,
  schema_name   text not null,
  table_name    text not null,
  trigger_name  text not null,
  payload       jsonb not null,
  delivered     boolean not null default false,
  error         boolean not null default false,
  tries         integer not null default 0,
  created_at    timestamp default now(),
  locked        timestamptz,
  next_retry_at timestamp,
  archived      boolean not null default false
);

create index if not exists event_log_fetch_events on hdb_catalog.event_log (locked nulls first, next_retry_at nulls first, created_at)
  where not delivered and not error and not archived;

create table if not exists hdb_catalog.event_invocation_logs (
  id           text primary key default gen_random_uuid()::text,
  trigger_name text,
  event_id     text,
  status       integer,
  request      json,
  response     json,
  created_at   timestamp default now()
);

create index if not exists event_invocation_logs_event on hdb_catalog.event_invocation_logs (event_id);

create or replace function hdb_catalog.insert_event_log(
  schema_name text, table_name text, trigger_name text, op text, row_data json
) returns text language plpgsql as $$
declare
  id text;
begin
  insert into hdb_catalog.event_log (schema_name, table_name, trigger_name, payload)
  values (
    schema_name, table_name, trigger_name,
    jsonb_build_object(
      'op', op,
      'data', row_data,
      'session_variables', current_setting('hasura.user', true)::json,
      'trace_context', current_setting('hasura.tracecontext', true)::json
    )
  )
  returning event_log.id into id;
  return id;
end
$$;
