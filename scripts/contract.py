"""Runs the contract tests against a real Hasura: starts docker-compose.yml with secrets of its own, and removes it.

    python -m scripts.contract [arguments of pytest]

With CONTRACT_ACCESS_TOKEN and CONTRACT_ACCESS_TOKEN_SECRET of an X account for tests, and CONSUMER_API_KEY and
CONSUMER_API_SECRET of your app, the tests of X really post. Needs Docker, and port 3100 to be free.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dotenv import dotenv_values

from admin.make_dotenv import EXAMPLE, with_secrets

_PROJECT = "scheduled-posts-contract"

_SECONDS_TO_START = 300

_SECONDS_TO_STOP = 120

_OF_X = ("CONSUMER_API_KEY", "CONSUMER_API_SECRET")


def main() -> None:
    """Ends with pytest's status, or with that of docker compose when Hasura could not be started."""
    with TemporaryDirectory() as folder:
        dotenv = Path(folder, "contract.env")
        dotenv.write_text(_settings())
        compose = ["docker", "compose", "--project-name", _PROJECT, "--env-file", str(dotenv)]
        try:
            started = subprocess.run(
                [*compose, "up", "--detach", "--wait"], timeout=_SECONDS_TO_START, check=False
            ).returncode
            status = started or _tests(dotenv)
        finally:
            subprocess.run([*compose, "down", "--volumes"], timeout=_SECONDS_TO_STOP, check=False)
    sys.exit(status)


def _settings() -> str:
    """Those of .env.example, with secrets for this run alone; the keys of X are the environment's where it has them."""
    text = with_secrets(EXAMPLE.read_text())
    placeholders = dotenv_values(EXAMPLE, interpolate=False)
    for name in _OF_X:
        value = os.environ.get(name) or "no-key-was-given-to-the-contract-tests"
        text = text.replace(f"{name}={placeholders[name]}\n", f"{name}={value}\n")
    return text


def _tests(dotenv: Path) -> int:
    command = [sys.executable, "-m", "pytest", "tests/stack/test_contract.py", *sys.argv[1:]]
    return subprocess.run(command, env={**os.environ, "CONTRACT_DOTENV": str(dotenv)}, check=False).returncode


if __name__ == "__main__":
    main()
