"""Requests and answers on their way between HTTP and a function, as the host and the worker translate them."""

from collections.abc import Iterable, Mapping

import azure.functions as func
from aiohttp import hdrs, web
from azure.functions.http import HttpRequest, HttpResponseConverter
from multidict import CIMultiDict

_SET_BY_THE_SERVER = (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING)


class NotAResponse(Exception):
    """A function returned something else than func.HttpResponse."""


async def function_request(request: web.Request, route_parameters: Mapping[str, str]) -> func.HttpRequest:
    """The request as a function sees it.

    Repeated headers and query keys are joined by commas, query parameters without a value are dropped, and the body is
    empty unless the request says how long it is (azure-functions-host#7930). Raises HTTPRequestEntityTooLarge.
    """
    return HttpRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{request.raw_path}",
        headers=_joined(request.headers.items()),
        params={name: value for name, value in _joined(request.query.items()).items() if value},
        route_params=route_parameters,
        body_type="bytes",
        body=await request.read() if request.content_length else b"",
    )


def http_response(returned: object) -> web.Response:
    """The answer that the host makes of a function's return value. Raises NotAResponse."""
    if not isinstance(returned, func.HttpResponse):
        # The host would sniff a plain str for JSON and rewrite it: nothing to rely on, so it is not emulated.
        raise NotAResponse(f"it returned {type(returned).__name__} where func.HttpResponse is expected")
    answer = HttpResponseConverter.encode(returned, expected_type=None).value
    headers = CIMultiDict((name, datum.value) for name, datum in answer["headers"].items())
    for name in _SET_BY_THE_SERVER:
        headers.popall(name, None)
    for cookie in answer["cookies"] or []:
        headers.extend((hdrs.SET_COOKIE, morsel.OutputString()) for morsel in cookie.values())
    return web.Response(status=returned.status_code, headers=headers, body=answer["body"].value)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a name, names compared without case: the first spelling, the values joined by commas."""
    values: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(spelling.setdefault(name.lower(), name), []).append(value)
    return {name: ",".join(several) for name, several in values.items()}
