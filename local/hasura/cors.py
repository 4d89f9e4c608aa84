"""Which origins' pages may call Hasura: ``HASURA_GRAPHQL_CORS_DOMAIN`` (Hasura's docs, Configure CORS)."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

log = logging.getLogger(__name__)

_EVERY_ORIGIN = "*"
_ORIGIN = re.compile(r"https?://(\*\.)?[^/*\s]+")
_METHODS = "GET,POST,PUT,PATCH,DELETE,OPTIONS"
_PREFLIGHT_SECONDS = "1728000"


@dataclass(frozen=True)
class AllowedOrigins:
    """The origins of the setting. ``https://*.example.com`` is every host with one name more than ``example.com``."""

    origins: frozenset[str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "AllowedOrigins":
        """Reads HASURA_GRAPHQL_CORS_DOMAIN, by default every origin. Raises ValueError."""
        setting = environment.get("HASURA_GRAPHQL_CORS_DOMAIN") or _EVERY_ORIGIN
        origins = frozenset(origin.strip() for origin in setting.split(","))
        for origin in origins - {_EVERY_ORIGIN}:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"HASURA_GRAPHQL_CORS_DOMAIN: {origin} is not an origin such as https://example.com")
        return cls(origins)

    def __contains__(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        with_wildcard = f"{scheme}://*.{host.partition('.')[2]}"
        return bool(self.origins & {_EVERY_ORIGIN, origin, with_wildcard})

    def refuses(self, request: web.Request) -> bool:
        """Whether the request comes from a page that may not have the answer."""
        origin = request.headers.get(hdrs.ORIGIN)
        return origin is not None and origin not in self

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers the preflight requests of allowed origins, and adds headers to all answers that go to these."""
        if self.refuses(request):
            _log_what_is_blocked(request)
            return await handler(request)
        response = _preflight(request) if _is_preflight(request) else await handler(request)
        if hdrs.ORIGIN in request.headers and not response.prepared:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
        return response


def _is_preflight(request: web.Request) -> bool:
    asked = {hdrs.ORIGIN, hdrs.ACCESS_CONTROL_REQUEST_METHOD}
    return request.method == hdrs.METH_OPTIONS and all(name in request.headers for name in asked)


def _log_what_is_blocked(request: web.Request) -> None:
    """What a browser asks first is worth a line: it says no more to the page than that the request failed."""
    if _is_preflight(request) or hdrs.UPGRADE in request.headers:
        origin = request.headers[hdrs.ORIGIN][:100]
        message = "%s %s is blocked: pages of %s may not call Hasura; python -m local --cors %s lets them"
        log.warning(message, request.method, request.path, origin, origin)


def _preflight(request: web.Request) -> web.Response:
    requested = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "")
    return web.Response(
        status=204,
        headers={hdrs.ACCESS_CONTROL_MAX_AGE: _PREFLIGHT_SECONDS, hdrs.ACCESS_CONTROL_ALLOW_HEADERS: requested},
    )
