-- How a publisher takes posts, and how it writes down what became of them: one function each, one transaction each.
-- All times are this database's.

-- Return types. Hasura shows the relations of a volatile function's result as they were before the call, so all that the
-- caller needs stands in columns.

create table public.claimed_post (
  post_id bigint not null,
  state text not null,
  text text not null,
  schedule_for timestamptz not null,
  reason text,
  lease_until timestamptz,
  attempt_number integer not null,
  account jsonb,
  may_post boolean not null,
  unanswered_attempts integer not null,
  unsent_attempts integer not null,
  failed_reconciliations integer not null,
  sign_in_rejected_at timestamptz,
  others_accepted_since boolean not null,
  others_rejected_since boolean not null,
  unresolved_attempts jsonb not null,
  event_id text,
  event_at timestamptz,
  constraint this_table_is_only_a_return_type check (false)
);
comment on table public.claimed_post is 'The return type of claim_due_posts. Always empty.';
comment on column public.claimed_post.attempt_number is 'The latest entry of the log; 0 without one.';
comment on column public.claimed_post.account is 'id, name, x_user_id, sealed_tokens; null: the account was removed.';
comment on column public.claimed_post.may_post is 'Whether the author may post from that account.';
comment on column public.claimed_post.unanswered_attempts is 'Attempts since the post was opened that X did not answer.';
comment on column public.claimed_post.unsent_attempts is 'Attempts since the post was opened that could not be sent.';
comment on column public.claimed_post.failed_reconciliations is 'How often X could not be asked what became of the latest attempt.';
comment on column public.claimed_post.sign_in_rejected_at is 'When X first rejected the sign-in of this account for this post, since it was opened.';
comment on column public.claimed_post.others_accepted_since is 'Whether X accepted a post from another account since then.';
comment on column public.claimed_post.others_rejected_since is 'Whether X rejected the sign-in of another account since then.';
comment on column public.claimed_post.unresolved_attempts is
  'The latest 20 attempts, newest first, of which it is not known, or was not at first, whether X has them: number, text, outcome, started_at, finished_at, account.';

create table public.recorded_outcome (
  recorded boolean not null,
  state text not null,
  constraint this_table_is_only_a_return_type check (false)
);
comment on table public.recorded_outcome is 'The return type of record_outcome. Always empty.';


create function public.account_with_tokens(account public.account) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', account.id, 'name', account.account_name, 'x_user_id', account.x_user_id, 'sealed_tokens', account.sealed_tokens
  )
$$;


create function public.last_opened(post_id bigint) returns integer language sql stable as $$
  select coalesce(max(number), 0) from public.post_attempt as attempt
  where attempt.post_id = last_opened.post_id and outcome = 'opened'
$$;


-- For the reason of a missed post: why it was not attempted at its time.
create function public.pauses_of(post public.scheduled_post) returns text language sql stable as $$
  select string_agg(
    format('It waited until %s: %s', to_char(paused_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), paused_reason),
    ' '
  )
  from (
    select paused_until, paused_reason from public.account where id = post.account_id
    union all
    select paused_until, paused_reason from public.app
  ) as pause
  where paused_until > post.schedule_for
$$;


-- Takes what is due and not paused: the delivered post first, then the oldest, at most batch_size posts. Posts that another
-- delivery has locked are skipped, and so is a scheduled post whose log has an open attempt (restored or changed by hand
-- without the triggers): one such row must not stop the claim of all others. By the state of the posts it returns:
--   sending  the caller publishes it until lease_until; its attempt is open;
--   unknown  the caller reconciles it until lease_until; perhaps its publisher stopped while it was sending;
--   missed   it was more than max_lateness_seconds late, and its author did not want it published anyway.
create function public.claim_due_posts(
  delivered_post_id bigint default null,
  batch_size integer default 10,
  lease_seconds integer default 180,
  max_lateness_seconds integer default 21600
) returns setof public.claimed_post language plpgsql volatile as $$
declare
  lease constant timestamptz := now() + make_interval(secs => lease_seconds);
  oldest_publishable constant timestamptz := now() - make_interval(secs => max_lateness_seconds);
  due bigint[];
begin
  -- Whoever pauses the app waits for the claims under way, and a claim for a pause under way: once the app is paused, each
  -- post that is being sent can be seen. No deadlock: after this a claim waits for no post (skip locked), so it does not
  -- wait for record_outcome, which locks a post and then app. No other transaction locks app together with another row.
  perform 1 from public.app for share;

  -- Each statement sees what was committed before it began: the posts are locked first, and read after that.
  select array_agg(id) into due from (
    select post.id from public.scheduled_post as post
    where (
        post.state = 'scheduled' and post.schedule_for <= now() and coalesce(post.next_attempt_at <= now(), true)
        and not exists (select from public.app where app.paused_until > now())
        and not exists (select from public.account where account.id = post.account_id and account.paused_until > now())
        and not exists (select from public.post_attempt where post_id = post.id and finished_at is null)
      )
      or (post.state = 'sending' and post.lease_until <= now())
      or (post.state = 'unknown' and post.reconcile_at <= now() and coalesce(post.lease_until <= now(), true))
    order by post.id is not distinct from delivered_post_id desc, post.schedule_for, post.id
    limit batch_size
    for update skip locked
  ) as locked;

  update public.scheduled_post as post set
    state = 'missed',
    next_attempt_at = null,
    reason = concat_ws(
      ' ', format('Not published: more than %s minutes past its time.', max_lateness_seconds / 60),
      post.reason, public.pauses_of(post)
    )
  where post.id = any(due)
    and post.state = 'scheduled' and post.when_late = 'skip' and post.schedule_for < oldest_publishable;

  update public.scheduled_post as post set
    state = 'unknown',
    reconcile_at = now(),
    lease_until = null,
    reason = 'The publisher stopped in the middle of sending, so X may or may not have this post.'
  where post.id = any(due) and post.state = 'sending';

  update public.scheduled_post as post set lease_until = lease where post.id = any(due) and post.state = 'unknown';

  update public.scheduled_post as post set state = 'sending', lease_until = lease, next_attempt_at = null, reason = null
  where post.id = any(due) and post.state = 'scheduled';

  insert into public.post_attempt (post_id, number, account_id, x_user_id, text)
  select
    post.id, 1 + coalesce((select max(number) from public.post_attempt where post_id = post.id), 0),
    post.account_id, account.x_user_id, post.text
  from public.scheduled_post as post
  left join public.account on account.id = post.account_id
  where post.id = any(due) and post.state = 'sending';

  return query
  select
    post.id, post.state, post.text, post.schedule_for, post.reason, post.lease_until,
    log.latest, (select public.account_with_tokens(account) from public.account where account.id = post.account_id),
    exists (select from public.account_user as link where link.user_id = post.user_id and link.account_id = post.account_id),
    log.unanswered, log.unsent, log.failed_reconciliations, log.sign_in_rejected_at,
    log.sign_in_rejected_at is not null and exists (
      select from public.post_attempt as other
      where other.finished_at > log.sign_in_rejected_at and other.account_id <> post.account_id and other.outcome = 'tweeted'
    ),
    log.sign_in_rejected_at is not null and exists (
      select from public.post_attempt as other
      where other.finished_at > log.sign_in_rejected_at and other.account_id <> post.account_id and other.rejection = 'sign_in'
    ),
    log.unresolved, post.event_id, post.event_at
  from public.scheduled_post as post
  cross join lateral (
    select
      coalesce(max(number), 0),
      coalesce(count(*) filter (where is_recent and outcome in ('unknown', 'absent')), 0)::integer,
      coalesce(count(*) filter (where is_recent and outcome = 'not_sent' and rejection is null), 0)::integer,
      coalesce((array_agg(attempt.failed_reconciliations order by number desc))[1], 0),
      min(finished_at) filter (
        where is_recent and rejection = 'sign_in' and attempt.account_id = post.account_id
          and started_at >= (select tokens_since from public.account where id = post.account_id)
      ),
      coalesce(jsonb_agg(
        jsonb_build_object(
          'number', number, 'text', attempt.text, 'outcome', outcome, 'started_at', started_at, 'finished_at', finished_at,
          -- Perhaps another row than the one that it was sent from: its account was removed and linked anew.
          'account', (
            select public.account_with_tokens(account) from public.account where account.x_user_id = attempt.x_user_id
          )
        ) order by number desc
      ) filter (where is_unresolved and unresolved_rank <= 20), '[]')
    from (
      select entry.*,
        entry.number > opened.number as is_recent,
        entry.outcome in ('unknown', 'duplicate', 'absent') as is_unresolved,
        count(*) filter (where entry.outcome in ('unknown', 'duplicate', 'absent')) over (order by entry.number desc) as unresolved_rank
      from (select public.last_opened(post.id) as number offset 0) as opened  -- offset: called once, not for each entry
      cross join public.post_attempt as entry
      where entry.post_id = post.id
    ) as attempt
  ) as log (latest, unanswered, unsent, failed_reconciliations, sign_in_rejected_at, unresolved)
  where post.id = any(due)
  order by post.id is not distinct from delivered_post_id desc, post.schedule_for, post.id;
end
$$;


-- Writes down what became of a claimed post, on the post and in its log at once. Says whether it did, and the state of the
-- post after it; no row: the post was deleted.
-- A tweet is recorded whatever happened to the post meanwhile, unless another one is. Anything else is recorded only while
-- the post is the caller's: its latest attempt is the one that the caller knows, and nobody else holds a lease on it.
-- `attempts` says how attempts ended: [{number, outcome, detail, rejection, status_code, failed_reconciliations}].
-- What X rejects for a while (`pause`: account or app) is paused until `pause_until` in any case, for `reason`; a pause is
-- never shortened, and an account is not paused for tokens that it had before.
create function public.record_outcome(
  post_id bigint,
  attempt_number integer,
  lease timestamptz,
  state text,
  attempts jsonb,
  reason text default null,
  tweet_id text default null,
  next_attempt_at timestamptz default null,
  reconcile_at timestamptz default null,
  pause text default null,
  pause_until timestamptz default null
) returns setof public.recorded_outcome language plpgsql volatile as $$
declare
  post public.scheduled_post;
  is_callers boolean;
begin
  select * into post from public.scheduled_post as row where row.id = record_outcome.post_id for update;
  if not found then
    return;
  end if;
  if record_outcome.pause = 'app' then
    update public.app set paused_until = record_outcome.pause_until, paused_reason = record_outcome.reason
    where coalesce(paused_until < record_outcome.pause_until, true);
  elsif record_outcome.pause = 'account' then
    update public.account set paused_until = record_outcome.pause_until, paused_reason = record_outcome.reason
    where coalesce(paused_until < record_outcome.pause_until, true) and exists (
      select from public.post_attempt as attempt
      where attempt.post_id = record_outcome.post_id and number = record_outcome.attempt_number
        and attempt.account_id = account.id and attempt.started_at >= account.tokens_since
    );
  end if;

  is_callers := post.state in ('sending', 'unknown')
    and coalesce(post.lease_until = record_outcome.lease, true)
    and record_outcome.attempt_number = (
      select coalesce(max(number), 0) from public.post_attempt as attempt where attempt.post_id = record_outcome.post_id
    );
  if post.state = 'tweeted' or not (is_callers or record_outcome.state = 'tweeted') then
    return query select false, post.state;
    return;
  end if;

  begin
    update public.post_attempt as attempt set
      finished_at = coalesce(attempt.finished_at, now()),
      outcome = coalesce(ended.outcome, attempt.outcome),
      detail = coalesce(ended.detail, attempt.detail),
      rejection = coalesce(ended.rejection, attempt.rejection),
      status_code = coalesce(ended.status_code, attempt.status_code),
      failed_reconciliations = coalesce(ended.failed_reconciliations, attempt.failed_reconciliations)
    from jsonb_to_recordset(record_outcome.attempts) as ended (
      number integer, outcome text, detail text, rejection text, status_code integer, failed_reconciliations integer
    )
    where attempt.post_id = record_outcome.post_id and attempt.number = ended.number;

    update public.scheduled_post as row set
      state = record_outcome.state,
      reason = record_outcome.reason,
      tweet_id = record_outcome.tweet_id,
      next_attempt_at = record_outcome.next_attempt_at,
      reconcile_at = record_outcome.reconcile_at,
      lease_until = null
    where row.id = record_outcome.post_id;
  exception when unique_violation then
    -- Another post has this tweet: one with the same text was reconciled at the same time and found it, too. It belongs to
    -- the post that was recorded first, and this one is reconciled.
    update public.scheduled_post as row set
      state = 'unknown',
      reason = 'X has this text, but from another post. X is being asked about this one.',
      reconcile_at = now(),
      lease_until = null
    where row.id = record_outcome.post_id and is_callers;
    return query select false, row.state from public.scheduled_post as row where row.id = record_outcome.post_id;
    return;
  end;
  return query select true, record_outcome.state;
end
$$;
