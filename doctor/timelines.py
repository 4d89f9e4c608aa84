"""Does X have what the rows say, once? Asked with the accounts' own sign-ins, of the latest posts alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from doctor.findings import Finding
from doctor.hasura_api import HasuraApi
from doctor.posts import Post
from shared.core.model import Account
from shared.core.reconcile import MARGIN, SURE_AFTER
from shared.errors import AppHeld, SignInRefused, TryFailed


@dataclass(frozen=True)
class Question:
    """A text that was sent from an account, since when, and the posts that did it."""

    account_id: int
    text: str
    since: datetime
    posts: tuple[Post, ...]


@dataclass(frozen=True)
class Sight:
    """What X showed on that account: the ids of all tweets with the text, and which are of a row, be it another's."""

    question: Question
    account_name: str
    found: Sequence[str]
    known: frozenset[str]


ACCOUNTS = """
query doctorReadsAccounts($ids: [bigint!]!) {
  account(where: {id: {_in: $ids}}) { id account_name access_token access_token_secret }
}"""


def questions(posts: Iterable[Post]) -> list[Question]:
    """What to ask X, newest first: each text on the account that it was tried from; the post may have others by now.

    Posts in the middle of a try, or still to be looked up, are asked for by others. An account that was removed since
    cannot be asked.
    """
    asked: dict[tuple[int, str], list[tuple[datetime, Post]]] = {}
    for post in posts:
        if post.state == "sending" or (post.state == "unknown" and post.not_before):
            continue
        for attempt in post.attempts:
            if attempt.account_id is not None and attempt.outcome != "opened" and attempt.finished_at:
                asked.setdefault((attempt.account_id, attempt.text), []).append((attempt.started_at, post))
    found = [
        Question(
            account_id, text, min(at for at, _ in tries) - MARGIN, tuple({post.id: post for _, post in tries}.values())
        )
        for (account_id, text), tries in asked.items()
    ]
    return sorted(found, key=lambda question: question.since, reverse=True)


def read_accounts(hasura: HasuraApi, ids: Iterable[int]) -> Mapping[int, Account]:
    """The accounts with their sign-ins, by id."""
    rows: list[dict[str, Any]] = hasura.query(ACCOUNTS, {"ids": sorted(set(ids))})["account"]
    return {
        int(row["id"]): Account(
            id=int(row["id"]),
            name=row["account_name"],
            user_ids=frozenset(),
            access_token=row["access_token"],
            access_token_secret=row["access_token_secret"],
        )
        for row in rows
    }


def sight_findings(sight: Sight, now: datetime) -> Iterator[Finding]:
    """What X shows and no row knows, and what a row knows and X does not show."""
    for tweet_id in sight.found:
        if tweet_id not in sight.known:
            yield _unknown_tweet(tweet_id, sight)
    for post in sight.question.posts:
        if _should_be_shown(post, sight.question, now) and post.tweet_id not in sight.found:
            sentence = (
                f"The row says tweeted as {post.tweet_id}, but X does not show that on @{sight.account_name}. "
                "If nobody deleted it there, schedule it anew."
            )
            yield Finding("lost", post.subject, sentence)


def blindness_findings(failures: Mapping[str, TryFailed], number_of_accounts: int) -> Iterator[Finding]:
    """What it tells about our app that X would not show the posts of these accounts, by name."""
    for error in {error.detail: error for error in failures.values() if isinstance(error, AppHeld)}.values():
        yield Finding("misconfigured", "our app on X", f"{error.detail} See X's developer portal.")
    refused = [name for name, error in failures.items() if isinstance(error, SignInRefused)]
    if refused and len(refused) == number_of_accounts:
        sentence = (
            f"X refuses the sign-in of every account that was asked for ({', '.join('@' + name for name in refused)}). "
            "Compare the keys with X's developer portal; if they are right, link the accounts anew."
        )
        yield Finding("misconfigured", "CONSUMER_API_KEY, CONSUMER_API_SECRET", sentence)


def _unknown_tweet(tweet_id: str, sight: Sight) -> Finding:
    posts = sight.question.posts
    subject = ("post " if len(posts) == 1 else "posts ") + ", ".join(str(post.id) for post in posts)
    where = f"@{sight.account_name} has its text on X as {tweet_id}, which no row knows"
    if any(post.state == "tweeted" for post in posts):
        return Finding("doubled", subject, f"{where}, beside the tweet that it knows. Delete one of them on X.")
    states = " and ".join(sorted({post.state for post in posts}))
    sentence = f"{where}: here it is {states}. If it was not posted by hand, do not publish it again."
    return Finding("orphaned", subject, sentence)


def _should_be_shown(post: Post, question: Question, now: datetime) -> bool:
    """What X shows lags behind what it has."""
    accepted = _accepted(post, question)
    return post.tweet_id is not None and any(at < now - SURE_AFTER for at in accepted)


def _accepted(post: Post, question: Question) -> list[datetime]:
    """When X accepted just this text from just this account; other attempts of the post may have had others."""
    asked = (question.account_id, question.text)
    return [
        attempt.finished_at
        for attempt in post.attempts
        if attempt.outcome == "tweeted" and attempt.finished_at and (attempt.account_id, attempt.text) == asked
    ]
