"""X's API v2: publishing one post, and reading what X says to it.

What X's answers mean follows X's docs (Posts, Rate limits, Error codes) and answers seen in the wild. X has no
idempotency key, so an answer that cannot be read leaves open whether the post is out, and is never guessed away.
"""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from requests_oauthlib import OAuth1

from shared import http_client
from shared.config import Settings
from shared.errors import AccountHeld, AppHeld, NotSent, OutcomeUnknown, Refused, SignInRefused, TryFailed
from shared.http_client import HttpAnswer
from shared.posts import Account

READ_TIMEOUT = 30.0
"""Seconds that X may take for each part of its answer."""

HOUR = timedelta(hours=1)
DEFAULT_LIMIT_WAIT = timedelta(minutes=15)
SHORTEST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=25)

SUSPENDED_CODES = {64, 326}
"""Account suspended; account locked until its owner logs in."""

SLOW_DOWN_CODES = {185, 226}
"""Over the daily limit; looks automated."""

DUPLICATE_CODE, NO_ACCESS_CODE, READ_ONLY_CODE = 187, 453, 261


class X:
    """X, spoken to with OAuth 1.0a user tokens: they do not expire, so there is nothing to refresh."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        for talkative in ("oauthlib", "requests_oauthlib"):  # at DEBUG they log tokens, signatures and the text
            logging.getLogger(talkative).setLevel(logging.INFO)

    def publish(self, account: Account, text: str) -> str:
        """The id of the new tweet. Raises a TryFailed, whose class says whether X may have the post nevertheless."""
        try:
            answer = http_client.post(
                self._settings.x_base_url + "/2/tweets",
                {"text": text},
                headers={"Connection": "close"},  # an idle one may be dead without our knowing: an unknown outcome
                auth=self._signature(account),
                read_timeout=READ_TIMEOUT,
            )
        except NotSent as error:
            raise NotSent(f"X could not be reached: {error.detail}.") from error
        except OutcomeUnknown as error:
            raise OutcomeUnknown(f"X may or may not have the post: {error.detail}.") from error
        return tweet_id(answer, account.name, self._now())

    def _signature(self, account: Account) -> OAuth1:
        """Made for each request: X takes a nonce that comes twice for a repeated submission."""
        return OAuth1(
            self._settings.consumer_api_key,
            self._settings.consumer_api_secret,
            account.access_token,
            account.access_token_secret,
        )


def tweet_id(answer: HttpAnswer, account_name: str, now: datetime) -> str:
    """The id in X's answer to a create. Raises the TryFailed that the answer means, in words for the author."""
    body = answer.json if isinstance(answer.json, dict) else {}
    if 200 <= answer.status < 300:
        return _id_of_created(body, answer.status)
    raise _refusal(answer, _Complaint(body), f"@{account_name}", now)


def _id_of_created(body: Mapping[str, Any], status: int) -> str:
    data = body.get("data")
    new_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(new_id, str) or not new_id:
        raise OutcomeUnknown("X seems to have the post, but its answer could not be read.", status_code=status)
    return new_id


_NOT_FOR_POSTGRESQL = re.compile("[\x00\ud800-\udfff]")


class _Complaint:
    """The parts of an error body that tell refusals apart, whichever of X's three shapes it has."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        listed = body.get("errors")
        errors = [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
        messages = [str(error["message"]) for error in errors if error.get("message")]
        self.slug = str(body.get("type") or "").rsplit("/", 1)[-1]
        """The last segment of `type`: its host differs between api.twitter.com and api.x.com."""
        self.codes = {code for error in errors if isinstance(code := error.get("code"), int)}
        words = " ".join(messages) or str(body.get("detail") or body.get("title") or "no reason given")
        self.words = _NOT_FOR_POSTGRESQL.sub("?", words)[:300]


def _refusal(answer: HttpAnswer, complaint: _Complaint, account: str, now: datetime) -> TryFailed:
    status = answer.status
    if status == 429:
        return _limited(answer, complaint, account, now)
    if status == 402:
        return AppHeld("X wants our app's credits topped up first.", status_code=status, wait=HOUR)
    if status == 401:
        return _sign_in_refused(account, status)
    if status == 403 and isinstance(answer.json, dict):
        return _forbidden(complaint, account)
    if status in (404, 405) or 300 <= status < 400:
        return AppHeld(f"X's API is not at the configured address (HTTP {status}).", status_code=status, wait=HOUR)
    if 400 <= status < 500 and isinstance(answer.json, dict):
        return Refused(f"X refuses this post: {complaint.words}", status_code=status)
    return OutcomeUnknown(f"X had trouble (HTTP {status}) and may or may not have the post.", status_code=status)


def _forbidden(complaint: _Complaint, account: str) -> TryFailed:
    slug, codes = complaint.slug, complaint.codes
    if slug == "user-suspended" or codes & SUSPENDED_CODES:
        return AccountHeld(f"X has blocked {account}: log in at x.com to see why.", status_code=403, wait=HOUR)
    if codes & SLOW_DOWN_CODES:
        return AccountHeld(f"X wants {account} to slow down.", status_code=403, wait=HOUR)
    if slug == "oauth1-permissions" or READ_ONLY_CODE in codes or complaint.words == "Forbidden":
        return AccountHeld(
            f"Our app may only read for {account}: it needs write permission, then link {account} anew.",
            status_code=403,
            wait=HOUR,
        )
    if slug in ("client-forbidden", "app-suspended") or NO_ACCESS_CODE in codes:
        return AppHeld(f"X does not let our app post: {complaint.words}", status_code=403, wait=HOUR)
    if slug == "unsupported-authentication":
        return _sign_in_refused(account, 403)
    if DUPLICATE_CODE in codes or "duplicate content" in complaint.words:
        return Refused(f"X says that {account} has posted this text already.", status_code=403)
    return Refused(f"X refuses this post: {complaint.words}", status_code=403)


def _sign_in_refused(account: str, status: int) -> SignInRefused:
    return SignInRefused(f"X no longer accepts our sign-in for {account}: link {account} anew.", status_code=status)


def _limited(answer: HttpAnswer, complaint: _Complaint, account: str, now: datetime) -> TryFailed:
    if complaint.slug == "usage-capped":
        return AppHeld("X's monthly cap for our app is used up.", status_code=429, wait=HOUR)
    wait = _wait_for_reset(answer.headers, now)
    if answer.headers.get("x-app-limit-24hour-remaining") == "0":
        return AppHeld("X's daily limit for our app is used up.", status_code=429, wait=wait)
    return AccountHeld(f"X limits how much {account} may post for now.", status_code=429, wait=wait)


_BUCKETS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")


def _wait_for_reset(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Until the last empty bucket is full again; a daily one may be empty while the window of 15 minutes is not."""
    empty = [bucket for bucket in _BUCKETS if headers.get(f"{bucket}-remaining") == "0"] or ["x-rate-limit"]
    resets = [reset for bucket in empty if (reset := _number(headers.get(f"{bucket}-reset"))) is not None]
    after = _number(headers.get("retry-after"))
    if resets:
        seconds = max(resets) - now.timestamp() + 1
    elif after is not None:
        seconds = after
    else:
        return DEFAULT_LIMIT_WAIT
    longest, shortest = LONGEST_WAIT.total_seconds(), SHORTEST_WAIT.total_seconds()
    return timedelta(seconds=min(max(seconds, shortest), longest))


def _number(header: str | None) -> int | None:
    """No header of X's has 20 digits, and Python refuses to read thousands of them."""
    return int(header) if header and header.isdecimal() and len(header) <= 20 else None
