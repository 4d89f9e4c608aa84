drop function public.log_unseen_attempt(public.scheduled_post, timestamptz, text, text);
drop function public.leave_to_author(bigint, text);
drop function public.record_found_tweet(bigint, text, timestamptz);
