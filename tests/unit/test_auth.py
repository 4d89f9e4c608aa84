"""Who calls: the Authorization header, as Hasura reads it, and the webhook's secret."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from shared.errors import ConfigurationError, Unauthorized
from shared.http.auth import bearer_token, check_webhook_secret

KEY = "a-key-of-at-least-thirty-two-bytes"
JWT_SECRET = json.dumps({"type": "HS256", "key": KEY})
TOKEN = jwt.encode({"sub": "alice"}, KEY, "HS256")
HEADERS = json.loads((Path(__file__).parents[1] / "jwt_decisions.json").read_text())["authorization_headers"]


class TestTheAuthorizationHeader:
    @pytest.mark.parametrize("header", [None, ""], ids=["absent", "empty"])
    def test_a_missing_authorization_header_is_refused(self, header: str | None) -> None:
        with pytest.raises(Unauthorized, match="header is missing"):
            bearer_token(header, JWT_SECRET)

    @pytest.mark.parametrize("header", HEADERS, ids=[one["name"] for one in HEADERS])
    def test_an_authorization_header_is_read_as_hasura_reads_it(self, header: dict[str, Any]) -> None:
        written = header["written"].format(token=TOKEN)

        if header["accepted"]:
            assert bearer_token(written, JWT_SECRET) == TOKEN
        else:
            with pytest.raises(Unauthorized, match="Send: Authorization: Bearer <token>"):
                bearer_token(written, JWT_SECRET)

    @pytest.mark.parametrize("between", [" ", ",", ", Bearer "])
    def test_an_authorization_header_with_two_tokens_is_refused(self, between: str) -> None:
        with pytest.raises(Unauthorized):
            bearer_token(f"Bearer {TOKEN}{between}{TOKEN}", JWT_SECRET)

    def test_a_jwt_secret_that_cannot_be_used_is_a_configuration_error_before_the_header_is_read(self) -> None:
        with pytest.raises(ConfigurationError, match="HASURA_GRAPHQL_JWT_SECRET cannot be used: its key is too short"):
            bearer_token(None, json.dumps({"type": "HS256", "key": "k" * 31}))


class TestTheWebhookSecret:
    @pytest.mark.parametrize("secret", ["the-secret", "geheim-ß-秘密"], ids=["ascii", "not-ascii"])
    def test_a_caller_with_the_webhook_secret_is_accepted(self, secret: str) -> None:
        check_webhook_secret(secret, secret)  # raises Unauthorized otherwise

    @pytest.mark.parametrize(
        "given",
        [
            pytest.param(None, id="missing"),
            pytest.param("", id="empty"),
            pytest.param("wrong", id="wrong"),
            pytest.param("the-secre", id="cut-off"),
            pytest.param("the-secret ", id="blank-behind"),
            pytest.param("The-Secret", id="other-case"),
            pytest.param("the-secret,the-secret", id="sent-twice"),
            pytest.param("thé-secret", id="not-ascii"),
            pytest.param("\udce9", id="not-utf-8"),
        ],
    )
    def test_a_caller_without_the_webhook_secret_is_refused_and_told_how_to_send_it(self, given: str | None) -> None:
        with pytest.raises(Unauthorized, match=r"webhook's secret is missing or wrong.*x-webhook-secret") as caught:
            check_webhook_secret(given, "the-secret")

        assert "the-secret" not in str(caught.value)

    @pytest.mark.parametrize("given", ["the-new-secret", "the-old-secret"])
    def test_a_caller_with_either_secret_is_accepted_while_the_secret_is_rotated(self, given: str) -> None:
        check_webhook_secret(given, "the-new-secret", "the-old-secret")  # raises Unauthorized otherwise
