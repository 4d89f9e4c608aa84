"""The settings that the services of the stack and the functions share.

Secrets are random. The first start that needs one creates it and keeps it in ``DATA/secrets.json``, which only its
owner can read, so that stored events, issued tokens and linked accounts stay valid over restarts. Addresses follow from
the ports.

``python -m local.settings --output local.settings.json`` writes them the way ``func start`` reads them, to a file that
only its owner can read. Without ``--output`` they are printed.
"""

import base64
import fcntl
import json
import os
import secrets
import string
import tempfile
from collections.abc import Mapping
from pathlib import Path

from local.ports import DEFAULT_PORTS
from local.service import options, write_whole

BODY_SIZE_LIMIT = 2 * 1024 * 1024
"""What the functions host takes, in the cloud (infra/functions.bicep) as here."""

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def stack_settings(data: Path, ports: Mapping[str, int], environ: Mapping[str, str]) -> dict[str, str]:
    """Every setting that the two functions and their host need to work with this stack, by name.

    A non-empty variable in `environ` wins, as with ``func start``; so a service that runs alone can use the real
    systems. `ports` names those that differ from DEFAULT_PORTS. Creates `data` and the secrets in it when they are
    missing.
    """
    urls = stack_urls(ports)
    values = {
        "APP_BASE_API": urls["hasura"],
        "ACTIONS_BASE_URL": urls["functions"],
        "X_BASE_URL": urls["x"],
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": str(BODY_SIZE_LIMIT),
        **_kept_secrets(data),
    }
    return {name: environ.get(name) or value for name, value in values.items()}


def stack_urls(ports: Mapping[str, int]) -> dict[str, str]:
    """The address of each service: ``{"hasura": "http://localhost:3100", ...}``."""
    return {name: f"http://localhost:{ports.get(name, default)}" for name, default in DEFAULT_PORTS.items()}


def func_local_settings(settings: Mapping[str, str], web_url: str) -> dict[str, object]:
    """A ``local.settings.json`` (Azure Functions Core Tools) that connects ``func start`` to this stack."""
    return {
        "IsEncrypted": False,
        "Values": {"FUNCTIONS_WORKER_RUNTIME": "python", "AzureWebJobsStorage": "", **settings},
        "Host": {"LocalHttpPort": DEFAULT_PORTS["functions"], "CORS": web_url},
    }


def _kept_secrets(data: Path) -> dict[str, str]:
    path = data / "secrets.json"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        _create_once(path, json.dumps(_new_secrets(), indent=2))
    with path.open() as held:
        # Of services that start at the same time the first adds what is missing; the others find it in the new file.
        fcntl.flock(held, fcntl.LOCK_EX)
        kept: dict[str, str] = json.loads(path.read_text())
        all_secrets = {**_new_secrets(), **kept}
        if all_secrets != kept:
            write_whole(path, json.dumps(all_secrets, indent=2))
    return all_secrets


def _new_secrets() -> dict[str, str]:
    return {
        "HASURA_GRAPHQL_ADMIN_SECRET": secrets.token_hex(32),
        "HASURA_GRAPHQL_JWT_SECRET": json.dumps({"type": "HS256", "key": secrets.token_hex(32)}),
        "WEBHOOK_SECRET": secrets.token_hex(32),
        "CONSUMER_API_KEY": "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(25)),
        "CONSUMER_API_SECRET": "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(50)),
        "X_TOKEN_KEYS": "local:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


def _create_once(path: Path, text: str) -> None:
    """Services that start at the same time must use the same secrets: the first whole file wins."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)


if __name__ == "__main__":
    parser = options("settings", __doc__ or "")
    parser.add_argument("--output", type=Path, metavar="FILE", help="written, readable by its owner alone")
    given = parser.parse_args()
    local_settings = func_local_settings(
        stack_settings(given.data, given.ports, os.environ), stack_urls(given.ports)["web"]
    )
    text = json.dumps(local_settings, indent=2)
    if given.output:
        write_whole(given.output, text + "\n")
    else:
        print(text)
