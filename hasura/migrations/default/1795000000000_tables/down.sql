drop table public.post_attempt;
drop table public.scheduled_post;
drop function public.session_author();
drop function public.session_username();
drop table public.account_user;
drop table public.app;
drop table public.account;
drop table public."user";
