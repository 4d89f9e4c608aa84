-- Creates the database `scheduled_posts`, and the role `hasura` that owns it and is no superuser. Run by psql as the
-- server's administrator, with the role's password in the environment. Run again, it only sets the role's settings.
--
--   HASURA_DATABASE_PASSWORD=... psql --set ON_ERROR_STOP=1 --file create_database.sql postgres://...
--
-- docker-compose.yml runs it on a new server, and the local stack at each start. As the owner, the role may do all that
-- Hasura and the migrations need: create the schema hdb_catalog, the extension pgcrypto, and everything in public.

\getenv password HASURA_DATABASE_PASSWORD

select 'create role hasura login' where not exists (select from pg_roles where rolname = 'hasura') \gexec
alter role hasura password :'password';

-- No query of an author keeps the server busy for longer. It ends before the functions stop waiting for Hasura (8 s), so
-- that what they gave up is not done behind their backs. A statement that needs more says so in its own transaction:
-- set local statement_timeout.
alter role hasura set statement_timeout to '7s';

-- A refused row is not written to the server's log: it has the text of a post. Only a superuser may say so here; on a
-- managed server it is a parameter of the server (infra/postgres.bicep).
select 'alter role hasura set log_error_verbosity to terse' where current_setting('is_superuser') = 'on' \gexec

-- The administrator of a managed server is no superuser, and gives a database only to a role that it is a member of.
grant hasura to current_user;

select 'create database scheduled_posts owner hasura'
where not exists (select from pg_database where datname = 'scheduled_posts') \gexec
revoke all on database scheduled_posts from public;

-- Hasura's event tables keep times without a zone.
alter database scheduled_posts set timezone to 'UTC';
