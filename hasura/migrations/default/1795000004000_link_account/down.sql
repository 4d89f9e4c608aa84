drop function public.forget_user;
drop function public.unlink_account;
drop function public.link_account;
drop function public.others_linked_to;
drop table public.forgotten_user;
drop table public.linked_account;
