"""Options of single services that ``python -m local`` takes too: it checks them and passes them on as texts."""

import argparse
import math
import re
from pathlib import Path

from local.oidc_settings import oidc_settings

_SHORTEST_POLL_INTERVAL = 0.01
_ORIGIN = re.compile(r"https?://[^/\s,*]+|\*")


def add_delivery_options(parser: argparse.ArgumentParser) -> None:
    """Hasura's --poll-interval (a float, seconds) and --delivery (``concurrent`` or ``sequential``)."""
    parser.add_argument(
        "--poll-interval",
        type=_poll_interval,
        default=1.0,
        metavar="SECONDS",
        help="seconds between two polls of Hasura for due events (1; a real Hasura: 10)",
    )
    parser.add_argument(
        "--delivery",
        choices=("concurrent", "sequential"),
        default="concurrent",
        help="due events all at once, or one after another as Hasura did up to v2.21 (concurrent)",
    )


def add_rate_limit_option(parser: argparse.ArgumentParser) -> None:
    """X's --rate-limit: a number, ``"off"``, or None for the limits that X itself has."""
    parser.add_argument(
        "--rate-limit",
        type=_number_or_off,
        metavar="N|off",
        help="X's calls per user and endpoint in 15 minutes (as X: 100 tweets); off = no limits, no headers of them",
    )


def add_author_limits_option(parser: argparse.ArgumentParser) -> None:
    """Hasura's --author-limits: ``"off"``, or None for those that the database has."""
    parser.add_argument(
        "--author-limits",
        choices=("off",),
        help="off = authors may have and change as many posts as they like (docs/security.md)",
    )


def add_oidc_option(parser: argparse.ArgumentParser) -> None:
    """The page's --oidc: the absolute path of a usable file, or None for sign-in by name."""
    parser.add_argument(
        "--oidc",
        type=_oidc_file,
        metavar="FILE",
        help="authors sign in at the OpenID Connect provider that this JSON describes (docs/page.md), not by name",
    )


def add_cors_option(parser: argparse.ArgumentParser) -> None:
    """The stack's --cors: a list of origins, which is empty by default."""
    parser.add_argument(
        "--cors",
        type=_origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="an origin, beside the page's, whose pages may call Hasura and the functions; may be repeated",
    )


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise argparse.ArgumentTypeError(f"expected an origin such as http://localhost:5173, not {value!r}")
    return value


def _oidc_file(value: str) -> Path:
    path = Path(value).resolve()
    try:
        oidc_settings(path)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return path


def _poll_interval(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not _SHORTEST_POLL_INTERVAL <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of seconds from {_SHORTEST_POLL_INTERVAL}, not {value!r}")
    return seconds


def _number_or_off(value: str) -> int | str:
    if value == "off":
        return value
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number or off, not {value!r}")
    return int(value)
