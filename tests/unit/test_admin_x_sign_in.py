"""X's PIN-based sign-in: what each answer of X means to the operator, and that no token is shown."""

import re
from collections.abc import Iterator

import pytest
import requests
import responses
from calling import settings

from admin.connection import CommandRefused
from admin.x_sign_in import RequestToken, XSignIn
from shared.x.sealed_tokens import AccessTokens

X = "http://x.test"
REQUEST_TOKEN = RequestToken(f"{X}/oauth/authorize?oauth_token=request-token", "request-token", "hidden")
GIVEN = "oauth_token=12-token&oauth_token_secret=hidden&user_id=12&screen_name=alice"


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def x() -> XSignIn:
    return XSignIn(settings())


def header(http: responses.RequestsMock) -> str:
    sent = http.calls[0].request.headers["Authorization"]
    return sent.decode() if isinstance(sent, bytes) else sent


class TestAsking:
    def test_the_request_token_has_the_address_to_open(self, http: responses.RequestsMock, x: XSignIn) -> None:
        form = "oauth_token=a%26b&oauth_token_secret=hidden&oauth_callback_confirmed=true"
        http.post(f"{X}/oauth/request_token", body=form)

        request_token = x.request_token()

        assert request_token.url == f"{X}/oauth/authorize?oauth_token=a%26b"
        assert 'oauth_callback="oob"' in header(http)
        assert "hidden" not in repr(request_token)

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (401, '{"errors":[{"code":32,"message":"Could not authenticate you."}]}', "CONSUMER_API_KEY and"),
            (403, '<errors><error code="415">Callback URL not approved</error></errors>', "with a callback URL"),
            (503, "", "X gave no request token (HTTP 503)."),
            (200, "something else", "X gave no request token (HTTP 200)."),
            (302, "", "X gave no request token (HTTP 302)."),
        ],
    )
    def test_what_x_answers_instead_is_told_in_words(
        self, http: responses.RequestsMock, x: XSignIn, status: int, body: str, words: str
    ) -> None:
        http.post(f"{X}/oauth/request_token", body=body, status=status, headers={"Location": "https://example.com"})

        with pytest.raises(CommandRefused, match=re.escape(words)):
            x.request_token()

    def test_without_a_connection_x_is_named(self, http: responses.RequestsMock, x: XSignIn) -> None:
        http.post(f"{X}/oauth/request_token", body=requests.ConnectionError("refused"))

        with pytest.raises(CommandRefused, match=r"^X at http://x\.test could not be asked"):
            x.request_token()


class TestAnswering:
    def test_the_answer_says_who_signed_in(self, http: responses.RequestsMock, x: XSignIn) -> None:
        http.post(f"{X}/oauth/access_token", body=GIVEN)

        signed_in = x.access_token(REQUEST_TOKEN, "1234567")

        assert (signed_in.x_user_id, signed_in.handle) == ("12", "alice")
        assert signed_in.tokens == AccessTokens("12-token", "hidden")
        assert 'oauth_verifier="1234567"' in header(http)
        assert 'oauth_token="request-token"' in header(http)
        assert "hidden" not in repr(signed_in)

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (401, "Error processing your OAuth request: Invalid oauth_verifier parameter", "does not accept this PIN"),
            (401, '{"errors":[{"code":89,"message":"Invalid or expired token."}]}', "does not accept this PIN"),
            (500, "", "X gave no access token (HTTP 500)."),
            (200, "oauth_token=a&oauth_token_secret=hidden", "could not be read"),
            (200, GIVEN.replace("user_id=12", "user_id=12a"), "could not be read"),
            (200, GIVEN.replace("user_id=12", "user_id=012"), "could not be read"),
            (200, GIVEN.replace("alice", "%1B[31m"), "could not be read"),
            (200, GIVEN.replace("alice", "a" * 51), "could not be read"),
            (200, GIVEN.replace("oauth_token_secret=hidden", ""), "could not be read"),
        ],
    )
    def test_what_x_answers_instead_is_told_in_words(
        self, http: responses.RequestsMock, x: XSignIn, status: int, body: str, words: str
    ) -> None:
        http.post(f"{X}/oauth/access_token", body=body, status=status)

        with pytest.raises(CommandRefused, match=re.escape(words)) as refused:
            x.access_token(REQUEST_TOKEN, "1234567")

        assert "hidden" not in str(refused.value)
