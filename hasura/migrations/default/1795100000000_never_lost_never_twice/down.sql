-- The claim as it was before.
create or replace function public.claim_due_posts(
  ringing_post_id bigint default null,
  batch_size integer default 10,
  lease_seconds integer default 120,
  max_lateness_seconds integer default 21600
) returns setof public.scheduled_post language plpgsql volatile as $$
begin
  return query
  with due as (
    select post.id, case
        when post.state = 'sending' then 'unknown'
        when post.schedule_for < now() - make_interval(secs => max_lateness_seconds) then 'missed'
        else 'sending'
      end as next_state
    from public.scheduled_post as post
    where (
        post.state = 'scheduled' and post.schedule_for <= now() and coalesce(post.not_before <= now(), true)
        and not exists (select from public.app where app.held_until > now())
        and not exists (select from public.account where account.id = post.account_id and account.held_until > now())
      )
      or (post.state = 'sending' and post.lease_until <= now())
    order by post.id is not distinct from ringing_post_id desc, post.schedule_for, post.id
    limit batch_size
    for update skip locked
  ), moved as (
    update public.scheduled_post as post set
      state = due.next_state,
      lease_until = case when due.next_state = 'sending' then now() + make_interval(secs => lease_seconds) end,
      not_before = null,
      tries = post.tries + (due.next_state = 'sending')::integer,
      reason = case due.next_state
        when 'unknown' then 'The publisher stopped in the middle of sending, so X may or may not have this post.'
        when 'missed' then concat_ws(
          ' ', format('Not published: more than %s minutes past its time.', max_lateness_seconds / 60), post.reason)
      end
    from due where post.id = due.id
    returning post.*
  ), opened as (
    insert into public.post_attempt (post_id, number, text)
    select moved.id, moved.tries, moved.text from moved where moved.state = 'sending'
  ), closed as (
    update public.post_attempt as attempt set
      finished_at = now(), outcome = 'unknown', detail = 'The publisher stopped before it wrote down what X said.'
    from moved where moved.state = 'unknown' and attempt.post_id = moved.id and attempt.finished_at is null
  )
  select * from moved order by moved.id is not distinct from ringing_post_id desc, moved.schedule_for, moved.id;
end
$$;

drop trigger no_try_stays_open on public.scheduled_post;
drop function public.close_the_try();
drop trigger states_have_their_order on public.scheduled_post;
drop trigger moving_opens_again on public.scheduled_post;
drop trigger an_author_keeps_what_goes_out on public.scheduled_post;
drop trigger what_goes_out_is_fixed on public.scheduled_post;
drop trigger a_new_post_has_no_past on public.scheduled_post;
drop function public.keep_the_order_of_states();
drop function public.open_again();
drop function public.refuse_a_change();
drop function public.refuse_a_post_with_a_past();

update public.post_attempt set outcome = 'unknown' where outcome = 'absent';
delete from public.post_attempt where outcome = 'opened';
alter table public.post_attempt
  drop column account_id,
  drop column sign_in_refused,
  drop constraint outcome_is_known,
  add constraint outcome_is_known check (outcome in ('tweeted', 'not_sent', 'refused', 'unknown'));
update public.scheduled_post set tries = attempt where state <> 'tweeted';
alter table public.scheduled_post
  drop column attempt,
  drop column looks,
  drop column when_late,
  drop column request_key,
  drop column request_draft,
  drop column request_event,
  drop constraint one_post_per_tweet;
drop index public.scheduled_post_look;
drop index public.post_attempt_finished_at;
