"""Whatever seals or opens tokens agrees: the functions, the local stack, and the Action of Auth0 (auth0/test/)."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.web_server.sealed_tokens import TokenSealer
from shared.x.sealed_tokens import AccessTokens, TokenKeys

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "sealed_tokens.json").read_text())
SETTINGS = EXAMPLES["settings"]


@pytest.mark.parametrize("example", EXAMPLES["sealed"], ids=lambda example: example["x_user_id"])
def test_what_the_action_of_auth0_seals_opens(example: dict[str, Any]) -> None:
    tokens = TokenKeys.of(example["keys"]).open(example["x_user_id"], example["sealed"])

    assert tokens == AccessTokens(**example["tokens"])
    assert TokenSealer(example["keys"]).opened(example["x_user_id"], example["sealed"]) == example["tokens"]


@pytest.mark.parametrize("example", SETTINGS["accepted"], ids=lambda example: example["seals_with"])
def test_the_first_key_of_the_setting_seals(example: dict[str, str]) -> None:
    sealed = TokenKeys.of(example["text"]).seal("1", AccessTokens("token", "secret"))

    assert sealed.split(".")[1] == example["seals_with"]


@pytest.mark.parametrize("example", SETTINGS["refused"], ids=lambda example: example["why"])
def test_another_setting_is_refused(example: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must"):
        TokenKeys.of(example["text"])
