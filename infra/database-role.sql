-- Run by the server's administrator in the database postgres, any number of times: psql, with HASURA_PASSWORD set.
-- The role hasura owns its database and is nothing else: no superuser, makes no roles and no databases.
\getenv password HASURA_PASSWORD
select 'create role hasura login' where not exists (select from pg_roles where rolname = 'hasura') \gexec
alter role hasura password :'password';
grant hasura to current_user;
select 'create database hasura owner hasura' where not exists (select from pg_database where datname = 'hasura') \gexec
revoke all on database hasura from public;
