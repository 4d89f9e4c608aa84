"""OAuth 1.0a: how a request to X says whose it is."""

from typing import Any

from oauthlib import oauth1

from shared.http.client import Sign


def signature(
    app: tuple[str, str],
    token: tuple[str, str] | tuple[None, None] = (None, None),
    *,
    callback: str | None = None,
    pin: str | None = None,
) -> Sign:
    """Signs a request as the app, given by its key and secret, and as the user of the token, given likewise.

    A body is sent as JSON, which OAuth 1.0a does not sign. Each signature has a nonce of its own: X takes one that
    comes twice for a repeated submission.
    """
    client = oauth1.Client(app[0], app[1], token[0], token[1], callback_uri=callback, verifier=pin)

    def sign(request: Any) -> Any:
        _, headers, _ = client.sign(request.url, request.method, None, {})
        request.headers.update(headers)
        return request

    return sign
