"""The parts of X's API, put together as one aiohttp application."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from aiohttp import web

from local.x_api.authorization import Authorization
from local.x_api.control import Control
from local.x_api.endpoints import ENDPOINTS, Api
from local.x_api.faults import STOPPING, Faults
from local.x_api.oauth import Signatures
from local.x_api.rate_limits import RateLimits
from local.x_api.storage import Storage
from local.x_api.tweet_text import fits

X_LIMITS = {name: endpoint.per_window for name, endpoint in ENDPOINTS.items()}
"""How many calls X grants a user in 15 minutes, by endpoint."""

DUPLICATE_WINDOW = timedelta(hours=24)
"""How long a text may not be repeated. X does not publish it."""


def build_app(
    signatures: Signatures,
    storage: Storage,
    now: Callable[[], datetime],
    per_window: Mapping[str, int] | None = X_LIMITS,
    duplicate_window: timedelta = DUPLICATE_WINDOW,
) -> web.Application:
    """X's API and the control routes. `now` gives the time in UTC; `per_window` None lifts the rate limits."""
    limits, faults = RateLimits(per_window, now), Faults()
    app = web.Application()
    app[STOPPING] = asyncio.Event()
    app.on_startup.append(_load_the_rules_of_texts)
    app.on_shutdown.append(_stop_hanging)
    authorization = Authorization(storage, signatures, now)
    app.add_routes(Control(storage, limits, faults, authorization).routes())
    app.add_routes(authorization.routes())
    app.add_routes(Api(storage, signatures, limits, faults, duplicate_window, now).routes())
    return app


async def _load_the_rules_of_texts(_app: web.Application) -> None:
    """So that the first tweet is as quick as all others."""
    fits("https://example.com \u2764\ufe0f")


async def _stop_hanging(app: web.Application) -> None:
    app[STOPPING].set()
