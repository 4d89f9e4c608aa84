"""Who calls: the Authorization header, as Hasura reads it, and the webhook's secret."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from token_rows import ROWS, published_keys, sent

from shared.errors import ConfigurationError, Unauthorized
from shared.http.auth import bearer_token, check_webhook_secret

KEY = "a-key-of-at-least-thirty-two-bytes"
JWT_SECRET = json.dumps({"type": "HS256", "key": KEY})
TOKEN = jwt.encode({"sub": "alice"}, KEY, "HS256")
SECURITY = (Path(__file__).parents[2] / "docs" / "security.md").read_text()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with published_keys() as url:
        yield url


class TestTheDecisionsOfHasura:
    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
    def test_a_token_is_decided_on_as_by_hasura_but_for_the_exceptions(self, row: dict[str, Any], issuer: str) -> None:
        given = sent(row, issuer)
        header = given.header_value if given.header_name == "Authorization" else None

        if row.get("create_post", row["accepted"]):
            assert bearer_token(header, given.jwt_secret) == given.header_value.split()[1]
        else:
            with pytest.raises((Unauthorized, ConfigurationError)):
                bearer_token(header, given.jwt_secret)

    def test_the_table_has_at_least_a_hundred_rows_and_no_name_twice(self) -> None:
        names = [row["name"] for row in ROWS]

        assert len(names) >= 100
        assert len(set(names)) == len(names)

    def test_the_exceptions_are_those_that_the_document_about_security_lists(self) -> None:
        _, _, section = SECURITY.partition("## Tokens: where createPost decides otherwise\n")
        listed = set(re.findall(r"^\| (?!what |---)([^|]+?) \|", section.partition("\n## ")[0], re.MULTILINE))

        assert {row["exception"] for row in ROWS if row.get("create_post", row["accepted"]) != row["accepted"]} == {
            name for name in listed if not name.endswith("*")
        }


class TestTheAuthorizationHeader:
    @pytest.mark.parametrize("header", [None, ""], ids=["absent", "empty"])
    def test_a_missing_authorization_header_is_refused(self, header: str | None) -> None:
        with pytest.raises(Unauthorized, match="header is missing"):
            bearer_token(header, JWT_SECRET)

    @pytest.mark.parametrize("written", ["bearer {}", "Basic {}", "{}", "Bearer"])
    def test_a_malformed_authorization_header_is_refused_with_the_right_form(self, written: str) -> None:
        with pytest.raises(Unauthorized, match="Send: Authorization: Bearer <token>"):
            bearer_token(written.format(TOKEN), JWT_SECRET)

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
