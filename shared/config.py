"""The settings: one table, read from the environment, with ``.env`` where no platform sets them."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from shared.errors import ConfigurationError

DOTENV = Path(__file__).parent.parent / ".env"


@dataclass(frozen=True)
class Setting:
    """One row of the table. A setting without a default is required; a secret's value is never shown."""

    name: str
    help: str
    default: str | None = None
    secret: bool = False


SETTINGS = (
    Setting("APP_BASE_API", "Where Hasura answers, without a path.", default="http://localhost:3100"),
    Setting(
        "ACTIONS_BASE_URL",
        "Where Hasura reaches these functions, without `/api`. It may be Hasura's own template `{{ACTIONS_BASE_URL}}`, "
        "which Hasura fills in at delivery, so that alarms already set survive a change of address.",
        default="http://localhost:7071",
    ),
    Setting("HASURA_GRAPHQL_ADMIN_SECRET", "Hasura's admin secret.", secret=True),
    Setting("HASURA_GRAPHQL_JWT_SECRET", "Hasura's own JSON: how users' tokens are verified.", secret=True),
    Setting(
        "WEBHOOK_SECRET",
        "Shared by `postTweet` and Hasura, which must have it in its environment under this same name.",
        secret=True,
    ),
    Setting("CONSUMER_API_KEY", "The API key of your app on X.", secret=True),
    Setting("CONSUMER_API_SECRET", "The API key's secret of your app on X.", secret=True),
    Setting("X_BASE_URL", "Where X's API answers, without a path.", default="https://api.x.com"),
    Setting("MAX_LATENESS_SECONDS", "A post later than this is not published: it is marked `missed`.", default="21600"),
    Setting("PUBLISH_BATCH", "How many posts one ring takes, and publishes side by side.", default="10"),
)

WEBHOOK_SECRET_NAME = "WEBHOOK_SECRET"
"""The variable that Hasura, too, takes the secret from (``value_from_env``)."""


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
    x_base_url: str
    max_lateness_seconds: int
    publish_batch: int


def load(environ: Mapping[str, str] | None = None, dotenv: Path = DOTENV) -> Settings:
    """The settings of this process: a non-empty variable of `environ` (os.environ by default) wins over `dotenv`.

    Raises ConfigurationError that names everything missing or wrong at once, and shows no value.
    """
    given = {name: value for name, value in dotenv_values(dotenv, interpolate=False).items() if value}
    given |= {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    values = {setting.name: given.get(setting.name, setting.default) for setting in SETTINGS}

    faults = [fault for name, value in values.items() if (fault := _fault(name, value))]
    if faults:
        raise ConfigurationError("Settings: " + "; ".join(faults) + ".")
    return Settings(**{name.lower(): _typed(name, value or "") for name, value in values.items()})  # type: ignore[arg-type]


_WHOLE_NUMBERS = {"MAX_LATENESS_SECONDS": range(60, 366 * 86400), "PUBLISH_BATCH": range(1, 101)}
_ADDRESS = re.compile(r"https?://[^/?#\s]+/*")
_ADDRESSES = {
    "APP_BASE_API": _ADDRESS,
    "ACTIONS_BASE_URL": re.compile(r"(https?://[^/?#\s]+|\{\{\w+\}\})(/[^?#\s]*)?"),
    "X_BASE_URL": _ADDRESS,
}


def _fault(name: str, value: str | None) -> str | None:
    if value is None:
        return f"{name} is missing"
    if value.startswith("@Microsoft.KeyVault("):
        return f"{name} is a Key Vault reference that the platform could not resolve"
    if name in _ADDRESSES and not _ADDRESSES[name].fullmatch(value):
        return f"{name} must be an address like https://example.com"
    if name in _WHOLE_NUMBERS and not (re.fullmatch("[0-9]{1,9}", value) and int(value) in _WHOLE_NUMBERS[name]):
        allowed = _WHOLE_NUMBERS[name]
        return f"{name} must be a whole number from {allowed.start} to {allowed.stop - 1}"
    return None


def _typed(name: str, value: str) -> str | int:
    if name in _WHOLE_NUMBERS:
        return int(value)
    return value.rstrip("/") if name in _ADDRESSES else value
