"""The settings: one table, read from the environment, with ``.env`` where no platform sets them."""

import base64
import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from shared.errors import ConfigurationError
from shared.http.jwt_tokens import read_jwt_secret
from shared.x.sealed_tokens import TokenKeys

DOTENV = Path(__file__).parent.parent / ".env"

WEBHOOK_SECRET_NAME = "WEBHOOK_SECRET"
"""Hasura reads the secret from a variable of this name, too (``value_from_env``)."""


@dataclass(frozen=True)
class Setting:
    """One row of the table. A setting that has no default is required unless it is optional; optional ones may be None.

    A secret's value is never shown, and must be long. No value may be one of the placeholders in the examples.
    """

    name: str
    help: str
    default: str | None = None
    optional: bool = False
    secret: bool = False
    read: Callable[[str], str | int | bool | TokenKeys] = str
    """Turns the text into the value; raises ValueError with what the text must be."""


_SHORTEST_SECRET = 16

_PLACEHOLDER = re.compile("(?i:change-me|the-api-key)|YOUR-")
"""What stands for the operator's own values in .env.example, local.settings.json.example and docs/."""


_HOST = r"https?://(\[[0-9A-Fa-f:.]+\]|[^][/?#@:<>\\\s\x00-\x1f\x7f]+)(:[0-9]{1,5})?"
"""Without a user's name: what stands before an @ looks like the host, and is none."""


def _is_address(shape: str, text: str) -> bool:
    try:
        urlsplit(text).port  # noqa: B018, it is read to learn whether there can be such a port and such a host
    except ValueError:
        return False
    return re.fullmatch(shape, text) is not None


def _origin(text: str) -> str:
    if not _is_address(rf"{_HOST}/*", text):
        raise ValueError("must be an address without a path, like https://example.com")
    return text.rstrip("/")


def _address_for_hasura(text: str) -> str:
    if not _is_address(rf"({_HOST}|\{{\{{\w+\}}\}})(/[^?#\s\x00-\x1f\x7f]*)?", text):
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


def _true_or_false(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _author_role(text: str) -> str:
    if _header_text(text) == "admin":
        raise ValueError("must not be admin, for whom Hasura checks no permission")
    return text


def _jwt_secret(text: str) -> str:
    read_jwt_secret(text)
    return text


def _address_to_notify(text: str) -> str:
    if not _is_address(rf"{_HOST}(/[^#\s\x00-\x1f\x7f]*)?", text):
        raise ValueError("must be an address like https://example.com/notifications")
    return text


def _notify_secret(text: str) -> str:
    prefix, _, key = text.partition("whsec_")
    try:
        size = len(base64.b64decode(key, validate=True))
    except ValueError:
        size = 0
    if prefix or not 24 <= size <= 64:
        raise ValueError("must be whsec_ and 24 to 64 random bytes as base64")
    return text


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
    Setting(
        "HASURA_GRAPHQL_JWT_SECRET",
        "Hasura's own JSON: how users' tokens are verified.",
        secret=True,
        read=_jwt_secret,
    ),
    Setting(
        "HASURA_AUTHOR_ROLE",
        "The role with which `createPost` acts for an author (`X-Hasura-Role`). A token must allow it; what else the "
        "token allows is not used.",
        default="user",
        read=_author_role,
    ),
    Setting(
        WEBHOOK_SECRET_NAME,
        "Shared by `postTweet` and Hasura, which must have it in its environment under this same name.",
        secret=True,
        read=_header_text,
    ),
    Setting(
        "WEBHOOK_SECRET_PREVIOUS",
        f"Accepted beside `{WEBHOOK_SECRET_NAME}` while that one is rotated.",
        optional=True,
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
        "A post later than this is not published: it is marked `missed`. From 60 to 31622399, a second less "
        "than 366 days.",
        default="21600",
        read=_whole_number(60, 31_622_399),
    ),
    Setting(
        "EARLY_SECONDS",
        "How long before its time the event of a post is set: its delivery waits, and publishes the post at its "
        "second. Long enough for Hasura's poll (10 s) and a cold start. From 0 to 45; 0: the event is set for the time "
        "of the post.",
        default="15",
        read=_whole_number(0, 45),
    ),
    Setting(
        "SWEEP_WAIT_SECONDS",
        "How long the sweep stays and publishes what falls due meanwhile. From 0 to 60; 60: posts without an event are "
        "on the second, too, and one function runs all the time.",
        default="0",
        read=_whole_number(0, 60),
    ),
    Setting(
        "PUBLISH_BATCH",
        "How many posts a delivery claims at once; it publishes up to one and a half times as many side by side. From "
        "1 to 100.",
        default="50",
        read=_whole_number(1, 100),
    ),
    Setting(
        "MAX_POSTS_PER_DAY",
        "The ceiling on X's bill: so many posts go out in a day (UTC), then the app is paused until the next one. A "
        "post with a link counts as 13 and a third, as X bills it. From 14 to 999999999; without it there is no "
        "ceiling. `make dotenv` and `infra/` set 1000.",
        optional=True,
        read=_whole_number(14, 999_999_999),
    ),
    Setting(
        "NOTIFY_URL",
        "Where a message is sent when a post failed, was missed, or needs its author: "
        "[docs/notifications.md](docs/notifications.md). A secret, because many a chat's address holds a token. "
        "Required with `NOTIFY_SECRET`, refused without it.",
        optional=True,
        secret=True,
        read=_address_to_notify,
    ),
    Setting(
        "NOTIFY_SECRET",
        "Signs the messages to `NOTIFY_URL` (Standard Webhooks): `whsec_` and 24 to 64 random bytes as base64. "
        "Required with `NOTIFY_URL`, refused without it.",
        optional=True,
        secret=True,
        read=_notify_secret,
    ),
    Setting(
        "ALLOW_PLAIN_HTTP",
        "`true` allows addresses with `http://` beyond this machine, for a private network.",
        default="false",
        read=_true_or_false,
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings, checked. Addresses come without a slash at the end."""

    app_base_api: str
    actions_base_url: str
    hasura_graphql_admin_secret: str = field(repr=False)
    hasura_graphql_jwt_secret: str = field(repr=False)
    hasura_author_role: str
    webhook_secret: str = field(repr=False)
    webhook_secret_previous: str | None = field(repr=False)
    consumer_api_key: str = field(repr=False)
    consumer_api_secret: str = field(repr=False)
    x_token_keys: TokenKeys = field(repr=False)
    x_base_url: str
    max_lateness_seconds: int
    early_seconds: int
    sweep_wait_seconds: int
    publish_batch: int
    max_posts_per_day: int | None
    notify_url: str | None = field(repr=False)
    notify_secret: str | None = field(repr=False)
    allow_plain_http: bool

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """What Hasura may send: the secret, and the one before while it is rotated."""
        return tuple(secret for secret in (self.webhook_secret, self.webhook_secret_previous) if secret)


@functools.cache
def settings() -> Settings:
    """The settings as they are at its first call, for the whole process: a platform starts it anew when they change.

    Settings that are missing or wrong are read again at the next call.
    """
    return load()


def load(environ: Mapping[str, str] | None = None, dotenv: Path = DOTENV) -> Settings:
    """The settings, read anew: a non-empty variable of `environ` (os.environ by default) wins over `dotenv`.

    Raises ConfigurationError, which names all settings that are missing or wrong, and shows no value.
    """
    given = {name: value for name, value in dotenv_values(dotenv, interpolate=False).items() if value}
    given |= {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    values: dict[str, Any] = {}
    faults = []
    for setting in SETTINGS:
        try:
            values[setting.name] = _value(setting, given.get(setting.name, setting.default))
        except ValueError as fault:
            faults.append(f"{setting.name} {fault}")
    faults += [*_plain_http_faults(values), *_notification_faults(values)]
    if faults:
        raise ConfigurationError("Settings: " + "; ".join(faults) + ".")
    return Settings(**{name.lower(): value for name, value in values.items()})


def _value(setting: Setting, text: str | None) -> str | int | bool | TokenKeys | None:
    if text is None:
        if setting.optional:
            return None
        raise ValueError("is missing")
    if text != text.strip():
        raise ValueError("has white space at its start or end")
    if text.startswith("@Microsoft.KeyVault("):
        raise ValueError("is a Key Vault reference that the platform could not resolve")
    if _PLACEHOLDER.search(text):
        raise ValueError("is still the placeholder of the example")
    value = setting.read(text)
    if setting.secret and len(text) < _SHORTEST_SECRET:
        raise ValueError(f"is shorter than {_SHORTEST_SECRET} characters")
    return value


def _plain_http_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """`values` are those that could be read."""
    if values.get("ALLOW_PLAIN_HTTP"):
        return
    for name in ("APP_BASE_API", "ACTIONS_BASE_URL", "X_BASE_URL", "NOTIFY_URL"):
        if _is_plain_http_beyond_loopback(values.get(name)):
            yield f"{name} {_PLAIN_HTTP}"
    jwt_secret = values.get("HASURA_GRAPHQL_JWT_SECRET")
    if jwt_secret and _is_plain_http_beyond_loopback(read_jwt_secret(jwt_secret).jwk_url):
        yield f"HASURA_GRAPHQL_JWT_SECRET has a jwk_url that {_PLAIN_HTTP}"


_PLAIN_HTTP = (
    "begins with http://, so that anybody on the way can read it: use https://, or ALLOW_PLAIN_HTTP=true in a private "
    "network"
)


def _is_plain_http_beyond_loopback(address: str | None) -> bool:
    parts = urlsplit(address or "")
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    """Whether what is sent there cannot leave this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _notification_faults(values: Mapping[str, Any]) -> Iterator[str]:
    if {"NOTIFY_URL", "NOTIFY_SECRET"} <= values.keys() and bool(values["NOTIFY_URL"]) != bool(values["NOTIFY_SECRET"]):
        yield "NOTIFY_URL and NOTIFY_SECRET need each other"
