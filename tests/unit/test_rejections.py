"""What an answer of X that is no 2xx means: who is rejected, until when, and what the author reads.

The numbers E1 to E23 are those of the error bodies that X is known to send.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from shared.core.model import Rejected, Rejection, Unanswered
from shared.http.client import HttpAnswer
from shared.x.rejections import PUBLISHING, READING, Purpose, rejection

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
QUARTER, DAY = 15 * MINUTE, 24 * HOUR
NO_WAIT = timedelta()

POST, DUPLICATE, SIGN_IN, ACCOUNT, APP = Rejection
UNANSWERED = None


def meaning_of(
    status: int, body: Any = None, headers: dict[str, str] | None = None, purpose: Purpose = PUBLISHING
) -> Rejected | Unanswered:
    return rejection(HttpAnswer(status, CaseInsensitiveDict(headers or {}), body), purpose, "ada", NOW)


def rejected(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Rejected:
    result = meaning_of(status, body, headers)
    assert isinstance(result, Rejected)
    return result


def invalid(message: str) -> dict[str, Any]:
    """X's second shape: it says what is wrong in `errors`, and nothing in `detail`."""
    return {
        "errors": [{"parameters": {}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }


def problem(detail: str, slug: str | None = None, **more: Any) -> dict[str, Any]:
    """X's first shape."""
    return {"detail": detail, "type": f"https://api.twitter.com/2/problems/{slug}" if slug else "about:blank", **more}


def legacy(code: int, message: str) -> dict[str, Any]:
    """X's third shape."""
    return {"errors": [{"code": code, "message": message}]}


READ_ONLY = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
NOT_ENROLLED = "You must use keys and tokens from a Twitter developer App that is attached to a Project."


@pytest.mark.parametrize(
    ("status", "body", "what", "wait", "words"),
    [
        # The post: X will never take it, and its author can change it.
        pytest.param(400, invalid("No content-type."), POST, NO_WAIT, "this post: No content-type.", id="E1 no JSON"),
        pytest.param(400, invalid("$.a: is not defined"), POST, NO_WAIT, "$.a: is not defined", id="E2 unknown key"),
        pytest.param(400, invalid("Your media IDs are invalid."), POST, NO_WAIT, "Your media IDs", id="E3 media"),
        pytest.param(
            403, problem("You are not permitted."), POST, NO_WAIT, "You are not permitted.", id="E13 any rule"
        ),
        pytest.param(403, problem("Reply is not allowed."), POST, NO_WAIT, "Reply is not allowed.", id="E14 reply"),
        pytest.param(403, problem("maximum of one cashtag"), POST, NO_WAIT, "one cashtag", id="E15 two cashtags"),
        pytest.param(403, legacy(186, "Needs to be shorter."), POST, NO_WAIT, "shorter", id="E17 186 too long"),
        pytest.param(403, legacy(385, "It is gone."), POST, NO_WAIT, "It is gone.", id="E17 385 reply to a deleted"),
        pytest.param(413, problem("Payload too large"), POST, NO_WAIT, "Payload too large", id="another 4xx"),
        # The text: the account has it already.
        pytest.param(
            403,
            problem("You are not allowed to create a Tweet with duplicate content."),
            DUPLICATE,
            NO_WAIT,
            "@ada has posted this text already",
            id="E8 duplicate",
        ),
        pytest.param(403, legacy(187, "Status is a duplicate."), DUPLICATE, NO_WAIT, "already", id="E17 187 duplicate"),
        # The sign-in: a passing error, revoked tokens, a wrong app key and a wrong clock look the same.
        pytest.param(401, problem("Unauthorized"), SIGN_IN, NO_WAIT, "link @ada anew", id="E5 unauthorized"),
        pytest.param(401, legacy(32, "Not you."), SIGN_IN, NO_WAIT, "link @ada anew", id="E6 32 bad signature"),
        pytest.param(401, legacy(89, "Expired token."), SIGN_IN, NO_WAIT, "link @ada anew", id="E6 89 revoked token"),
        pytest.param(401, legacy(135, "Out of bounds."), SIGN_IN, NO_WAIT, "link @ada anew", id="E6 135 wrong clock"),
        pytest.param(
            403,
            problem("Authenticating with Unknown is forbidden.", "unsupported-authentication"),
            SIGN_IN,
            NO_WAIT,
            "link @ada anew",
            id="E11 kind of sign-in",
        ),
        # The account, for a while: its other posts would fare no better.
        pytest.param(
            403, problem(READ_ONLY, "oauth1-permissions"), ACCOUNT, HOUR, "needs write permission", id="E9 read-only"
        ),
        pytest.param(403, problem("Suspended", "user-suspended"), ACCOUNT, HOUR, "blocked @ada", id="E12 suspended"),
        pytest.param(403, problem("Forbidden"), ACCOUNT, HOUR, "needs write permission", id="E16 scope is missing"),
        pytest.param(403, legacy(64, "Suspended."), ACCOUNT, HOUR, "blocked @ada", id="E17 64 suspended"),
        pytest.param(403, legacy(326, "Log in."), ACCOUNT, HOUR, "blocked @ada", id="E17 326 locked"),
        pytest.param(403, legacy(185, "Over limit."), ACCOUNT, HOUR, "@ada to slow down", id="E17 185 daily limit"),
        pytest.param(403, legacy(226, "Automated."), ACCOUNT, HOUR, "@ada to slow down", id="E17 226 automated"),
        pytest.param(429, problem("Too Many Requests"), ACCOUNT, QUARTER, "limits how much @ada", id="E19 rate limit"),
        pytest.param(429, legacy(88, "Rate limit"), ACCOUNT, QUARTER, "limits how much @ada", id="88 rate limit"),
        pytest.param(404, problem("Not Found"), ACCOUNT, HOUR, "for @ada (HTTP 404)", id="E18 no such path or user"),
        pytest.param(405, None, ACCOUNT, HOUR, "for @ada (HTTP 405)", id="method not allowed"),
        pytest.param(302, None, ACCOUNT, HOUR, "for @ada (HTTP 302)", id="redirect"),
        # The app, for a while: nobody's post can be published, and the operator must act.
        pytest.param(402, problem("No credits.", "credits"), APP, HOUR, "credits topped up", id="E7 credits"),
        pytest.param(402, problem("depleted", "credits-depleted"), APP, HOUR, "credits topped up", id="E7 other slug"),
        pytest.param(403, problem(NOT_ENROLLED, "client-forbidden"), APP, HOUR, NOT_ENROLLED, id="E10 not enrolled"),
        pytest.param(403, problem("Bad app", "app-suspended"), APP, HOUR, "our app post: Bad app", id="E12 app"),
        pytest.param(403, legacy(261, "Cannot write."), APP, HOUR, "Cannot write.", id="E17 261 app cannot write"),
        pytest.param(403, legacy(261, "Forbidden"), APP, HOUR, "our app post", id="261 in the words of E16"),
        pytest.param(403, legacy(453, "Other access."), APP, HOUR, "Other access.", id="E17 453 access level"),
        pytest.param(429, problem("Cap exceeded", "usage-capped"), APP, HOUR, "monthly cap", id="E20 monthly cap"),
        # Nobody: X may have the post.
        pytest.param(500, problem("Broken."), UNANSWERED, None, "X may or may not have the post", id="E21"),
        pytest.param(503, problem("Service Unavailable"), UNANSWERED, None, "(HTTP 503)", id="E22 over capacity"),
        pytest.param(520, None, UNANSWERED, None, "(HTTP 520)", id="E23 HTML of the edge"),
        pytest.param(400, None, UNANSWERED, None, "(HTTP 400)", id="400 of the edge"),
        pytest.param(403, None, UNANSWERED, None, "(HTTP 403)", id="403 of the edge"),
    ],
)
def test_what_an_answer_means_and_how_its_author_is_told(
    status: int, body: Any, what: Rejection | None, wait: timedelta | None, words: str
) -> None:
    result = meaning_of(status, body)

    assert words in result.detail
    assert result.code == status
    if what is UNANSWERED:
        assert isinstance(result, Unanswered)
    else:
        assert isinstance(result, Rejected)
        assert (result.what, result.wait) == (what, wait)


@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
def test_a_problem_is_known_by_the_last_segment_of_its_type(host: str) -> None:
    assert rejected(403, {"type": f"https://{host}/2/problems/user-suspended"}).what is ACCOUNT


@pytest.mark.parametrize("status_in_the_body", [200, 401, 429, None])
def test_the_status_line_is_believed_whatever_the_body_says(status_in_the_body: int | None) -> None:
    assert isinstance(meaning_of(503, problem("Service Unavailable", status=status_in_the_body)), Unanswered)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(
            400, invalid("Bad start_time"), "X does not show the account's posts: Bad start", id="the request"
        ),
        pytest.param(403, legacy(453, "No."), "X does not let our app read the account's posts: No.", id="the app"),
        pytest.param(503, None, "X did not show the account's posts: it had trouble", id="no answer"),
    ],
)
def test_a_rejected_read_is_not_told_as_a_rejected_post(status: int, body: Any, words: str) -> None:
    assert words in meaning_of(status, body, purpose=READING).detail


SAYS_NOTHING = [
    pytest.param({}, id="empty object"),
    pytest.param({"errors": None, "type": None, "detail": None}, id="nulls"),
    pytest.param({"errors": "Forbidden"}, id="errors are a text"),
    pytest.param({"errors": 5}, id="errors are a number"),
    pytest.param({"errors": ["Forbidden", None]}, id="errors without words"),
    pytest.param({"errors": [{"code": [187], "message": {}}]}, id="code is a list"),
    pytest.param({"type": 5, "detail": ["Forbidden"], "title": {}}, id="other types"),
]


@pytest.mark.parametrize("body", SAYS_NOTHING)
@pytest.mark.parametrize(
    ("status", "what"),
    [(302, ACCOUNT), (400, POST), (401, SIGN_IN), (402, APP), (403, POST), (404, ACCOUNT), (429, ACCOUNT)],
)
def test_the_status_alone_decides_where_the_body_says_nothing(status: int, what: Rejection, body: Any) -> None:
    assert rejected(status, body).what is what


@pytest.mark.parametrize("status", [301, 302, 308, 404, 405])
def test_the_operator_is_asked_whether_the_address_is_right_where_x_does_not_have_what_we_ask_for(status: int) -> None:
    assert rejected(status).operator_message == (
        f"X does not have what we ask for: it answers {status} for @ada; is X_BASE_URL right?"
    )


@pytest.mark.parametrize("words", ["\x00", "\ud800", "half \udc00 a pair"])
def test_words_of_x_that_postgresql_cannot_store_are_replaced(words: str) -> None:
    assert rejected(403, problem(words)).detail.endswith(words.translate({0: "?", 0xD800: "?", 0xDC00: "?"}))


def test_long_words_of_x_are_cut() -> None:
    assert len(rejected(403, problem("No! " * 1000)).detail) < 400


def reset(after: timedelta) -> str:
    return str(int((NOW + after).timestamp()))


def bucket(name: str, remaining: int, after: timedelta) -> dict[str, str]:
    return {f"{name}-remaining": str(remaining), f"{name}-reset": reset(after)}


WINDOW, USER_DAY, APP_DAY = "x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"


@pytest.mark.parametrize(
    ("headers", "what", "wait"),
    [
        # The reset of the bucket that is empty, and a second more.
        (bucket(WINDOW, 0, 5 * MINUTE), ACCOUNT, 5 * MINUTE + SECOND),
        # A daily bucket is empty while the window is not.
        (bucket(WINDOW, 40, 5 * MINUTE) | bucket(USER_DAY, 0, 3 * HOUR), ACCOUNT, 3 * HOUR + SECOND),
        # The app's daily bucket is empty, so nobody can post.
        (bucket(USER_DAY, 9, 9 * HOUR) | bucket(APP_DAY, 0, 2 * HOUR), APP, 2 * HOUR + SECOND),
        # Several are empty: the last one to be full again counts, whichever it is.
        (bucket(WINDOW, 0, 5 * MINUTE) | bucket(USER_DAY, 0, 3 * HOUR), ACCOUNT, 3 * HOUR + SECOND),
        (bucket(WINDOW, 0, 7 * MINUTE) | bucket(APP_DAY, 0, 5 * MINUTE), APP, 7 * MINUTE + SECOND),
        # None seems empty: it is the window's.
        (bucket(WINDOW, 3, 5 * MINUTE) | bucket(USER_DAY, 3, DAY), ACCOUNT, 5 * MINUTE + SECOND),
        ({"x-rate-limit-reset": reset(5 * MINUTE)}, ACCOUNT, 5 * MINUTE + SECOND),
        # Header names in another case.
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset(MINUTE)}, ACCOUNT, MINUTE + SECOND),
        # X says nothing that can be read: a quarter of an hour.
        ({}, ACCOUNT, QUARTER),
        ({"x-rate-limit-remaining": "0"}, ACCOUNT, QUARTER),
        ({"x-rate-limit-reset": "soon"}, ACCOUNT, QUARTER),
        ({"retry-after": "Mon, 04 May 2026 10:00:00 GMT"}, ACCOUNT, QUARTER),
        ({"x-rate-limit-reset": "9" * 5000}, ACCOUNT, QUARTER),
        ({"retry-after": "-1"}, ACCOUNT, QUARTER),
        ({"retry-after": "17.5"}, ACCOUNT, QUARTER),
        ({"retry-after": ""}, ACCOUNT, QUARTER),
        # Retry-After counts where there is no reset.
        ({"retry-after": "120"}, ACCOUNT, 2 * MINUTE),
        # What X says is believed from five seconds to 25 hours.
        (bucket(WINDOW, 0, -HOUR), ACCOUNT, 5 * SECOND),
        ({"retry-after": "0"}, ACCOUNT, 5 * SECOND),
        (bucket(USER_DAY, 0, 3 * DAY), ACCOUNT, 25 * HOUR),
        ({"x-rate-limit-reset": str(int(NOW.timestamp() * 1000))}, ACCOUNT, 25 * HOUR),
        ({"retry-after": "9" * 20}, ACCOUNT, 25 * HOUR),
    ],
    ids=lambda value: ", ".join(f"{k}={v[:20]}" for k, v in value.items()) if isinstance(value, dict) else None,
)
def test_a_rate_limit_lasts_until_the_last_empty_bucket_is_full_again(
    headers: dict[str, str], what: Rejection, wait: timedelta
) -> None:
    result = rejected(429, problem("Too Many Requests"), headers)

    assert (result.what, result.wait) == (what, wait)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "code", "message", "type", "title", "detail"]) | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
HEADERS = st.dictionaries(
    st.sampled_from([f"{name}-{part}" for name in (WINDOW, USER_DAY, APP_DAY) for part in ("remaining", "reset")])
    | st.just("retry-after"),
    st.integers().map(str) | st.text(max_size=8),
)


@given(status=st.integers(300, 599), body=JSON, headers=HEADERS, purpose=st.sampled_from([PUBLISHING, READING]))
def test_any_answer_means_something_that_can_be_stored_and_waited_for(
    status: int, body: Any, headers: dict[str, str], purpose: Purpose
) -> None:
    result = meaning_of(status, body, headers, purpose)

    assert 0 < len(result.detail) < 500
    assert "\x00" not in result.detail
    result.detail.encode()
    assert result.code == status
    if isinstance(result, Rejected):
        is_for_a_while = result.what in (ACCOUNT, APP)
        assert 5 * SECOND <= result.wait <= 25 * HOUR if is_for_a_while else result.wait == NO_WAIT
