"""`make contract` starts a Hasura with settings of its own, asks it, and removes it whatever happened."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.config import SETTINGS

ROOT = Path(__file__).parents[2]

FAKE_DOCKER = f"""#!{sys.executable}
import json, pathlib, sys
arguments = sys.argv[1:]
settings = pathlib.Path(arguments[arguments.index("--env-file") + 1]).read_text()
pathlib.Path(__file__).with_name("log").open("a").write(json.dumps([arguments[5:], settings]) + "\\n")
sys.exit(7 if arguments[5] in pathlib.Path(__file__).with_name("failing").read_text().split() else 0)
"""


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    (tmp_path / "docker").write_text(FAKE_DOCKER)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "failing").write_text("")
    return tmp_path


def contract(docker: Path, **environment: str) -> tuple[int, list[Any]]:
    """The status, and what docker compose was asked with which settings. No test is found by this name."""
    others = {name: value for name, value in os.environ.items() if name not in {one.name for one in SETTINGS}}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.contract", "-q", "-k", "there_is_no_such_test", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**others, "PATH": f"{docker}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in (docker / "log").read_text().splitlines()]


def test_hasura_is_started_asked_and_removed(docker: Path) -> None:
    status, calls = contract(docker, CONSUMER_API_KEY="consumer-key-of-a-test")

    assert [arguments for arguments, _ in calls] == [
        ["up", "--detach", "--wait", "hasura"],
        ["run", "--rm", "event_triggers"],
        ["down", "--volumes"],
    ]
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    [settings] = {settings for _, settings in calls}
    assert "change-me" not in settings
    assert "\nCONSUMER_API_KEY=consumer-key-of-a-test\n" in settings
    assert "\nCONSUMER_API_SECRET=no-key-was-given" in settings


def test_a_hasura_that_does_not_start_is_removed_and_its_status_is_kept(docker: Path) -> None:
    (docker / "failing").write_text("up")

    status, calls = contract(docker)

    assert status == 7
    assert [arguments[0] for arguments, _ in calls] == ["up", "down"]
