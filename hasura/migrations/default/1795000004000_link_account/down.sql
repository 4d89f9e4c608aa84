drop function public.link_account;
drop table public.linked_account;
