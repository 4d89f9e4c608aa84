"""Says what is lost, duplicate, orphaned, stuck or misconfigured, and exits with status 1 if anything is. Only reads.

Takes the settings from the environment or ``.env``; where those have none, from the local stack that ``make run`` runs.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from dotenv import dotenv_values

from doctor.examination import Scope, examine
from doctor.report import Report, as_json, as_text, misconfigured
from shared import config
from shared.config import Settings
from shared.errors import ConfigurationError

_DECIDING = "HASURA_GRAPHQL_ADMIN_SECRET"

_LOCAL_ADDRESSES = {"X_BASE_URL": "http://localhost:7080"}
"""Where the local stack answers, other than by the defaults of the settings."""


def main() -> None:
    """Status 0: all is well. 1: something was found. 2: the options make no sense."""
    given = _options()
    try:
        settings, source = find_settings(given.data, os.environ)
    except ConfigurationError as error:
        report = Report([misconfigured("settings", str(error), "Set them as the README's table says.")])
    else:
        if not given.json:
            functions = given.functions or settings.actions_base_url
            print(
                f"Hasura {settings.app_base_api}, functions {functions}, X {settings.x_base_url} (settings: {source})\n"
            )
        report = examine(settings, Scope(given.within, given.reconcile, given.functions))
    print(json.dumps(as_json(report), indent=2) if given.json else as_text(report))
    sys.exit(1 if report.findings else 0)


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
        "--reconcile",
        type=_whole_number,
        default=20,
        metavar="N",
        help="texts to reconcile with X, which bills reading (20)",
    )
    parser.add_argument(
        "--functions",
        type=lambda url: url.rstrip("/"),
        metavar="URL",
        help="where the functions are from here, if not ACTIONS_BASE_URL",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args()


def _hours(value: str) -> timedelta:
    return timedelta(hours=_whole_number(value))


def _whole_number(value: str) -> int:
    if not value.isdecimal() or len(value) > 6:
        raise argparse.ArgumentTypeError(f"expected a whole number, not {value!r}")
    return int(value)


if __name__ == "__main__":
    main()
