"""Who may reach a server of the stack by what name.

A web page elsewhere can point a name of its own at this machine, and then counts as of the same origin as our servers;
but the browser still sends that name.
"""

import re

from aiohttp import web

NAMES = ("localhost", "127.0.0.1", "[::1]")


def is_meant(request: web.Request) -> bool:
    """Whether the request's ``Host`` is a loopback name, with or without a port."""
    return re.sub(r":\d+$", "", request.host) in NAMES
