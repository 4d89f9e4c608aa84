"""Serves the page on this machine, and signs users in by name or leaves that to an OpenID Connect provider."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local.http_service import serve
from local.oidc_settings import oidc_settings
from local.service import log_to_stdout, options, port_of
from local.service_options import add_oidc_option
from local.settings import stack_settings
from local.web_server.access_token import AccessTokens, CannotSign
from local.web_server.server import application
from local.web_server.ways_to_sign_in import AtProvider, ByName, WayToSignIn


def main() -> None:
    """Runs until SIGINT or SIGTERM."""
    parser = options("web_server", __doc__ or "")
    add_oidc_option(parser)
    given = parser.parse_args()
    log_to_stdout("web")
    settings = stack_settings(given.data, given.ports, os.environ)
    sign_in = _way_to_sign_in(given.oidc, settings)
    serve("web", application(settings, sign_in), port_of("web", given.ports), given.ready_file)


def _way_to_sign_in(oidc: Path | None, settings: Mapping[str, str]) -> WayToSignIn:
    if oidc:
        return AtProvider(oidc_settings(oidc))
    try:
        return ByName(settings, AccessTokens(settings["HASURA_GRAPHQL_JWT_SECRET"]))
    except CannotSign as error:
        sys.exit(f"web: {error}")


if __name__ == "__main__":
    main()
