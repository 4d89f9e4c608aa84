"""Reading tweets: the query of ``GET /2/users/:id/tweets``, its pages, and the fields of a tweet.

Source: X's documentation, "Timelines" and "Fields". The fields parameter has two names, ``tweet.fields`` and, newer,
``post.fields``; both work.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from local.x_api.fields import refused_value, requested_fields
from local.x_api.snowflakes import first_id_at, in_range, rfc3339
from local.x_api.storage import Storage, Tweet

_FEWEST, _MOST, _USUALLY = 5, 100, 10
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:[0-5]\d)", re.ASCII)
_ALWAYS = ("id", "text", "edit_history_tweet_ids")

_METRICS = ("retweet_count", "reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")
_NOT_EMULATED = (
    "article", "attachments", "card_uri", "community_id", "context_annotations", "conversation_id",
    "display_text_range", "edit_controls", "geo", "in_reply_to_user_id", "lang", "media_metadata",
    "non_public_metrics", "organic_metrics", "promoted_metrics", "reply_settings", "scopes", "source",
    "suggested_source_links", "withheld",
)  # fmt: skip

_FIELDS: dict[str, Callable[[Tweet], Any]] = {
    "author_id": lambda tweet: str(tweet.user_id),
    "created_at": lambda tweet: rfc3339(tweet.created_at),
    "edit_history_tweet_ids": lambda tweet: [str(tweet.id)],
    "entities": lambda tweet: {"urls": tweet.urls} if tweet.urls else None,
    "id": lambda tweet: str(tweet.id),
    "note_tweet": lambda _: None,  # only texts beyond 280 have one, and those are refused
    "possibly_sensitive": lambda _: False,
    "public_metrics": lambda _: dict.fromkeys(_METRICS, 0),
    "referenced_tweets": lambda tweet: [{"type": "replied_to", "id": str(tweet.reply_to)}] if tweet.reply_to else None,
    "text": lambda tweet: tweet.text,
}
"""How each field is read; None is left out of the answer."""

FIELDS_PARAMETERS = ("tweet.fields", "post.fields")
PAGE_PARAMETERS = (
    "max_results", "start_time", "end_time", "since_id", "until_id", "pagination_token", "exclude",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """Which tweets to return: the newest `size` of those with `after` < id < `before`."""

    after: int
    before: int
    size: int
    with_replies: bool

    def older_than(self, snowflake: int) -> "Page":
        """The page without that id and all later ones."""
        return replace(self, before=min(self.before, snowflake))


def page_from(query: Mapping[str, str]) -> Page:
    """Reads the query of a timeline. Raises X's 400."""
    lower, upper = [-1], [1 << 64]
    if "start_time" in query:
        lower.append(first_id_at(_time(query, "start_time")) - 1)
    if "since_id" in query:
        lower.append(_id(query, "since_id"))
    if "end_time" in query:
        upper.append(first_id_at(_time(query, "end_time")))
    if "until_id" in query:
        upper.append(_id(query, "until_id"))
    if "pagination_token" in query:
        upper.append(_token(query))
    return Page(in_range(max(lower)), in_range(min(upper)), _size(query), "replies" not in _exclusions(query))


def timeline(storage: Storage, user_id: int, page: Page, fields: Iterable[str]) -> dict[str, Any]:
    """X's answer: the tweets, newest first, and a ``meta`` with the way to the next page when there is one."""
    found = storage.timeline(user_id, page.after, page.before, page.size + 1, with_replies=page.with_replies)
    tweets, more = found[: page.size], found[page.size :]
    if not tweets:
        return {"meta": {"result_count": 0}}
    meta = {"result_count": len(tweets), "newest_id": str(tweets[0].id), "oldest_id": str(tweets[-1].id)}
    if more:
        meta["next_token"] = urlsafe_b64encode(f"before {tweets[-1].id}".encode()).decode()
    return {"data": [rendered(tweet, fields) for tweet in tweets], "meta": meta}


def rendered(tweet: Tweet, fields: Iterable[str]) -> dict[str, Any]:
    """The tweet with `fields` and those that X always sends."""
    values = {name: _FIELDS[name](tweet) for name in dict.fromkeys((*_ALWAYS, *fields))}
    return {name: value for name, value in values.items() if value is not None}


def fields_from(query: Mapping[str, str]) -> list[str]:
    """The requested fields. Raises X's 400."""
    return requested_fields(query, FIELDS_PARAMETERS, _FIELDS, _NOT_EMULATED)


def _size(query: Mapping[str, str]) -> int:
    value = query.get("max_results", str(_USUALLY))
    if not (re.fullmatch("[0-9]{1,3}", value) and _FEWEST <= int(value) <= _MOST):
        raise refused_value("max_results", value, f"is not between {_FEWEST} and {_MOST}")
    return int(value)


def _exclusions(query: Mapping[str, str]) -> list[str]:
    excluded = query["exclude"].split(",") if "exclude" in query else []
    for value in excluded:
        if value not in ("retweets", "replies"):
            raise refused_value("exclude", value, "is not one of [replies,retweets]")
    return excluded


def _time(query: Mapping[str, str], name: str) -> datetime:
    try:
        if _RFC_3339.fullmatch(query[name]):
            return datetime.fromisoformat(query[name]).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise refused_value(name, query[name], "is not a valid RFC 3339 date-time")


def _id(query: Mapping[str, str], name: str) -> int:
    if not re.fullmatch("[0-9]{1,19}", query[name]):
        raise refused_value(name, query[name], "does not match ^[0-9]{1,19}$")
    return int(query[name])


def _token(query: Mapping[str, str]) -> int:
    token = query["pagination_token"]
    try:
        word, _, number = urlsafe_b64decode(token).decode().partition(" ")
        if word == "before":
            return int(number)
    except ValueError:
        pass
    raise refused_value("pagination_token", token, "is not valid")
