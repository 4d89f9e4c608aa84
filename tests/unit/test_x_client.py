"""What X gets from us, and what its answers mean for a post. X is played by `responses`; nothing here reaches it."""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests
import responses
from calling import SETTINGS
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from oauthlib import oauth1

from shared import config
from shared.core.model import Account
from shared.errors import (
    AccountHeld,
    AlreadyPosted,
    AppHeld,
    NotSent,
    OutcomeUnknown,
    Refused,
    SignInRefused,
    TryFailed,
)
from shared.x import client as x
from shared.x.client import X

CREATE = "http://x.test/2/tweets"
ME = "http://x.test/2/users/me"
TIMELINE = "http://x.test/2/users/42/tweets"
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
ADA = Account(
    id=3,
    name="ada",
    user_ids=frozenset({1}),
    access_token="1234567890-token-of-ada",
    access_token_secret="token-secret-of-ada",
)
SECRETS = (
    SETTINGS["CONSUMER_API_KEY"],
    SETTINGS["CONSUMER_API_SECRET"],
    ADA.access_token,
    ADA.access_token_secret,
    "oauth_signature",
)

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
HTML = "<!DOCTYPE html><title>520: Web server is returning an unknown error</title>"


def publish(text: str = "Hello") -> str:
    return X(config.load(SETTINGS), lambda: NOW).publish(ADA, text)


def failure(status: int, body: Any = None, headers: dict[str, str] | None = None, text: str = "Hello") -> TryFailed:
    """How a try fails when X answers like this; `body` is JSON unless it is a string."""
    given_body = {"body": body} if isinstance(body, str) else {"json": body}
    with responses.RequestsMock() as network:
        network.post(CREATE, status=status, headers=headers, **given_body)
        with pytest.raises(TryFailed) as caught:
            publish(text)
    return caught.value


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


class TestAPostThatXTook:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(201, {"data": {"id": "1445880548472328192", "text": "Hello"}}, id="201"),
            pytest.param(200, {"data": {"id": "1445880548472328192"}}, id="another-2xx"),
            pytest.param(
                201,
                {"data": {"id": "1445880548472328192", "edit_history_tweet_ids": ["1445880548472328192"]}, "meta": {}},
                id="unknown-keys",
            ),
            pytest.param(
                201, {"data": {"id": "1445880548472328192"}, "errors": [{"title": "Partial"}]}, id="partial-errors"
            ),
        ],
    )
    def test_has_the_id_that_x_gave(self, network: responses.RequestsMock, status: int, body: Any) -> None:
        network.post(CREATE, status=status, json=body)

        assert publish() == "1445880548472328192"

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("", id="empty"),
            pytest.param(HTML, id="html"),
            pytest.param('{"data": {"id": "14', id="cut-off"),
            pytest.param('{"data": {"id": ' + "9" * 5000 + "}}", id="endless-number"),
            pytest.param("[" * 100_000 + "]" * 100_000, id="deep-nesting"),
            pytest.param(None, id="null"),
            pytest.param([], id="list"),
            pytest.param({}, id="no-data"),
            pytest.param({"data": None}, id="null-data"),
            pytest.param({"data": [{"id": "1"}]}, id="list-of-data"),
            pytest.param({"data": {"text": "Hello"}}, id="no-id"),
            pytest.param({"data": {"id": ""}}, id="empty-id"),
            pytest.param({"data": {"id": 1445880548472328192}}, id="number-as-id"),
        ],
    )
    def test_but_whose_id_cannot_be_read_has_an_unknown_outcome(self, body: Any) -> None:
        error = failure(201, body)

        assert type(error) is OutcomeUnknown
        assert error.status_code == 201


def invalid(message: str, **parameters: list[str]) -> dict[str, Any]:
    return {
        "errors": [{"parameters": parameters, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }


def problem(detail: str, slug: str | None = None, **more: Any) -> dict[str, Any]:
    kind = f"https://api.twitter.com/2/problems/{slug}" if slug else "about:blank"
    return {"detail": detail, "type": kind, **more}


def legacy(code: int, message: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message}]}


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        # The request itself: X will never take it.
        pytest.param(
            400,
            invalid("Requests with bodies must have content-type of application/json."),
            Refused,
            "must have content-type of application/json",
            id="content-type",
        ),
        pytest.param(400, invalid("$.a: is not defined in the schema"), Refused, "$.a: is not defined", id="schema"),
        pytest.param(
            400,
            invalid("Your media IDs are invalid.", **{"media.media_ids": ["123"]}),
            Refused,
            "Your media IDs are invalid.",
            id="media-ids",
        ),
        pytest.param(400, invalid("Your reply tweet ID is invalid."), Refused, "reply tweet ID", id="ids"),
        # The sign-in: once may be a glitch, more is for the author or the operator to mend.
        pytest.param(
            401,
            problem("Unauthorized", title="Unauthorized", status=401),
            SignInRefused,
            "link @ada anew",
            id="unauthorized",
        ),
        pytest.param(401, legacy(32, "Could not authenticate you."), SignInRefused, "link @ada", id="bad-signature"),
        pytest.param(401, legacy(89, "Invalid or expired token."), SignInRefused, "link @ada", id="revoked-token"),
        pytest.param(401, legacy(135, "Timestamp out of bounds."), SignInRefused, "link @ada", id="clock-off"),
        pytest.param(
            403,
            problem("Authenticating with Unknown is forbidden.", "unsupported-authentication", status=403),
            SignInRefused,
            "link @ada anew",
            id="unsupported-authentication",
        ),
        # Our app: nobody's post can go out.
        pytest.param(
            402,
            problem("Your enrolled account does not have any credits.", "credits", title="CreditsDepleted"),
            AppHeld,
            "credits",
            id="credits",
        ),
        pytest.param(402, problem("credits depleted", "credits-depleted"), AppHeld, "credits", id="credits-depleted"),
        pytest.param(
            403,
            problem("You must use keys from an App in a Project.", "client-forbidden", reason="client-not-enrolled"),
            AppHeld,
            "keys from an App in a Project",
            id="not-enrolled",
        ),
        pytest.param(403, problem("The app is suspended", "app-suspended"), AppHeld, "suspended", id="app-suspended"),
        pytest.param(403, legacy(453, "A different access level."), AppHeld, "access level", id="453-access-level"),
        pytest.param(404, problem("Not Found", status=404), AppHeld, "configured address", id="not-found"),
        pytest.param(405, None, AppHeld, "configured address", id="405"),
        pytest.param(
            429,
            problem("Usage cap exceeded: Monthly product cap", "usage-capped", title="UsageCapExceeded"),
            AppHeld,
            "monthly cap",
            id="monthly-cap",
        ),
        # The account: its other posts would fare no better.
        pytest.param(
            403,
            problem("Your client app is not configured with the permissions.", "oauth1-permissions", status=403),
            AccountHeld,
            "write permission",
            id="read-only",
        ),
        pytest.param(
            403,
            problem("The user used for authentication is suspended", "user-suspended", status=403),
            AccountHeld,
            "blocked @ada",
            id="user-suspended",
        ),
        pytest.param(
            403, problem("Forbidden", title="Forbidden", status=403), AccountHeld, "write permission", id="no-scope"
        ),
        pytest.param(403, legacy(64, "Your account is suspended."), AccountHeld, "blocked @ada", id="64-suspended"),
        pytest.param(403, legacy(326, "To protect users, log in."), AccountHeld, "blocked @ada", id="326-locked"),
        pytest.param(403, legacy(185, "Over daily status limit."), AccountHeld, "slow down", id="185-daily-limit"),
        pytest.param(403, legacy(226, "This looks automated."), AccountHeld, "slow down", id="226-looks-automated"),
        pytest.param(403, legacy(261, "App cannot write."), AccountHeld, "write permission", id="261-read-only"),
        pytest.param(
            429, problem("Too Many Requests", title="Too Many Requests", status=429), AccountHeld, "@ada", id="429"
        ),
        pytest.param(429, legacy(88, "Rate limit exceeded"), AccountHeld, "@ada", id="legacy"),
        # The post: its author can change it.
        pytest.param(
            403,
            problem("You are not allowed to create a Tweet with duplicate content.", title="Forbidden", status=403),
            AlreadyPosted,
            "@ada has posted this text already",
            id="duplicate",
        ),
        pytest.param(403, legacy(187, "Status is a duplicate."), AlreadyPosted, "posted this text", id="187-duplicate"),
        pytest.param(
            403,
            problem("You are not permitted to perform this action.", title="Forbidden", status=403),
            Refused,
            "not permitted to perform this action",
            id="not-permitted",
        ),
        pytest.param(
            403,
            problem("Reply to this conversation is not allowed because you were not mentioned.", title="Forbidden"),
            Refused,
            "Reply to this conversation is not allowed",
            id="reply",
        ),
        pytest.param(
            403, problem("Posts are limited to a maximum of one cashtag"), Refused, "one cashtag", id="cashtags"
        ),
        pytest.param(403, legacy(186, "Tweet needs to be shorter."), Refused, "shorter", id="186-too-long"),
        pytest.param(403, legacy(385, "The tweet you replied to is gone."), Refused, "is gone", id="385-reply-target"),
        pytest.param(413, problem("Payload too large"), Refused, "too large", id="another-4xx"),
        # X itself: it may have the post.
        pytest.param(500, problem("Something is broken.", status=500), OutcomeUnknown, "HTTP 500", id="500"),
        pytest.param(503, problem("Service Unavailable", status=503), OutcomeUnknown, "HTTP 503", id="503"),
        pytest.param(502, HTML, OutcomeUnknown, "HTTP 502", id="502"),
        pytest.param(504, "", OutcomeUnknown, "HTTP 504", id="504"),
        pytest.param(520, HTML, OutcomeUnknown, "HTTP 520", id="520"),
    ],
)
def test_what_an_answer_means_and_how_it_is_told(status: int, body: Any, error: type[TryFailed], words: str) -> None:
    told = failure(status, body)

    assert type(told) is error
    assert told.status_code == status
    assert words in told.detail
    assert str(told) == told.detail


@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
@pytest.mark.parametrize(
    ("status", "slug", "error"),
    [
        (403, "oauth1-permissions", AccountHeld),
        (403, "user-suspended", AccountHeld),
        (403, "client-forbidden", AppHeld),
        (403, "unsupported-authentication", SignInRefused),
        (429, "usage-capped", AppHeld),
    ],
)
def test_a_problem_is_known_by_the_last_part_of_its_type(
    host: str, status: int, slug: str, error: type[TryFailed]
) -> None:
    told = failure(status, {"type": f"https://{host}/2/problems/{slug}"})

    assert type(told) is error


@pytest.mark.parametrize("body_status", [200, 401, 429, None])
def test_the_status_line_is_believed_whatever_the_body_says(body_status: int | None) -> None:
    told = failure(503, problem("Service Unavailable", status=body_status))

    assert type(told) is OutcomeUnknown
    assert told.status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HTML, id="html"),
        pytest.param("", id="empty"),
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        pytest.param({}, id="empty-object"),
        pytest.param({"errors": None, "type": None, "detail": None}, id="nulls"),
        pytest.param({"errors": "Forbidden"}, id="errors-as-text"),
        pytest.param({"errors": 5}, id="errors-as-number"),
        pytest.param({"errors": ["Forbidden", None]}, id="errors-without-words"),
        pytest.param({"errors": [{"code": [187], "message": {}}]}, id="codes-as-lists"),
        pytest.param({"type": 5, "detail": ["Forbidden"], "title": {}}, id="other-types"),
    ],
)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, AppHeld),
        (302, AppHeld),
        (308, AppHeld),
        (400, Refused),
        (401, SignInRefused),
        (402, AppHeld),
        (403, Refused),
        (404, AppHeld),
        (429, AccountHeld),
        (500, OutcomeUnknown),
        (503, OutcomeUnknown),
        (520, OutcomeUnknown),
    ],
)
def test_a_body_that_says_nothing_leaves_the_status_to_decide(status: int, error: type[TryFailed], body: Any) -> None:
    told = failure(status, body)

    from_the_edge = error is Refused and not isinstance(body, dict)
    assert type(told) is (OutcomeUnknown if from_the_edge else error)
    assert told.detail


@pytest.mark.parametrize("words", ["\x00", "\ud800", "half \udc00 a pair"])
def test_the_words_of_x_can_be_stored(words: str) -> None:
    told = failure(403, problem(words))

    assert told.detail.endswith(words.translate({0: "?", 0xD800: "?", 0xDC00: "?"}))


def test_the_words_of_x_are_cut_where_they_get_long() -> None:
    told = failure(403, problem("No! " * 1000))

    assert len(told.detail) < 400


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(402, None, id="credits"),
        pytest.param(403, {"type": "/client-forbidden"}, id="not-enrolled"),
        pytest.param(403, {"type": "/oauth1-permissions"}, id="read-only"),
        pytest.param(403, {"type": "/user-suspended"}, id="suspended"),
        pytest.param(403, legacy(226, "automated"), id="looks-automated"),
        pytest.param(404, None, id="not-found"),
        pytest.param(429, {"type": "/usage-capped"}, id="monthly-cap"),
    ],
)
def test_what_a_person_must_mend_is_tried_again_each_hour(status: int, body: Any) -> None:
    told = failure(status, body)

    assert isinstance(told, NotSent)
    assert told.wait == HOUR


def reset(after: timedelta) -> str:
    return str(int((NOW + after).timestamp()))


def bucket(name: str, remaining: int, after: timedelta) -> dict[str, str]:
    return {f"{name}-remaining": str(remaining), f"{name}-reset": reset(after)}


WINDOW, USER_DAY, APP_DAY = "x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FIVE, SEVEN = timedelta(minutes=5), timedelta(minutes=7)


class TestAfterALimit:
    @pytest.mark.parametrize(
        ("headers", "error", "wait"),
        [
            pytest.param(bucket(WINDOW, 0, FIVE), AccountHeld, FIVE + SECOND, id="window"),
            pytest.param(
                bucket(WINDOW, 40, FIVE) | bucket(USER_DAY, 0, 3 * HOUR),
                AccountHeld,
                3 * HOUR + SECOND,
                id="day-of-the-user",
            ),
            pytest.param(
                bucket(WINDOW, 40, FIVE) | bucket(USER_DAY, 9, 9 * HOUR) | bucket(APP_DAY, 0, 2 * HOUR),
                AppHeld,
                2 * HOUR + SECOND,
                id="day-of-the-app",
            ),
            pytest.param(
                bucket(WINDOW, 0, FIVE) | bucket(USER_DAY, 0, 3 * HOUR),
                AccountHeld,
                3 * HOUR + SECOND,
                id="last-of-two",
            ),
            pytest.param(
                bucket(WINDOW, 0, SEVEN) | bucket(APP_DAY, 0, FIVE), AppHeld, SEVEN + SECOND, id="last-is-the-window"
            ),
            pytest.param({"x-rate-limit-reset": reset(FIVE)}, AccountHeld, FIVE + SECOND, id="remaining-missing"),
            pytest.param(
                bucket(WINDOW, 3, FIVE) | bucket(USER_DAY, 3, DAY), AccountHeld, FIVE + SECOND, id="none-seems-empty"
            ),
            pytest.param(
                {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset(FIVE)},
                AccountHeld,
                FIVE + SECOND,
                id="other-letter-case",
            ),
            pytest.param({}, AccountHeld, QUARTER, id="no-headers"),
            pytest.param({"x-rate-limit-remaining": "0"}, AccountHeld, QUARTER, id="reset-missing"),
            pytest.param({"x-rate-limit-reset": "soon"}, AccountHeld, QUARTER, id="reset-is-no-number"),
            pytest.param({"retry-after": "120"}, AccountHeld, timedelta(minutes=2), id="retry-after"),
            pytest.param({"retry-after": "Mon, 04 May 2026 10:00:00 GMT"}, AccountHeld, QUARTER, id="retry-after-date"),
            pytest.param(bucket(WINDOW, 0, -HOUR), AccountHeld, 5 * SECOND, id="reset-in-the-past"),
            pytest.param({"retry-after": "0"}, AccountHeld, 5 * SECOND, id="retry-after-nothing"),
            pytest.param(bucket(USER_DAY, 0, 3 * DAY), AccountHeld, 25 * HOUR, id="reset-far-away"),
        ],
    )
    def test_the_wait_ends_when_the_last_empty_bucket_is_full_again(
        self, headers: dict[str, str], error: type[NotSent], wait: timedelta
    ) -> None:
        told = failure(429, problem("Too Many Requests"), headers)

        assert type(told) is error
        assert told.wait == wait

    @pytest.mark.parametrize("header", ["x-rate-limit-reset", "retry-after"])
    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(str(int(NOW.timestamp() * 1000)), id="milliseconds"),
            pytest.param("9" * 20, id="beyond-all-calendars"),
            pytest.param("9" * 5000, id="endless"),
            pytest.param("-1", id="negative"),
            pytest.param("17.5", id="fraction"),
            pytest.param("", id="empty"),
        ],
    )
    def test_an_absurd_number_still_gives_a_bounded_wait(self, header: str, value: str) -> None:
        told = failure(429, None, {header: value})

        assert isinstance(told, NotSent)
        assert 5 * SECOND <= told.wait <= 25 * HOUR


class TestWhenTheTransportFails:
    @pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.exceptions.InvalidURL()])
    def test_before_x_was_reached_the_post_was_surely_not_sent(
        self, network: responses.RequestsMock, error: Exception
    ) -> None:
        network.post(CREATE, body=error)

        with pytest.raises(NotSent, match=r"^X could not be reached: .+\.$") as caught:
            publish()

        assert type(caught.value) is NotSent
        assert caught.value.status_code is None
        assert caught.value.wait is None

    @pytest.mark.parametrize(
        "error", [requests.ReadTimeout(), requests.ConnectionError(), requests.exceptions.ChunkedEncodingError()]
    )
    def test_after_the_post_may_have_left_the_outcome_is_unknown(
        self, network: responses.RequestsMock, error: Exception
    ) -> None:
        network.post(CREATE, body=error)

        with pytest.raises(OutcomeUnknown, match=r"^X may or may not have the post: .+\.$") as caught:
            publish()

        assert caught.value.status_code is None


def find(text: str = "Hello", since: datetime = NOW) -> list[str]:
    return X(config.load(SETTINGS), lambda: NOW).find(ADA, text, since)


def tweet(text: str, id: str = "1", at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return {"id": id, "text": text, "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), **more}


def link(short: str, expanded: str, **more: Any) -> dict[str, Any]:
    return {"url": f"https://t.co/{short}", "expanded_url": expanded, "display_url": "…", **more}


def entities(*links: dict[str, Any]) -> dict[str, Any]:
    return {"entities": {"urls": list(links)}}


def page(*tweets: dict[str, Any], **meta: Any) -> dict[str, Any]:
    data = {"data": list(tweets)} if tweets else {}
    return data | {"meta": {"result_count": len(tweets), **meta}}


@pytest.fixture
def account_of_ada(network: responses.RequestsMock) -> responses.RequestsMock:
    """X, which knows that ADA is its user 42."""
    network.get(ME, json={"data": {"id": "42", "name": "Ada", "username": "ada"}})
    return network


class TestWhatIsFoundAgain:
    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            pytest.param("Hello", tweet("Hello"), id="as-it-was-sent"),
            pytest.param("cafe\u0301 👩‍🔬", tweet("café 👩‍🔬"), id="composed"),
            pytest.param("1 < 2 & 3 > 2", tweet("1 &lt; 2 &amp; 3 &gt; 2"), id="escaped"),
            pytest.param("AT&amp;T", tweet("AT&amp;amp;T"), id="sent-as-an-escape"),
            pytest.param("1 < 2 & 3 > 2", tweet("1 < 2 & 3 > 2"), id="not-escaped"),
            pytest.param("  two\n\nlines,  two  spaces ", tweet("two\nlines, two spaces"), id="white-space"),
            pytest.param(
                "See https://example.com/Path?a=1&b=2.",
                tweet("See https://t.co/a1.", **entities(link("a1", "https://example.com/Path?a=1&b=2"))),
                id="link",
            ),
            pytest.param(
                "(https://example.com) and https://example.org/b/",
                tweet(
                    "(https://t.co/a1) and https://t.co/a12",
                    **entities(link("a1", "https://example.com/"), link("a12", "https://example.org/b")),
                ),
                id="links-with-and-without-a-slash",
            ),
            pytest.param(
                "main.py on example.com, example.org?q=1",
                tweet(
                    "https://t.co/a on https://t.co/b, https://t.co/c",
                    **entities(
                        link("a", "http://main.py"),
                        link("b", "https://example.com/"),
                        link("c", "http://example.org/?q=1"),
                    ),
                ),
                id="bare-domains",
            ),
            pytest.param(
                "example.com日本", tweet("https://t.co/a日本", **entities(link("a", "http://example.com/"))), id="glued"
            ),
            pytest.param(
                "HTTPS://Example.COM/Path",
                tweet("https://t.co/a", **entities(link("a", "https://example.com/Path"))),
                id="host-in-capitals",
            ),
            pytest.param(
                "https://de.wikipedia.org/wiki/Köln",
                tweet("https://t.co/a", **entities(link("a", "https://de.wikipedia.org/wiki/K%C3%B6ln"))),
                id="percent-encoded",
            ),
            pytest.param("Look: https://t.co/mine", tweet("Look: https://t.co/mine"), id="t.co-link-of-the-author"),
            pytest.param(
                "Look: https://t.co/mine",
                tweet("Look: https://t.co/mine", **entities(link("mine", "https://example.com"))),
                id="t.co-link-of-the-author-with-its-target",
            ),
            pytest.param(
                "Look",
                tweet(
                    "Look https://t.co/a",
                    **entities(link("a", "https://x.com/ada/status/1/photo/1", media_key="3_1")),
                ),
                id="media",
            ),
            pytest.param("Look", tweet("Look https://t.co/a"), id="media-without-entity"),
            pytest.param(
                f"{'long ' * 70}https://example.com",
                tweet(
                    f"{'long ' * 54}… https://t.co/rest",
                    note_tweet={"text": f"{'long ' * 70}https://t.co/a", **entities(link("a", "https://example.com/"))},
                ),
                id="long",
            ),
        ],
    )
    def test_is_what_was_sent_however_x_shows_it(
        self, account_of_ada: responses.RequestsMock, sent: str, shown: dict[str, Any]
    ) -> None:
        account_of_ada.get(TIMELINE, json=page(shown))

        assert find(sent) == ["1"]

    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            pytest.param("Hello", tweet("Hello again"), id="longer"),
            pytest.param("Hello again", tweet("Hello"), id="shorter"),
            pytest.param("Hello", tweet("hello"), id="other-letter-case"),
            pytest.param("Hello", tweet("RT @ada: Hello"), id="retweet"),
            pytest.param("see/no evil", tweet("seeno evil"), id="slash"),
            pytest.param(
                "New: https://example.com/1",
                tweet("New: https://t.co/a", **entities(link("a", "https://example.com/2"))),
                id="other-link",
            ),
            pytest.param(
                "https://bit.ly/aBc",
                tweet("https://t.co/a", **entities(link("a", "https://bit.ly/abc"))),
                id="path-in-other-letter-case",
            ),
            pytest.param(
                "Look", tweet("Look https://t.co/a", **entities(link("a", "https://example.com"))), id="with-a-link"
            ),
            pytest.param("Look https://example.com", tweet("Look"), id="without-the-link"),
            pytest.param(
                "long" * 60, tweet("long" * 60, note_tweet={"text": "long" * 61}), id="beginning-of-a-long-one"
            ),
        ],
    )
    def test_is_no_other_text(self, account_of_ada: responses.RequestsMock, sent: str, shown: dict[str, Any]) -> None:
        account_of_ada.get(TIMELINE, json=page(shown))

        assert find(sent) == []

    def test_is_nothing_where_there_is_nothing(self, account_of_ada: responses.RequestsMock) -> None:
        account_of_ada.get(TIMELINE, json={"meta": {"result_count": 0}})

        assert find() == []

    def test_is_listed_from_the_oldest_on_over_all_pages(self, account_of_ada: responses.RequestsMock) -> None:
        for asked, shown in [
            ({}, page(tweet("Hello", "1000"), tweet("Other", "999"), next_token="second")),
            ({"pagination_token": "second"}, page(next_token="third")),
            ({"pagination_token": "third"}, page(tweet("Hello", "1000"), tweet("Hello", "998"), tweet("Hello", "97"))),
        ]:
            query = responses.matchers.query_param_matcher(asked | {"max_results": "100"}, strict_match=False)
            absent = [] if asked else [lambda request: ("pagination_token" not in request.params, "not the first")]
            account_of_ada.get(TIMELINE, json=shown, match=[query, *absent])

        assert find() == ["97", "998", "1000"]

    def test_was_created_since_then_to_the_second(self, account_of_ada: responses.RequestsMock) -> None:
        before = tweet("Hello", "1", NOW - SECOND)
        account_of_ada.get(TIMELINE, json=page(tweet("Hello", "3", NOW + SECOND), tweet("Hello", "2", NOW), before))

        assert find(since=NOW.replace(microsecond=999_999)) == ["2", "3"]


class TestNothingIsConcludedWhenX:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("", id="is-silent"),
            pytest.param(HTML, id="answers-with-html"),
            pytest.param([], id="answers-with-a-list"),
            pytest.param({"data": []}, id="leaves-out-the-meta"),
            pytest.param({"meta": {}}, id="leaves-out-the-data-and-the-count"),
            pytest.param({"meta": {"result_count": 1}}, id="leaves-out-the-data"),
            pytest.param({"errors": [{"title": "Not Found Error"}]}, id="has-errors-alone"),
            pytest.param(page() | {"data": {}}, id="has-an-object-for-a-list"),
            pytest.param(page({"id": "1", "text": "Hello"}), id="leaves-out-the-time"),
            pytest.param(page(tweet("") | {"created_at": "2026-05-04T09:30:00"}), id="leaves-out-the-time-zone"),
            pytest.param(page(tweet("") | {"created_at": "yesterday"}), id="has-another-form-of-time"),
            pytest.param(page(tweet("") | {"id": 1}), id="has-a-number-for-an-id"),
            pytest.param(page(tweet("") | {"id": "1a"}), id="has-another-form-of-id"),
            pytest.param(page(tweet("") | {"text": None}), id="has-no-text"),
            pytest.param(page(tweet("", entities={"urls": [{"url": "https://t.co/a"}]})), id="has-a-link-to-nowhere"),
            pytest.param(page(tweet("", note_tweet="Hello")), id="has-another-form-of-note"),
            pytest.param(page(next_token=5), id="has-a-number-for-a-token"),
        ],
    )
    def test_gives_an_answer_that_cannot_be_read(self, account_of_ada: responses.RequestsMock, body: Any) -> None:
        account_of_ada.get(TIMELINE, **({"body": body} if isinstance(body, str) else {"json": body}))

        with pytest.raises(OutcomeUnknown, match="its answer could not be read") as caught:
            find()

        assert caught.value.status_code == 200

    @pytest.mark.parametrize(
        "body", [None, {}, {"data": None}, {"data": {"id": 42}}, {"data": {"id": ""}}, {"data": {"id": "../tweets"}}]
    )
    def test_does_not_say_who_the_account_is(self, network: responses.RequestsMock, body: Any) -> None:
        network.get(ME, json=body)

        with pytest.raises(OutcomeUnknown, match="its answer could not be read"):
            find()

    def test_has_pages_without_end(self, account_of_ada: responses.RequestsMock) -> None:
        account_of_ada.get(TIMELINE, json=page(tweet("Hello"), next_token="again"))

        with pytest.raises(OutcomeUnknown, match="no end"):
            find()

        assert len(account_of_ada.calls) == 1 + 32

    @pytest.mark.parametrize("at", [ME, TIMELINE])
    @pytest.mark.parametrize(
        ("status", "body", "error", "words"),
        [
            (302, None, AppHeld, "configured address"),
            (400, invalid("Invalid 'start_time'"), Refused, "X refuses to show the account's posts: Invalid"),
            (401, problem("Unauthorized"), SignInRefused, "link @ada anew"),
            (402, problem("no credits", "credits"), AppHeld, "credits"),
            (403, problem("No.", title="Forbidden"), Refused, "X refuses to show the account's posts: No."),
            (403, problem("suspended", "user-suspended"), AccountHeld, "blocked @ada"),
            (429, problem("Too Many Requests"), AccountHeld, "X limits how much @ada may do"),
            (503, problem("Service Unavailable"), OutcomeUnknown, "did not show the account's posts: it had trouble"),
            (520, HTML, OutcomeUnknown, "HTTP 520"),
        ],
    )
    def test_refuses_to_show_it(self, at: str, status: int, body: Any, error: type[TryFailed], words: str) -> None:
        with responses.RequestsMock() as network:
            if at == TIMELINE:
                network.get(ME, json={"data": {"id": "42"}})
            network.get(at, status=status, json=body)
            with pytest.raises(TryFailed) as caught:
                find()

        assert type(caught.value) is error
        assert caught.value.status_code == status
        assert words in caught.value.detail

    def test_limits_us_and_says_until_when(self, account_of_ada: responses.RequestsMock) -> None:
        account_of_ada.get(TIMELINE, status=429, headers=bucket(WINDOW, 0, FIVE))

        with pytest.raises(AccountHeld) as caught:
            find()

        assert caught.value.wait == FIVE + SECOND

    @pytest.mark.parametrize(
        ("cause", "error", "words"),
        [
            (requests.ConnectTimeout(), NotSent, r"^X could not be reached: .+\.$"),
            (requests.ReadTimeout(), OutcomeUnknown, r"^X did not show the account's posts: .+\.$"),
        ],
    )
    def test_cannot_be_heard(
        self, account_of_ada: responses.RequestsMock, cause: Exception, error: type[TryFailed], words: str
    ) -> None:
        account_of_ada.get(TIMELINE, body=cause)

        with pytest.raises(error, match=words):
            find()


class Verifier(oauth1.RequestValidator):
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
        return client_key == SETTINGS["CONSUMER_API_KEY"]

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == ADA.access_token

    def validate_timestamp_and_nonce(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def validate_realms(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self._secrets[0]

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self._secrets[1]


def header(request: requests.PreparedRequest, name: str) -> str:
    return requests.utils.to_native_string(request.headers[name])  # requests-oauthlib leaves bytes


def verified(request: requests.PreparedRequest, consumer_secret: str, token_secret: str) -> bool:
    x_side = oauth1.ResourceEndpoint(Verifier(consumer_secret, token_secret))
    headers = {"Authorization": header(request, "Authorization")}
    valid, _ = x_side.validate_protected_resource_request(request.url, request.method, "", headers, [])
    return bool(valid)


class TestTheRequest:
    @pytest.fixture
    def sent(self, network: responses.RequestsMock) -> requests.PreparedRequest:
        network.post(CREATE, status=201, json={"data": {"id": "1"}})
        publish("Grüße aus 東京 & <b>mehr</b>\n🎉")
        return network.calls[0].request

    def test_creates_a_tweet_with_the_text_and_nothing_else(self, sent: requests.PreparedRequest) -> None:
        assert (sent.method, sent.url) == ("POST", CREATE)
        assert header(sent, "Content-Type") == "application/json"
        assert json.loads(sent.body) == {"text": "Grüße aus 東京 & <b>mehr</b>\n🎉"}

    def test_is_signed_so_that_x_can_verify_it(self, sent: requests.PreparedRequest) -> None:
        assert verified(sent, SETTINGS["CONSUMER_API_SECRET"], ADA.access_token_secret)

    @pytest.mark.parametrize(
        ("consumer_secret", "token_secret"),
        [
            pytest.param("another-secret", ADA.access_token_secret, id="of-another-app"),
            pytest.param(SETTINGS["CONSUMER_API_SECRET"], "another-secret", id="of-another-account"),
        ],
    )
    def test_is_refused_under_other_secrets(
        self, sent: requests.PreparedRequest, consumer_secret: str, token_secret: str
    ) -> None:
        assert not verified(sent, consumer_secret, token_secret)

    def test_does_not_carry_the_secrets_themselves(self, sent: requests.PreparedRequest) -> None:
        everything = f"{sent.url} {sent.headers} {sent.body!r}"

        assert SETTINGS["CONSUMER_API_SECRET"] not in everything
        assert ADA.access_token_secret not in everything

    def test_has_a_nonce_of_its_own_each_time(self, network: responses.RequestsMock) -> None:
        network.post(CREATE, status=201, json={"data": {"id": "1"}})

        publish()
        publish()

        first, second = (oauth_parameters(call.request) for call in network.calls)
        assert first["oauth_nonce"] != second["oauth_nonce"]
        assert first["oauth_signature"] != second["oauth_signature"]

    def test_gives_x_half_a_minute_for_its_answer(self, network: responses.RequestsMock) -> None:
        network.post(CREATE, status=201, json={"data": {"id": "1"}})

        publish()

        assert network.calls[0].request.req_kwargs["timeout"] == (5.0, x.READ_TIMEOUT) == (5.0, 30.0)

    def test_is_sent_once_whatever_x_answers(self, network: responses.RequestsMock) -> None:
        network.post(CREATE, status=503, headers={"Retry-After": "1"})

        with pytest.raises(OutcomeUnknown):
            publish()

        assert len(network.calls) == 1


class TestALook:
    @pytest.fixture
    def asked(self, account_of_ada: responses.RequestsMock) -> list[requests.PreparedRequest]:
        account_of_ada.get(TIMELINE, json=page(next_token="a+b/c=="))
        account_of_ada.get(TIMELINE, json=page())
        find(since=datetime(2026, 5, 4, 11, 30, 0, 5, tzinfo=timezone(2 * HOUR)))
        return [call.request for call in account_of_ada.calls]

    def test_asks_who_the_account_is_once_for_several_posts(self, account_of_ada: responses.RequestsMock) -> None:
        account_of_ada.get(TIMELINE, json=page(tweet("Hello", "1"), tweet("Other", "2")))
        x = X(config.load(SETTINGS), lambda: NOW)

        found = [x.find(ADA, text, NOW) for text in ("Hello", "Other")]

        assert found == [["1"], ["2"]]
        assert [call.request.url.split("?")[0] for call in account_of_ada.calls] == [ME, TIMELINE, TIMELINE]

    def test_asks_who_the_account_is_and_then_for_its_tweets(self, asked: list[requests.PreparedRequest]) -> None:
        query = {
            "start_time": "2026-05-04T09:30:00Z",
            "max_results": "100",
            "tweet.fields": "created_at,entities,note_tweet,text",
        }

        who, first, second = asked
        assert (who.method, who.url, who.body) == ("GET", ME, None)
        assert (first.method, first.params, first.body) == ("GET", query, None)
        assert (second.method, second.params) == ("GET", query | {"pagination_token": "a+b/c=="})

    def test_is_signed_so_that_x_can_verify_it(self, asked: list[requests.PreparedRequest]) -> None:
        for request in asked:
            assert verified(request, SETTINGS["CONSUMER_API_SECRET"], ADA.access_token_secret)
            assert not verified(request, SETTINGS["CONSUMER_API_SECRET"], "another-secret")

    def test_leaves_no_idle_connection_that_a_post_could_be_lost_on(
        self, asked: list[requests.PreparedRequest]
    ) -> None:
        assert [header(request, "Connection") for request in asked] == ["close"] * 3

    def test_does_not_carry_the_secrets_themselves(self, asked: list[requests.PreparedRequest]) -> None:
        everything = " ".join(f"{request.url} {request.headers}" for request in asked)

        assert SETTINGS["CONSUMER_API_SECRET"] not in everything
        assert ADA.access_token_secret not in everything


def oauth_parameters(request: requests.PreparedRequest) -> dict[str, str]:
    return requests.utils.parse_dict_header(header(request, "Authorization").removeprefix("OAuth "))


class TestNoSecret:
    @pytest.mark.parametrize("status", [201, 302, 400, 401, 402, 403, 404, 429, 500])
    def test_is_in_the_error_of_a_refusal(self, status: int) -> None:
        error = failure(status, {"type": "about:blank"}, text="the text of the post")

        assert not [secret for secret in (*SECRETS, "the text of the post") if secret in everything_told_by(error)]

    @pytest.mark.parametrize(
        "cause", [requests.ConnectTimeout("x"), requests.ReadTimeout("x"), requests.ConnectionError()]
    )
    def test_is_in_the_error_of_a_broken_transport(self, network: responses.RequestsMock, cause: Exception) -> None:
        network.post(CREATE, body=cause)

        with pytest.raises(TryFailed) as caught:
            publish()

        assert not [secret for secret in SECRETS if secret in everything_told_by(caught.value)]

    def test_is_logged_at_any_level(self, network: responses.RequestsMock, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        network.post(CREATE, status=201, json={"data": {"id": "1"}})

        publish("the text of the post")

        assert not [secret for secret in (*SECRETS, "the text of the post") if secret in caplog.text]


def everything_told_by(error: BaseException) -> str:
    return repr(error) + "".join(traceback.format_exception(error))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "id", "errors", "code", "message", "type", "title", "detail", "status"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
STATUSES = st.integers(200, 599).filter(lambda status: status not in (204, 304))  # those two never have a body
LIMIT_HEADERS = st.dictionaries(
    st.sampled_from([f"{name}-{part}" for name in (WINDOW, USER_DAY, APP_DAY) for part in ("remaining", "reset")])
    | st.just("retry-after"),
    st.integers().map(str) | st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(str.strip),
)


@run(deadline=None, max_examples=300)
@given(status=STATUSES, body=JSON, headers=LIMIT_HEADERS)
def test_whatever_x_answers_the_post_has_an_id_or_a_failed_try(status: int, body: Any, headers: dict[str, str]) -> None:
    with responses.RequestsMock() as network:
        network.post(CREATE, status=status, json=body, headers=headers)
        try:
            ended: str | TryFailed = publish()
        except TryFailed as error:
            ended = error

    if isinstance(ended, TryFailed):
        assert ended.status_code == status
        assert ended.detail
    else:
        assert status < 300
        assert ended == body["data"]["id"]


TWEETS_OF_ANY_SHAPE = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["1", "2", 3, ""]),
            "text": st.sampled_from(["Hello", "https://t.co/a", None]) | st.text(),
            "created_at": st.datetimes().map(lambda time: time.isoformat() + "Z") | st.text(max_size=5),
            "entities": JSON | st.fixed_dictionaries({"urls": st.lists(st.just(link("a", "Hello")) | JSON)}),
            "note_tweet": JSON | st.fixed_dictionaries({"text": st.just("Hello") | JSON}),
        },
    ),
    max_size=3,
)
PAGES = JSON | st.fixed_dictionaries(
    {"meta": st.fixed_dictionaries({"result_count": st.integers(0, 2)}, optional={"next_token": JSON})},
    optional={"data": TWEETS_OF_ANY_SHAPE},
)
AS_DOCUMENTED = st.just({"data": {"id": "42"}})


@run(deadline=None, max_examples=300)
@given(statuses=st.tuples(STATUSES, STATUSES) | st.just((200, 200)), me=AS_DOCUMENTED | JSON, body=PAGES)
def test_whatever_x_answers_a_look_gives_ids_or_a_failed_try(statuses: tuple[int, int], me: Any, body: Any) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        network.get(ME, status=statuses[0], json=me)
        network.get(TIMELINE, status=statuses[1], json=body)
        try:
            ended: list[str] | TryFailed = find()
        except TryFailed as error:
            ended = error

    assert isinstance(ended, TryFailed) or set(ended) <= {"1", "2"}
