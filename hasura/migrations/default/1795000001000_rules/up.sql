-- The rules of a post that a constraint cannot say: they hold whoever writes.
-- The sentences are for authors: Hasura shows the words of SQLSTATE class 22 (data exception) to users.

create function public.one_line_end(text text) returns text language sql immutable as $$
  select regexp_replace(text, E'\r\n?', E'\n', 'g')
$$;


-- An author with one account need not name it; with none or several, silence would be a guess.
create function public.only_account_of(author bigint) returns bigint language plpgsql stable as $$
declare
  linked bigint[] := array(select account_id from public.account_user where user_id = author);
begin
  if cardinality(linked) = 0 then
    raise exception 'No X account is linked to you yet. Link one, then schedule the post.' using errcode = '22023';
  elsif cardinality(linked) > 1 then
    raise exception 'You have several X accounts. Say in account_id which one posts.' using errcode = '22023';
  end if;
  return linked[1];
end
$$;


-- An author must not learn which accounts there are. One that does not exist becomes null, and Hasura's permission refuses
-- the post with the same words as one from somebody else's account.
create function public.account_for_author(account_id bigint) returns bigint language sql stable as $$
  select case
    when public.session_username() is null or exists (select from public.account where id = account_id) then account_id
  end
$$;


create function public.check_new_post() returns trigger language plpgsql as $$
begin
  if new.state not in ('scheduled', 'draft') or new.tweet_id is not null then
    raise exception 'A new post is scheduled or a draft, and was never attempted.' using errcode = '22023';
  end if;
  new.text := public.one_line_end(new.text);
  -- Of another user the constraints and Hasura's permission refuse it; words from here would tell about somebody else.
  if new.account_id is not null then
    new.account_id := public.account_for_author(new.account_id);
  elsif new.state = 'scheduled' and new.user_id is not null
    and (public.session_username() is null or new.user_id is not distinct from public.session_author())
  then
    new.account_id := public.only_account_of(new.user_id);
  end if;
  if new.state = 'scheduled' then
    perform public.require_a_time(new.schedule_for);
  end if;
  return new;
end
$$;
create trigger check_new_post before insert on public.scheduled_post
  for each row execute function public.check_new_post();

create function public.require_a_time(schedule_for timestamptz) returns void language plpgsql as $$
begin
  if schedule_for is null then
    raise exception 'Only a draft has no time. Say in schedule_for when the post is to be published.' using errcode = '22023';
  end if;
end
$$;


-- One function, not a trigger for each rule: the rules apply in the order in which they stand here.
create function public.check_changed_post() returns trigger language plpgsql as $$
declare
  is_moved constant boolean := new.schedule_for is distinct from old.schedule_for;
  -- It may become null: the account was removed.
  has_other_account constant boolean := new.account_id is not null and new.account_id is distinct from old.account_id;
  is_put_by_author constant boolean := new.state <> old.state and public.session_username() is not null;
begin
  if new.text <> old.text then
    new.text := public.one_line_end(new.text);
  end if;
  new.updated_at := now();
  if has_other_account then
    new.account_id := public.account_for_author(new.account_id);
  end if;

  -- What is on X, or may be, stays as it was sent.
  if old.state = 'tweeted' and (new.state, new.tweet_id) is distinct from (old.state, old.tweet_id) then
    raise exception 'This post is published; that cannot be undone here.' using errcode = '22023';
  end if;
  if old.state in ('sending', 'tweeted') and (
    is_moved or has_other_account or is_put_by_author
    or (new.text, new.user_id, new.when_late) is distinct from (old.text, old.user_id, old.when_late)
  ) then
    perform public.refuse_a_change(old.state);
  end if;
  if old.state = 'unknown' and old.reconcile_at is not null
    and (new.text <> old.text or has_other_account or is_put_by_author)
  then
    perform public.refuse_a_change(old.state);
  end if;
  if is_put_by_author and (old.state, new.state) not in (
    ('draft', 'scheduled'), ('scheduled', 'draft'), ('failed', 'draft'), ('missed', 'draft')
  ) then
    raise exception 'A draft can be scheduled, and a post that is scheduled, failed or missed can become a draft. This one is %.',
      old.state using errcode = '22023';
  end if;

  -- Moving a post that has ended is how its author has it attempted again. An unknown one has ended when no reconciliation
  -- is planned; before that it is not known that another attempt would not publish it twice.
  if is_moved and new.state <> 'draft'
    and (old.state in ('failed', 'missed') or (old.state = 'unknown' and old.reconcile_at is null))
  then
    perform public.log_opened(old, new.text);
    new.state := 'scheduled';
    new.lease_until := null;
  end if;

  -- What X said of the old account is nothing to the new one, and an author who moves a post wants it at its new time:
  -- it need not wait, and its attempts are counted anew.
  if new.state = 'scheduled' and (is_moved or has_other_account) then
    if old.state = 'scheduled' then
      perform public.log_opened(old, new.text);
    end if;
    new.next_attempt_at := null;
    new.reason := null;
  end if;

  if new.state = 'draft' and old.state <> 'draft' then
    perform public.log_opened(old, new.text);
    new.next_attempt_at := null;
    new.reason := null;
  end if;
  if old.state = 'draft' and new.state = 'scheduled' and new.account_id is null then
    new.account_id := public.only_account_of(new.user_id);
  end if;
  if old.state <> 'tweeted' and new.state = 'tweeted' then
    -- The row says what X has: in a late record its author may have changed the text meanwhile, or emptied a draft.
    new.text := coalesce(
      (select entry.text from public.post_attempt as entry where post_id = new.id and outcome = 'tweeted' order by number desc limit 1),
      new.text
    );
    new.schedule_for := coalesce(new.schedule_for, now());
  end if;
  if new.state <> 'draft' then
    perform public.require_a_time(new.schedule_for);
  end if;

  if new.state <> old.state then
    perform public.check_change_of_state(old.id, old.state, new.state);
  end if;
  return new;
end
$$;

-- From here on attempts are counted anew. Says nothing of a scheduled post that was never attempted, and nothing twice.
create function public.log_opened(post public.scheduled_post, new_text text) returns void language plpgsql as $$
declare
  latest public.post_attempt;
begin
  select * into latest from public.post_attempt where post_id = post.id order by number desc limit 1;
  if latest.outcome = 'opened' or (latest.number is null and post.state = 'scheduled') then
    return;
  end if;
  insert into public.post_attempt (post_id, number, text, finished_at, outcome, detail)
  values (
    post.id, 1 + coalesce(latest.number, 0), new_text, now(), 'opened',
    format('Its author moved it, changed its account or made it a draft. It was %s: %s', post.state, coalesce(post.reason, '-'))
  );
end
$$;

create function public.refuse_a_change(state text) returns void language plpgsql as $$
begin
  raise exception '%', case state
    when 'sending' then 'This post is being published just now and cannot be changed. Try again in a moment.'
    when 'unknown' then 'This post may be on X already. X is being asked; until then it cannot be changed.'
    else 'This post is published and cannot be changed.'
  end using errcode = '22023';
end
$$;

create function public.check_change_of_state(post_id bigint, old_state text, new_state text) returns void
language plpgsql as $$
begin
  if new_state = 'tweeted' then  -- X has it: that is true in whatever state the row is by now
    if not exists (select from public.post_attempt as attempt where attempt.post_id = check_change_of_state.post_id) then
      raise exception 'A post that was never attempted cannot be published.' using errcode = '22023';
    end if;
  elsif (old_state, new_state) not in (
    ('scheduled', 'sending'), ('scheduled', 'missed'),
    ('sending', 'scheduled'), ('sending', 'failed'), ('sending', 'unknown'),
    ('unknown', 'scheduled'), ('unknown', 'failed'), ('failed', 'scheduled'), ('missed', 'scheduled'),
    ('draft', 'scheduled'), ('scheduled', 'draft'), ('failed', 'draft'), ('missed', 'draft')
  ) then
    raise exception 'A post that is % cannot become %.', old_state, new_state using errcode = '22023';
  end if;
end
$$;
create trigger check_changed_post before update on public.scheduled_post
  for each row execute function public.check_changed_post();


create function public.check_deleted_post() returns trigger language plpgsql as $$
begin
  perform public.refuse_a_change(old.state);
  return null;
end
$$;
create trigger check_deleted_post before delete on public.scheduled_post
  for each row when (old.state in ('sending', 'tweeted') and public.session_author() is not null)
  execute function public.check_deleted_post();


-- Whoever takes a post out of sending without saying how its attempt ended leaves that unknown, not open: an open attempt
-- would stand in the way of the next one.
create function public.close_the_attempt() returns trigger language plpgsql as $$
begin
  update public.post_attempt set
    finished_at = now(), outcome = 'unknown', detail = 'The publisher stopped before it wrote down what X said.'
  where post_id = new.id and finished_at is null;
  return null;
end
$$;
create trigger no_attempt_stays_open after update on public.scheduled_post
  for each row when (old.state = 'sending' and new.state <> 'sending')
  execute function public.close_the_attempt();


create function public.check_open_attempt() returns trigger language plpgsql as $$
begin
  if not exists (select from public.scheduled_post where id = new.post_id and state = 'sending') then
    raise exception 'An attempt is open only while its post is being sent.' using errcode = '22023';
  end if;
  return new;
end
$$;
create trigger check_open_attempt before insert or update on public.post_attempt
  for each row when (new.finished_at is null) execute function public.check_open_attempt();


create function public.take_the_posts_author() returns trigger language plpgsql as $$
begin
  new.user_id := (select user_id from public.scheduled_post where id = new.post_id);
  return new;
end
$$;
create trigger attempt_is_of_the_posts_author before insert on public.post_attempt
  for each row execute function public.take_the_posts_author();


create function public.begin_with_new_tokens() returns trigger language plpgsql as $$
begin
  new.tokens_since := now();
  new.paused_until := null;
  new.paused_reason := null;
  return new;
end
$$;
create trigger new_tokens_end_the_pause before update on public.account
  for each row when (new.sealed_tokens <> old.sealed_tokens) execute function public.begin_with_new_tokens();


-- What is known of an account, its posts and their attempts is of one user of X.
create function public.refuse_another_x_user() returns trigger language plpgsql as $$
begin
  raise exception 'An account stays that of its user of X. Add another account for another user.' using errcode = '22023';
end
$$;
create trigger x_user_stays before update on public.account
  for each row when (new.x_user_id <> old.x_user_id) execute function public.refuse_another_x_user();
