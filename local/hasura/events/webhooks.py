"""Webhooks: what an event of any kind says about its webhook, and calling it the way Hasura does.

Addresses and header values may name environment variables of the server, as ``{{NAME}}``. They are stored as given and
looked up when the webhook is called.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from yarl import URL

from local.hasura.json_arguments import count, mapping, number, optional, parse_failed, required, text

_TEMPLATE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_OWN_HEADERS = {"content-type", "user-agent"}
_LONGEST_CALL = 30 * 60
_LATEST_RETRY = 10**9
"""Seconds. PostgreSQL's timestamps have an end."""


class MissingVariables(Exception):
    """The server's environment lacks variables that a webhook needs; `names` are theirs."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"The value for environment variables not found: {', '.join(names)}")
        self.names = names


@dataclass(frozen=True)
class Webhook:
    """`template` is the address; `headers` are ``{"name", "value"}`` or ``{"name", "value_from_env"}``."""

    template: str
    headers: list[dict[str, str]]

    @property
    def short_name(self) -> str:
        """The last step of the address, e.g. ``postTweet``: for log lines, without a query or a password."""
        address = re.split("[?#]", self.template)[0]
        return address.rstrip("/").rpartition("/")[2].rpartition("@")[2] or "webhook"

    def address(self, environment: Mapping[str, str]) -> str:
        """The address to call. Raises MissingVariables."""
        return _expand(self.template, environment)

    def header_values(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The headers to send, by name. Raises MissingVariables."""
        return {
            header["name"]: _expand(header.get("value", "{{" + header.get("value_from_env", "") + "}}"), environment)
            for header in self.headers
        }

    def missing_variables(self, environment: Mapping[str, str]) -> list[str]:
        """The names of the variables that the address and the headers need and `environment` lacks."""
        texts = [self.template, *(header.get("value", "") for header in self.headers)]
        named = [name for given in texts for name in _TEMPLATE.findall(given)]
        named += [header["value_from_env"] for header in self.headers if "value_from_env" in header]
        return sorted({name for name in named if name not in environment})


@dataclass(frozen=True)
class RetryConf:
    """The ``retry_conf`` of a scheduled event or cron trigger, with Hasura's defaults."""

    num_retries: int = 0
    retry_interval_seconds: float = 10
    timeout_seconds: float = 60
    tolerance_seconds: float = 21600

    def as_json(self) -> dict[str, Any]:
        """All four fields, as ``get_scheduled_events`` shows them."""
        return asdict(self)


def retry_conf(value: Any, path: str) -> RetryConf:
    """Parses the ``retry_conf`` of a scheduled event; each field is optional."""
    given = mapping(value, path)
    retries = given.get("num_retries", 0)
    if isinstance(retries, int | float) and retries < 0:
        raise parse_failed("num_retries cannot be a negative value", path)
    defaults = RetryConf()
    seconds = {
        name: number(given[name], f"{path}.{name}") if given.get(name) is not None else getattr(defaults, name)
        for name in ("retry_interval_seconds", "timeout_seconds", "tolerance_seconds")
    }
    return RetryConf(optional(given, "num_retries", count, path) or 0, **seconds)


def header(value: Any, path: str) -> dict[str, str]:
    """Parses a header: a name, and either a value or the name of the variable that holds it."""
    given = mapping(value, path)
    name = required(given, "name", text, path)
    literal, variable = (optional(given, key, text, path) for key in ("value", "value_from_env"))
    if (literal is None) == (variable is None):
        raise parse_failed(f"expecting exactly one of value and value_from_env for header {name}", path)
    if variable is None:
        return {"name": name, "value": str(literal)}
    if variable.startswith("HASURA_GRAPHQL_"):
        raise parse_failed(
            f"env variables starting with HASURA_GRAPHQL_ are not allowed in value_from_env: {variable}", path
        )
    return {"name": name, "value_from_env": variable}


def _expand(template: str, environment: Mapping[str, str]) -> str:
    missing = sorted({name for name in _TEMPLATE.findall(template) if name not in environment})
    if missing:
        raise MissingVariables(missing)
    return _TEMPLATE.sub(lambda found: environment[found[1]], template)


@dataclass(frozen=True)
class Invocation:
    """One call of a webhook. `request` and `response` are what the invocation log keeps of it."""

    status: int | None
    """The HTTP status; None when there was no answer."""
    retry_after: int | None
    """Seconds."""
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def delivered(self) -> bool:
        """A status of 2xx, whatever the body is."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def result(self) -> str:
        """For log lines: ``200``, ``503``, ``no answer (Response timeout)``."""
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

    async def call(
        self, webhook: Webhook, body: dict[str, Any], timeout_seconds: float, log_version: str
    ) -> Invocation:
        """Every failure is an invocation too; with a missing environment variable, nothing is called."""
        try:
            url, headers = webhook.address(self._environment), webhook.header_values(self._environment)
        except MissingVariables as missing:
            return _not_created(missing, log_version)
        request = {"payload": body, "headers": self._logged_headers(webhook), "version": log_version}
        try:
            async with asyncio.timeout(min(round(timeout_seconds), _LONGEST_CALL)):
                return await self._post(url, headers, body, request, log_version)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Invocation(None, None, request, _failure(_network_error(error, url), log_version))

    async def _post(
        self, url: str, headers: dict[str, str], body: dict[str, Any], request: dict[str, Any], log_version: str
    ) -> Invocation:
        # Hasura follows no redirect: a 3xx is a failed try.
        custom = {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS}
        async with self._http.post(
            url, data=json.dumps(body).encode(), headers={**custom, **self._own_headers}, allow_redirects=False
        ) as answer:
            text = (await answer.read()).decode("utf-8", errors="replace")
            failed = answer.status >= 300
            response = _failure(text, log_version) if failed else _success(answer, text, log_version)
            return Invocation(answer.status, _retry_after(answer), request, response)

    def _logged_headers(self, webhook: Webhook) -> list[dict[str, str]]:
        """Hasura's own headers win; a value from the environment is logged by the variable's name."""
        own = [{"name": name, "value": value} for name, value in self._own_headers.items()]
        return own + [header for header in webhook.headers if header["name"].lower() not in _OWN_HEADERS]


def http_session() -> aiohttp.ClientSession:
    """A session without a limit of calls at once, whose connections serve one call each.

    A connection that is kept open may be closed by the webhook while the next call is sent, which is a failed try.
    """
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout()
    )


def _retry_after(answer: aiohttp.ClientResponse) -> int | None:
    """The header's seconds, if it is a positive integer; a date is ignored."""
    given = answer.headers.get("Retry-After", "").strip()
    if 200 <= answer.status < 300 or not (given.isascii() and given.isdecimal()):
        return None
    return min(int(given), _LATEST_RETRY) or None


def _not_created(missing: MissingVariables, log_version: str) -> Invocation:
    message = f"Error creating the request. {missing}"
    request = {"payload": {"error": message}, "headers": [], "version": log_version}
    return Invocation(500, None, request, _failure(message, log_version))


def _success(answer: aiohttp.ClientResponse, text: str, log_version: str) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in answer.headers.items()]
    data = {"status": answer.status, "headers": headers, "body": text}
    return {"type": "webhook_response", "version": log_version, "data": data}


def _failure(message: str, log_version: str) -> dict[str, Any]:
    return {"type": "client_error", "version": log_version, "data": {"message": message}}


def _network_error(error: Exception, url: str) -> str:
    """Names the target without its query and headers, which may hold secrets."""
    try:
        target = URL(url)
        request = {"host": target.host, "port": target.port, "path": target.path, "method": "POST"}
    except ValueError:
        request = {"method": "POST"}
    return json.dumps({"type": "http_exception", "message": _network_message(error), "request": request})


def _network_message(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "Response timeout"
        case aiohttp.InvalidURL():
            return "Invalid URL"
        case aiohttp.ClientConnectorError():
            return f"Connection failure: {error.os_error.strerror or 'no such host'}"
        case _:
            return f"Connection failure: {type(error).__name__}"
