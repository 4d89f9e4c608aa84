"""Are the posts well? Each by itself with its log, and posts beside each other."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from doctor.findings import Finding
from doctor.posts import Post, Posts

PATIENCE = timedelta(minutes=3)
"""The sweep rings each minute, and has a minute to answer: what waits longer than this waits in vain."""


def post_findings(posts: Posts, now: datetime) -> Iterator[Finding]:
    """Everything that is wrong with posts; `now` by the database's clock, which is the one that claims."""
    yield from _app_held(posts, now)
    for post in posts.all:
        if not _is_held(posts, now):
            yield from _overdue(post, now)
        for check in _ABOUT_TIME:
            yield from check(post, now)
        for check_log in _ABOUT_THE_LOG:
            yield from check_log(post)
    yield from twins(posts.in_state("tweeted"))


def _is_held(posts: Posts, now: datetime) -> bool:
    return posts.app_held_until is not None and posts.app_held_until > now - PATIENCE


def _app_held(posts: Posts, now: datetime) -> Iterator[Finding]:
    if posts.app_held_until and posts.app_held_until > now:
        sentence = f"All posts wait until {_clock(posts.app_held_until)}: {posts.app_held_because} Act on that first."
        yield Finding("stuck", "app", sentence)


def _overdue(post: Post, now: datetime) -> Iterator[Finding]:
    due_at = max(time for time in (post.schedule_for, post.not_before, post.held_until) if time)
    if post.state == "scheduled" and due_at < now - PATIENCE:
        yield _stuck(post, f"It was due at {_clock(due_at)}, {_ago(due_at, now)} ago, and no ring has taken it")


def _lapsed(post: Post, now: datetime) -> Iterator[Finding]:
    if post.state == "sending" and post.lease_until and post.lease_until < now - PATIENCE:
        since = f"at {_clock(post.lease_until)}, {_ago(post.lease_until, now)} ago"
        yield _stuck(post, f"Its publisher stopped: the lease ran out {since}, and no ring has looked after it")


def _not_looked_up(post: Post, now: datetime) -> Iterator[Finding]:
    if post.state != "unknown" or not post.not_before:
        return
    look_at = max(post.not_before, post.lease_until or post.not_before)
    if look_at < now - PATIENCE:
        since = f"at {_clock(look_at)}, {_ago(look_at, now)} ago"
        yield _stuck(post, f"Whether X has it was to be looked up {since}, and no ring has done it")


def _stuck(post: Post, what: str) -> Finding:
    return Finding("stuck", post.subject, f"{what}. See that the cron trigger publish_due_posts reaches postTweet.")


def _attempt_left_open(post: Post) -> Iterator[Finding]:
    """The claim opens the attempt and the row together, and they are closed together."""
    open_ones = [attempt.number for attempt in post.attempts if attempt.finished_at is None]
    if open_ones and post.state != "sending":
        sentence = (
            f"Its attempt {open_ones[0]} is open though the post is {post.state}: the next claim would fail, and with "
            "it the posts beside it. See on X what became of the attempt, and finish it in post_attempt."
        )
        yield Finding("orphaned", post.subject, sentence)


def _sending_without_attempt(post: Post) -> Iterator[Finding]:
    if post.state == "sending" and all(attempt.finished_at for attempt in post.attempts):
        sentence = "It is being sent, but its log has no open attempt: what becomes of it will not be in the log."
        yield Finding("orphaned", post.subject, sentence)


def _accepted_in_vain(post: Post) -> Iterator[Finding]:
    accepted = [attempt.number for attempt in post.attempts if attempt.outcome == "tweeted"]
    if accepted and post.state != "tweeted":
        sentence = (
            f"X accepted its attempt {accepted[0]}, but the row is {post.state}, so it may go out again. Look on X, "
            "and set it to tweeted with the tweet's id."
        )
        yield Finding("lost", post.subject, sentence)
    elif len(accepted) > 1:
        sentence = f"X accepted {len(accepted)} of its attempts ({_list(accepted)}). Look on X, and delete all but one."
        yield Finding("doubled", post.subject, sentence)


def _tweeted_without_proof(post: Post) -> Iterator[Finding]:
    if post.state != "tweeted":
        return
    if not post.tweet_id:
        yield Finding("lost", post.subject, "The row says tweeted, but as no tweet. Look on X, and set its tweet_id.")
    elif not any(attempt.outcome == "tweeted" for attempt in post.attempts):
        sentence = f"The row says tweeted as {post.tweet_id}, but its log has no attempt that X accepted."
        yield Finding("orphaned", post.subject, sentence)


def _without_account(post: Post) -> Iterator[Finding]:
    if post.state == "scheduled" and post.account_id is None:
        sentence = "Its X account was removed, so it will fail at its time. Its author can choose another account."
        yield Finding("orphaned", post.subject, sentence)


_ABOUT_TIME: tuple[Callable[[Post, datetime], Iterator[Finding]], ...] = (_lapsed, _not_looked_up)
_ABOUT_THE_LOG: tuple[Callable[[Post], Iterator[Finding]], ...] = (
    _attempt_left_open,
    _sending_without_attempt,
    _accepted_in_vain,
    _tweeted_without_proof,
    _without_account,
)


def twins(tweeted: Iterable[Post]) -> Iterator[Finding]:
    """Published posts of one account with the same text, give or take white space."""
    by_text: dict[tuple[int | None, str], list[Post]] = {}
    for post in tweeted:
        by_text.setdefault((post.account_id, " ".join(post.text.split())), []).append(post)
    for same in by_text.values():
        if len(same) > 1:
            ids = sorted(post.id for post in same)
            sentence = (
                f"They went out from @{same[0].account_name} with the same text, as {_list(p.tweet_id for p in same)}. "
                "If that was not meant, delete one on X; a create with an Idempotency-Key is not done twice."
            )
            yield Finding("doubled", f"posts {_list(ids)}", sentence)


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _clock(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%SZ}"


def _ago(time: datetime, now: datetime) -> str:
    minutes = (now - time) // timedelta(minutes=1)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
