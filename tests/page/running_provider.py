"""An OpenID Connect provider for the page: tests/page/oidc_provider.js as a child process."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "node_modules/oidc-provider"

CLIENT_ID = "scheduled-posts-page"
AUDIENCE = "https://api.scheduled-posts.example"


@contextmanager
def running_provider(page: str) -> Iterator[str]:
    """The issuer, which ends with the block. `page` is where it sends browsers back to."""
    _install()
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


def _install() -> None:
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("The tests of signing in at a provider need Node.js with npm.")
    if not PACKAGE.exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=ROOT, check=True)
