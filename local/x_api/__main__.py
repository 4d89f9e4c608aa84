"""X's API for the development stack: signed requests, X's rules and errors, and faults on demand."""

import argparse
import logging
import os
import re
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

from local.http_service import serve
from local.service import log_to_stdout, options, port_of
from local.service_options import add_rate_limit_option
from local.settings import stack_settings
from local.x_api.oauth import Signatures
from local.x_api.server import DUPLICATE_WINDOW, X_LIMITS, build_app
from local.x_api.storage import Storage


def main() -> None:
    given = _parser().parse_args()
    log_to_stdout("x")
    logging.getLogger("oauthlib").setLevel(logging.WARNING)  # our own log has one line for each rejected request
    settings = stack_settings(given.data, given.ports, os.environ)
    with closing(Storage(given.data / "x.sqlite3", _now)) as storage:
        signatures = Signatures(settings["CONSUMER_API_KEY"], settings["CONSUMER_API_SECRET"], storage)
        app = build_app(signatures, storage, _now, _per_window(given.rate_limit), given.duplicate_window)
        serve("x", app, port_of("x", given.ports), given.ready_file)


def _parser() -> argparse.ArgumentParser:
    parser = options("x_api", __doc__ or "")
    add_rate_limit_option(parser)
    parser.add_argument(
        "--duplicate-window",
        type=_hours,
        default=DUPLICATE_WINDOW,
        metavar="HOURS",
        help="how long an author may not repeat a text (24; 0 = may always)",
    )
    return parser


def _per_window(rate_limit: int | str | None) -> Mapping[str, int] | None:
    match rate_limit:
        case None:
            return X_LIMITS
        case int():
            return dict.fromkeys(X_LIMITS, rate_limit)
        case _:
            return None


def _hours(value: str) -> timedelta:
    if not re.fullmatch(r"\d{1,5}(\.\d+)?", value):
        raise argparse.ArgumentTypeError(f"expected a number of hours, not {value!r}")
    return timedelta(hours=float(value))


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
