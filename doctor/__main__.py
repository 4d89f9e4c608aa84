"""Says what is lost, doubled, orphaned, stuck or misconfigured, and exits with status 1 if anything is. Only reads.

Takes the settings from the environment or ``.env``; where those have none, from the local stack that ``make run`` runs.
"""

import argparse
import os
import sys
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from dotenv import dotenv_values

from doctor.examination import Report, Scope, examine
from local.settings import stack_settings
from shared import config
from shared.config import Settings
from shared.errors import ConfigurationError

_DECIDING = "HASURA_GRAPHQL_ADMIN_SECRET"


def main() -> None:
    """Status 0: all is well. 1: something was found. 2: the options make no sense."""
    given = _options()
    try:
        settings, source = find_settings(given.data, os.environ)
    except ConfigurationError as error:
        sys.exit(f"  misconfigured  {error}")
    print(f"Hasura {settings.app_base_api}, functions {given.functions or settings.actions_base_url}, ", end="")
    print(f"X {settings.x_base_url} (settings: {source})\n", flush=True)
    found = examine(settings, Scope(given.within, given.looks, given.functions))
    print(printed(found))
    sys.exit(1 if found.findings else 0)


def find_settings(data: Path, environ: Mapping[str, str], dotenv: Path = config.DOTENV) -> tuple[Settings, str]:
    """The settings, and in words where they are from. Raises ConfigurationError."""
    if environ.get(_DECIDING) or dotenv_values(dotenv, interpolate=False).get(_DECIDING):
        return config.load(environ, dotenv), "the environment and .env"
    if not (data / "secrets.json").exists():  # asking for them would draw them
        raise ConfigurationError(f"Settings: none in the environment or .env, and no local stack has run on {data}.")
    return config.load(stack_settings(data, {}, environ), dotenv), f"the local stack's, in {data}"


def printed(found: Report) -> str:
    """What was found, for a terminal: names and reasons come from others, so what steers terminals is left out."""
    lines = [line for finding in found.findings for line in _lines(finding.name, finding.subject, finding.sentence)]
    lines += ["", *(f"  {note}" for note in found.notes), ""]
    if found.findings:
        number = len(found.findings)
        lines.append(f"{number} finding{'s' * (number > 1)}.")
    else:
        lines.append("All is well: nothing is lost, doubled, orphaned, stuck or misconfigured.")
    text = "\n".join(lines).lstrip("\n")
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def _lines(name: str, subject: str, sentence: str) -> list[str]:
    indent = " " * 17
    return [f"  {name:<13}  {subject}", *textwrap.wrap(sentence, 100, initial_indent=indent, subsequent_indent=indent)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m doctor", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path(".local"), metavar="DIR", help="where the local stack's data lives (.local)"
    )
    parser.add_argument(
        "--hours",
        dest="within",
        type=_hours,
        metavar="N",
        default=timedelta(days=1),
        help="how far to look back at closed posts (24)",
    )
    parser.add_argument(
        "--looks", type=_whole_number, default=20, metavar="N", help="texts to ask X about, which bills reading (20)"
    )
    parser.add_argument(
        "--functions", type=_address, metavar="URL", help="where the functions are from here, if not ACTIONS_BASE_URL"
    )
    return parser.parse_args()


def _hours(value: str) -> timedelta:
    return timedelta(hours=_whole_number(value))


def _whole_number(value: str) -> int:
    if not value.isdecimal() or len(value) > 6:
        raise argparse.ArgumentTypeError(f"expected a whole number, not {value!r}")
    return int(value)


def _address(value: str) -> str:
    return value.rstrip("/")


if __name__ == "__main__":
    main()
