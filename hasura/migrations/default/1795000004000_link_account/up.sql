-- How a sign-in with X links the account: one function, one transaction. It is all that Hasura's role linker may do, which
-- the Action of the identity provider has (docs/auth0.md).

create table public.linked_account (
  user_id bigint not null,
  account_id bigint not null,
  also_linked_to jsonb not null,
  constraint this_table_is_only_a_return_type check (false)
);
comment on table public.linked_account is 'The return type of link_account. Always empty.';
comment on column public.linked_account.also_linked_to is 'The usernames of the other users that the account is linked to.';


-- Makes the user, the account of that user of X, and the link between them, whichever of these is missing. An account that
-- is there gets these tokens and this handle: its owner on X has just given them, so its pause ends. Links of other users
-- stay, and are returned.
create function public.link_account(username text, x_user_id text, account_name text, sealed_tokens text)
returns setof public.linked_account language sql as $$
  with
    linked_user as (
      insert into public."user" (username) values (link_account.username)
      on conflict (username) do update set username = excluded.username
      returning id
    ),
    linked as (
      insert into public.account (x_user_id, account_name, sealed_tokens)
      values (link_account.x_user_id, link_account.account_name, link_account.sealed_tokens)
      on conflict (x_user_id) do update set
        account_name = excluded.account_name, sealed_tokens = excluded.sealed_tokens
      returning id
    ),
    link as (
      insert into public.account_user (user_id, account_id) select linked_user.id, linked.id from linked_user, linked
      on conflict do nothing
    )
  select
    linked_user.id,
    linked.id,
    coalesce(
      (
        select jsonb_agg(other.username order by other.username)
        from public.account_user join public."user" as other on other.id = account_user.user_id
        where account_user.account_id = linked.id and account_user.user_id <> linked_user.id
      ),
      '[]'
    )
  from linked_user, linked
$$;
