"""An account's tokens for X, sealed, as they stand in the database, in its backups and in Hasura's answers.

    v1.<key id>.<base64url without padding of: nonce (12 bytes), ciphertext, tag (16 bytes)>

AES-256-GCM. The additional data is ``v1.<key id>.<X's user id>``, so that a value copied to another account does not
open. The plaintext is JSON: ``{"access_token": "...", "access_token_secret": "..."}``.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import ScheduledPostsError

_VERSION = "v1"
_KEY_ID = "[A-Za-z0-9_-]{1,32}"
_SEALED = re.compile(rf"{_VERSION}\.({_KEY_ID})\.([A-Za-z0-9_-]{{60,4000}})")
_KEY_BYTES, _NONCE_BYTES = 32, 12


class TokensDoNotOpen(ScheduledPostsError):
    """A sealed value does not open with these keys. The text says why, and shows of the value its key id alone."""


@dataclass(frozen=True)
class AccessTokens:
    """What a user of X gave our app: with these it acts in the user's name."""

    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True)
class TokenKeys:
    """The keys that tokens are sealed with, by their ids. The first one seals, all of them open."""

    _keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "TokenKeys":
        """Reads ``<key id>:<base64url of 32 bytes>``, several separated by commas.

        Base64 may have its padding and either alphabet. Raises ValueError with what the text must be.
        """
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(text.split(","), start=1):
            key_id, _, encoded = entry.partition(":")
            key = _key(encoded)
            if not re.fullmatch(_KEY_ID, key_id) or key is None:
                raise ValueError(
                    f"must be <key id>:<{_KEY_BYTES} random bytes in base64url>, or several of these separated by "
                    f"commas; number {number} is not"
                )
            if key_id in keys:
                raise ValueError(f"must have another id for each key; number {number} repeats one")
            keys[key_id] = key
        return cls(keys)

    def seal(self, x_user_id: str, tokens: AccessTokens) -> str:
        """The tokens as they are stored for this user of X, sealed with the first key. Never the same value twice."""
        key_id, key = next(iter(self._keys.items()))
        plain = json.dumps(
            {"access_token": tokens.access_token, "access_token_secret": tokens.access_token_secret}
        ).encode()
        nonce = os.urandom(_NONCE_BYTES)
        return (
            f"{_VERSION}.{key_id}.{_encoded(nonce + AESGCM(key).encrypt(nonce, plain, _bound_to(key_id, x_user_id)))}"
        )

    def open(self, x_user_id: str, sealed: str) -> AccessTokens:
        """The tokens that were sealed for this user of X. Raises TokensDoNotOpen."""
        parts = _SEALED.fullmatch(sealed)
        if not parts:
            raise TokensDoNotOpen("what is stored is no sealed value")
        key_id, body = parts.groups()
        if key_id not in self._keys:
            raise TokensDoNotOpen(f"they are sealed with key {key_id}, which is not among them")
        try:
            content = _decoded(body)
            plain = AESGCM(self._keys[key_id]).decrypt(
                content[:_NONCE_BYTES], content[_NONCE_BYTES:], _bound_to(key_id, x_user_id)
            )
        except (InvalidTag, ValueError):
            raise TokensDoNotOpen(
                f"the value was changed or is another account's, or key {key_id} is not the one that sealed it"
            ) from None
        return _tokens(plain)

    def seals_with(self, sealed: str) -> bool:
        """Whether the value names the first key: nothing is to be sealed anew."""
        parts = _SEALED.fullmatch(sealed)
        return parts is not None and parts[1] == next(iter(self._keys))


def _bound_to(key_id: str, x_user_id: str) -> bytes:
    return f"{_VERSION}.{key_id}.{x_user_id}".encode()


def _tokens(plain: bytes) -> AccessTokens:
    try:
        content = json.loads(plain)
    except ValueError:
        content = None
    given = [content.get(name) for name in ("access_token", "access_token_secret")] if isinstance(content, dict) else []
    match given:
        case [str(access_token), str(access_token_secret)]:
            return AccessTokens(access_token, access_token_secret)
        case _:
            raise TokensDoNotOpen("the value holds no tokens")


def _key(encoded: str) -> bytes | None:
    without_padding = encoded.removesuffix("=").translate(str.maketrans("+/", "-_"))
    try:
        key = _decoded(without_padding)
    except ValueError:
        return None
    return key if len(key) == _KEY_BYTES else None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    """Raises ValueError for what `_encoded` does not write, such as a last character with other bits to spare."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if _encoded(content) != text:
        raise ValueError("no base64url")
    return content
