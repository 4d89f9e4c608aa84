-- How a user and an account on X are linked, how a link ends, and how a user is forgotten: one function, one transaction
-- each. Hasura's role linker may call link_account and nothing else; the Action of the identity provider has that role
-- (docs/auth0.md). Each statement sees what was committed before it began, so rows are locked first and read after that:
-- posts, then the user and the accounts. A publisher locks them in this order, too: an entry in the log refers to the user.

create table public.linked_account (
  user_id bigint not null,
  account_id bigint not null,
  also_linked_to jsonb not null,
  constraint this_table_is_only_a_return_type check (false)
);
comment on table public.linked_account is 'The return type of link_account and unlink_account. Always empty.';
comment on column public.linked_account.also_linked_to is 'The usernames of the other users that the account is linked to.';

create table public.forgotten_user (
  user_id bigint not null,
  post_ids jsonb not null,
  tweets bigint not null,
  accounts jsonb not null,
  constraint this_table_is_only_a_return_type check (false)
);
comment on table public.forgotten_user is 'The return type of forget_user. Always empty.';
comment on column public.forgotten_user.tweets is 'How many of the deleted posts are published.';
comment on column public.forgotten_user.accounts is 'account_name and x_user_id of each account that was deleted with its tokens.';


create function public.others_linked_to(account_id bigint, user_id bigint) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(username order by username), '[]')
  from public.account_user as link join public."user" on "user".id = link.user_id
  where link.account_id = others_linked_to.account_id and link.user_id <> others_linked_to.user_id
$$;


-- Makes the user, the account of that user of X, and the link between them, whichever of these is missing. An account that
-- is there gets these tokens and this handle: its owner on X has just given them, so its pause ends. Links of other users
-- stay, and are returned; unless share, they are refused.
create function public.link_account(
  username text, x_user_id text, account_name text, sealed_tokens text, share boolean default true
) returns setof public.linked_account language plpgsql as $$
#variable_conflict use_column
declare
  linked_user bigint;
  linked bigint;
  others jsonb;
begin
  insert into public."user" (username) values (link_account.username)
  on conflict (username) do update set username = excluded.username
  returning id into linked_user;
  insert into public.account (x_user_id, account_name, sealed_tokens)
  values (link_account.x_user_id, link_account.account_name, link_account.sealed_tokens)
  on conflict (x_user_id) do update set account_name = excluded.account_name, sealed_tokens = excluded.sealed_tokens
  returning id into linked;
  others := public.others_linked_to(linked, linked_user);
  if share is not true and others <> '[]' then
    raise exception '@% is linked to % already.', link_account.account_name,
      (select string_agg(other, ', ') from jsonb_array_elements_text(others) as other)
      using errcode = '22023';
  end if;
  insert into public.account_user (user_id, account_id) values (linked_user, linked) on conflict do nothing;
  return query select linked_user, linked, others;
end
$$;


-- Ends the link, and deletes the account with its tokens when nobody else is linked to it. Returns nothing when there is no
-- such link.
create function public.unlink_account(username text, x_user_id text)
returns setof public.linked_account language plpgsql as $$
declare
  unlinked_user bigint;
  unlinked bigint;
  others jsonb;
begin
  perform from public.scheduled_post as post join public.account on account.id = post.account_id
  where account.x_user_id = unlink_account.x_user_id
  order by post.id for update of post;
  perform from public."user" where "user".username = unlink_account.username for no key update;
  select id into unlinked from public.account where account.x_user_id = unlink_account.x_user_id for update;
  delete from public.account_user as link using public."user"
  where "user".id = link.user_id and "user".username = unlink_account.username and link.account_id = unlinked
  returning link.user_id into unlinked_user;
  if not found then
    return;
  end if;
  others := public.others_linked_to(unlinked, unlinked_user);
  if others = '[]' then
    delete from public.account where id = unlinked;
  end if;
  return query select unlinked_user, unlinked, others;
end
$$;


-- Deletes the user with their posts and links, and the accounts that nobody else is linked to. Returns nothing when there
-- is no such user. While a post is being sent, it is not known yet what becomes of it, and nothing is deleted.
create function public.forget_user(username text)
returns setof public.forgotten_user language plpgsql as $$
declare
  forgotten bigint;
  posts bigint[];
  tweets bigint;
  linked bigint[];
  deleted jsonb;
begin
  perform from public.scheduled_post as post join public."user" on "user".id = post.user_id
  where "user".username = forget_user.username
  order by post.id for update of post;
  select id into forgotten from public."user" where "user".username = forget_user.username for update;
  if not found then
    return;
  end if;
  perform from public.scheduled_post where user_id = forgotten order by id for update;  -- those that came meanwhile
  if exists (select from public.scheduled_post where user_id = forgotten and state = 'sending') then
    raise exception 'A post of % is being sent just now.', forget_user.username using errcode = '22023';
  end if;
  select coalesce(array_agg(id order by id), '{}'), count(tweet_id) into posts, tweets
  from public.scheduled_post where user_id = forgotten;
  delete from public.scheduled_post where user_id = forgotten;

  linked := array(select account_id from public.account_user where user_id = forgotten);
  perform from public.account where id = any (linked) order by id for update;
  delete from public.account_user where user_id = forgotten;
  with gone as (
    delete from public.account
    where id = any (linked) and not exists (select from public.account_user where account_id = account.id)
    returning account_name, x_user_id
  )
  select coalesce(jsonb_agg(jsonb_build_object('account_name', account_name, 'x_user_id', x_user_id)), '[]')
  into deleted from gone;

  delete from public."user" where id = forgotten;
  return query select forgotten, to_jsonb(posts), tweets, deleted;
end
$$;
