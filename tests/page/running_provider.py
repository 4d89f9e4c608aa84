"""An OpenID Connect provider for the page: tests/page/oidc_provider.js as a child process."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from npm_packages import require_npm_package

ROOT = Path(__file__).parents[2]

CLIENT_ID = "scheduled-posts-page"
AUDIENCE = "https://api.scheduled-posts.example"


@contextmanager
def running_provider(page: str) -> Iterator[str]:
    """The issuer, which ends with the block. `page` is where it sends browsers back to."""
    require_npm_package("oidc-provider")
    command = ["node", "tests/page/oidc_provider.js", page, AUDIENCE]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            issuer = process.stdout.readline().strip()
            assert issuer, "the provider did not start; its errors are above"
            yield issuer
        finally:
            process.kill()
