-- For a database that was restored from a backup: what was published since the backup is on X, and no row knows of it.
-- `python -m admin.reconcile` finds out which posts these are, and calls these functions while the app is paused.
-- Each locks its post, and writes nothing while a publisher has a lease on it.

-- Records a tweet that was found on X as the post's, in whatever state the row is. The attempt that made the tweet is lost
-- with the old rows, so an entry is logged in its place: a post without one cannot become tweeted.
create function public.record_found_tweet(post_id bigint, tweet_id text, tweeted_at timestamptz)
returns setof public.recorded_outcome language plpgsql volatile as $$
declare
  post public.scheduled_post;
begin
  select * into post from public.scheduled_post as row where row.id = record_found_tweet.post_id for update;
  if not found then
    return;
  end if;
  if post.state = 'tweeted' or post.lease_until > now() then
    return query select false, post.state;
    return;
  end if;
  begin
    perform public.log_unseen_attempt(
      post, least(record_found_tweet.tweeted_at, now()), 'tweeted', 'It was found on X after a restore from a backup.'
    );
    update public.scheduled_post as row set
      state = 'tweeted',
      tweet_id = record_found_tweet.tweet_id,
      reason = null,
      next_attempt_at = null,
      reconcile_at = null,
      lease_until = null
    where row.id = record_found_tweet.post_id;
  exception when unique_violation then  -- another post has this tweet
    return query select false, post.state;
    return;
  end;
  return query select true, 'tweeted';
end
$$;


-- Has the author decide about a scheduled post that may be on X with another text than the row has. Nothing publishes it
-- until its author moves it.
create function public.leave_to_author(post_id bigint, reason text)
returns setof public.recorded_outcome language plpgsql volatile as $$
declare
  post public.scheduled_post;
begin
  select * into post from public.scheduled_post as row where row.id = leave_to_author.post_id for update;
  if not found then
    return;
  end if;
  if post.state <> 'scheduled' then
    return query select false, post.state;
    return;
  end if;
  perform public.log_unseen_attempt(post, least(post.schedule_for, now()), 'unknown', leave_to_author.reason);
  update public.scheduled_post as row set state = 'sending', lease_until = now(), next_attempt_at = null
  where row.id = leave_to_author.post_id;
  update public.scheduled_post as row set state = 'unknown', lease_until = null, reason = leave_to_author.reason
  where row.id = leave_to_author.post_id;
  return query select true, 'unknown';
end
$$;


-- An attempt that the restored log does not have. One that the log has open is this attempt.
create function public.log_unseen_attempt(post public.scheduled_post, at timestamptz, outcome text, detail text)
returns void language plpgsql as $$
begin
  update public.post_attempt as attempt set
    finished_at = now(), outcome = log_unseen_attempt.outcome, detail = log_unseen_attempt.detail
  where attempt.post_id = post.id and attempt.finished_at is null;
  if not found then
    insert into public.post_attempt (post_id, number, account_id, x_user_id, text, started_at, finished_at, outcome, detail)
    select
      post.id, 1 + coalesce((select max(number) from public.post_attempt as attempt where attempt.post_id = post.id), 0),
      account.id, account.x_user_id, post.text, log_unseen_attempt.at, now(), log_unseen_attempt.outcome,
      log_unseen_attempt.detail
    from (select) as one left join public.account on account.id = post.account_id;
  end if;
end
$$;
