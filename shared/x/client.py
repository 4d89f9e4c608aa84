"""X's API v2: publishing one post, and finding it again.

X has no idempotency key, so an answer that cannot be read leaves open whether the post is out, and is never guessed
away: the account's own timeline is what tells.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from shared.config import Settings
from shared.core.model import (
    Accepted,
    Account,
    CannotAsk,
    NoConnection,
    PublishResult,
    Rejected,
    TimelineUnavailable,
    TokensUnreadable,
    Unanswered,
)
from shared.http import client as http_client
from shared.http.client import AnswerLost, HttpAnswer, RequestNotSent, TransportError
from shared.limits import TIMELINE_PAGES, TIMELINE_TIMEOUT, X_KEEP_ALIVE, X_TIMEOUT
from shared.x.rejections import PUBLISHING, READING, rejection
from shared.x.sealed_tokens import TokensDoNotOpen
from shared.x.searched_timeline import SearchedTimeline
from shared.x.signature import signature
from shared.x.timeline import TWEET_FIELDS, Page, Tweet, page, whole_second


class X:
    """X, spoken to with OAuth 1.0a user tokens: they do not expire, so there is nothing to refresh."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now

    def publish(self, account: Account, text: str) -> PublishResult:
        """Puts a text on X, once; the result says whether X may have it nevertheless. Never raises for X's answer."""
        try:
            answer = http_client.post(
                self._settings.x_base_url + "/2/tweets",
                {"text": text},
                auth=self._signature(account),
                timeout=X_TIMEOUT,
                keep_alive=X_KEEP_ALIVE,
            )
        except TokensDoNotOpen as error:
            return _unreadable(account, error)
        except RequestNotSent as error:
            return NoConnection(f"X could not be reached: {error}.")
        except AnswerLost as error:
            return Unanswered(f"{PUBLISHING.unclear}: {error}.")
        if not 200 <= answer.status < 300:
            return rejection(answer, PUBLISHING, account.name, self._now())
        tweet_id = _tweet_id(answer)
        if tweet_id is None:
            return Unanswered("X seems to have the post, but its answer could not be read.", answer.status)
        return Accepted(tweet_id, answer.status)

    def timeline(self, account: Account, since: datetime, until: datetime) -> SearchedTimeline:
        """The account's own tweets since then, each page of which is asked for when a search first needs it."""
        return SearchedTimeline(self._pages(account, since, until))

    def tweets_since(self, account: Account, since: datetime, until: datetime) -> Iterator[Tweet]:
        """The account's own tweets since then, newest first.

        Raises TimelineUnavailable when X could not be asked, or has not shown all of them by `until`.
        """
        start = whole_second(since)
        for tweets in self._pages(account, since, until):
            yield from (tweet for tweet in tweets if tweet.created_at >= start)

    def _pages(self, account: Account, since: datetime, until: datetime) -> Iterator[list[Tweet]]:
        query = {
            "start_time": whole_second(since).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "max_results": "100",
            "tweet.fields": TWEET_FIELDS,
        }
        for _ in range(TIMELINE_PAGES):
            shown = self._page(query, account, until)
            yield shown.tweets
            if not shown.next_token:
                return
            query["pagination_token"] = shown.next_token
        raise _unavailable("the list has no end")

    def _page(self, query: Mapping[str, str], account: Account, until: datetime) -> Page:
        time_left = until - self._now()
        if time_left <= timedelta():
            raise _unavailable("it took too long")
        try:
            answer = http_client.get(
                f"{self._settings.x_base_url}/2/users/{account.x_user_id}/tweets",
                params=query,
                auth=self._signature(account),
                timeout=min(TIMELINE_TIMEOUT, time_left),
                keep_alive=X_KEEP_ALIVE,
            )
        except TokensDoNotOpen as error:
            raise TimelineUnavailable(_unreadable(account, error)) from error
        except TransportError as error:
            raise _unavailable(str(error)) from error
        if not 200 <= answer.status < 300:
            raise TimelineUnavailable(_cannot_ask(rejection(answer, READING, account.name, self._now())))
        try:
            return page(answer.json)
        except ValueError as error:
            raise _unavailable("its answer could not be read") from error

    def _signature(self, account: Account) -> http_client.Sign:
        """The one place where tokens are opened. Raises TokensDoNotOpen."""
        tokens = self._settings.x_token_keys.open(account.x_user_id, account.sealed_tokens)
        app = (self._settings.consumer_api_key, self._settings.consumer_api_secret)
        return signature(app, (tokens.access_token, tokens.access_token_secret))


def _tweet_id(answer: HttpAnswer) -> str | None:
    """The id in X's answer to a create; None when it cannot be read."""
    data = answer.json.get("data") if isinstance(answer.json, dict) else None
    new_id = data.get("id") if isinstance(data, dict) else None
    return new_id if isinstance(new_id, str) and new_id else None


def _unreadable(account: Account, error: TokensDoNotOpen) -> TokensUnreadable:
    return TokensUnreadable(
        f"Our stored sign-in for @{account.name} cannot be opened. The operator is told; linking @{account.name} anew "
        "helps, too.",
        f"the tokens of @{account.name} (account {account.id}) do not open with X_TOKEN_KEYS: {error}",
    )


def _unavailable(why: str) -> TimelineUnavailable:
    return TimelineUnavailable(CannotAsk(f"{READING.unclear}: {why}."))


def _cannot_ask(result: Rejected | Unanswered) -> CannotAsk:
    if isinstance(result, Unanswered):
        return CannotAsk(result.detail)
    return CannotAsk(result.detail, result.wait or None, result.what, result.operator_message)
