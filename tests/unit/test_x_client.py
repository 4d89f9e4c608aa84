"""What X is sent, and what becomes of its answers. X is played by `responses`; nothing here reaches it."""

import json
import logging
import re
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import requests
import responses
from calling import SETTINGS, settings
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from oauthlib import oauth1
from sealed_value import DOES_NOT_OPEN

from shared.core.model import (
    Accepted,
    Account,
    CannotAsk,
    NoConnection,
    PublishResult,
    Rejected,
    Rejection,
    TimelineUnavailable,
    TokensUnreadable,
    Unanswered,
)
from shared.http import client as http_client
from shared.limits import ANSWER_BYTES, X_TIMEOUT
from shared.x.client import X
from shared.x.sealed_tokens import AccessTokens, TokenKeys

CREATE = "http://x.test/2/tweets"
TIMELINE = "http://x.test/2/users/42/tweets"
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TOKENS = AccessTokens("1234567890-token-of-ada", "token-secret-of-ada")
ADA = Account(3, "ada", "42", settings().x_token_keys.seal("42", TOKENS))
OF_ANOTHER_KEY = TokenKeys.of("another:" + "k" * 42 + "A").seal("42", TOKENS)
TEXT = "the text of the post"
PRIVATE = (
    SETTINGS["CONSUMER_API_KEY"],
    SETTINGS["CONSUMER_API_SECRET"],
    TOKENS.access_token,
    TOKENS.access_token_secret,
    "oauth_signature",
    TEXT,
)
HTML = "<!DOCTYPE html><title>520: Web server is returning an unknown error</title>"


def publish(text: str = "Hello") -> PublishResult:
    return X(settings(), lambda: NOW).publish(ADA, text)


def published(network: responses.RequestsMock, status: int, body: Any = None, **headers: str) -> PublishResult:
    """What becomes of a post that X answers like this; `body` is JSON unless it is a string."""
    network.post(
        CREATE, status=status, headers=headers, **({"body": body} if isinstance(body, str) else {"json": body})
    )
    return publish()


class TestPublish:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(201, {"data": {"id": "1445880548472328192", "text": "Hello"}}, id="201"),
            pytest.param(200, {"data": {"id": "1445880548472328192"}}, id="another 2xx"),
            pytest.param(201, {"data": {"id": "1445880548472328192", "edits": []}, "meta": {}}, id="unknown keys"),
            pytest.param(201, {"data": {"id": "1445880548472328192"}, "errors": [{}]}, id="partial errors"),
        ],
    )
    def test_an_accepted_post_has_the_id_that_x_gave(
        self, network: responses.RequestsMock, status: int, body: Any
    ) -> None:
        assert published(network, status, body) == Accepted("1445880548472328192", status)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("", id="empty"),
            pytest.param(HTML, id="HTML"),
            pytest.param('{"data": {"id": "14', id="cut off"),
            pytest.param(None, id="null"),
            pytest.param([], id="a list"),
            pytest.param({}, id="no data"),
            pytest.param({"data": None}, id="data is null"),
            pytest.param({"data": [{"id": "1"}]}, id="data is a list"),
            pytest.param({"data": {"text": "Hello"}}, id="no id"),
            pytest.param({"data": {"id": ""}}, id="empty id"),
            pytest.param({"data": {"id": 1445880548472328192}}, id="the id is a number"),
        ],
    )
    def test_a_success_whose_id_cannot_be_read_leaves_the_outcome_open(
        self, network: responses.RequestsMock, body: Any
    ) -> None:
        assert published(network, 201, body) == Unanswered(
            "X seems to have the post, but its answer could not be read.", 201
        )

    def test_a_rejection_says_what_is_rejected_for_whom_and_until_when(self, network: responses.RequestsMock) -> None:
        reset = str(int((NOW + 5 * MINUTE).timestamp()))

        result = published(network, 429, {}, **{"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset})

        assert result == Rejected(Rejection.ACCOUNT, "X limits how much @ada may do for now.", 429, 5 * MINUTE + SECOND)

    def test_an_error_of_x_leaves_the_outcome_open(self, network: responses.RequestsMock) -> None:
        assert published(network, 520, HTML) == Unanswered(
            "X may or may not have the post: it had trouble (HTTP 520).", 520
        )

    @pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.exceptions.InvalidURL()], ids=repr)
    def test_a_request_that_never_left_is_not_sent(self, network: responses.RequestsMock, error: Exception) -> None:
        network.post(CREATE, body=error)

        assert publish() == NoConnection("X could not be reached: no connection could be made.")

    def test_an_answer_that_is_too_large_leaves_the_outcome_open(self, network: responses.RequestsMock) -> None:
        network.post(CREATE, status=201, body=b'{"data": {"id": "1"}}' + b" " * ANSWER_BYTES)

        assert publish() == Unanswered("X may or may not have the post: the answer is too large.")

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (requests.ReadTimeout(), "no answer came in time"),
            (requests.ConnectionError(), "the connection broke before the answer was complete"),
        ],
        ids=repr,
    )
    def test_a_lost_answer_leaves_the_outcome_open(
        self, network: responses.RequestsMock, error: Exception, words: str
    ) -> None:
        network.post(CREATE, body=error)

        assert publish() == Unanswered(f"X may or may not have the post: {words}.")

    @pytest.mark.parametrize("status", [201, 302, 401, 429, 503])
    def test_a_post_is_sent_once_whatever_x_answers(self, network: responses.RequestsMock, status: int) -> None:
        published(network, status, {}, **{"Retry-After": "1", "Location": CREATE})

        assert len(network.calls) == 1

    def test_x_has_half_a_minute_for_its_answer(self, network: responses.RequestsMock) -> None:
        published(network, 201, {"data": {"id": "1"}})

        assert timeouts(network) == [(30.0, 5.0)]

    def test_the_text_and_nothing_else_is_sent_as_json(self, network: responses.RequestsMock) -> None:
        network.post(CREATE, status=201, json={"data": {"id": "1"}})

        publish("Grüße aus 東京 & <b>mehr</b>\n🎉")

        [call] = network.calls
        assert header(call.request, "Content-Type") == "application/json"
        assert json.loads(call.request.body or "") == {"text": "Grüße aus 東京 & <b>mehr</b>\n🎉"}

    def test_each_request_has_a_nonce_and_a_signature_of_its_own(self, network: responses.RequestsMock) -> None:
        network.post(CREATE, status=201, json={"data": {"id": "1"}})

        publish()
        publish()

        first, second = (oauth_parameters(call.request) for call in network.calls)
        assert first["oauth_nonce"] != second["oauth_nonce"]
        assert first["oauth_signature"] != second["oauth_signature"]


def timeouts(network: responses.RequestsMock) -> list[Any]:
    """For everything, and of that for a connection, in seconds."""
    given = [vars(call.request)["req_kwargs"]["timeout"] for call in network.calls]
    return [(one.total, one.connect_timeout) for one in given]


def find(
    text: str = "Hello",
    since: datetime = NOW,
    until: datetime = NOW + MINUTE,
    now: Callable[[], datetime] = lambda: NOW,
) -> list[str]:
    return X(settings(), now).timeline(ADA, since, until).find(text, since)


def not_found(**arguments: Any) -> CannotAsk | TokensUnreadable:
    """Why X did not show the timeline."""
    with pytest.raises(TimelineUnavailable) as caught:
        find(**arguments)
    return caught.value.result


def tweet(text: str, id: str = "1", at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return {"id": id, "text": text, "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), **more}


def page(*tweets: dict[str, Any], **meta: Any) -> dict[str, Any]:
    data = {"data": list(tweets)} if tweets else {}
    return data | {"meta": {"result_count": len(tweets), **meta}}


class TestFind:
    def test_the_text_is_found_as_x_shows_it(self, network: responses.RequestsMock) -> None:
        links = {"urls": [{"url": "https://t.co/a", "expanded_url": "https://example.com/"}]}
        shown = [tweet("A &amp; B: https://t.co/a", "2", entities=links), tweet("A &amp; B: example.com", "1")]
        network.get(TIMELINE, json=page(*shown))

        assert find("A & B: https://example.com") == ["2"]

    def test_nothing_is_found_where_there_is_nothing(self, network: responses.RequestsMock) -> None:
        network.get(TIMELINE, json=page())

        assert find() == []

    def test_tweets_are_found_on_all_pages_and_listed_once_from_the_oldest_on(
        self, network: responses.RequestsMock
    ) -> None:
        for asked, shown in [
            ({}, page(tweet("Hello", "1000"), tweet("Other", "999"), next_token="a+b/c==")),
            ({"pagination_token": "a+b/c=="}, page(next_token="third")),
            ({"pagination_token": "third"}, page(tweet("Hello", "1000"), tweet("Hello", "998"), tweet("Hello", "97"))),
        ]:
            query = {
                "start_time": "2026-05-04T09:30:00Z",
                "max_results": "100",
                "tweet.fields": "created_at,entities,note_tweet,text",
            }
            network.get(TIMELINE, json=shown, match=[responses.matchers.query_param_matcher(query | asked)])

        assert find() == ["97", "998", "1000"]

    def test_tweets_are_found_that_are_as_old_as_the_second_of_since(self, network: responses.RequestsMock) -> None:
        shown = [tweet("Hello", "3", NOW + SECOND), tweet("Hello", "2", NOW), tweet("Hello", "1", NOW - SECOND)]
        network.get(TIMELINE, json=page(*shown))

        assert find(since=NOW.replace(microsecond=999_999).astimezone(timezone(2 * HOUR))) == ["2", "3"]

    def test_an_answer_has_ten_seconds(self, network: responses.RequestsMock) -> None:
        network.get(TIMELINE, json=page())

        find()

        assert timeouts(network) == [(10.0, 5.0)]


class TestTheTimelineIsUnavailable:
    @pytest.mark.parametrize(
        "body",
        [pytest.param(HTML, id="HTML"), pytest.param("", id="empty"), pytest.param("{}", id="not as documented")],
    )
    def test_when_an_answer_cannot_be_read(self, network: responses.RequestsMock, body: str) -> None:
        network.get(TIMELINE, body=body)

        assert not_found() == CannotAsk("X did not show the account's posts: its answer could not be read.")

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (requests.ConnectTimeout(), "no connection could be made"),
            (requests.ReadTimeout(), "no answer came in time"),
        ],
        ids=repr,
    )
    def test_when_x_does_not_answer(self, network: responses.RequestsMock, error: Exception, words: str) -> None:
        network.get(TIMELINE, body=error)

        assert not_found() == CannotAsk(f"X did not show the account's posts: {words}.")

    @pytest.mark.parametrize(
        ("status", "body", "wait", "what", "words"),
        [
            pytest.param(429, {}, 15 * MINUTE, Rejection.ACCOUNT, "X limits how much @ada may do", id="a limit"),
            pytest.param(402, {}, HOUR, Rejection.APP, "credits", id="the whole app"),
            pytest.param(302, {}, HOUR, Rejection.ACCOUNT, "for @ada (HTTP 302)", id="a redirect is not followed"),
            pytest.param(403, {"type": "/user-suspended"}, HOUR, Rejection.ACCOUNT, "blocked @ada", id="the account"),
            pytest.param(401, {}, None, Rejection.SIGN_IN, "link @ada anew", id="the sign-in is rejected"),
            pytest.param(403, {"detail": "No."}, None, Rejection.POST, "the account's posts: No.", id="the request is"),
            pytest.param(503, {}, None, None, "trouble (HTTP 503)", id="X has trouble"),
        ],
    )
    def test_when_x_rejects_the_request(
        self,
        network: responses.RequestsMock,
        status: int,
        body: Any,
        wait: timedelta | None,
        what: Rejection | None,
        words: str,
    ) -> None:
        network.get(TIMELINE, status=status, json=body)

        result = not_found()

        assert isinstance(result, CannotAsk)
        assert (result.wait, result.what) == (wait, what)
        assert words in result.detail

    def test_when_there_is_still_a_page_behind_the_last_that_x_can_show(self, network: responses.RequestsMock) -> None:
        network.get(TIMELINE, json=page(tweet("Hello"), next_token="again"))

        assert not_found() == CannotAsk("X did not show the account's posts: the list has no end.")
        assert len(network.calls) == 32

    def test_when_the_pages_take_too_long(self, network: responses.RequestsMock) -> None:
        network.get(TIMELINE, json=page(tweet("Hello"), next_token="again"))

        def now() -> datetime:
            """Each answer takes ten seconds."""
            return NOW + 10 * SECOND * len(network.calls)

        result = not_found(until=NOW + 25 * SECOND, now=now)

        assert result == CannotAsk("X did not show the account's posts: it took too long.")
        assert timeouts(network) == [(10.0, 5.0), (10.0, 5.0), (5.0, 5.0)]


UNREADABLE = [
    pytest.param(replace(ADA, x_user_id="43"), "is another account's", id="another account's"),
    pytest.param(replace(ADA, sealed_tokens=ADA.sealed_tokens[:-4]), "was changed", id="cut"),
    pytest.param(replace(ADA, sealed_tokens=DOES_NOT_OPEN), "was changed", id="changed"),
    pytest.param(replace(ADA, sealed_tokens=OF_ANOTHER_KEY), "sealed with key another", id="of another key"),
    pytest.param(replace(ADA, sealed_tokens=TOKENS.access_token), "no sealed value", id="plain"),
]


class TestTokensThatDoNotOpen:
    @pytest.mark.parametrize(("account", "why"), UNREADABLE)
    def test_nothing_is_sent_and_author_and_operator_are_told(
        self, network: responses.RequestsMock, account: Account, why: str
    ) -> None:
        result = X(settings(), lambda: NOW).publish(account, TEXT)

        assert isinstance(result, TokensUnreadable)
        assert result.detail == (
            "Our stored sign-in for @ada cannot be opened. The operator is told; linking @ada anew helps, too."
        )
        assert result.operator_message.startswith("the tokens of @ada (account 3) do not open with X_TOKEN_KEYS: ")
        assert why in result.operator_message
        assert len(network.calls) == 0

    @pytest.mark.parametrize(("account", "why"), UNREADABLE)
    def test_the_timeline_is_not_asked_for_either(
        self, network: responses.RequestsMock, account: Account, why: str
    ) -> None:
        with pytest.raises(TimelineUnavailable) as caught:
            X(settings(), lambda: NOW).timeline(account, NOW, NOW + MINUTE).find(TEXT, NOW)

        assert isinstance(caught.value.result, TokensUnreadable)
        assert why in caught.value.result.operator_message
        assert len(network.calls) == 0

    @pytest.mark.parametrize(("account", "_why"), UNREADABLE)
    def test_nothing_of_the_value_is_logged_or_told(
        self, caplog: pytest.LogCaptureFixture, account: Account, _why: str
    ) -> None:
        caplog.set_level(logging.DEBUG)

        result = X(settings(), lambda: NOW).publish(account, TEXT)

        told = caplog.text + repr(result) + repr(account)
        assert not [private for private in (*PRIVATE, account.sealed_tokens[-20:]) if private in told]


class XSide(oauth1.RequestValidator):
    """X's side of OAuth 1.0a, for one app and one account."""

    enforce_ssl = False
    allowed_signature_methods = ("HMAC-SHA1",)
    safe_characters = oauth1.RequestValidator().safe_characters | {"-"}
    client_key_length = access_token_length = nonce_length = (10, 60)
    dummy_client = dummy_access_token = "nobody"

    def __init__(self, consumer_secret: str, token_secret: str) -> None:
        super().__init__()
        self._secrets = consumer_secret, token_secret

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return bool(client_key == SETTINGS["CONSUMER_API_KEY"])

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == TOKENS.access_token

    def validate_timestamp_and_nonce(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def validate_realms(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self._secrets[0]

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self._secrets[1]


def is_verified(request: Any, consumer_secret: str, token_secret: str) -> bool:
    x_side = oauth1.ResourceEndpoint(XSide(consumer_secret, token_secret))
    headers = {"Authorization": header(request, "Authorization")}
    valid, _ = x_side.validate_protected_resource_request(request.url, request.method, "", headers, [])
    return bool(valid)


def header(request: Any, name: str) -> str:
    value = request.headers[name]
    return str(value)


def oauth_parameters(request: Any) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', header(request, "Authorization")))


class TestEveryRequest:
    @pytest.fixture
    def sent(self, network: responses.RequestsMock) -> list[Any]:
        """A post, and a reconciliation of two pages."""
        network.post(CREATE, status=201, json={"data": {"id": "1"}})
        network.get(TIMELINE, json=page(next_token="a+b/c=="))
        network.get(TIMELINE, json=page())
        publish()
        find()
        return [call.request for call in network.calls]

    def test_is_signed_so_that_x_can_verify_it(self, sent: list[Any]) -> None:
        consumer_secret, token_secret = SETTINGS["CONSUMER_API_SECRET"], TOKENS.access_token_secret

        assert len(sent) == 3
        for request in sent:
            assert is_verified(request, consumer_secret, token_secret)
            assert not is_verified(request, "another-app-s-secret", token_secret)
            assert not is_verified(request, consumer_secret, "another-account-s-secret")

    def test_does_not_carry_the_secrets_themselves(self, sent: list[Any]) -> None:
        for request in sent:
            everything = f"{request.url} {request.headers} {request.body!r}"
            assert SETTINGS["CONSUMER_API_SECRET"] not in everything
            assert TOKENS.access_token_secret not in everything


class TestNothingPrivate:
    @pytest.mark.parametrize(
        "answer",
        [{"status": status, "json": {}} for status in (201, 302, 400, 401, 402, 403, 404, 429, 500)]
        + [{"body": error} for error in (requests.ConnectTimeout("x"), requests.ReadTimeout("x"), HTML)],
        ids=str,
    )
    def test_is_in_the_log_or_the_result_of_a_post(
        self, network: responses.RequestsMock, caplog: pytest.LogCaptureFixture, answer: dict[str, Any]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        network.post(CREATE, **answer)

        result = publish(TEXT)

        assert not [private for private in PRIVATE if private in caplog.text + repr(result)]

    def test_is_in_the_log_or_the_error_of_a_reconciliation(
        self, network: responses.RequestsMock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        network.get(TIMELINE, body=requests.ReadTimeout("x"))

        with pytest.raises(TimelineUnavailable) as caught:
            find(TEXT)

        told = caplog.text + repr(caught.value) + "".join(traceback.format_exception(caught.value))
        assert not [private for private in PRIVATE if private in told]


class KeepingServer(BaseHTTPRequestHandler):
    """Keeps each connection, and answers everything with an empty page. Notes the port that each request came from."""

    protocol_version = "HTTP/1.1"
    ports: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self.ports.append(self.client_address[1])
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = json.dumps(page()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def test_a_connection_that_is_kept_for_others_is_used_neither_for_a_post_nor_for_a_timeline() -> None:
    """Those to X are kept for a shorter time: a post whose connection breaks is of unknown outcome."""
    with ThreadingHTTPServer(("127.0.0.1", 0), KeepingServer) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        of_x = X(settings(X_BASE_URL=address), lambda: NOW)

        http_client.get(address, params={}, timeout=X_TIMEOUT)
        of_x.publish(ADA, "Hello")
        of_x.timeline(ADA, NOW, NOW + MINUTE).find("Hello", NOW)
        server.shutdown()

    of_others, of_post, of_timeline = KeepingServer.ports
    assert of_others not in (of_post, of_timeline)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "id", "errors", "code", "message", "type", "detail"]), inner)
    ),
    max_leaves=8,
)
STATUSES = st.integers(200, 599).filter(lambda status: status not in (204, 304))  # those two never have a body


@run(deadline=None, max_examples=50)
@given(status=STATUSES, body=JSON)
def test_a_post_has_a_result_whatever_x_answers(status: int, body: Any) -> None:
    with responses.RequestsMock() as network:
        result = published(network, status, body)

    if isinstance(result, Accepted):
        assert status < 300
        assert result.tweet_id == body["data"]["id"]
    else:
        assert isinstance(result, Rejected | Unanswered)
        assert result.code == status
