"""X's API v2: publishing one post, and finding it again.

X has no idempotency key, so an answer that cannot be read leaves open whether the post is out, and is never guessed
away: the account's own tweets are what tells.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from requests_oauthlib import OAuth1

from shared.config import Settings
from shared.core.model import Account
from shared.errors import NotSent, OutcomeUnknown
from shared.http import client as http_client
from shared.http.client import HttpAnswer
from shared.x import timeline
from shared.x.matching import is_same_text
from shared.x.rejections import LOOKING, PUBLISHING, Purpose, refusal

READ_TIMEOUT = 30.0
"""Seconds that X may take for each part of its answer."""

MOST_PAGES = 32
"""X shows an account's latest 3,200 tweets, in pages of 100."""

_HEADERS = {"Connection": "close"}
"""For reading, too: an idle connection may be dead without our knowing, and a post on it of unknown outcome."""

_Read = TypeVar("_Read")


class X:
    """X, spoken to with OAuth 1.0a user tokens: they do not expire, so there is nothing to refresh."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._user_ids: dict[int, str] = {}
        for talkative in ("oauthlib", "requests_oauthlib"):  # at DEBUG they log tokens, signatures and the text
            logging.getLogger(talkative).setLevel(logging.INFO)

    def publish(self, account: Account, text: str) -> str:
        """The id of the new tweet. Raises a TryFailed, whose class says whether X may have the post nevertheless."""
        with _transport_told(PUBLISHING):
            answer = http_client.post(
                self._settings.x_base_url + "/2/tweets",
                {"text": text},
                headers=_HEADERS,
                auth=self._signature(account),
                read_timeout=READ_TIMEOUT,
            )
        return _tweet_id(answer, account.name, self._now())

    def find(self, account: Account, text: str, since: datetime) -> list[str]:
        """The ids of the account's own tweets since then whose text is `text`, oldest first.

        X shows times in whole seconds, so `since` is rounded down to one. Raises a TryFailed when X could not be asked:
        its class then says why and until when, and nothing of the post.
        """
        start = since.astimezone(UTC).replace(microsecond=0)
        tweets = self._tweets_since(start, account)
        return sorted({tweet.id for tweet in tweets if is_same_text(text, tweet.text, tweet.targets)}, key=int)

    def _tweets_since(self, start: datetime, account: Account) -> Iterator[timeline.Tweet]:
        user_id = self._user_id(account)
        query = {
            "start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "max_results": "100",
            "tweet.fields": timeline.TWEET_FIELDS,
        }
        for _ in range(MOST_PAGES):
            page = self._get(f"/2/users/{user_id}/tweets", query, account, timeline.page)
            yield from (tweet for tweet in page.tweets if tweet.created_at >= start)
            if not page.next_token:
                return
            query["pagination_token"] = page.next_token
        raise OutcomeUnknown(f"{LOOKING.unclear}: the list has no end.", status_code=200)

    def _user_id(self, account: Account) -> str:
        """Asked once, however many posts of the account are looked up: X answers it 75 times in 15 minutes."""
        if account.id not in self._user_ids:
            self._user_ids[account.id] = self._get("/2/users/me", {}, account, timeline.user_id)
        return self._user_ids[account.id]

    def _get(self, path: str, query: Mapping[str, str], account: Account, read: Callable[[Any], _Read]) -> _Read:
        with _transport_told(LOOKING):
            answer = http_client.get(
                self._settings.x_base_url + path,
                params=query,
                headers=_HEADERS,
                auth=self._signature(account),
                read_timeout=READ_TIMEOUT,
            )
        if not 200 <= answer.status < 300:
            raise refusal(answer, LOOKING, account.name, self._now())
        try:
            return read(answer.json)
        except ValueError as error:
            raise OutcomeUnknown(
                f"{LOOKING.unclear}: its answer could not be read.", status_code=answer.status
            ) from error

    def _signature(self, account: Account) -> OAuth1:
        """Made for each request: X takes a nonce that comes twice for a repeated submission."""
        return OAuth1(
            self._settings.consumer_api_key,
            self._settings.consumer_api_secret,
            account.access_token,
            account.access_token_secret,
        )


@contextmanager
def _transport_told(purpose: Purpose) -> Iterator[None]:
    try:
        yield
    except NotSent as error:
        raise NotSent(f"X could not be reached: {error.detail}.") from error
    except OutcomeUnknown as error:
        raise OutcomeUnknown(f"{purpose.unclear}: {error.detail}.") from error


def _tweet_id(answer: HttpAnswer, account_name: str, now: datetime) -> str:
    """The id in X's answer to a create. Raises the TryFailed that the answer means, in words for the author."""
    if not 200 <= answer.status < 300:
        raise refusal(answer, PUBLISHING, account_name, now)
    data = answer.json.get("data") if isinstance(answer.json, dict) else None
    new_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(new_id, str) or not new_id:
        raise OutcomeUnknown("X seems to have the post, but its answer could not be read.", status_code=answer.status)
    return new_id
