"""The faults that X of the development stack injects on demand, as a client sees them."""

import time

import pytest
import requests
from local_x import (
    DUPLICATE,
    NOT_PERMITTED,
    SUSPENDED,
    TIMEOUT,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Author,
    Clock,
    X,
)
from waiting import wait_until

pytest_plugins = ["local_x_fixtures"]


REJECTIONS = {
    "401": (401, UNAUTHORIZED),
    "401_legacy": (401, {"errors": [{"code": 89, "message": "Invalid or expired token."}]}),
    "402": (
        402,
        {
            "account_id": 1234567890123456789,
            "title": "CreditsDepleted",
            "detail": "Your enrolled account [1234567890123456789] does not have any credits to fulfill this request.",
            "type": "https://api.twitter.com/2/problems/credits",
        },
    ),
    "402_payment_required": (
        402,
        {
            "title": "Payment Required",
            "detail": "credits depleted",
            "type": "https://api.x.com/2/problems/credits-depleted",
        },
    ),
    "403": (403, NOT_PERMITTED),
    "403_scope": (403, {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"}),
    "duplicate": (403, DUPLICATE),
    "suspended": (403, SUSPENDED),
    "read_only_app": (
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",  # noqa: E501
            "type": "https://api.twitter.com/2/problems/oauth1-permissions",
        },
    ),
    "not_enrolled": (
        403,
        {
            "client_id": "12345",
            "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter developer App that is attached to a Project. You can create a project via the developer portal.",  # noqa: E501
            "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": "https://api.twitter.com/2/problems/client-forbidden",
        },
    ),
    "unsupported_authentication": (
        403,
        {
            "title": "Unsupported Authentication",
            "detail": "Authenticating with Unknown is forbidden for this endpoint.  Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",  # noqa: E501
            "type": "https://api.twitter.com/2/problems/unsupported-authentication",
            "status": 403,
        },
    ),
    "app_cannot_write": (403, {"errors": [{"code": 261, "message": "Application cannot perform write actions."}]}),
    "too_many_cashtags": (
        403,
        {
            "detail": "Posts are limited to a maximum of one cashtag.",
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
        },
    ),
    "404": (404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"}),
    "405": (
        405,
        {"title": "Method Not Allowed", "type": "about:blank", "status": 405, "detail": "Method Not Allowed"},
    ),
    "429": (429, TOO_MANY_REQUESTS),
    "429_day": (429, TOO_MANY_REQUESTS),
    "500": (
        500,
        {
            "title": "Internal Server Error",
            "detail": "Something is broken. This is usually a temporary error, for example in a high load situation.",
            "type": "about:blank",
            "status": 500,
        },
    ),
    "503": (
        503,
        {"title": "Service Unavailable", "detail": "Service Unavailable", "type": "about:blank", "status": 503},
    ),
}


@pytest.mark.parametrize("kind", REJECTIONS)
def test_a_rejection_on_demand_has_the_body_of_xs_own(author: Author, kind: str) -> None:
    author.fail(kind)

    answer = author.post("Hello")

    assert (answer.status_code, answer.json()) == REJECTIONS[kind]
    assert author.published() == []
    assert author.post("Hello").status_code == 201


def test_a_used_up_month_has_a_slug_and_a_locked_account_has_a_code(author: Author) -> None:
    author.fail("usage_capped")
    author.fail("account_locked")

    capped, locked = author.post("Hello"), author.post("Hello")

    assert (capped.status_code, capped.json()["title"]) == (429, "UsageCapExceeded")
    assert "Usage cap exceeded: Monthly product cap" in capped.json()["detail"]
    assert capped.json()["type"].endswith("/usage-capped")
    assert (locked.status_code, locked.json()["errors"][0]["code"]) == (403, 326)


def test_the_answer_to_a_read_only_app_has_its_access_level(author: Author) -> None:
    author.fail("read_only_app")

    assert author.post("Hello").headers["x-access-level"] == "read"


def test_a_429_on_demand_says_when_it_ends(author: Author) -> None:
    author.fail("429", ms=3000)

    before, answer = time.time(), author.post("Hello")

    assert answer.headers["x-rate-limit-remaining"] == "0"
    assert before + 3 <= int(answer.headers["x-rate-limit-reset"]) <= time.time() + 4


def test_a_429_of_the_day_leaves_the_window_alone(author: Author) -> None:
    author.fail("429_day")

    before, answer = time.time(), author.post("Hello")

    assert answer.headers["x-user-limit-24hour-remaining"] == "0"
    assert int(answer.headers["x-rate-limit-remaining"]) > 0
    assert before + 86400 <= int(answer.headers["x-user-limit-24hour-reset"]) <= time.time() + 86401


def test_a_redirect_leads_to_no_tweet_even_for_a_client_that_follows_it(author: Author) -> None:
    author.fail("301", times=2)

    redirected = author.call("POST", "/2/tweets", json={"text": "Hello"}, allow_redirects=False)
    followed = author.post("Hello")

    assert (redirected.status_code, redirected.headers["location"], redirected.content) == (301, "/moved", b"")
    assert [name for name in redirected.headers if name.startswith("x-")] == []
    assert followed.status_code == 404
    assert author.published() == []


@pytest.mark.parametrize(("kind", "status"), [("html_502", 502), ("html_520", 520), ("empty_504", 504)])
def test_an_error_of_the_edge_is_not_json_and_has_no_headers_of_x(author: Author, kind: str, status: int) -> None:
    author.fail(kind)

    answer = author.post("Hello")

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert [name for name in answer.headers if name.startswith("x-")] == []
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert author.published() == []


def log_of(author: Author) -> str:
    """What X has logged about this user."""
    assert author.x.log
    return "\n".join(line for line in author.x.log.read_text().splitlines() if f"@{author.username}:" in line)


NOT_PUBLISHED: list[str] = []
PUBLISHED = ["Hello"]


@pytest.mark.parametrize(
    ("kind", "published"),
    [
        ("timeout_before", NOT_PUBLISHED),
        ("timeout_after", PUBLISHED),
        ("slow_body", PUBLISHED),
    ],
)
def test_an_answer_that_does_not_come_times_out(author: Author, kind: str, published: list[str]) -> None:
    author.fail(kind, ms=60_000)

    with pytest.raises((requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError), match="Read timed out"):
        author.post("Hello", timeout=(60, 0.3))

    # X may receive the request later than its client gives up. What it then publishes at all, it publishes at once.
    wait_until(lambda: log_of(author), lambda log: f"injected fault {kind}" in log)
    assert author.published() == published


@pytest.mark.parametrize(
    ("kind", "exception", "why", "published"),
    [
        ("timeout_before", requests.exceptions.ConnectionError, "RemoteDisconnected", NOT_PUBLISHED),
        ("timeout_after", requests.exceptions.ConnectionError, "RemoteDisconnected", PUBLISHED),
        ("reset_before", requests.exceptions.ConnectionError, "ConnectionResetError", NOT_PUBLISHED),
        ("reset_after", requests.exceptions.ConnectionError, "ConnectionResetError", PUBLISHED),
        ("truncated_201", requests.exceptions.ChunkedEncodingError, "IncompleteRead", PUBLISHED),
    ],
)
def test_a_connection_breaks_before_or_after_x_has_accepted(
    author: Author, kind: str, exception: type[Exception], why: str, published: list[str]
) -> None:
    author.fail(kind, **({"ms": 50} if kind.startswith("timeout") else {}))

    with pytest.raises(exception, match=why):
        author.post("Hello")

    assert author.published() == published


@pytest.mark.parametrize(("kind", "body"), [("unreadable_201", '{"data": {"id": "'), ("201_without_id", '{"data":{}}')])
def test_a_201_without_a_readable_id_is_published_all_the_same(author: Author, kind: str, body: str) -> None:
    author.fail(kind)

    answer = author.post("Hello")

    assert answer.status_code == 201
    assert answer.text.startswith(body)
    assert author.published() == ["Hello"]


def test_a_201_may_have_the_tweet_and_errors(author: Author) -> None:
    author.fail("201_with_errors")

    answer = author.post("Hello")

    [tweet] = author.timeline()["data"]
    assert (answer.status_code, answer.json()["data"]["id"]) == (201, tweet["id"])
    assert [error["title"] for error in answer.json()["errors"]] == ["Field Authorization Error"]


def test_a_201_with_errors_alone_publishes_nothing(author: Author) -> None:
    author.fail("201_only_errors")

    answer = author.post("Hello")

    assert (answer.status_code, set(answer.json())) == (201, {"errors"})
    assert author.published() == []


def test_a_tweet_is_published_and_answered_503(author: Author) -> None:
    author.fail("commit_then_503")

    answer = author.post("Hello")

    assert (answer.status_code, answer.json()) == REJECTIONS["503"]
    assert author.published() == ["Hello"]


@pytest.mark.parametrize("kind", ["slow", "slow_body"])
def test_a_slow_answer_is_correct_in_the_end(author: Author, kind: str) -> None:
    author.fail(kind, ms=300)
    begin = time.monotonic()

    answer = author.post("Hello")

    assert time.monotonic() - begin >= 0.3
    assert (answer.status_code, answer.json()["data"]["text"]) == (201, "Hello")
    assert answer.headers["x-rate-limit-remaining"] == "99"


def test_a_slow_tweet_is_published_although_its_client_has_given_up(author: Author) -> None:
    author.fail("slow", ms=3000)

    with pytest.raises(requests.exceptions.ReadTimeout):
        author.post("Hello", timeout=(60, 0.1))

    assert wait_until(author.published, bool) == ["Hello"]


def test_a_lagging_timeline_does_not_show_the_latest(x_with_clock: X, clock: Clock) -> None:
    author = x_with_clock.author()
    author.tweet("Old")
    clock.advance(seconds=20)
    author.tweet("New")

    author.fail("timeline_lag", ms=10_000)
    lagging, prompt = author.timeline(), author.timeline()

    assert [tweet["text"] for tweet in lagging["data"]] == ["Old"]
    assert [tweet["text"] for tweet in prompt["data"]] == ["New", "Old"]


def test_a_fault_of_a_user_is_injected_as_often_as_requested_and_for_nobody_else(x: X, author: Author) -> None:
    author.fail("503", times=2)

    of_another = x.author().post("Hello")
    statuses = [author.post("Hello").status_code for _ in range(3)]

    assert of_another.status_code == 201
    assert statuses == [503, 503, 201]


def test_a_fault_without_a_user_is_injected_into_the_next_call_of_anybody(x: X, author: Author) -> None:
    x.control("fail", kind="500")

    assert [author.post("Hello").status_code for _ in range(2)] == [500, 201]


@pytest.mark.parametrize(("endpoint", "path"), [("users/me", "/2/users/me"), ("timeline", "/2/users/1/tweets")])
def test_a_fault_is_injected_at_its_endpoint_alone(author: Author, endpoint: str, path: str) -> None:
    author.fail("503", endpoint=endpoint)

    posted, failed = author.post("Hello"), author.call("GET", path)

    assert (posted.status_code, failed.status_code) == (201, 503)


def test_a_fault_at_any_endpoint_is_injected_into_the_next_call(author: Author) -> None:
    author.fail("503", endpoint="any", times=2)

    statuses = [author.timeline()["status"], author.post("Hello").status_code, author.post("Hello").status_code]

    assert statuses == [503, 503, 201]


def test_a_fault_after_acceptance_stays_pending_until_x_accepts_a_tweet(author: Author) -> None:
    author.tweet("Hello")
    author.fail("commit_then_503")

    statuses = [author.post(text).status_code for text in ("Hello", "World")]

    assert statuses == [403, 503]
    assert author.published() == ["Hello", "World"]


def test_a_request_that_is_not_signed_uses_no_fault_up(x: X, author: Author) -> None:
    author.fail("503")

    unsigned = requests.post(f"{x.url}/2/tweets", json={"text": "Hello"}, timeout=TIMEOUT)

    assert (unsigned.status_code, author.post("Hello").status_code) == (401, 503)


def test_pending_faults_are_listed_in_order(x: X, author: Author) -> None:
    author.fail("slow", ms=10)
    author.fail("503", times=3, endpoint="any")

    pending = requests.get(f"{x.url}/_local/fail", timeout=TIMEOUT).json()

    assert [fault for fault in pending if fault.get("username") == author.username] == [
        {"kind": "slow", "times": 1, "endpoint": "tweets", "username": author.username, "ms": 10},
        {"kind": "503", "times": 3, "endpoint": "any", "username": author.username},
    ]
