"""The OpenID Connect provider at which authors sign in, if not by name: the entry `oidc` of config.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit


def oidc_settings(path: Path) -> dict[str, str]:
    """The entry in this file; docs/page.md explains it. Raises ValueError, whose message says what is wrong."""
    try:
        settings = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as JSON") from error
    if not isinstance(settings, dict) or not all(isinstance(value, str) and value for value in settings.values()):
        raise ValueError(f"{path} must be a JSON object of texts")
    if missing := [name for name in ("issuer", "client_id") if name not in settings]:
        raise ValueError(f"{path} does not name {' and '.join(missing)}")
    if not urlsplit(settings["issuer"]).netloc:
        raise ValueError(f"{path}: issuer must be an address")
    return settings


def origin_of(settings: Mapping[str, str]) -> str:
    """The origin of the issuer, where the page requests its tokens."""
    issuer = urlsplit(settings["issuer"])
    return f"{issuer.scheme}://{issuer.netloc}"
