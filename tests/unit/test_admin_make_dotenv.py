"""A new .env has secrets of its own wherever the example has a placeholder for one."""

import os
import re
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


def test_a_comment_stays_as_it_is() -> None:
    assert with_secrets("# A change-me is refused.\nKEY=set\n") == "# A change-me is refused.\nKEY=set\n"


def test_an_address_that_nobody_else_knows_is_empty_in_the_example() -> None:
    example = dotenv_values(EXAMPLE, interpolate=False)

    assert {name: example[name] for name in ("FUNCTIONS_URL", "PAGE_ORIGIN", "HASURA_DOMAIN")} == {
        "FUNCTIONS_URL": "",
        "PAGE_ORIGIN": "",
        "HASURA_DOMAIN": "",
    }


def test_the_example_names_no_host_that_somebody_can_register() -> None:
    hosts = set(re.findall(r"https?://([\w.-]+)", EXAMPLE.read_text()))

    assert {host for host in hosts if not host.endswith(".example")} == {"localhost", "api.x.com"}


def test_only_this_user_may_read_the_file_from_its_first_moment(dotenv: Path) -> None:
    before = os.umask(0)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "chmod", lambda *_, **__: pytest.fail("The mode is changed after the file is there."))
            make_dotenv.main()
    finally:
        os.umask(before)

    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o600
    assert list(dotenv_values(dotenv)) == list(dotenv_values(EXAMPLE))


def test_a_file_that_is_there_is_not_overwritten(dotenv: Path) -> None:
    dotenv.write_text("KEPT=1\n")

    with pytest.raises(SystemExit, match="is there already"):
        make_dotenv.main()

    assert dotenv.read_text() == "KEPT=1\n"


def test_no_file_is_left_when_there_is_no_example(
    dotenv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_dotenv, "EXAMPLE", tmp_path / "no.example")

    with pytest.raises(FileNotFoundError):
        make_dotenv.main()

    assert not dotenv.exists()
