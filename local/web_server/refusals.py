"""How this server refuses, and which requests it refuses before any handler sees them."""

from aiohttp import web
from aiohttp.typedefs import Handler

from local import loopback


def refusal(status: int, message: str) -> web.Response:
    """An error whose message the page shows: ``{"error": ...}``."""
    return web.json_response({"error": message}, status=status)


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses foreign host names that resolve to this machine."""
    if not loopback.is_meant(request.host):
        return refusal(421, "Open this page as http://localhost only.")
    return await handler(request)


@web.middleware
async def own_page_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses requests of pages of other origins, and the content types that their forms can send without a preflight.

    Browsers send where a request comes from (Fetch Metadata, and Origin); other programs do not, and are accepted.
    """
    is_foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
    if is_foreign or request.headers.get("Origin", _origin(request)) != _origin(request):
        return refusal(403, "Only the page of this server may use this.")
    if request.method == "POST" and request.content_type != "application/json":
        return refusal(415, "Send JSON, with content type application/json.")
    return await handler(request)


def _origin(request: web.Request) -> str:
    return f"http://{request.host}"
