drop function public.request_follow_up(integer);
drop trigger new_posts_that_are_due_soon_are_delivered on public.scheduled_post;
drop function public.request_delivery_of_new_posts();
drop table public.delivery_request;
drop function public.delete_delivery_request();
drop function public.wait_for_due_posts(text, numeric, numeric, numeric);
drop table public.turn_to_wait;
drop table public.waiter;
