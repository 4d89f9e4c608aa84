drop function public.record_outcome(bigint, integer, timestamptz, text, jsonb, text, text, timestamptz, timestamptz, text, timestamptz);
drop function public.claim_due_posts(bigint, integer, integer, integer);
drop function public.pauses_of(public.scheduled_post);
drop function public.last_opened(bigint);
drop function public.account_with_tokens(public.account);
drop table public.recorded_outcome;
drop table public.claimed_post;
