"""Calling a webhook the way Hasura does, and what its invocation logs keep of the call."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from local.hasura.events.webhook_definition import MissingVariables, Webhook

_OWN_HEADERS = {"content-type", "user-agent"}
_LONGEST_TRY = 30 * 60
_LATEST_RETRY = 10**9  # seconds; PostgreSQL's timestamps end some day


@dataclass(frozen=True)
class Outcome:
    """One try: the HTTP status (None: no answer), the webhook's Retry-After in seconds, and the log's two columns."""

    status: int | None
    retry_after: int | None
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def delivered(self) -> bool:
        """Only the status class counts; the body is never read."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def words(self) -> str:
        """What a log line says of it: ``200``, ``503``, ``no answer (Response timeout)``."""
        if self.status is not None:
            return str(self.status)
        return f"no answer ({json.loads(self.response['data']['message'])['message']})"


class WebhookClient:
    """Posts JSON to webhooks. `log_version` of a call is "1" for scheduled events and "2" for table event triggers."""

    def __init__(self, http: aiohttp.ClientSession, environment: Mapping[str, str], server_version: str) -> None:
        self._http = http
        self._environment = environment
        self._own_headers = {
            "Content-Type": "application/json",
            "User-Agent": f"hasura-graphql-engine/{server_version}",
        }

    async def call(self, webhook: Webhook, body: dict[str, Any], timeout_seconds: float, log_version: str) -> Outcome:
        """One try. Every failure is an outcome, a missing environment variable too: nothing is called then."""
        try:
            url, headers = webhook.address(self._environment), webhook.header_values(self._environment)
        except MissingVariables as missing:
            return _not_created(missing, log_version)
        request = {"payload": body, "headers": self._logged_headers(webhook), "version": log_version}
        try:
            async with asyncio.timeout(min(round(timeout_seconds), _LONGEST_TRY)):
                return await self._post(url, headers, body, request, log_version)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, None, request, _failure(_network_error(error, url), log_version))

    async def _post(
        self, url: str, headers: dict[str, str], body: dict[str, Any], request: dict[str, Any], log_version: str
    ) -> Outcome:
        # Redirects are not followed: Hasura counts a 3xx as a failed try.
        custom = {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS}
        async with self._http.post(
            url, data=json.dumps(body).encode(), headers={**custom, **self._own_headers}, allow_redirects=False
        ) as answer:
            text = (await answer.read()).decode("utf-8", errors="replace")
            failed = answer.status >= 300
            response = _failure(text, log_version) if failed else _success(answer, text, log_version)
            return Outcome(answer.status, _retry_after(answer), request, response)

    def _logged_headers(self, webhook: Webhook) -> list[dict[str, str]]:
        """Hasura's own headers win; a value from the environment is logged by the variable's name."""
        own = [{"name": name, "value": value} for name, value in self._own_headers.items()]
        return own + [header for header in webhook.headers if header["name"].lower() not in _OWN_HEADERS]


def http_session() -> aiohttp.ClientSession:
    """A session without a bound on calls at once, whose connections serve one call each.

    A connection kept open may be closed by the webhook just as the next call goes out; which would be a failed try.
    """
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout()
    )


def _retry_after(answer: aiohttp.ClientResponse) -> int | None:
    """Seconds, when the header is a positive integer; a date is ignored."""
    given = answer.headers.get("Retry-After", "").strip()
    if 200 <= answer.status < 300 or not (given.isascii() and given.isdecimal()):
        return None
    return min(int(given), _LATEST_RETRY) or None


def _not_created(missing: MissingVariables, log_version: str) -> Outcome:
    message = f"Error creating the request. {missing}"
    request = {"payload": {"error": message}, "headers": [], "version": log_version}
    return Outcome(500, None, request, _failure(message, log_version))


def _success(answer: aiohttp.ClientResponse, text: str, log_version: str) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in answer.headers.items()]
    data = {"status": answer.status, "headers": headers, "body": text}
    return {"type": "webhook_response", "version": log_version, "data": data}


def _failure(message: str, log_version: str) -> dict[str, Any]:
    return {"type": "client_error", "version": log_version, "data": {"message": message}}


def _network_error(error: Exception, url: str) -> str:
    """Names the target without its query and without headers, which may hold secrets."""
    try:
        target = URL(url)
        request = {"host": target.host, "port": target.port, "path": target.path, "method": "POST"}
    except ValueError:
        request = {"method": "POST"}
    return json.dumps({"type": "http_exception", "message": _network_words(error), "request": request})


def _network_words(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "Response timeout"
        case aiohttp.InvalidURL():
            return "Invalid URL"
        case aiohttp.ClientConnectorError():
            return f"Connection failure: {error.os_error.strerror or 'no such host'}"
        case _:
            return f"Connection failure: {type(error).__name__}"
