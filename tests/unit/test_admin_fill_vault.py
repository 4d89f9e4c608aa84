"""The vault gets each secret of the settings, and no secret is an argument of a command."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from admin import fill_vault
from shared.config import SETTINGS

FAKE_AZ = f"""#!{sys.executable}
import json, pathlib, sys
arguments = sys.argv[1:]
log = pathlib.Path(__file__).with_name("log")
file = arguments[arguments.index("--file") + 1] if "--file" in arguments else None
value = pathlib.Path(file).read_text() if file else None
log.open("a").write(json.dumps({{"arguments": arguments, "value": value}}) + "\\n")
if "list" in arguments:
    print(*pathlib.Path(__file__).with_name("present").read_text().split(), sep="\\n")
"""

SETTINGS_FOR_TESTS = {
    "HASURA_GRAPHQL_ADMIN_SECRET": "an-admin-secret-of-a-test",
    "HASURA_GRAPHQL_JWT_SECRET": '{"type": "HS256", "key": "a key of a test that has 32 bytes or more"}',
    "WEBHOOK_SECRET": "a-webhook-secret-of-a-test",
    "CONSUMER_API_KEY": "consumer-key-of-a-test",
    "CONSUMER_API_SECRET": "consumer-secret-of-a-test",
    "X_TOKEN_KEYS": "first:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
}


class Azure:
    """The Azure CLI of the tests: what it was asked, and what the vault has at the beginning."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "az").write_text(FAKE_AZ)
        (folder / "az").chmod(0o755)
        self.has()

    def has(self, *names: str) -> None:
        (self._folder / "present").write_text(" ".join(names))

    def calls(self) -> list[dict[str, Any]]:
        log = self._folder / "log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def stored(self) -> dict[str, str]:
        return {
            one["arguments"][one["arguments"].index("--name") + 1]: one["value"] for one in self.calls() if one["value"]
        }


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Azure:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for one in SETTINGS:
        monkeypatch.delenv(one.name, raising=False)
    return Azure(tmp_path)


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    dotenv = tmp_path / "settings.env"

    def run(settings: dict[str, str] = SETTINGS_FOR_TESTS) -> None:
        dotenv.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
        monkeypatch.setattr(sys, "argv", ["fill_vault", "--vault", "kv-test", "--dotenv", str(dotenv)])
        fill_vault.main()

    return run


def test_each_secret_is_stored_as_it_is_written_in_the_settings(azure: Azure, fill: Any) -> None:
    fill()

    secret = {one.name for one in SETTINGS if one.secret} & set(SETTINGS_FOR_TESTS)
    assert {name: value for name, value in azure.stored().items() if name not in fill_vault.MADE_HERE} == {
        fill_vault.secret_name(name): SETTINGS_FOR_TESTS[name] for name in secret
    }


def test_no_value_is_an_argument_of_a_command_or_printed(
    azure: Azure, fill: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fill()

    shown = json.dumps([one["arguments"] for one in azure.calls()]) + "".join(capsys.readouterr())
    assert [name for name, value in azure.stored().items() if value in shown] == []


def test_the_passwords_of_postgresql_are_made_once(azure: Azure, fill: Any) -> None:
    fill()
    made = {name: azure.stored()[name] for name in fill_vault.MADE_HERE}
    assert all(len(value) == 48 and value.isalnum() for value in made.values())

    azure.has(*made)
    calls = len(azure.calls())
    fill()

    assert [one for one in azure.calls()[calls:] if set(one["arguments"]) & set(made)] == []


def test_a_wrong_setting_is_named_and_nothing_is_stored(azure: Azure, fill: Any) -> None:
    with pytest.raises(SystemExit, match="WEBHOOK_SECRET is missing"):
        fill({name: value for name, value in SETTINGS_FOR_TESTS.items() if name != "WEBHOOK_SECRET"})

    assert azure.calls() == []


@pytest.mark.parametrize("arguments", [[], ["--vault", ""]], ids=["no option", "an empty one"])
def test_a_missing_vault_is_asked_for_in_words_before_a_setting_is_read(
    arguments: list[str], azure: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fill_vault", *arguments, "--dotenv", "there-is-no.env"])

    with pytest.raises(SystemExit) as ended:
        fill_vault.main()

    assert ended.value.code == 2
    assert "name the Key Vault: make fill-vault VAULT=<AZURE_KEY_VAULT_NAME>" in capsys.readouterr().err
    assert azure.calls() == []


def test_a_refusal_of_azure_is_told_in_its_words(azure: Azure, fill: Any, tmp_path: Path) -> None:
    (tmp_path / "az").write_text('#!/bin/sh\necho "Caller is not authorized" >&2\nexit 1\n')

    with pytest.raises(SystemExit, match="secret set failed: Caller is not authorized"):
        fill()


def test_a_missing_azure_cli_is_named(fill: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit, match="is not installed"):
        fill()
