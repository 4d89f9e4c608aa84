"""What X's refusals mean, and how they are told: X's docs (Rate limits, Error codes) and answers seen in the wild."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import AccountHeld, AlreadyPosted, AppHeld, OutcomeUnknown, Refused, SignInRefused, TryFailed
from shared.http.client import HttpAnswer

HOUR = timedelta(hours=1)
DEFAULT_LIMIT_WAIT = timedelta(minutes=15)
SHORTEST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=25)

SUSPENDED_CODES = {64, 326}
"""Account suspended; account locked until its owner logs in."""

SLOW_DOWN_CODES = {185, 226}
"""Over the daily limit; looks automated."""

DUPLICATE_CODE, NO_ACCESS_CODE, READ_ONLY_CODE = 187, 453, 261


@dataclass(frozen=True)
class Purpose:
    """What X is asked for, in the words of its failure."""

    refused: str
    unclear: str
    forbidden: str


PUBLISHING = Purpose("X refuses this post", "X may or may not have the post", "X does not let our app post")
LOOKING = Purpose(
    "X refuses to show the account's posts",
    "X did not show the account's posts",
    "X does not let our app read the account's posts",
)


def refusal(answer: HttpAnswer, purpose: Purpose, account_name: str, now: datetime) -> TryFailed:
    """What an answer that is no 2xx means, in words for the account's author."""
    status, complaint, account = answer.status, _Complaint(answer), f"@{account_name}"
    if status == 429:
        return _limited(answer, complaint, account, now)
    if status == 402:
        return AppHeld("X wants our app's credits topped up first.", status_code=status, wait=HOUR)
    if status == 401:
        return _sign_in_refused(account, status)
    if status == 403 and isinstance(answer.json, dict):
        return _forbidden(complaint, purpose, account)
    if status in (404, 405) or 300 <= status < 400:
        return AppHeld(f"X's API is not at the configured address (HTTP {status}).", status_code=status, wait=HOUR)
    if 400 <= status < 500 and isinstance(answer.json, dict):
        return Refused(f"{purpose.refused}: {complaint.words}", status_code=status)
    return OutcomeUnknown(f"{purpose.unclear}: it had trouble (HTTP {status}).", status_code=status)


_NOT_FOR_POSTGRESQL = re.compile("[\x00\ud800-\udfff]")


class _Complaint:
    """The parts of an error body that tell refusals apart, whichever of X's three shapes it has."""

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


def _forbidden(complaint: _Complaint, purpose: Purpose, account: str) -> TryFailed:
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
        return AppHeld(f"{purpose.forbidden}: {complaint.words}", status_code=403, wait=HOUR)
    if slug == "unsupported-authentication":
        return _sign_in_refused(account, 403)
    if DUPLICATE_CODE in codes or "duplicate content" in complaint.words:
        return AlreadyPosted(f"X says that {account} has posted this text already.", status_code=403)
    return Refused(f"{purpose.refused}: {complaint.words}", status_code=403)


def _sign_in_refused(account: str, status: int) -> SignInRefused:
    return SignInRefused(f"X no longer accepts our sign-in for {account}: link {account} anew.", status_code=status)


def _limited(answer: HttpAnswer, complaint: _Complaint, account: str, now: datetime) -> TryFailed:
    if complaint.slug == "usage-capped":
        return AppHeld("X's monthly cap for our app is used up.", status_code=429, wait=HOUR)
    wait = _wait_for_reset(answer.headers, now)
    if answer.headers.get("x-app-limit-24hour-remaining") == "0":
        return AppHeld("X's daily limit for our app is used up.", status_code=429, wait=wait)
    return AccountHeld(f"X limits how much {account} may do for now.", status_code=429, wait=wait)


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
