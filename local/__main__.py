"""Runs the whole stack on this machine: PostgreSQL, Hasura's APIs, the functions, X's API and the page.

Ctrl-C ends it. The next start finds the stored data again.
"""

import sys
from argparse import Namespace

from local.child_process import ServiceEnded
from local.ports import DEFAULT_PORTS, PortTaken
from local.service import log_to_stdout, options
from local.service_options import (
    add_author_limits_option,
    add_cors_option,
    add_delivery_options,
    add_oidc_option,
    add_rate_limit_option,
)
from local.stack import DataInUse, Plan, run


def main() -> None:
    """Ends with status 0 after SIGINT or SIGTERM, and with one line and status 1 when the stack cannot run."""
    given = _options()
    log_to_stdout("stack")
    try:
        run(_plan(given))
    except (DataInUse, ServiceEnded, PortTaken) as error:
        sys.exit(f"stack: {error}")


def _options() -> Namespace:
    parser = options("", __doc__ or "")
    parser.prog = "python -m local"
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=list(DEFAULT_PORTS),
        help="a service that runs elsewhere, at its --port here or where the environment says; may be repeated",
    )
    parser.add_argument("--restart", action="store_true", help="start a service again when it ended")
    add_delivery_options(parser)
    add_rate_limit_option(parser)
    add_author_limits_option(parser)
    add_oidc_option(parser)
    add_cors_option(parser)
    given = parser.parse_args()
    for name in given.without:
        if given.ports.get(name) == 0:
            parser.error(
                f"--without {name}: a free port is of no use for a service that runs elsewhere; give --port {name}=PORT"
            )
    return given


def _plan(given: Namespace) -> Plan:
    return Plan(
        data=given.data,
        ports=given.ports,
        without=frozenset(given.without),
        service_options={
            "hasura": [
                *("--poll-interval", str(given.poll_interval), "--delivery", given.delivery),
                *([] if given.author_limits is None else ["--author-limits", given.author_limits]),
            ],
            "web": [] if given.oidc is None else ["--oidc", str(given.oidc)],
            "x": [] if given.rate_limit is None else ["--rate-limit", str(given.rate_limit)],
        },
        origins=given.cors,
        restart=given.restart,
        ready_file=given.ready_file,
    )


if __name__ == "__main__":
    main()
