"""One call of X's API by a user who is known."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from local.x_api.storage import User


@dataclass(frozen=True)
class Call:
    """A request whose signature holds. `at` is when it came in; it sees no tweet younger than `lag`."""

    request: web.Request
    body: bytes
    user: User
    at: datetime
    lag: timedelta = timedelta()
