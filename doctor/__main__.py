"""Says what is lost, duplicate, orphaned, stuck or misconfigured, and exits with status 1 if anything is. Only reads.

Takes the settings from the environment or ``.env``; where those have none, from the local stack that ``make run`` runs.
"""

import argparse
import json
import os
import sys
from datetime import timedelta

from admin.connection import add_data_option, find_settings
from doctor.examination import Scope, examine
from doctor.report import Report, as_json, as_text, misconfigured
from shared.errors import ConfigurationError


def main() -> None:
    """Status 0: all is well. 1: something was found. 2: the options make no sense."""
    given = _options()
    try:
        if given.functions:  # it is sent the webhook's secret, so it must be what ACTIONS_BASE_URL must be
            find_settings(given.data, {**os.environ, "ACTIONS_BASE_URL": given.functions})
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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m doctor", description=(__doc__ or "").split("\n")[0])
    add_data_option(parser)
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
