"""An account's tokens are sealed for its X user: with which keys they open, and with what they do not."""

import base64
import json
import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared.x.sealed_tokens import AccessTokens, TokenKeys, TokensDoNotOpen

ADA, BOB = "1111111111111111111", "2222222222222222222"
TOKENS = AccessTokens(f"{ADA}-the-token-of-ada", "the-secret-of-ada")
OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(32, 64))


def encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


OLD = TokenKeys.of(f"old:{encoded(OLD_KEY)}")
BOTH = TokenKeys.of(f"new:{encoded(NEW_KEY)},old:{encoded(OLD_KEY)}")
SEALED = OLD.seal(ADA, TOKENS)


def reason(keys: TokenKeys, sealed: str, x_user_id: str = ADA) -> str:
    """Why the value does not open."""
    with pytest.raises(TokensDoNotOpen) as caught:
        keys.open(x_user_id, sealed)
    return str(caught.value)


@given(st.text(max_size=100), st.text(max_size=100))
def test_what_was_sealed_opens(access_token: str, access_token_secret: str) -> None:
    tokens = AccessTokens(access_token, access_token_secret)

    assert OLD.open(ADA, OLD.seal(ADA, tokens)) == tokens


def test_the_same_tokens_are_never_sealed_to_the_same_value() -> None:
    assert OLD.seal(ADA, TOKENS) != OLD.seal(ADA, TOKENS)


def test_a_value_that_another_program_sealed_by_the_written_format_opens() -> None:
    nonce = os.urandom(12)
    plain = json.dumps({"access_token": "a", "access_token_secret": "b"}, separators=(",", ":")).encode()
    content = nonce + AESGCM(OLD_KEY).encrypt(nonce, plain, f"v1.old.{ADA}".encode())

    sealed = "v1.old." + encoded(content).rstrip("=")

    assert OLD.open(ADA, sealed) == AccessTokens("a", "b")


class TestSeveralKeys:
    def test_the_first_key_seals(self) -> None:
        assert BOTH.seal(ADA, TOKENS).startswith("v1.new.")

    def test_every_key_opens(self) -> None:
        assert BOTH.open(ADA, SEALED) == BOTH.open(ADA, BOTH.seal(ADA, TOKENS)) == TOKENS

    def test_only_what_the_first_key_sealed_need_not_be_sealed_anew(self) -> None:
        assert BOTH.seals_with(BOTH.seal(ADA, TOKENS))
        assert not BOTH.seals_with(SEALED)
        assert not BOTH.seals_with("v1.new.no-sealed-value")

    def test_a_value_of_a_key_that_is_not_there_names_that_key(self) -> None:
        assert reason(OLD, BOTH.seal(ADA, TOKENS)) == "they are sealed with key new, which is not among them"

    def test_a_key_id_that_was_exchanged_does_not_open(self) -> None:
        assert "or key new is not the one that sealed it" in reason(BOTH, SEALED.replace("v1.old.", "v1.new."))

    def test_another_key_of_the_same_id_does_not_open(self) -> None:
        assert "or key old is not the one that sealed it" in reason(TokenKeys.of(f"old:{encoded(NEW_KEY)}"), SEALED)


class TestWhatDoesNotOpen:
    def test_a_value_of_another_user_of_x(self) -> None:
        assert "another account's" in reason(OLD, SEALED, x_user_id=BOB)

    @pytest.mark.parametrize("kept", [0, 3, len("v1.old."), len("v1.old.") + 60, len(SEALED) - 1])
    def test_a_value_that_was_cut(self, kept: int) -> None:
        reason(OLD, SEALED[:kept])

    @given(st.integers(0, len(SEALED) - 1), st.sampled_from("AaZz09_-.="))
    def test_a_value_in_which_one_character_was_changed(self, at: int, character: str) -> None:
        changed = SEALED[:at] + character + SEALED[at + 1 :]

        assert changed == SEALED or reason(OLD, changed)

    @given(st.text())
    def test_any_other_text(self, text: str) -> None:
        assert reason(OLD, text) == "what is stored is no sealed value"

    @pytest.mark.parametrize("plain", [TOKENS.access_token, f'{{"access_token": "{TOKENS.access_token}"}}'])
    def test_plain_tokens(self, plain: str) -> None:
        assert reason(OLD, plain) == "what is stored is no sealed value"

    @pytest.mark.parametrize(
        "content", ["[]", "no json", '{"access_token": "a"}', '{"access_token": 1, "access_token_secret": "b"}']
    )
    def test_a_value_that_holds_something_else_than_tokens(self, content: str) -> None:
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(OLD_KEY).encrypt(nonce, content.encode().ljust(60), f"v1.old.{ADA}".encode())

        assert reason(OLD, "v1.old." + encoded(sealed).rstrip("=")) == "the value holds no tokens"


def test_nothing_shows_a_token_or_a_key() -> None:
    shown = f"{TOKENS!r} {TOKENS} {BOTH!r} {BOTH} {reason(OLD, SEALED, BOB)} {reason(OLD, TOKENS.access_token)}"

    for secret in (TOKENS.access_token, TOKENS.access_token_secret, encoded(OLD_KEY), repr(OLD_KEY), SEALED[10:]):
        assert secret not in shown


class TestTheSetting:
    # 32 bytes whose base64 has characters of which the two alphabets write different ones.
    KEY = b"\xfb\xff" * 16

    @pytest.mark.parametrize("encode", [base64.urlsafe_b64encode, base64.b64encode])
    @pytest.mark.parametrize("padding", ["=", ""])
    def test_padding_and_either_alphabet_are_read(self, encode: Callable[[bytes], bytes], padding: str) -> None:
        written = encode(self.KEY).decode().rstrip("=") + padding

        assert TokenKeys.of(f"k:{written}") == TokenKeys.of(f"k:{encoded(self.KEY)}")

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param(encoded(OLD_KEY), id="no-key-id"),
            pytest.param(f":{encoded(OLD_KEY)}", id="empty-key-id"),
            pytest.param(f"key one:{encoded(OLD_KEY)}", id="space-in-the-key-id"),
            pytest.param(f"{'k' * 33}:{encoded(OLD_KEY)}", id="long-key-id"),
            pytest.param("k:", id="no-key"),
            pytest.param(f"k:{encoded(OLD_KEY[1:])}", id="short-key"),
            pytest.param(f"k:{encoded(OLD_KEY + b'0')}", id="long-key"),
            pytest.param(f"k:{OLD_KEY.hex()}", id="hexadecimal"),
            pytest.param(f"k:{encoded(OLD_KEY)}=", id="too-much-padding"),
            pytest.param("k:\N{GREEK SMALL LETTER ALPHA}" + "A" * 42, id="not-ascii"),
            pytest.param("1:change-me-to-32-random-bytes", id="placeholder"),
        ],
    )
    def test_words_for_a_wrong_key_say_its_place_and_no_value(self, text: str) -> None:
        with pytest.raises(ValueError, match="number 2 is not") as caught:
            TokenKeys.of(f"right:{encoded(NEW_KEY)},{text}")

        assert str(caught.value) == (
            "must be <key id>:<32 random bytes in base64url>, or several of these separated by commas; number 2 is not"
        )

    def test_an_id_that_comes_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match="must have another id for each key; number 2 repeats one"):
            TokenKeys.of(f"k:{encoded(OLD_KEY)},k:{encoded(NEW_KEY)}")
