"""The names under which a server of the stack may be reached.

The owner of a web page can let the page's host name resolve to this machine (DNS rebinding). The browser then treats
our servers as the page's own origin, but it still sends the page's name as ``Host``.
"""

import re
from urllib.parse import urlsplit

NAMES = ("localhost", "127.0.0.1", "[::1]")


def is_meant(host: str) -> bool:
    """Whether this ``Host`` is a loopback name, with or without a port."""
    return re.sub(r":\d+$", "", host) in NAMES


def is_of_this_machine(url: str) -> bool:
    """Whether a request to this address stays on this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
