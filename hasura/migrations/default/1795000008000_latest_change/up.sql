-- Tells a front end that posts of its author changed, at the same cost however many there are: Hasura asks each second for
-- each tab that is subscribed.

-- Without a reference to the user: a change, which has its post locked, would wait for the user, whom forget_user locks
-- first. Creates and deletions of one author wait for each other, as lock_limits makes them anyway; claims and outcomes do
-- not write here.
create table public.post_count (
  user_id bigint primary key,
  number bigint not null
);
comment on table public.post_count is 'How many posts an author has, drafts included. Triggers keep it.';

create function public.count_posts() returns trigger language plpgsql as $$
begin
  insert into public.post_count as before (user_id, number)
  select user_id, case tg_op when 'INSERT' then count(*) else -count(*) end
  from changed where user_id in (select id from public."user")  -- when the user is deleted, the user goes before the posts
  group by user_id order by user_id  -- in one order, so that no two statements wait for each other
  on conflict (user_id) do update set number = before.number + excluded.number;
  return null;
end
$$;
create trigger new_posts_are_counted after insert on public.scheduled_post
  referencing new table as changed for each statement execute function public.count_posts();
create trigger deleted_posts_are_counted after delete on public.scheduled_post
  referencing old table as changed for each statement execute function public.count_posts();

create function public.count_for_another_author() returns trigger language plpgsql as $$
begin
  insert into public.post_count as before (user_id, number)
  select user_id, number from (values (old.user_id, -1), (new.user_id, 1)) as change (user_id, number) order by user_id
  on conflict (user_id) do update set number = before.number + excluded.number;
  return null;
end
$$;
create trigger post_of_another_author_is_counted after update of user_id on public.scheduled_post
  for each row when (new.user_id <> old.user_id) execute function public.count_for_another_author();

-- Also for changes that are made without the other triggers: a front end whose count differs asks for all ids, again and again.
alter table public.scheduled_post enable always trigger new_posts_are_counted,
  enable always trigger deleted_posts_are_counted, enable always trigger post_of_another_author_is_counted;


-- The one row of the author is found by the name, and the latest post by the index scheduled_post_changed. A query of
-- scheduled_post by the author's name would read all posts of the author to find the latest.
create view public.latest_change as
select
  username,
  (select max(post.updated_at) from public.scheduled_post as post where post.user_id = "user".id) as updated_at,
  coalesce((select number from public.post_count where user_id = "user".id), 0) as posts
from public."user";
comment on view public.latest_change is 'For each author: what is another after each change of posts.';
