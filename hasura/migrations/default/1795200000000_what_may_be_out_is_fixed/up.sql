-- While it is being looked up whether X has a post, that post is as fixed as one that is being sent: what the look finds
-- is the text that went out, from the account it went out from.

create or replace function public.refuse_a_change() returns trigger language plpgsql as $$
begin
  raise exception '%', case old.state
    when 'sending' then 'This post is being published just now and cannot be changed. Look again in a moment.'
    when 'unknown' then 'This post may be on X already. That is being looked up; until then it cannot be changed.'
    else 'This post is published and cannot be changed.'
  end using errcode = '22023';
end
$$;
create trigger what_may_be_out_is_fixed before update on public.scheduled_post
  for each row when (
    old.state = 'unknown' and old.not_before is not null and (new.text <> old.text or new.account_id <> old.account_id)
  )
  execute function public.refuse_a_change();


-- X's refusal may be heard of at last when the lease has run out already.
create or replace function public.keep_the_order_of_states() returns trigger language plpgsql as $$
begin
  if new.state = 'tweeted' then
    if not exists (select from public.post_attempt where post_id = old.id) then
      raise exception 'A post that was never tried cannot be published.' using errcode = '22023';
    end if;
  elsif (old.state, new.state) not in (
    ('scheduled', 'sending'), ('scheduled', 'missed'),
    ('sending', 'scheduled'), ('sending', 'failed'), ('sending', 'unknown'),
    ('unknown', 'scheduled'), ('unknown', 'failed'), ('failed', 'scheduled'), ('missed', 'scheduled')
  ) then
    raise exception 'A post that is % cannot become %.', old.state, new.state using errcode = '22023';
  end if;
  return new;
end
$$;


-- For the reason of a missed post: it was not tried because X refused its account, or our app, until after its time.
create function public.what_held_up(post public.scheduled_post) returns text language sql stable as $$
  select string_agg(
    format('X did not take it before %s: %s', to_char(held_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), held_because),
    ' '
  )
  from (
    select held_until, held_because from public.account where id = post.account_id
    union all
    select held_until, held_because from public.app
  ) as hold
  where held_until > post.schedule_for
$$;


-- Takes what is due and not held, oldest first, the ringing post before all others, at most batch_size rows; rows that
-- another ring holds are skipped, and so is a scheduled row whose log has an open try: only a hand can have left it so, and
-- one such row must not stop the claim of all others. Of the rows it returns,
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
        and not exists (select from public.post_attempt where post_id = post.id and finished_at is null)
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
          ' ', format('Not published: more than %s minutes past its time.', max_lateness_seconds / 60), post.reason,
          public.what_held_up(post))
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


-- A duplicate refusal after a try of unknown outcome.
alter table public.post_attempt
  drop constraint outcome_is_known,
  add constraint outcome_is_known check (
    outcome in ('tweeted', 'not_sent', 'refused', 'unknown', 'duplicate', 'absent', 'opened')
  );
comment on column public.post_attempt.outcome is
  'tweeted, not_sent, refused, unknown; duplicate: X has this text already, from an earlier try perhaps; absent: was unknown, and X does not have it; opened: the author moved a closed post.';

-- No longer than createPost takes: all of a text has to be counted before it is sent. What is longer already may stay.
alter table public.scheduled_post
  drop constraint text_is_not_endless,
  add constraint text_is_not_endless check (char_length(text) <= 4000) not valid;

-- A faked draft of a key must not be more than its author's own trouble.
alter table public.scheduled_post add constraint request_draft_is_a_draft check (
  jsonb_typeof(request_draft) = 'object' and pg_column_size(request_draft) < 100000
);

comment on column public.scheduled_post.state is
  'scheduled -> sending -> tweeted | failed | unknown -> tweeted | scheduled; missed: too late to be welcome. Moving a failed, missed or given up unknown one makes it scheduled again.';
comment on column public.scheduled_post.lease_until is 'While it is being sent or looked up: until when whoever does that is believed to be alive.';
comment on column public.scheduled_post.not_before is 'When to try next, if that is later than schedule_for; of an unknown one when to look next, null when nobody will.';
comment on column public.scheduled_post.tries is
  'How often it was tried since it was scheduled or opened again, tries aside after which X asked to wait.';
comment on column public.post_attempt.number is 'Counts the entries of the post''s log.';
