"""Seals the tokens of the accounts on the local X, as production stores them: ``v1.<key id>.<content>``.

The content is base64url without padding of a nonce (12 bytes) and what AES-256-GCM makes of the tokens as JSON, with
``v1.<key id>.<X's user id>`` as additional data. The setting X_TOKEN_KEYS holds the keys; the first one seals.
"""

import base64
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Tokens = dict[str, str]
"""``access_token`` and ``access_token_secret``."""


class TokenSealer:
    """Seals with the first key of an X_TOKEN_KEYS, and opens with each."""

    def __init__(self, token_keys: str) -> None:
        entries = [entry.partition(":") for entry in token_keys.split(",")]
        self._keys = {key_id: AESGCM(_decoded(key)) for key_id, _, key in entries}

    def seal(self, x_user_id: str, tokens: Tokens) -> str:
        key_id, key = next(iter(self._keys.items()))
        nonce = os.urandom(12)
        content = nonce + key.encrypt(nonce, json.dumps(tokens).encode(), _bound_to(key_id, x_user_id))
        return f"v1.{key_id}.{base64.urlsafe_b64encode(content).decode().rstrip('=')}"

    def opened(self, x_user_id: str, sealed: str) -> Tokens | None:
        """None when the value is of another key or another user of X."""
        _, key_id, content = sealed.split(".")
        if key_id not in self._keys:
            return None
        nonce, encrypted = _decoded(content)[:12], _decoded(content)[12:]
        try:
            tokens: Tokens = json.loads(self._keys[key_id].decrypt(nonce, encrypted, _bound_to(key_id, x_user_id)))
        except InvalidTag:
            return None
        return tokens


def _bound_to(key_id: str, x_user_id: str) -> bytes:
    return f"v1.{key_id}.{x_user_id}".encode()


def _decoded(text: str) -> bytes:
    without_padding = text.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.urlsafe_b64decode(without_padding + "=" * (-len(without_padding) % 4))
