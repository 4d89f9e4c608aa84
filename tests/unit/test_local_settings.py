"""The settings of the local stack: its secrets are made once and kept."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from local.settings import stack_settings
from shared import config


def secrets_of(data: Path) -> dict[str, str]:
    """What one start on `data` works with, without the addresses."""
    return {
        name: value
        for name, value in stack_settings(data, {}, {}).items()
        if not name.endswith(("_API", "_URL", "_LIMIT"))
    }


def test_the_functions_can_load_the_settings_of_the_stack(tmp_path: Path) -> None:
    settings = config.load(stack_settings(tmp_path, {"x": 1234}, {}), dotenv=tmp_path / "no.env")

    assert settings.x_base_url == "http://localhost:1234"


def test_every_start_on_the_same_data_finds_the_same_secrets(tmp_path: Path) -> None:
    assert secrets_of(tmp_path) == secrets_of(tmp_path)


def test_other_data_has_other_secrets(tmp_path: Path) -> None:
    first, second = secrets_of(tmp_path / "first"), secrets_of(tmp_path / "second")

    assert [name for name in first if first[name] == second[name]] == []


def test_a_secret_that_older_data_lacks_is_added_once_and_the_others_stay(tmp_path: Path) -> None:
    before = secrets_of(tmp_path)
    older = {name: value for name, value in before.items() if name != "X_TOKEN_KEYS"}
    (tmp_path / "secrets.json").write_text(json.dumps(older))

    after = secrets_of(tmp_path)

    assert after == {**older, "X_TOKEN_KEYS": after["X_TOKEN_KEYS"]} == secrets_of(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_variable_of_the_environment_wins_unless_it_is_empty(tmp_path: Path) -> None:
    given = {"WEBHOOK_SECRET": "given", "X_TOKEN_KEYS": ""}

    settings = stack_settings(tmp_path, {}, given)

    assert settings["WEBHOOK_SECRET"] == "given"
    assert settings["X_TOKEN_KEYS"].startswith("local:")


def written_by(*arguments: str) -> str:
    """What ``python -m local.settings`` prints."""
    command = [sys.executable, "-m", "local.settings", *arguments]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, umask=0, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_file_of_the_settings_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text("an earlier one that others could read")
    file.chmod(0o644)

    printed = written_by("--data", str(tmp_path), "--output", str(file))

    assert printed == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == json.loads(written_by("--data", str(tmp_path)))
    assert sorted(os.listdir(tmp_path)) == ["local.settings.json", "secrets.json"]
