"""What X rejects, by its answer: X's docs (Rate limits, Error codes) and answers that others have published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.model import Rejected, Rejection, Unanswered
from shared.http.client import HttpAnswer
from shared.limits import DEFAULT_LIMIT_WAIT, LONGEST_LIMIT_WAIT, REJECTION_PAUSE, SHORTEST_LIMIT_WAIT

POST_REJECTED_STATUSES = (400, 413, 415, 422)
"""With 403, what X answers when it read the request and will not take it. Others, like 408, may come from a gateway."""

SUSPENDED_CODES = {64, 326}
"""Account suspended; account locked until its owner logs in."""

SLOW_DOWN_CODES = {185, 226}
"""Over the daily limit; looks automated."""

DUPLICATE_CODE, NO_ACCESS_CODE, APP_CANNOT_WRITE_CODE = 187, 453, 261


@dataclass(frozen=True)
class Purpose:
    """What X is asked for, in the words of its failure."""

    rejected: str
    unclear: str
    forbidden: str


PUBLISHING = Purpose("X rejects this post", "X may or may not have the post", "X does not let our app post")
READING = Purpose(
    "X does not show the account's posts",
    "X did not show the account's posts",
    "X does not let our app read the account's posts",
)


def rejection(answer: HttpAnswer, purpose: Purpose, account_name: str, now: datetime) -> Rejected | Unanswered:
    """What an answer that is no 2xx means, in words for the account's author."""
    status, error, account = answer.status, _ErrorBody(answer), f"@{account_name}"
    if status == 429:
        return _limited(answer, error, account, now)
    if status == 402:
        return Rejected(Rejection.APP, "X wants our app's credits topped up first.", status, REJECTION_PAUSE)
    if status == 401:
        return _sign_in_rejected(account, status)
    if status == 403 and isinstance(answer.json, dict):
        return _forbidden(error, purpose, account)
    if status in (404, 405) or 300 <= status < 400:
        operator = f"X does not have what we ask for: it answers {status} for {account}; is X_BASE_URL right?"
        words = f"X does not have what we ask it for {account} (HTTP {status}). The operator is told."
        return Rejected(Rejection.ACCOUNT, words, status, REJECTION_PAUSE, operator)
    if status in POST_REJECTED_STATUSES and isinstance(answer.json, dict):
        return Rejected(Rejection.POST, f"{purpose.rejected}: {error.words}", status)
    return Unanswered(f"{purpose.unclear}: it had trouble (HTTP {status}).", status)


_NOT_FOR_POSTGRESQL = re.compile("[\x00\ud800-\udfff]")


class _ErrorBody:
    """The parts of an error body that tell rejections apart, whichever of X's three shapes it has."""

    def __init__(self, answer: HttpAnswer) -> None:
        body = answer.json if isinstance(answer.json, dict) else {}
        listed = body.get("errors")
        errors = [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
        messages = [str(error["message"]) for error in errors if error.get("message")]
        self.slug = str(body.get("type") or "").rsplit("/", 1)[-1]
        """The last segment of `type`: its host differs between api.twitter.com and api.x.com."""
        self.codes = {code for error in errors if isinstance(code := error.get("code"), int)}
        words = " ".join(messages) or str(body.get("detail") or body.get("title") or "no reason given")
        self.words = _NOT_FOR_POSTGRESQL.sub("?", words)[:300]


def _forbidden(error: _ErrorBody, purpose: Purpose, account: str) -> Rejected:
    slug, codes = error.slug, error.codes
    if slug == "user-suspended" or codes & SUSPENDED_CODES:
        return Rejected(
            Rejection.ACCOUNT, f"X has blocked {account}: log in at x.com to see why.", 403, REJECTION_PAUSE
        )
    if codes & SLOW_DOWN_CODES:
        return Rejected(Rejection.ACCOUNT, f"X wants {account} to slow down.", 403, REJECTION_PAUSE)
    if slug == "oauth1-permissions" or (error.words == "Forbidden" and not codes):
        return Rejected(
            Rejection.ACCOUNT,
            f"Our app may only read for {account}: it needs write permission, then link {account} anew.",
            403,
            REJECTION_PAUSE,
        )
    if slug in ("client-forbidden", "app-suspended") or codes & {NO_ACCESS_CODE, APP_CANNOT_WRITE_CODE}:
        return Rejected(Rejection.APP, f"{purpose.forbidden}: {error.words}", 403, REJECTION_PAUSE)
    if slug == "unsupported-authentication":
        return _sign_in_rejected(account, 403)
    if DUPLICATE_CODE in codes or "duplicate content" in error.words:
        return Rejected(Rejection.DUPLICATE, f"X says that {account} has posted this text already.", 403)
    return Rejected(Rejection.POST, f"{purpose.rejected}: {error.words}", 403)


def _sign_in_rejected(account: str, status: int) -> Rejected:
    return Rejected(Rejection.SIGN_IN, f"X no longer accepts our sign-in for {account}: link {account} anew.", status)


def _limited(answer: HttpAnswer, error: _ErrorBody, account: str, now: datetime) -> Rejected:
    if error.slug == "usage-capped":
        return Rejected(Rejection.APP, "X's monthly cap for our app is used up.", 429, REJECTION_PAUSE)
    wait = _wait_for_reset(answer.headers, now)
    if answer.headers.get("x-app-limit-24hour-remaining") == "0":
        return Rejected(Rejection.APP, "X's daily limit for our app is used up.", 429, wait)
    return Rejected(Rejection.ACCOUNT, f"X limits how much {account} may do for now.", 429, wait)


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
    longest, shortest = LONGEST_LIMIT_WAIT.total_seconds(), SHORTEST_LIMIT_WAIT.total_seconds()
    return timedelta(seconds=min(max(seconds, shortest), longest))


def _number(header: str | None) -> int | None:
    """No header of X's has 20 digits, and Python refuses to read thousands of them."""
    return int(header) if header and header.isdecimal() and len(header) <= 20 else None
