"""Removes secrets from the requests and responses that Hasura stores, before a browser sees them.

Hasura stores the value of a header in clear text when it was given literally, and the query of an address.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "(hidden)"

_HARMLESS_HEADERS = {
    "accept", "cache-control", "connection", "content-encoding", "content-length", "content-type", "date",
    "retry-after", "server", "transfer-encoding", "user-agent", "vary", "x-request-id",
}  # fmt: skip
_USER_OR_QUERY = re.compile(r"(?<=://)[^/?#\s]*(?=@)|(?<=\?)[^\s#]+")


class Mask:
    """Hides the values of all but harmless headers, user and query of addresses, and known secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """`secrets` are hidden everywhere, inside a longer text too."""
        known = sorted(filter(None, secrets), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known)) or r"(?!)")

    def __call__(self, value: Any) -> Any:
        """A copy of JSON without secrets. A JSON response of a webhook, which Hasura stores as text, is JSON in it."""
        if isinstance(value, Mapping):
            return self._header(value) if _is_header(value) else {key: self._named(key, value[key]) for key in value}
        if isinstance(value, list):
            return [self(item) for item in value]
        return self._secrets.sub(HIDDEN, value) if isinstance(value, str) else value

    def _named(self, key: str, value: Any) -> Any:
        match key, value:
            case "body" | "message", str():
                return self(_parsed(value))
            case "requestHeaders" | "responseHeaders", Mapping():
                return {name: self._header_value(name, value[name]) for name in value}
            case "webhook_conf", str():
                return self(_USER_OR_QUERY.sub(HIDDEN, value))
            case "queryString", str():
                return value and HIDDEN
        return self(value)

    def _header(self, header: Mapping[str, Any]) -> dict[str, Any]:
        return {**header, "value": self._header_value(header["name"], header["value"])}

    def _header_value(self, name: str, value: Any) -> Any:
        return self(value) if name.lower() in _HARMLESS_HEADERS else HIDDEN


def _is_header(value: Mapping[str, Any]) -> bool:
    return value.keys() == {"name", "value"} and isinstance(value["name"], str)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)  # NaN is not JSON: a browser cannot read it
    except (ValueError, RecursionError):
        return text
