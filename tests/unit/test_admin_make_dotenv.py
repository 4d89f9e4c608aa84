"""A new .env has secrets of its own wherever the example has a placeholder for one."""

import stat
import sys
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values

from admin import make_dotenv
from admin.make_dotenv import EXAMPLE, with_secrets


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(make_dotenv, "DOTENV", tmp_path / ".env")
    monkeypatch.setattr(sys, "argv", ["make_dotenv"])
    return tmp_path / ".env"


def test_each_placeholder_of_a_secret_becomes_a_secret_of_its_own() -> None:
    before = dotenv_values(EXAMPLE, interpolate=False)

    after = dotenv_values(stream=StringIO(with_secrets(EXAMPLE.read_text())), interpolate=False)

    assert list(after) == list(before)
    changed = [after[name] for name, value in before.items() if value and "change-me" in value]
    assert len(changed) == len(set(changed)) >= 3
    assert all(value and "change-me" not in value and len(value) >= 43 for value in changed)
    assert {name: after[name] for name, value in before.items() if "change-me" not in (value or "")} == {
        name: value for name, value in before.items() if "change-me" not in (value or "")
    }


def test_two_files_have_different_secrets() -> None:
    assert with_secrets("KEY=change-me-one") != with_secrets("KEY=change-me-one")


def test_only_this_user_may_read_the_file(dotenv: Path) -> None:
    make_dotenv.main()

    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o600
    assert list(dotenv_values(dotenv)) == list(dotenv_values(EXAMPLE))


def test_a_file_that_is_there_is_not_overwritten(dotenv: Path) -> None:
    dotenv.write_text("KEPT=1\n")

    with pytest.raises(SystemExit, match="is there already"):
        make_dotenv.main()

    assert dotenv.read_text() == "KEPT=1\n"
