drop view public.latest_change;
drop trigger post_of_another_author_is_counted on public.scheduled_post;
drop trigger deleted_posts_are_counted on public.scheduled_post;
drop trigger new_posts_are_counted on public.scheduled_post;
drop function public.count_for_another_author();
drop function public.count_posts();
drop table public.post_count;
