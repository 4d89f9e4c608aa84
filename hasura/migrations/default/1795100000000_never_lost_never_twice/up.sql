-- An open row is always looked at again, and a try whose outcome is unknown is never repeated before it was looked up.
-- What must hold for that, whoever writes, is enforced here.

alter table public.scheduled_post
  add column attempt integer not null default 0,
  add column looks integer not null default 0,
  add column when_late text not null default 'skip',
  add column request_key text,
  add column request_draft jsonb,
  add column request_event jsonb,
  add constraint when_late_is_known check (when_late in ('skip', 'publish')),
  add constraint request_key_is_short check (char_length(request_key) between 1 and 255),
  add constraint request_key_has_its_draft check ((request_key is null) = (request_draft is null)),
  add constraint one_post_per_request_key unique (user_id, request_key),
  add constraint one_post_per_tweet unique (tweet_id);
update public.scheduled_post set attempt = tries;

comment on column public.scheduled_post.tries is 'How often it was tried since it was scheduled or opened again.';
comment on column public.scheduled_post.attempt is 'The number of the latest entry in its log, post_attempt.';
comment on column public.scheduled_post.looks is 'How often its unknown outcome was looked up.';
comment on column public.scheduled_post.when_late is 'What the author wants of a post that is too late: skip it, or publish it anyway.';
comment on column public.scheduled_post.request_key is 'The Idempotency-Key of the create.';
comment on column public.scheduled_post.request_draft is 'The draft that came with the key, whatever was edited since.';
comment on column public.scheduled_post.request_event is 'The alarm that answered the create.';

create index scheduled_post_look on public.scheduled_post (not_before) where state = 'unknown';

alter table public.post_attempt
  add column account_id bigint references public.account on delete set null,
  add column sign_in_refused boolean not null default false,
  drop constraint outcome_is_known,
  add constraint outcome_is_known check (outcome in ('tweeted', 'not_sent', 'refused', 'unknown', 'absent', 'opened'));
comment on column public.post_attempt.account_id is 'From which account it was tried; the post may have another by now.';
comment on column public.post_attempt.sign_in_refused is 'X did not accept the sign-in of that account.';
create index post_attempt_finished_at on public.post_attempt (finished_at);
create index post_attempt_account_id on public.post_attempt (account_id);
comment on column public.post_attempt.outcome is
  'tweeted, not_sent, refused, unknown; absent: was unknown, and X does not have it; opened: the author moved a closed post.';


-- The sentences below are for authors: Hasura shows the words of class 22 (data exception) to users.

create function public.refuse_a_post_with_a_past() returns trigger language plpgsql as $$
begin
  raise exception 'A new post is scheduled, and was never tried.' using errcode = '22023';
end
$$;
create trigger a_new_post_has_no_past before insert on public.scheduled_post
  for each row when (new.state <> 'scheduled' or new.tries <> 0 or new.attempt <> 0 or new.tweet_id is not null)
  execute function public.refuse_a_post_with_a_past();


create function public.refuse_a_change() returns trigger language plpgsql as $$
begin
  raise exception '%', case old.state
    when 'sending' then 'This post is being published just now and cannot be changed. Look again in a moment.'
    else 'This post is published and cannot be changed.'
  end using errcode = '22023';
end
$$;
create trigger what_goes_out_is_fixed before update on public.scheduled_post
  for each row when (
    old.state in ('sending', 'tweeted') and (
      (new.text, new.schedule_for, new.user_id, new.when_late)
        is distinct from (old.text, old.schedule_for, old.user_id, old.when_late)
      or new.account_id <> old.account_id  -- it may become null: the account was removed
    )
  )
  execute function public.refuse_a_change();
create trigger an_author_keeps_what_goes_out before delete on public.scheduled_post
  for each row when (old.state in ('sending', 'tweeted') and public.session_author() is not null)
  execute function public.refuse_a_change();


-- An author has no right on the state. Moving a closed post to another time is how it is tried again; an unknown one only
-- when no further look is planned, for until then it is not known that trying again would not publish it twice.
create function public.open_again() returns trigger language plpgsql as $$
begin
  insert into public.post_attempt (post_id, number, text, started_at, finished_at, outcome, detail)
  values (
    old.id, old.attempt + 1, new.text, now(), now(), 'opened',
    format('Opened again by moving it. It was %s: %s', old.state, old.reason)
  );
  new.state := 'scheduled';
  new.attempt := old.attempt + 1;
  new.tries := 0;
  new.looks := 0;
  new.not_before := null;
  new.lease_until := null;
  new.reason := null;
  return new;
end
$$;
create trigger moving_opens_again before update on public.scheduled_post
  for each row when (
    new.schedule_for <> old.schedule_for
    and (old.state in ('failed', 'missed') or (old.state = 'unknown' and old.not_before is null))
  )
  execute function public.open_again();


create function public.keep_the_order_of_states() returns trigger language plpgsql as $$
begin
  if new.state = 'tweeted' then
    if not exists (select from public.post_attempt where post_id = old.id) then
      raise exception 'A post that was never tried cannot be published.' using errcode = '22023';
    end if;
  elsif (old.state, new.state) not in (
    ('scheduled', 'sending'), ('scheduled', 'missed'),
    ('sending', 'scheduled'), ('sending', 'failed'), ('sending', 'unknown'),
    ('unknown', 'scheduled'), ('failed', 'scheduled'), ('missed', 'scheduled')
  ) then
    raise exception 'A post that is % cannot become %.', old.state, new.state using errcode = '22023';
  end if;
  return new;
end
$$;
create trigger states_have_their_order before update on public.scheduled_post
  for each row when (new.state <> old.state and old.state <> 'tweeted')
  execute function public.keep_the_order_of_states();


-- Whoever takes a post out of sending without saying how its try ended leaves the end unknown, not open: an open try
-- would stand in the way of the next one.
create function public.close_the_try() returns trigger language plpgsql as $$
begin
  update public.post_attempt set
    finished_at = now(), outcome = 'unknown', detail = 'The publisher stopped before it wrote down what X said.'
  where post_id = new.id and finished_at is null;
  return null;
end
$$;
create trigger no_try_stays_open after update on public.scheduled_post
  for each row when (old.state = 'sending' and new.state <> 'sending')
  execute function public.close_the_try();


-- Takes what is due and not held, oldest first, the ringing post before all others, at most batch_size rows; rows that
-- another ring holds are skipped. Of the rows it returns,
--   sending  are the caller's to publish until lease_until; their attempt is open;
--   unknown  with a lease: the caller's to look up until lease_until;
--   unknown  without: were being sent when their publisher stopped, X may have them; to be looked up next;
--   missed   are more than max_lateness_seconds late, and their author did not want them published anyway.
-- All times are this database's.
create or replace function public.claim_due_posts(
  ringing_post_id bigint default null,
  batch_size integer default 10,
  lease_seconds integer default 120,
  max_lateness_seconds integer default 21600
) returns setof public.scheduled_post language plpgsql volatile as $$
begin
  return query
  with due as (
    select post.id,
      post.state = 'unknown' as to_look_up,
      post.state = 'sending' as publisher_stopped,
      post.state = 'scheduled' and post.when_late = 'skip'
        and post.schedule_for < now() - make_interval(secs => max_lateness_seconds) as too_late
    from public.scheduled_post as post
    where (
        post.state = 'scheduled' and post.schedule_for <= now() and coalesce(post.not_before <= now(), true)
        and not exists (select from public.app where app.held_until > now())
        and not exists (select from public.account where account.id = post.account_id and account.held_until > now())
      )
      or (post.state = 'sending' and post.lease_until <= now())
      or (post.state = 'unknown' and post.not_before <= now() and coalesce(post.lease_until <= now(), true))
    order by post.id is not distinct from ringing_post_id desc, post.schedule_for, post.id
    limit batch_size
    for update skip locked
  ), moved as (
    update public.scheduled_post as post set
      state = case when too_late then 'missed' when to_look_up or publisher_stopped then 'unknown' else 'sending' end,
      lease_until = case when not too_late and not publisher_stopped then now() + make_interval(secs => lease_seconds) end,
      not_before = case when to_look_up then post.not_before when publisher_stopped then now() end,
      tries = post.tries + (not too_late and not to_look_up and not publisher_stopped)::integer,
      attempt = case
        when too_late or to_look_up or publisher_stopped then post.attempt
        else 1 + greatest(post.attempt, (select max(number) from public.post_attempt where post_id = post.id))
      end,
      looks = case when publisher_stopped then 0 else post.looks end,
      reason = case
        when publisher_stopped then 'The publisher stopped in the middle of sending, so X may or may not have this post.'
        when too_late then concat_ws(
          ' ', format('Not published: more than %s minutes past its time.', max_lateness_seconds / 60), post.reason)
        when to_look_up then post.reason
      end
    from due where post.id = due.id
    returning post.*
  ), opened as (
    insert into public.post_attempt (post_id, number, account_id, text)
    select moved.id, moved.attempt, moved.account_id, moved.text from moved where moved.state = 'sending'
  )
  select * from moved order by moved.id is not distinct from ringing_post_id desc, moved.schedule_for, moved.id;
end
$$;
