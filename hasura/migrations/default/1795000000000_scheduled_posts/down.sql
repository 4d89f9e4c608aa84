drop function public.claim_due_posts(bigint, integer, integer, integer);
drop table public.post_attempt;
drop table public.scheduled_post;
drop function public.fill_in_only_account();
drop function public.touch_updated_at();
drop function public.session_author();
drop table public.account_user;
drop table public.account;
drop table public."user";
