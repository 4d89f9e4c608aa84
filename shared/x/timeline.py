"""X's answers about an account's own tweets (X's docs, "User Posts timeline"), read strictly.

Every function raises ValueError for an answer that is not as X documents it: to take it for an empty one would have a
post sent twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TWEET_FIELDS = "created_at,entities,note_tweet,text"
"""What `page` needs to be asked for."""


@dataclass(frozen=True)
class Tweet:
    """A tweet as X shows it. `text` is whole, with t.co links; `targets` are where those lead, except to media."""

    id: str
    created_at: datetime
    text: str
    targets: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """Some tweets, and the token of the page behind them, if any."""

    tweets: list[Tweet]
    next_token: str | None


def whole_second(since: datetime) -> datetime:
    """X shows times in whole seconds, so what is as old as `since` may be shown as this much older."""
    return since.astimezone(UTC).replace(microsecond=0)


def page(body: Any) -> Page:
    """One page of the tweets. X leaves out `data` where there are none, and also where it refuses to show them."""
    meta = _object(_object(body).get("meta"))
    nothing: list[Any] | None = [] if meta.get("result_count") == 0 else None
    tweets = _list(body.get("data", nothing))
    token = meta.get("next_token")
    return Page([_tweet(_object(tweet)) for tweet in tweets], None if token is None else _string(token))


def _tweet(tweet: Mapping[str, Any]) -> Tweet:
    note = _object(tweet.get("note_tweet", {}))  # the whole of a text beyond 280, which `text` has cut off
    return Tweet(
        id=_id(tweet.get("id")),
        created_at=_time(tweet.get("created_at")),
        text=_string(note.get("text", tweet.get("text"))),
        targets=_targets(tweet) | _targets(note),
    )


def _targets(links_of: Mapping[str, Any]) -> dict[str, str]:
    links = [_object(link) for link in _list(_object(links_of.get("entities", {})).get("urls", []))]
    return {
        _string(link.get("url")): _string(link.get("expanded_url")) for link in links if link.get("media_key") is None
    }


def _id(value: Any) -> str:
    if not re.fullmatch("[0-9]{1,19}", _string(value)):
        raise ValueError("no id of X's")
    return _string(value)


def _time(value: Any) -> datetime:
    time = datetime.fromisoformat(_string(value))
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return time


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("no list")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no string")
    return value
