"""Who calls: an author with a token that Hasura accepts, or Hasura itself with the webhook's secret."""

import hmac

from shared.errors import ConfigurationError, Unauthorized
from shared.http import jwt_tokens


def bearer_token(authorization: str | None, jwt_secret: str) -> str:
    """The token in an Authorization header, verified as Hasura does it: `jwt_secret` is HASURA_GRAPHQL_JWT_SECRET.

    Hasura decides what the token allows. Raises Unauthorized with what is wrong, KeysUnavailable when the keys at
    `jwk_url` cannot be read, ConfigurationError when `jwt_secret` is unusable.
    """
    try:
        secret = jwt_tokens.read_jwt_secret(jwt_secret)
    except ValueError as error:
        raise ConfigurationError(f"HASURA_GRAPHQL_JWT_SECRET {error}.") from error
    token = _token_of(authorization)
    jwt_tokens.verify(token, secret)
    return token


def check_webhook_secret(given: str | None, *accepted: str) -> None:
    """Raises Unauthorized unless the caller sent one of the `accepted` secrets.

    All are compared always, and each comparison takes the same time for every input.
    """
    sent = (given or "").encode(errors="replace")
    matches = [hmac.compare_digest(sent, secret.encode()) for secret in accepted]
    if not any(matches):
        raise Unauthorized(
            "The webhook's secret is missing or wrong: Hasura must send its WEBHOOK_SECRET in x-webhook-secret."
        )


def _token_of(authorization: str | None) -> str:
    """Hasura takes any white space between and around the two words."""
    if not authorization:
        raise Unauthorized("The Authorization header is missing. Sign in, and send: Authorization: Bearer <token>.")
    match authorization.split():
        case ["Bearer", token]:
            return token
        case _:
            raise Unauthorized("The Authorization header is malformed. Send: Authorization: Bearer <token>.")
