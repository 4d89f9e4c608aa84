"""Serves the page on this machine, and signs users in by name."""

import os
import sys

from local.http_service import serve
from local.service import log_to_stdout, options, port_of
from local.settings import stack_settings
from local.web_server.access_token import AccessTokens, CannotSign
from local.web_server.server import application


def main() -> None:
    """Runs until SIGINT or SIGTERM."""
    given = options("web_server", __doc__ or "").parse_args()
    log_to_stdout("web")
    settings = stack_settings(given.data, given.ports, os.environ)
    try:
        tokens = AccessTokens(settings["HASURA_GRAPHQL_JWT_SECRET"])
    except CannotSign as error:
        sys.exit(f"web: {error}")
    serve("web", application(settings, tokens), port_of("web", given.ports), given.ready_file)


if __name__ == "__main__":
    main()
