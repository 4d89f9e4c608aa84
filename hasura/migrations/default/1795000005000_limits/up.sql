-- What one author may do, so that none can hurt the others: the numbers stand in app, exceptions on the user and the account.
-- They hold for whoever has an author's token, through GraphQL as through createPost, which tells these sentences from
-- others by their first words.

-- Without a reference to the user: a move, which has its post locked, would wait for the user, whom forget_user locks first.
create table public.author_change (
  user_id bigint not null,
  changed_at timestamptz not null default now()
);
comment on table public.author_change is 'When an author created or moved a post, within the last 15 minutes.';
create index author_change_user_id on public.author_change (user_id, changed_at);


-- Requests of one author, and of the authors of one account, are counted one after the other: each locks its author and all
-- accounts of its author. These locks are taken before those of rows, always in this order, so that no two requests wait for
-- each other: so also by those in which nothing is counted.
create function public.lock_limits() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('limits of user ' || public.session_author(), 0));
  perform pg_advisory_xact_lock(hashtextextended('limits of account ' || account_id, 0))
  from (
    select account_id from public.account_user where user_id = public.session_author() order by account_id
  ) as linked;
  return null;
end
$$;
create trigger lock_limits before insert or update or delete on public.scheduled_post
  for each statement when (public.session_username() is not null) execute function public.lock_limits();


-- A request has these locks until its end. So that a GraphQL document with thousands of changes has one, too, no change begins
-- later than a single statement may take.
create function public.check_time_of_request() returns trigger language plpgsql as $$
begin
  if clock_timestamp() > now() + nullif(current_setting('statement_timeout'), '0')::interval then
    raise exception 'This request takes too long. Change fewer posts at once.' using errcode = '22023';
  end if;
  return null;
end
$$;
create trigger request_has_an_end before insert or update or delete on public.scheduled_post
  for each statement when (public.session_username() is not null) execute function public.check_time_of_request();


create function public.check_limits() returns trigger language plpgsql as $$
begin
  if new.state = 'draft' then
    if tg_op = 'INSERT' or old.state <> 'draft' then
      perform public.check_drafts(new.user_id);
    end if;
    return new;
  end if;
  if tg_op = 'INSERT' then
    -- The same request again creates nothing. Locked, so that its post is not deleted before this is so.
    perform from public.scheduled_post where user_id = new.user_id and request_key = new.request_key for key share;
    if found then
      return new;
    end if;
  end if;
  if tg_op = 'INSERT' or old.state = 'draft' then
    perform public.check_changes(new.user_id);
    perform public.check_pending(new.user_id);
    perform public.check_day(new);
    return new;
  end if;
  if new.schedule_for <> old.schedule_for then
    perform public.check_changes(new.user_id);
  end if;
  if new.state = 'scheduled' and old.state in ('failed', 'missed') then
    perform public.check_pending(new.user_id);
  end if;
  if new.state = 'scheduled' and (
    old.state <> 'scheduled' or new.account_id is distinct from old.account_id
    or date_trunc('day', new.schedule_for, 'UTC') <> date_trunc('day', old.schedule_for, 'UTC')
  ) then
    perform public.check_day(new);
  end if;
  return new;
end
$$;
-- Triggers fire in the order of their names: this one after check_new_post and check_changed_post, which complete the row.
create trigger within_limits before insert or update of state, schedule_for, account_id on public.scheduled_post
  for each row when (public.session_username() is not null) execute function public.check_limits();


-- Of an author who has not signed up there is nothing to count: the constraint of the post refuses it, in its own words.
create function public.check_changes(author bigint) returns void language plpgsql as $$
declare
  at_most constant integer := coalesce("user".max_changes, app.max_changes) from public."user", public.app where "user".id = author;
  again_at timestamptz;
begin
  delete from public.author_change where user_id = author and changed_at <= now() - interval '15 minutes';
  if (select count(*) from public.author_change where user_id = author) >= at_most then
    select changed_at + interval '15 minutes' into again_at from public.author_change
    where user_id = author order by changed_at desc offset greatest(at_most - 1, 0) limit 1;
    raise exception 'At most % posts may be created or moved in 15 minutes. Try again in % seconds.',
      at_most, public.seconds_until(coalesce(again_at, now() + interval '15 minutes'))
      using errcode = '22023';
  end if;
  insert into public.author_change (user_id) select id from public."user" where id = author;
end
$$;

create function public.check_pending(author bigint) returns void language plpgsql as $$
declare
  at_most constant integer := coalesce("user".max_pending, app.max_pending) from public."user", public.app where "user".id = author;
begin
  if (select count(*) from public.scheduled_post where user_id = author and is_pending) >= at_most then
    raise exception 'At most % posts may be pending. Delete one, or try again in % seconds, when one is published.',
      at_most, public.seconds_until((select min(schedule_for) from public.scheduled_post where user_id = author and is_pending))
      using errcode = '22023';
  end if;
end
$$;

create function public.check_drafts(author bigint) returns void language plpgsql as $$
declare
  at_most constant integer := coalesce("user".max_drafts, app.max_drafts) from public."user", public.app where "user".id = author;
begin
  if (select count(*) from public.scheduled_post where user_id = author and state = 'draft') >= at_most then
    raise exception 'At most % drafts may be kept. Delete or schedule one.', at_most using errcode = '22023';
  end if;
end
$$;

-- What has failed or was missed does not count: X was not asked for it, or did not take it. Nor does a draft. A day that has
-- passed has room left, too, which must be no way to publish more today. Of an account that is not the author's nothing is
-- told, not even that its day is full: Hasura's permission refuses the post.
create function public.check_day(post public.scheduled_post) returns void language plpgsql as $$
declare
  day constant timestamptz := date_trunc('day', post.schedule_for, 'UTC');
  at_most integer;
  account_name text;
begin
  if post.schedule_for < now() - interval '1 day' then
    raise exception 'The time is more than a day in the past. Choose a later one.' using errcode = '22023';
  end if;
  select coalesce(account.max_posts_a_day, app.max_posts_a_day), account.account_name into at_most, account_name
  from public.app, public.account join public.account_user as link on link.account_id = account.id
  where account.id = post.account_id and link.user_id = post.user_id;
  if at_most <= (
    select count(*) from public.scheduled_post as other
    where other.account_id = post.account_id and other.schedule_for >= day and other.schedule_for < day + interval '1 day'
      and other.state not in ('failed', 'missed', 'draft')
  ) then
    raise exception 'At most % posts may be scheduled from @% for one day (UTC). Choose another day than %.',
      at_most, account_name, to_char(post.schedule_for at time zone 'UTC', 'YYYY-MM-DD')
      using errcode = '22023';
  end if;
end
$$;

create function public.seconds_until(at timestamptz) returns integer language sql stable as $$
  select greatest(1, ceil(extract(epoch from at - now())))::integer
$$;


-- Whoever has put an account right on X need not wait for the end of its pause. X is asked again at once, so only once in a
-- while. What else stands in the row is no author's to write: Hasura's permission is for this column alone.
create function public.end_pause() returns trigger language plpgsql as $$
begin
  if new.paused_until is not null then
    raise exception 'The pause of an account can only be ended: set paused_until to null.' using errcode = '22023';
  end if;
  if old.paused_until > now() then
    if old.pause_ended_at > now() - interval '15 minutes' then
      raise exception 'The pause of @% was ended less than 15 minutes ago, and X rejected it again. Try again in % seconds.',
        old.account_name, public.seconds_until(old.pause_ended_at + interval '15 minutes')
        using errcode = '22023';
    end if;
    new.pause_ended_at := now();
    insert into public.delivery_request (is_follow_up) values (false);
  end if;
  new.paused_reason := null;
  return new;
end
$$;
create trigger author_ends_pause before update of paused_until on public.account
  for each row when (public.session_username() is not null) execute function public.end_pause();


-- What has no reference to its user ends with it, too: how often they changed posts, how many they have, and what is noted of them.
create function public.delete_rows_of_user() returns trigger language plpgsql as $$
begin
  delete from public.author_change where user_id = old.id;
  delete from public.next_due where user_id = old.id;
  delete from public.post_count where user_id = old.id;
  return null;
end
$$;
create trigger rows_without_a_reference_end_with_the_user after delete on public."user"
  for each row execute function public.delete_rows_of_user();
