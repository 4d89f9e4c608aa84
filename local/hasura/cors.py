"""Cross-origin requests: by default Hasura lets every origin in."""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

_METHODS = "GET,POST,PUT,PATCH,DELETE,OPTIONS"


@web.middleware
async def allow_any_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers preflight requests, and names the caller's origin in all other answers."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return await handler(request)
    is_preflight = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    response = _preflight(request) if is_preflight else await handler(request)
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
    return response


def _preflight(request: web.Request) -> web.Response:
    asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "")
    return web.Response(
        status=204,
        headers={hdrs.ACCESS_CONTROL_MAX_AGE: "1728000", hdrs.ACCESS_CONTROL_ALLOW_HEADERS: asked},
    )
