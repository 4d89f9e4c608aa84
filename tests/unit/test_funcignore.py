"""The package for Azure holds the two functions and what they need, whichever tool makes it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def needed() -> list[str]:
    kept = {"createPost", "postTweet", "shared", "host.json", "requirements.txt"}
    return [path for path in tracked() if path.split("/")[0] in kept]


def tracked(*options: str) -> list[str]:
    command = ["git", "ls-files", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def patterns() -> list[str]:
    lines = (ROOT / ".funcignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_core_tools_pack_what_is_needed_and_nothing_else() -> None:
    """Its parser takes a leading / away, and anchors each pattern at the root; ``*`` stops at a slash."""
    expressions = [
        re.escape(line.removeprefix("/")).replace(r"\*\*", ".+").replace(r"\*", "[^/]+") for line in patterns()
    ]
    denied = re.compile(f"({'|'.join(expressions)})")

    assert [path for path in tracked() if not denied.match(path) and path != ".funcignore"] == needed()


def test_azd_packs_what_is_needed_and_nothing_else() -> None:
    """azd reads the file as git reads .gitignore."""
    ignored = set(tracked("--cached", "--ignored", "--exclude-from=.funcignore"))

    assert [path for path in tracked() if path not in ignored] == needed()


def test_what_only_this_machine_has_stays_out() -> None:
    secret = {
        "/.env",
        "/.env.*",
        "/*.env",
        "/*.dump",
        "/local.settings.json",
        "/.azure",
        "/.local",
        "/.venv",
        "/node_modules",
    }

    assert secret - set(patterns()) == set()


@pytest.mark.parametrize("name", [".env", ".env.production", "test.env", "posts.dump", "local.settings.json"])
def test_git_leaves_out_what_holds_secrets_or_posts(name: str) -> None:
    assert ignored_by_git(name)


@pytest.mark.parametrize("name", [".env.example", "local.settings.json.example"])
def test_git_keeps_the_examples(name: str) -> None:
    assert not ignored_by_git(name)


def ignored_by_git(name: str) -> bool:
    command = ["git", "check-ignore", "--no-index", "--quiet", name]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0
