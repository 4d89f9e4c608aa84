"""How this server says no, and to whom it does not listen at all."""

from aiohttp import web
from aiohttp.typedefs import Handler

from local import loopback


def refusal(status: int, words: str) -> web.Response:
    """An error in words, as the page shows it: ``{"error": ...}``."""
    return web.json_response({"error": words}, status=status)


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses names that were made to point at this machine."""
    if not loopback.is_meant(request):
        return refusal(421, "Open this page as http://localhost, nothing else.")
    return await handler(request)


@web.middleware
async def own_page_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what pages of other origins send, and what they could send as a form without being asked.

    Browsers say from where a request comes (Fetch Metadata, and Origin); other programs do not, and are let in.
    """
    is_foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
    if is_foreign or request.headers.get("Origin", _origin(request)) != _origin(request):
        return refusal(403, "This is for the page of this server alone.")
    if request.method == "POST" and request.content_type != "application/json":
        return refusal(415, "Send JSON, with content type application/json.")
    return await handler(request)


def _origin(request: web.Request) -> str:
    return f"http://{request.host}"
