"""X's rules for a new tweet, in the order in which we take X to check them (the real order is not published)."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.x_api import problems
from local.x_api.snowflakes import in_range
from local.x_api.storage import Storage, Tweet, User
from local.x_api.tweet_schema import EMULATED, MUTUALLY_EXCLUSIVE, NEW_TWEET, violations
from local.x_api.tweet_text import cashtags, compared, fits, mentions, shown


@dataclass(frozen=True)
class Draft:
    """The content of a new tweet, checked against the schema."""

    text: str = ""
    reply_to: str | None = None
    quoted: str | None = None
    media: list[str] = field(default_factory=list)


def draft_from(content_type: str, body: bytes) -> Draft:
    """Reads the body of ``POST /2/tweets``. Raises X's 400 when it is not what the schema wants."""
    if content_type != "application/json":
        raise problems.invalid_request("Requests with bodies must have content-type of application/json.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise problems.invalid_request("The request body is not valid JSON.") from None
    for violation in violations(content, NEW_TWEET):
        raise problems.invalid_request(violation)
    _refuse_contradictions(content)
    return Draft(
        text=content.get("text", ""),
        reply_to=content.get("reply", {}).get("in_reply_to_tweet_id"),
        quoted=content.get("quote_tweet_id"),
        media=content.get("media", {}).get("media_ids", []),
    )


def publish(draft: Draft, author: User, storage: Storage, duplicates_since: datetime) -> Tweet:
    """Stores the tweet, or raises X's rejection. The author may not repeat a text tweeted after `duplicates_since`."""
    replied_to = _tweet(storage, draft.reply_to)
    _refuse_unknown_ids(draft, replied_to, _tweet(storage, draft.quoted))
    if not fits(draft.text):
        raise problems.not_permitted()
    if len(cashtags(draft.text)) > 1:
        raise problems.too_many_cashtags()
    if replied_to and not _may_reply(author, replied_to):
        raise problems.reply_not_allowed()
    if draft.quoted:
        raise problems.not_permitted()  # self-serve apps may not quote; X's message for it is not known
    if storage.has_tweeted(author.id, compared(draft.text), duplicates_since):
        raise problems.duplicate()
    text, urls = shown(draft.text)
    return storage.add_tweet(
        author, draft.text, compared(draft.text), text, urls, replied_to.id if replied_to else None
    )


def _refuse_contradictions(content: dict[str, Any]) -> None:
    if sum(key in content for key in MUTUALLY_EXCLUSIVE) > 1:
        raise problems.invalid_request(f"You can only provide one of {' or '.join(MUTUALLY_EXCLUSIVE)}.")
    for key in content:
        if key not in EMULATED:
            raise problems.invalid_request(f"$.{key}: is not emulated by the development stack")


def _refuse_unknown_ids(draft: Draft, replied_to: Tweet | None, quoted: Tweet | None) -> None:
    if draft.media:  # nothing can be uploaded here, so no media id is known
        raise problems.invalid_request("Your media IDs are invalid.", {"media.media_ids": draft.media})
    if draft.reply_to and not replied_to:
        raise problems.invalid_request(
            "Your reply tweet ID is invalid.", {"reply.in_reply_to_tweet_id": [draft.reply_to]}
        )
    if draft.quoted and not quoted:
        raise problems.invalid_request("Your quote tweet ID is invalid.", {"quote_tweet_id": [draft.quoted]})


def _may_reply(author: User, tweet: Tweet) -> bool:
    """Self-serve apps reply to the author's own tweets and to those that mention the author."""
    return tweet.user_id == author.id or mentions(tweet.sent_text, author.username)


def _tweet(storage: Storage, tweet_id: str | None) -> Tweet | None:
    return storage.tweet(in_range(int(tweet_id))) if tweet_id else None
