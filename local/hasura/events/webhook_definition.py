"""What events of every kind say about their webhook: an address, headers and, for scheduled ones, how to retry.

Addresses and header values may name environment variables of the server, as ``{{NAME}}``. They are stored as given and
looked up when the webhook is called.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from local.hasura.json_arguments import count, mapping, number, optional, parse_failed, required, text

_TEMPLATE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


class MissingVariables(Exception):
    """The server's environment lacks variables that a webhook needs; `names` are theirs."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"The value for environment variables not found: {', '.join(names)}")
        self.names = names


@dataclass(frozen=True)
class Webhook:
    """Whom to call. `headers` are ``{"name", "value"}`` or ``{"name", "value_from_env"}``, as the metadata has them."""

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
    """How often, after how many seconds and for how long a scheduled event is tried again. Defaults are Hasura's."""

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
    """Parses one header: a name, and either a value or the name of the variable that holds it."""
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
