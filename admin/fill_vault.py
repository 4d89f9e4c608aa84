"""Puts the secrets of the settings into an Azure Key Vault, from where the functions and Hasura read them.

The settings are read from .env and the environment, as the functions read them, and must all be right. Each secret is
stored under its name in lower case with dashes: WEBHOOK_SECRET as webhook-secret. The two passwords of PostgreSQL are
made when the vault has none. Needs the Azure CLI, signed in as somebody who may write secrets of the vault.
"""

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from dotenv import dotenv_values

from shared import config
from shared.errors import ConfigurationError

MADE_HERE = ("postgres-password", "hasura-database-password")
"""Letters and digits alone, because the second one becomes part of an address."""

_TIMEOUT_SECONDS = 120


class AzureRefused(Exception):
    """The Azure CLI is not there, or did not do what it was asked. The text is what it said."""


def main() -> None:
    """Ends with status 0 when the vault holds every secret, 1 when it could not be filled."""
    given = _options()
    try:
        _fill(given.vault, _texts(given.dotenv))
    except (AzureRefused, ConfigurationError) as error:
        sys.exit(str(error))


def secret_name(setting: str) -> str:
    """What a setting's secret is called in the vault, whose names have no underscores."""
    return setting.lower().replace("_", "-")


def _texts(dotenv: Path) -> dict[str, str]:
    """The secret settings, as they are written. Raises ConfigurationError when any setting is wrong."""
    config.load(dotenv=dotenv)
    from_file = {name: value for name, value in dotenv_values(dotenv, interpolate=False).items() if value}
    given = from_file | {name: value for name, value in os.environ.items() if value}
    return {one.name: given[one.name] for one in config.SETTINGS if one.secret and one.name in given}


def _fill(vault: str, texts: Mapping[str, str]) -> None:
    for setting, text in texts.items():
        _store(vault, secret_name(setting), text)
        print(f"{setting} is in the vault as {secret_name(setting)}.", flush=True)
    present = _names_in(vault)
    for name in MADE_HERE:
        if name in present:
            print(f"{name} is there already, and stays.", flush=True)
        else:
            _store(vault, name, secrets.token_hex(24))
            print(f"{name} was made.", flush=True)


def _store(vault: str, name: str, value: str) -> None:
    """In a file that only this user can read, because other users of the machine see a command's arguments."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "value")
        file.touch(mode=0o600)
        file.write_text(value)
        _az("secret", "set", "--vault-name", vault, "--name", name, "--file", str(file), "--encoding", "utf-8")


def _names_in(vault: str) -> set[str]:
    return set(_az("secret", "list", "--vault-name", vault, "--query", "[].name", output="tsv").split())


def _az(*arguments: str, output: str = "none") -> str:
    command = ["az", "keyvault", *arguments, "--output", output]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except FileNotFoundError as error:
        raise AzureRefused("The Azure CLI (az) is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise AzureRefused(f"az has not answered within {_TIMEOUT_SECONDS} s.") from error
    if done.returncode:
        raise AzureRefused(f"az keyvault {arguments[0]} {arguments[1]} failed: {done.stderr.strip()[:500]}")
    return done.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m admin.fill_vault",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--vault", metavar="NAME", help="the Key Vault: AZURE_KEY_VAULT_NAME")
    parser.add_argument("--dotenv", type=Path, default=config.DOTENV, metavar="FILE", help="the settings (.env)")
    given = parser.parse_args()
    if not given.vault:
        parser.error("name the Key Vault: make fill-vault VAULT=<AZURE_KEY_VAULT_NAME>")
    return given


if __name__ == "__main__":
    main()
