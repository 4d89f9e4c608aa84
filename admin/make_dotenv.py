"""Writes .env from .env.example, with a random secret for each `change-me` in it. A .env that is there stays as it is.

What only X and your Hasura know stays for you to fill in: the settings refuse to load until you have.
"""

import argparse
import os
import re
import secrets
import sys

from shared.config import DOTENV

EXAMPLE = DOTENV.with_name(".env.example")


def main() -> None:
    """Ends with status 1 when there is a .env already."""
    _options()
    text = with_secrets(EXAMPLE.read_text())
    try:
        created = os.open(DOTENV, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        sys.exit(f"{DOTENV} is there already, and stays as it is.")
    with os.fdopen(created, "w") as file:
        file.write(text)
    print(f"{DOTENV} is written. Fill in the rest: docs/deploying.md.")


def with_secrets(example: str) -> str:
    """The text, with 32 random bytes as base64url, each its own, where it says change-me outside of comments."""
    lines = example.splitlines(keepends=True)
    return "".join(line if line.startswith("#") else _with_secrets(line) for line in lines)


def _with_secrets(line: str) -> str:
    return re.sub(r"change-me[\w-]*", lambda _: secrets.token_urlsafe(32), line)


def _options() -> argparse.Namespace:
    return argparse.ArgumentParser(
        prog="python -m admin.make_dotenv",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    ).parse_args()


if __name__ == "__main__":
    main()
