"""What an operator writes after make reaches a command as it is: a username is chosen by a stranger. And its checks."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"


def arguments(directory: Path, *written: str) -> list[str]:
    """What the Python of .venv is called with; nothing is installed."""
    program = directory / "python"
    program.write_text(PROGRAM)
    program.chmod(0o700)
    command = ["make", "--silent", "--old-file=install", *written, f"BIN={directory}"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout))


@pytest.mark.parametrize("value", ["a'; touch made; '", 'a"; touch made; "', "`touch made`", "$(touch made)", "a b"])
@pytest.mark.parametrize(
    ("target", "variable", "option"),
    [
        ("link-account", "USER", "--user"),
        ("unlink-account", "USER", "--user"),
        ("forget-user", "USER", "--user"),
        ("pause", "REASON", "--reason"),
        ("reconcile", "SINCE", "--since"),
        ("reconcile", "STOPPED", "--stopped-at"),
        ("delete-old-events", "OLDER_THAN", "--older-than"),
        ("fill-vault", "VAULT", "--vault"),
    ],
)
def test_a_value_is_one_argument_and_is_not_run(
    tmp_path: Path, target: str, variable: str, option: str, value: str
) -> None:
    given = arguments(tmp_path, target, f"{variable}={value}")

    assert given[given.index(option) + 1] == value


def test_a_function_of_make_in_a_value_is_not_called(tmp_path: Path) -> None:
    made = tmp_path / "made"

    arguments(tmp_path, "forget-user", f"USER=$(shell touch {made})")

    assert not made.exists()


def test_the_user_of_the_shell_is_no_user_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "root")

    assert "--user" not in arguments(tmp_path, "forget-user")


def test_each_check_is_one_that_has_to_pass_before_a_change_lands() -> None:
    [prerequisites] = re.findall(r"^check: (.*?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert sorted(prerequisites.split()) == sorted(re.findall(r"check-\w+", (ROOT / ".ci/run").read_text()))
