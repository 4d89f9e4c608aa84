"""What tests/conftest.py promises to every test."""

import os

import pytest

from shared.config import SETTINGS


def test_the_temporary_directory_of_a_run_is_not_the_one_that_all_runs_of_a_user_share(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert [part for part in tmp_path_factory.getbasetemp().parts if part.startswith("pytest-of-")] == []


def test_no_setting_of_the_shell_reaches_a_test() -> None:
    assert [setting.name for setting in SETTINGS if setting.name in os.environ] == []
