"""What every command of the operator begins with: its options, the settings, and Hasura as admin."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dotenv import dotenv_values

from admin.hasura_api import HasuraApi, HasuraUnusable
from shared import config
from shared.config import Settings
from shared.errors import ConfigurationError

_DECIDING = "HASURA_GRAPHQL_ADMIN_SECRET"

_LOCAL_ADDRESSES = {"X_BASE_URL": "http://localhost:7080"}
"""Where the local stack answers, other than by the defaults of the settings."""


class CommandRefused(Exception):
    """The command cannot do what was asked, and nothing was stored. The text is one sentence for the operator."""


@dataclass(frozen=True)
class Connection:
    """The settings, and Hasura as they name it."""

    settings: Settings
    hasura: HasuraApi


def find_settings(data: Path, environ: Mapping[str, str], dotenv: Path = config.DOTENV) -> tuple[Settings, str]:
    """The settings, and in words where they are from. Raises ConfigurationError."""
    if environ.get(_DECIDING) or dotenv_values(dotenv, interpolate=False).get(_DECIDING):
        return config.load(environ, dotenv), "the environment and .env"
    secrets = data / "secrets.json"
    if not secrets.exists():
        raise ConfigurationError(f"None in the environment or .env, and no local stack has run on {data}.")
    given = {name: value for name, value in environ.items() if value}
    of_stack = {**_LOCAL_ADDRESSES, **json.loads(secrets.read_text()), **given}
    return config.load(of_stack, dotenv), f"the local stack's, in {data}"


def parser_for(command: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of ``python -m admin.<command>``, with --data. Wrong options end the process with status 2."""
    parser = argparse.ArgumentParser(
        prog=f"python -m admin.{command}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_data_option(parser)
    return parser


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """--data: where to find the settings of the local stack."""
    parser.add_argument(
        "--data", type=Path, default=Path(".local"), metavar="DIR", help="where the local stack's data lives (.local)"
    )


def add_user_option(parser: argparse.ArgumentParser, help_text: str) -> None:
    """--user, which is required: the subject of the user's token."""
    parser.add_argument(
        "--user", required=True, type=_username, metavar="NAME", help=f"{help_text}: the token's subject"
    )


def _username(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError("a username is not blank, and has no control characters")
    return text


def run(data: Path, work: Callable[[Connection], None]) -> NoReturn:
    """Connects, does the work, and ends the process: status 0 when it is done, 1 when it was refused or failed."""
    try:
        settings, source = find_settings(data, os.environ)
        say(f"Hasura is {settings.app_base_api} (settings: {source}).")
        work(Connection(settings, HasuraApi(settings)))
    except (ConfigurationError, HasuraUnusable, CommandRefused) as error:
        sys.exit(printable(str(error)))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    sys.exit(0)


def say(sentence: str) -> None:
    """One step of the command, on standard output at once."""
    print(printable(sentence), flush=True)


def printable(text: str) -> str:
    """The text for a terminal. Names and messages come from others, so control characters are replaced."""
    return "".join(character if character.isprintable() else "?" for character in text)
