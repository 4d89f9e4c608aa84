"""Serves the functions of an Azure Functions app on this machine, as ``func start`` does.

Settings come from the environment, then from the app's ``local.settings.json``, then from the local stack.
"""

import logging
import os
import sys
from argparse import Namespace
from pathlib import Path

from local.functions_host.function_app import FunctionApp, InvalidApp, read_function_app
from local.functions_host.invocations import Invocations
from local.functions_host.local_settings import LocalSettings, host_settings, read_local_settings
from local.functions_host.server import DEFAULT_BODY_LIMIT, Cors, application
from local.functions_host.worker import Worker
from local.http_service import serve
from local.ports import DEFAULT_PORTS, PortTaken, choose_ports
from local.service import log_to_stdout, options
from local.settings import stack_settings


def main() -> None:
    """Runs until SIGINT or SIGTERM; ends with one line when the app or its settings cannot be used."""
    given = _options()
    log_to_stdout("functions")
    invocations = Invocations()
    logging.getLogger().handlers[0].addFilter(invocations)
    try:
        app = read_function_app(given.app)
        local = read_local_settings(given.app)
        ports = choose_ports(["functions"], {"functions": local.port or DEFAULT_PORTS["functions"], **given.ports})
    except (InvalidApp, PortTaken) as error:
        sys.exit(str(error))
    port = ports["functions"]
    _set_environment(given, local, port)
    _enter(app.root)

    worker = Worker(app.root, invocations)
    for function in app.functions:
        worker.load(function)
    _print_functions(app, port)
    cors = Cors.of(given.cors or local.cors, credentials=local.cors_credentials)
    body_limit = int(os.environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT") or DEFAULT_BODY_LIMIT)
    serve("functions", application(app, worker, cors, body_limit), port, given.ready_file)
    worker.abandon_running_calls()


def _options() -> Namespace:
    parser = options("functions_host", __doc__ or "")
    parser.add_argument("--app", type=Path, default=Path(), metavar="DIR", help="root of the app, with host.json (.)")
    parser.add_argument("--cors", default="", metavar="A,B", help="origins whose pages may call the functions")
    given = parser.parse_args()
    # The app's root becomes the working directory, so relative paths are read now.
    given.app, given.data = given.app.resolve(), given.data.resolve()
    given.ready_file = given.ready_file and given.ready_file.resolve()
    return given


def _set_environment(given: Namespace, local: LocalSettings, port: int) -> None:
    if skipped := sorted(name for name in local.values if os.environ.get(name)):
        logging.getLogger("functions").info(
            "local.settings.json: skipped, the environment wins: %s", ", ".join(skipped)
        )
    os.environ.update(host_settings(local, given.app, port, os.environ))
    os.environ.update(stack_settings(given.data, given.ports, os.environ))


def _enter(root: Path) -> None:
    """Core Tools put the root at the end of the path and make it the working directory."""
    here = str(Path.cwd())
    os.chdir(root)
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)] + [str(root)]


def _print_functions(app: FunctionApp, port: int) -> None:
    lines = [
        f"\t{function.name}: [{','.join(function.methods)}] http://localhost:{port}{function.path}\n"
        for function in app.functions
    ]
    print("\nFunctions:\n", *lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
