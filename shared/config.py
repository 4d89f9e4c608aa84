"""The settings: one table, read from the environment, with ``.env`` where no platform sets them."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from shared.errors import ConfigurationError
from shared.x.sealed_tokens import TokenKeys

DOTENV = Path(__file__).parent.parent / ".env"

WEBHOOK_SECRET_NAME = "WEBHOOK_SECRET"
"""Hasura reads the secret from a variable of this name, too (``value_from_env``)."""


@dataclass(frozen=True)
class Setting:
    """One row of the table. A setting without a default is required; a secret's value is never shown."""

    name: str
    help: str
    default: str | None = None
    secret: bool = False
    read: Callable[[str], str | int | TokenKeys] = str
    """Turns the text into the value; raises ValueError with what the text must be."""


_HOST = r"https?://(\[[0-9A-Fa-f:.]+\]|[^][/?#@:\s\x00-\x1f\x7f]+)(:[0-9]{1,5})?"


def _origin(text: str) -> str:
    if not re.fullmatch(rf"{_HOST}/*", text):
        raise ValueError("must be an address without a path, like https://example.com")
    return text.rstrip("/")


def _address_for_hasura(text: str) -> str:
    if not re.fullmatch(rf"({_HOST}|\{{\{{\w+\}}\}})(/[^?#\s\x00-\x1f\x7f]*)?", text):
        raise ValueError("must be an address like https://example.com, or a template like {{ACTIONS_BASE_URL}}")
    return text.rstrip("/")


def _header_text(text: str) -> str:
    if not re.fullmatch("[ -~]+", text):
        raise ValueError("must be printable ASCII characters, because it is sent in an HTTP header")
    return text


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


SETTINGS = (
    Setting("APP_BASE_API", "Where Hasura answers, without a path.", default="http://localhost:3100", read=_origin),
    Setting(
        "ACTIONS_BASE_URL",
        "Where Hasura reaches these functions, without `/api`. It may be Hasura's own template `{{ACTIONS_BASE_URL}}`, "
        "which Hasura fills in at delivery, so that existing scheduled events survive a change of address.",
        default="http://localhost:7071",
        read=_address_for_hasura,
    ),
    Setting("HASURA_GRAPHQL_ADMIN_SECRET", "Hasura's admin secret.", secret=True, read=_header_text),
    Setting("HASURA_GRAPHQL_JWT_SECRET", "Hasura's own JSON: how users' tokens are verified.", secret=True),
    Setting(
        WEBHOOK_SECRET_NAME,
        "Shared by `postTweet` and Hasura, which must have it in its environment under this same name.",
        secret=True,
        read=_header_text,
    ),
    Setting("CONSUMER_API_KEY", "The API key of your app on X.", secret=True, read=_header_text),
    Setting("CONSUMER_API_SECRET", "The API key's secret of your app on X.", secret=True, read=_header_text),
    Setting(
        "X_TOKEN_KEYS",
        "The keys that seal accounts' tokens in the database: `<key id>:<32 random bytes in base64url>`, several "
        "separated by commas. The first one seals, all of them open.",
        secret=True,
        read=TokenKeys.of,
    ),
    Setting("X_BASE_URL", "Where X's API answers, without a path.", default="https://api.x.com", read=_origin),
    Setting(
        "MAX_LATENESS_SECONDS",
        "A post later than this is not published: it is marked `missed`.",
        default="21600",
        read=_whole_number(60, 31_622_399),
    ),
    Setting(
        "PUBLISH_BATCH",
        "How many posts a delivery claims at once and publishes in parallel.",
        default="10",
        read=_whole_number(1, 100),
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings, checked. Addresses come without a slash at the end."""

    app_base_api: str
    actions_base_url: str
    hasura_graphql_admin_secret: str = field(repr=False)
    hasura_graphql_jwt_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    consumer_api_key: str = field(repr=False)
    consumer_api_secret: str = field(repr=False)
    x_token_keys: TokenKeys = field(repr=False)
    x_base_url: str
    max_lateness_seconds: int
    publish_batch: int


def load(environ: Mapping[str, str] | None = None, dotenv: Path = DOTENV) -> Settings:
    """The settings of this process: a non-empty variable of `environ` (os.environ by default) wins over `dotenv`.

    Raises ConfigurationError, which names all settings that are missing or wrong, and shows no value.
    """
    given = {name: value for name, value in dotenv_values(dotenv, interpolate=False).items() if value}
    given |= {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    values: dict[str, Any] = {}
    faults = []
    for setting in SETTINGS:
        try:
            values[setting.name.lower()] = _value(setting, given.get(setting.name, setting.default))
        except ValueError as fault:
            faults.append(f"{setting.name} {fault}")
    if faults:
        raise ConfigurationError("Settings: " + "; ".join(faults) + ".")
    return Settings(**values)


def _value(setting: Setting, text: str | None) -> str | int | TokenKeys:
    if text is None:
        raise ValueError("is missing")
    if text != text.strip():
        raise ValueError("has white space at its start or end")
    if text.startswith("@Microsoft.KeyVault("):
        raise ValueError("is a Key Vault reference that the platform could not resolve")
    return setting.read(text)
