"""Does X have what the rows say, once? Asked of the latest texts, with the timelines of the accounts that sent them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin.hasura_api import HasuraApi
from doctor.posts import Attempt, Post
from doctor.report import Finding, about_posts, misconfigured
from shared.core.model import Account, CannotAsk, Outcome, Rejection, State, TokensUnreadable
from shared.limits import CLOCK_MARGIN, SURE_AFTER


@dataclass(frozen=True)
class SentText:
    """A text that was sent from a user of X, since when, and the posts that did it."""

    x_user_id: str
    text: str
    since: datetime
    posts: tuple[Post, ...]


ACCOUNTS = """
query doctorReadsAccounts($ids: [String!]!) {
  account(where: {x_user_id: {_in: $ids}}) { id account_name x_user_id sealed_tokens }
}"""


def sent_texts(posts: Iterable[Post]) -> list[SentText]:
    """What to ask X about, newest first. What was sent counts; the post may have another text or account by now.

    Posts that are being sent, or will be reconciled anyway, are left out, and so are accounts that were removed.
    """
    attempts: dict[tuple[str, str], list[tuple[datetime, Post]]] = {}
    for post in posts:
        if post.state == State.SENDING or (post.state == State.UNKNOWN and post.reconcile_at):
            continue
        for attempt in post.attempts:
            if attempt.x_user_id is not None and attempt.outcome != "opened" and attempt.finished_at:
                attempts.setdefault((attempt.x_user_id, attempt.text), []).append((attempt.started_at, post))
    sent = [
        SentText(
            x_user_id,
            text,
            min(at for at, _ in those) - CLOCK_MARGIN,
            tuple({post.id: post for _, post in those}.values()),
        )
        for (x_user_id, text), those in attempts.items()
    ]
    return sorted(sent, key=lambda one: one.since, reverse=True)


def read_accounts(hasura: HasuraApi, x_user_ids: Iterable[str]) -> Mapping[str, Account]:
    """The accounts with their sealed tokens, by their ids on X."""
    rows: list[dict[str, Any]] = hasura.graphql(ACCOUNTS, {"ids": sorted(set(x_user_ids))})["account"]
    return {
        row["x_user_id"]: Account(int(row["id"]), row["account_name"], row["x_user_id"], row["sealed_tokens"])
        for row in rows
    }


def timeline_findings(
    sent: SentText, account_name: str, shown: Collection[str], known: Collection[str], now: datetime
) -> Iterator[Finding]:
    """What X shows and no row knows, and what a row knows and X does not show.

    `shown` are the ids of all tweets with that text on X, and `known` those that a row has, be it another post's.
    """
    for tweet_id in shown:
        if tweet_id not in known:
            yield _unknown_tweet(tweet_id, sent.posts, account_name)
    for post in sent.posts:
        if _should_be_shown(post, sent, now) and post.tweet_id not in shown:
            sentence = f"The row says tweeted as {post.tweet_id}, but X does not show that on @{account_name}."
            yield about_posts("lost", [post.id], sentence, "If nobody deleted it there, schedule it anew.")


def _unknown_tweet(tweet_id: str, posts: Iterable[Post], account_name: str) -> Finding:
    ids = [post.id for post in posts]
    what = f"@{account_name} has this text on X as {tweet_id}, which no row knows"
    if any(post.state == State.TWEETED for post in posts):
        return about_posts("duplicate", ids, f"{what}, beside the tweet of the row.", "Delete one of them on X.")
    states = " and ".join(sorted({post.state for post in posts}))
    cure = "If it was not posted by hand, do not publish the text again."
    return about_posts("orphaned", ids, f"{what}; here it is {states}.", cure)


def _should_be_shown(post: Post, sent: SentText, now: datetime) -> bool:
    """What X shows lags behind what it has."""
    return post.state == State.TWEETED and any(
        attempt.finished_at < now - SURE_AFTER
        for attempt in post.attempts
        if attempt.finished_at and _is_accepted(attempt, sent)
    )


def _is_accepted(attempt: Attempt, sent: SentText) -> bool:
    """Whether X accepted just this text from just this account; other attempts of the post may have had others."""
    return (attempt.outcome, attempt.x_user_id, attempt.text) == (Outcome.TWEETED, sent.x_user_id, sent.text)


def unavailable_findings(
    failures: Mapping[str, CannotAsk | TokensUnreadable], number_of_accounts: int
) -> Iterator[Finding]:
    """What it tells about our app that X did not show the timelines of these accounts, by name."""
    for failure in failures.values():
        if isinstance(failure, TokensUnreadable):
            sentence = f"{failure.operator_message[0].upper()}{failure.operator_message[1:]}."
            yield misconfigured(
                "X_TOKEN_KEYS", sentence, "Give back the key that sealed them, or link the account anew."
            )
    refusals = {name: failure for name, failure in failures.items() if isinstance(failure, CannotAsk)}
    for detail in dict.fromkeys(failure.detail for failure in refusals.values() if failure.what is Rejection.APP):
        yield misconfigured("our app on X", detail, "See X's developer portal.")
    rejected = [name for name, failure in refusals.items() if failure.what is Rejection.SIGN_IN]
    if rejected and len(rejected) == number_of_accounts:
        accounts = ", ".join(f"@{name}" for name in rejected)
        yield misconfigured(
            "CONSUMER_API_KEY, CONSUMER_API_SECRET",
            f"X rejects the sign-in of every account that was asked for ({accounts}).",
            "Compare the keys with X's developer portal; if they are right, link the accounts anew.",
        )
