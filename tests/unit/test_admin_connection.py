"""What every command of the operator begins with: options, settings, exit statuses."""

import argparse
from pathlib import Path

import pytest
from calling import SETTINGS

from admin.connection import CommandRefused, Connection, add_user_option, parser_for, run, say
from admin.hasura_api import HasuraUnusable


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def ended(raised: BaseException | None = None) -> SystemExit:
    def work(connection: Connection) -> None:
        if raised:
            raise raised

    with pytest.raises(SystemExit) as end:
        run(Path("no-local-stack"), work)
    return end.value


def test_a_command_that_is_done_ends_with_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended().code == 0
    assert capsys.readouterr().out.startswith("Hasura is http")


@pytest.mark.parametrize(
    ("raised", "sentence"),
    [
        (CommandRefused("There is no user alice."), "There is no user alice."),
        (HasuraUnusable("Hasura", "It refused.", "Look."), "Hasura: It refused. Look."),
        (KeyboardInterrupt(), "Interrupted."),
    ],
)
def test_a_command_that_is_refused_says_why_in_one_line(raised: BaseException, sentence: str) -> None:
    assert ended(raised).code == sentence  # what is no number goes to stderr, with status 1


def test_a_setting_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_TOKEN_KEYS", "no-key")

    assert "X_TOKEN_KEYS" in str(ended().code)


def test_what_others_named_does_not_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("@\x1b[2J")

    assert capsys.readouterr().out == "@?[2J\n"


@pytest.mark.parametrize("options", [[], ["--user", " "], ["--user", "a\nb"], ["--user", "alice", "--other"]])
def test_wrong_options_end_with_status_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser: argparse.ArgumentParser = parser_for("example", "An example.")
    add_user_option(parser, "whom")

    with pytest.raises(SystemExit) as end:
        parser.parse_args(options)

    assert end.value.code == 2
