-- How a publisher takes posts, and how it writes down what became of them: one function each, one transaction each.
-- All times are this database's.

create view public.database_clock as select now() as now;
comment on view public.database_clock is 'So that the functions ask this clock whether a post is due, not their own.';

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
  account_rejections integer not null,
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
comment on column public.claimed_post.account_rejections is 'Attempts since the post was opened in which X rejected the account for a while.';
comment on column public.claimed_post.failed_reconciliations is 'How often X could not be asked what became of the latest attempt.';
comment on column public.claimed_post.sign_in_rejected_at is 'When X first rejected the sign-in of this account for this post, since it was opened.';
comment on column public.claimed_post.others_accepted_since is 'Whether X accepted a post from another account since then.';
comment on column public.claimed_post.others_rejected_since is 'Whether X rejected the sign-in of another account since then.';
comment on column public.claimed_post.unresolved_attempts is
  'The latest 20 attempts, newest first, of which it is not known, or was not at first, whether X has them: number, text, outcome, started_at, finished_at, account. Of those before the post was opened only the ones with its text and account.';

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


-- Whether a delivery may take the post now. A scheduled post whose log has an open attempt (restored or changed by hand
-- without the triggers) is left: one such row must not stop the claim of all others.
create function public.is_claimable(post public.scheduled_post) returns boolean language sql stable as $$
  select case post.state
    when 'scheduled' then post.due_at <= now()
      and not exists (select from public.app where paused_until > now())
      and not exists (select from public.account where id = post.account_id and paused_until > now())
      and not exists (select from public.post_attempt where post_id = post.id and finished_at is null)
    when 'sending' then post.lease_until <= now()
    when 'unknown' then post.reconcile_at <= now() and coalesce(post.lease_until <= now(), true)
    else false
  end
$$;


-- Which posts of which authors and accounts to look at, so that a claim costs the same however many rows there are, and an
-- author with many due posts does not hide the others. A claim reads it without a lock and waits for no row of it.
create table public.next_due (
  user_id bigint not null,
  account_id bigint not null,
  due_at timestamptz not null,
  primary key (user_id, account_id)
);
comment on table public.next_due is
  'For each author and account with scheduled posts: no post of theirs is due before due_at. The first may be due later.';
comment on column public.next_due.account_id is '0: the posts have no account any more.';
create index next_due_due_at on public.next_due (due_at);
create index next_due_account_id on public.next_due (account_id);

-- The row of next_due is locked until the end of the transaction, even if it stays as it is: a claim that just now works
-- out when the next of these posts is due cannot see this post yet.
create function public.note_due_post() returns trigger language plpgsql as $$
begin
  insert into public.next_due as next (user_id, account_id, due_at)
  values (new.user_id, coalesce(new.account_id, 0), new.due_at)
  on conflict (user_id, account_id) do update set due_at = excluded.due_at where next.due_at > excluded.due_at;
  return null;
end
$$;
create trigger new_post_is_noted after insert on public.scheduled_post
  for each row when (new.state = 'scheduled') execute function public.note_due_post();
create trigger earlier_post_is_noted after update on public.scheduled_post
  for each row when (
    new.state = 'scheduled' and (
      old.state <> 'scheduled' or new.due_at < old.due_at
      or (new.user_id, new.account_id) is distinct from (old.user_id, old.account_id)
    )
  )
  execute function public.note_due_post();
-- Also for changes that are made without the other triggers: a post that is not noted is never claimed.
alter table public.scheduled_post enable always trigger new_post_is_noted, enable always trigger earlier_post_is_noted;

-- During the pause of an account its posts are noted for the end of the pause. When that comes earlier, the rows of all its
-- authors are locked until the end of the transaction, also of those without a post: until then a claim reads the old end,
-- and must not note it for a post that is stored meanwhile.
create function public.note_end_of_pause() returns trigger language plpgsql as $$
begin
  insert into public.next_due as next (user_id, account_id, due_at)
  select user_id, account_id, now() from public.account_user where account_id = new.id
  on conflict (user_id, account_id) do update set due_at = least(next.due_at, excluded.due_at);  -- waits for a claim, as above
  update public.next_due set due_at = least(due_at, now()) where account_id = new.id;  -- also of those not linked any more
  return null;
end
$$;
create trigger earlier_end_of_pause_is_noted after update on public.account
  for each row when (old.paused_until > now() and coalesce(new.paused_until < old.paused_until, true))
  execute function public.note_end_of_pause();
alter table public.account enable always trigger earlier_end_of_pause_is_noted;


-- The posts of these rows of next_due that are due, in turns: the first of each author, then the second of each, ...
create function public.due_posts(noted public.next_due[], at_most integer)
returns table (id bigint, user_id bigint, due_at timestamptz, turn bigint) language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
  select post.id, post.user_id, post.due_at, row_number() over (partition by post.user_id order by post.due_at, post.id)
  from unnest(noted) as next
  left join public.account on account.id = next.account_id
  cross join lateral (
    select row.id, row.user_id, row.due_at from public.scheduled_post as row
    where row.user_id = next.user_id and coalesce(row.account_id, 0) = next.account_id
      and row.state = 'scheduled' and row.due_at <= now()
      and not exists (select from public.post_attempt where post_id = row.id and finished_at is null)
    order by row.due_at
    limit at_most
  ) as post
  where coalesce(account.paused_until <= now(), true);
end
$$;

-- The posts whose outcome is open and due to be asked for, in turns as above.
create function public.open_posts(at_most integer)
returns table (id bigint, user_id bigint, due_at timestamptz, turn bigint) language sql stable as $$
  select post.id, post.user_id, post.due_at, row_number() over (partition by post.user_id order by post.due_at, post.id)
  from (
    (
      select id, user_id, lease_until as due_at from public.scheduled_post
      where state = 'sending' and lease_until <= now()
      order by lease_until limit at_most
    )
    union all
    (
      select id, user_id, reconcile_at from public.scheduled_post
      where state = 'unknown' and reconcile_at <= now() and coalesce(lease_until <= now(), true)
      order by reconcile_at limit at_most
    )
  ) as post
$$;


-- Notes anew when the next post of each of these authors and accounts is due; without a post there is nothing to note.
-- Rows that somebody has locked stay as they are, too early at worst; those of them from which nothing was taken are returned.
-- Where nothing could be taken from a row that was not locked, another delivery has the posts locked: such a row is looked at
-- again after a second, so that it hides nobody. A post with an open attempt, which only a change by hand can leave, is looked
-- at again after a minute.
create function public.note_next_due(noted public.next_due[], taken bigint[]) returns public.next_due[] language plpgsql as $$
declare
  locked public.next_due[];
begin
  locked := array(
    select next from public.next_due as next
    where (next.user_id, next.account_id) in (select user_id, account_id from unnest(noted))
    for update skip locked
  );
  with found as (
    select next.user_id, next.account_id, account.paused_until,
      case when earliest.has_open_attempt
        then least(greatest(earliest.due_at, now() + interval '1 minute'), claimable.due_at) else earliest.due_at end as due_at,
      exists (
        select from public.scheduled_post as post
        where post.id = any(taken) and post.user_id = next.user_id and coalesce(post.account_id, 0) = next.account_id
      ) as gave
    from unnest(locked) as next
    left join public.account on account.id = next.account_id
    left join lateral (
      select post.due_at, exists (select from public.post_attempt where post_id = post.id and finished_at is null) as has_open_attempt
      from public.scheduled_post as post
      where post.user_id = next.user_id and coalesce(post.account_id, 0) = next.account_id and post.state = 'scheduled'
      order by post.due_at
      limit 1
    ) as earliest on true
    left join lateral (
      select post.due_at from public.scheduled_post as post
      where earliest.has_open_attempt
        and post.user_id = next.user_id and coalesce(post.account_id, 0) = next.account_id and post.state = 'scheduled'
        and not exists (select from public.post_attempt where post_id = post.id and finished_at is null)
      order by post.due_at
      limit 1
    ) as claimable on true
  ), gone as (
    delete from public.next_due as next using found
    where (next.user_id, next.account_id) = (found.user_id, found.account_id) and found.due_at is null
  )
  update public.next_due as next
  set due_at = greatest(
    found.due_at, found.paused_until,
    case when found.due_at <= now() and coalesce(found.paused_until <= now(), true) and not found.gave
      then now() + interval '1 second' end
  )
  from found
  where (next.user_id, next.account_id) = (found.user_id, found.account_id) and found.due_at is not null;
  return array(select next from unnest(noted) as next where not exists (
    select from unnest(locked) as one where (one.user_id, one.account_id) = (next.user_id, next.account_id)
  ) and not exists (
    select from public.scheduled_post as post
    where post.id = any(taken) and post.user_id = next.user_id and coalesce(post.account_id, 0) = next.account_id
  ));
end
$$;


-- Locks what a delivery takes next, and returns it in its order: at most batch_size posts, the scheduled ones and those
-- whose outcome is open one by one, and each author in turn. Posts that another delivery has locked are skipped.
create function public.lock_due_posts(batch_size integer) returns bigint[] language plpgsql volatile as $$
declare
  most_noted constant integer := 50;
  app_is_paused constant boolean := exists (select from public.app where paused_until > now());
  noted public.next_due[];
  in_use public.next_due[] := '{}';  -- somebody changes their posts: they must not hide those of others
  due bigint[];
begin
  for round in 1..100 loop  -- more than one only while many rows of next_due turn out to be too early
    noted := case when app_is_paused then '{}' else
      array(
        select next from public.next_due as next
        where next.due_at <= now() and (next.user_id, next.account_id) not in (select user_id, account_id from unnest(in_use))
        order by next.due_at
        limit most_noted
      )
    end;
    due := array(
      select post.id from (
        select candidate.id, candidate.due_at,
          row_number() over (partition by candidate.is_open order by candidate.turn, candidate.due_at, candidate.id) as place
        from (
          select false as is_open, scheduled.id, scheduled.due_at, scheduled.turn
          from public.due_posts(noted, greatest(2, 10 * batch_size / greatest(cardinality(noted), 1))) as scheduled
          union all
          select true, open.id, open.due_at, open.turn from public.open_posts(5 * batch_size) as open
        ) as candidate
        order by place, candidate.due_at
        limit 5 * batch_size  -- so many can be locked by other deliveries
      ) as candidate
      join public.scheduled_post as post on post.id = candidate.id
      where public.is_claimable(post)  -- as it is by now: another delivery may have had it
      order by candidate.place, candidate.due_at, candidate.id
      limit batch_size
      for update of post skip locked
    );
    exit when cardinality(due) >= batch_size;
    in_use := in_use || public.note_next_due(noted, due);
    exit when cardinality(noted) < most_noted;
  end loop;
  return due;
end
$$;


-- What X bills for a post, in posts without a link (docs.x.com, prices: $0.015, with a link $0.200).
create function public.price_in_posts(may_have_link boolean) returns numeric language sql immutable as $$
  select case when may_have_link then 0.200 / 0.015 else 1 end
$$;

-- Which of the locked posts the operator's ceiling still allows today (UTC). Nothing else may be claimed meanwhile: the
-- caller has locked app. When one is too many, the app is paused for the rest of the day.
create function public.within_ceiling(due bigint[], max_posts_per_day integer) returns bigint[] language plpgsql volatile as $$
declare
  today constant timestamptz := date_trunc('day', now(), 'UTC');
  spent constant numeric := (
    select coalesce(sum(public.price_in_posts(may_have_link)), 0) from public.post_attempt
    where started_at >= today and (outcome is null or outcome in ('tweeted', 'unknown'))
  );
  too_many bigint[];
begin
  select array_agg(priced.id) into too_many from (
    select post.id, sum(public.price_in_posts(public.may_have_link(post.text))) over (order by array_position(due, post.id)) as price
    from public.scheduled_post as post where post.id = any(due) and post.state = 'scheduled'
  ) as priced
  where spent + priced.price > max_posts_per_day;
  if too_many is not null then
    update public.app set
      paused_until = today + interval '1 day',
      paused_reason = format(
        'MAX_POSTS_PER_DAY is reached: today (UTC) no more than %s posts go out; one with a link counts as 13 and a third.',
        max_posts_per_day
      )
    where coalesce(paused_until < today + interval '1 day', true);
  end if;
  return array(select id from unnest(due) with ordinality as post (id, place) where id <> all(coalesce(too_many, '{}')) order by place);
end
$$;


-- Takes what is due and not paused, at most batch_size posts: the delivered one first, then each author in turn. By the
-- state of the posts it returns:
--   sending    the caller publishes it until lease_until; its attempt is open;
--   unknown    the caller reconciles it until lease_until; perhaps its publisher stopped while it was sending;
--   missed     it was more than max_lateness_seconds late, and its author did not want it published anyway;
--   scheduled  it was not taken, because max_posts_per_day is reached: the app is paused, for this reason. At most one.
create function public.claim_due_posts(
  delivered_post_id bigint default null,
  batch_size integer default 10,
  lease_seconds integer default 180,
  max_lateness_seconds integer default 21600,
  max_posts_per_day integer default null
) returns setof public.claimed_post language plpgsql volatile as $$
declare
  lease constant timestamptz := now() + make_interval(secs => lease_seconds);
  oldest_publishable constant timestamptz := now() - make_interval(secs => max_lateness_seconds);
  due bigint[];
  allowed bigint[];
  left_out bigint;
begin
  -- Whoever pauses the app waits for the claims under way, and a claim for a pause under way: once the app is paused, each
  -- post that is being sent can be seen. No deadlock: after this a claim waits for no post (skip locked), so it does not
  -- wait for record_outcome, which locks a post and then app. No other transaction locks app together with another row.
  if max_posts_per_day is null then
    perform 1 from public.app for share;
  else
    perform 1 from public.app for update;  -- one claim at a time counts what today has cost
  end if;

  -- Each statement sees what was committed before it began: the posts are locked first, and read after that.
  due := array(
    select post.id from public.scheduled_post as post
    where post.id = delivered_post_id and public.is_claimable(post)
    for update skip locked
  );
  due := due || array(
    select id from unnest(public.lock_due_posts(batch_size)) as id where id <> all(due) limit batch_size - cardinality(due)
  );

  update public.scheduled_post as post set
    state = 'missed',
    next_attempt_at = null,
    reason = concat_ws(
      ' ', format('Not published: more than %s minutes past its time.', max_lateness_seconds / 60),
      post.reason, public.pauses_of(post)
    )
  where post.id = any(due)
    and post.state = 'scheduled' and post.when_late = 'skip' and post.schedule_for < oldest_publishable;

  if max_posts_per_day is not null then
    allowed := public.within_ceiling(due, max_posts_per_day);
    left_out := (array(select id from unnest(due) as id where id <> all(allowed)))[1];
    due := allowed;
  end if;

  update public.scheduled_post as post set
    state = 'unknown',
    reconcile_at = now(),
    lease_until = null,
    reason = 'The publisher stopped in the middle of sending, so X may or may not have this post.'
  where post.id = any(due) and post.state = 'sending';

  -- A lease that ran out: whoever reconciled the post stopped before it could say that it failed.
  update public.post_attempt as attempt set failed_reconciliations = failed_reconciliations + 1
  from public.scheduled_post as post
  where post.id = any(due) and post.state = 'unknown' and post.lease_until is not null
    and attempt.post_id = post.id and attempt.number = (select max(number) from public.post_attempt where post_id = post.id);

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
    post.id, post.state, post.text, post.schedule_for,
    case when post.id = left_out then (select paused_reason from public.app) else post.reason end, post.lease_until,
    log.latest, (select public.account_with_tokens(account) from public.account where account.id = post.account_id),
    exists (select from public.account_user as link where link.user_id = post.user_id and link.account_id = post.account_id),
    log.unanswered, log.unsent, log.account_rejections, log.failed_reconciliations, log.sign_in_rejected_at,
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
      coalesce(count(*) filter (where is_recent and rejection = 'account'), 0)::integer,
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
      -- materialized: called once for a post, not for each entry, whatever the planner knows of the tables
      with opened as materialized (select public.last_opened(post.id) as number)
      select entry.*, count(*) filter (where is_unresolved) over (order by entry.number desc) as unresolved_rank
      from opened
      left join public.account on account.id = post.account_id
      cross join lateral (
        select logged.*, logged.number > opened.number as is_recent,
          -- An author who opens the post with another text or account wants that published, whatever became of the old one.
          logged.outcome in ('unknown', 'duplicate', 'absent') and (
            logged.number > opened.number or (logged.text = post.text and logged.x_user_id = account.x_user_id)
          ) as is_unresolved
        from public.post_attempt as logged
        where logged.post_id = post.id
      ) as entry
    ) as attempt
  ) as log (latest, unanswered, unsent, account_rejections, failed_reconciliations, sign_in_rejected_at, unresolved)
  where post.id = any(due || left_out)
  order by array_position(due || left_out, post.id);
end
$$;


-- Writes down what became of a claimed post, on the post and in its log at once. Says whether that is recorded, perhaps by an
-- earlier call whose answer was lost, and the state of the post after it; no row: the post was deleted.
-- A tweet is recorded whatever happened to the post meanwhile, unless another one is. Anything else is recorded only while
-- the post is the caller's: its latest attempt is the one that the caller knows, and nobody else holds a lease on it.
-- `attempts` says how attempts ended: [{number, outcome, detail, rejection, status_code, failed_reconciliations}].
-- What X rejects for a while (`pause`: account or app) is paused until `pause_until`, for `reason`, also when nothing else
-- is recorded of a post that there is; a pause is never shortened, and an account is not paused for tokens that it had before.
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
  latest integer;
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

  select coalesce(max(number), 0) into latest from public.post_attempt as attempt where attempt.post_id = record_outcome.post_id;
  is_callers := post.state in ('sending', 'unknown')
    and coalesce(post.lease_until = record_outcome.lease, true)
    and record_outcome.attempt_number = latest;
  if post.state = 'tweeted' or not (is_callers or record_outcome.state = 'tweeted') then
    return query select
      post.state = record_outcome.state and case post.state
        when 'tweeted' then post.tweet_id = record_outcome.tweet_id
        when 'unknown' then false  -- while nobody else reconciles it, it is still the caller's
        else record_outcome.attempt_number = latest and not exists (
          select from jsonb_to_recordset(record_outcome.attempts) as ended (number integer, outcome text)
          left join public.post_attempt as attempt on attempt.post_id = post.id and attempt.number = ended.number
          where attempt.outcome is distinct from ended.outcome
        )
      end,
      post.state;
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
    update public.post_attempt as attempt set
      finished_at = now(),
      outcome = 'unknown',
      detail = format('X accepted it as %s, which is recorded as the tweet of another post with this text.', record_outcome.tweet_id)
    where attempt.post_id = record_outcome.post_id and attempt.finished_at is null and is_callers;
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
