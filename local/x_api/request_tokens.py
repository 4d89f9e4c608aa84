"""Request tokens: what an app holds between asking whether it may act for somebody, and the answer.

X does not publish how long it keeps one; 15 minutes are our choice. They are gone after a restart.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

LIFETIME = timedelta(minutes=15)

_AT_MOST = 1000
"""More than people can sign in at once; the oldest one goes."""


@dataclass(frozen=True)
class RequestToken:
    """`user_id` and `pin` are None until a user has authorised the app, and stay None when the user has denied it."""

    token: str
    secret: str = field(repr=False)
    created_at: datetime
    user_id: int | None = None
    pin: str | None = field(default=None, repr=False)
    is_denied: bool = False


class RequestTokens:
    """The ones that can still be used. `now` gives the time, in UTC."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tokens: dict[str, RequestToken] = {}

    def add(self, token: str, secret: str) -> None:
        if len(self._tokens) >= _AT_MOST:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[token] = RequestToken(token, secret, self._now())

    def find(self, token: str) -> RequestToken | None:
        """None for a token that is unknown, used or expired."""
        found = self._tokens.get(token)
        return found if found and self._now() < found.created_at + LIFETIME else None

    def undecided(self, token: str) -> RequestToken | None:
        """The token, if nobody has authorised or denied it yet."""
        found = self.find(token)
        return found if found and not found.is_denied and found.pin is None else None

    def authorise(self, token: RequestToken, user_id: int) -> str:
        """The PIN that the user takes to the app."""
        pin = f"{secrets.randbelow(10_000_000):07}"
        self._tokens[token.token] = replace(token, user_id=user_id, pin=pin)
        return pin

    def deny(self, token: RequestToken) -> None:
        self._tokens[token.token] = replace(token, is_denied=True)

    def use(self, token: str) -> None:
        """It cannot be used again, and neither can its PIN."""
        self._tokens.pop(token, None)
