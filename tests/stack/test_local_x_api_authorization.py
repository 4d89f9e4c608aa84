"""How an app gets a user's tokens from X of the development stack: request token, authorize page, PIN, access token."""

import re
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from local_x import CONSUMER_KEY, CONSUMER_SECRET, TIMEOUT, Author, Clock, X
from requests_oauthlib import OAuth1

pytest_plugins = ["local_x_fixtures"]

COULD_NOT_AUTHENTICATE = {"errors": [{"code": 32, "message": "Could not authenticate you."}]}
INVALID_TOKEN = {"errors": [{"code": 89, "message": "Invalid or expired token."}]}
INVALID_PIN = "Error processing your OAuth request: Invalid oauth_verifier parameter"


def oauth(x: X, step: str, **signing: Any) -> requests.Response:
    app = {"client_key": CONSUMER_KEY, "client_secret": CONSUMER_SECRET}
    return requests.post(f"{x.url}/oauth/{step}", auth=OAuth1(**(app | signing)), timeout=TIMEOUT)


def form(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {name: value for name, [value] in parse_qs(answer.text).items()}


def request_token(x: X) -> dict[str, str]:
    return form(oauth(x, "request_token", callback_uri="oob"))


def access_token(x: X, token: dict[str, str], pin: str, **signing: Any) -> requests.Response:
    request = {"resource_owner_key": token["oauth_token"], "resource_owner_secret": token["oauth_token_secret"]}
    return oauth(x, "access_token", verifier=pin, **(request | signing))


def authorised(x: X, token: dict[str, str], username: str) -> str:
    return str(x.control("authorize", oauth_token=token["oauth_token"], username=username)["pin"])


def other_pin(pin: str) -> str:
    return f"{(int(pin) + 1) % 10_000_000:07}"


def test_an_app_gets_the_tokens_of_the_user_who_gave_it_the_pin(x: X, author: Author) -> None:
    token = request_token(x)
    pin = authorised(x, token, author.username)

    assert token["oauth_callback_confirmed"] == "true"
    assert re.fullmatch("[0-9]{7}", pin)
    assert form(access_token(x, token, pin)) == {
        "oauth_token": author.access_token,
        "oauth_token_secret": author.access_token_secret,
        "user_id": author.id,
        "screen_name": author.username,
    }


def test_a_user_who_is_new_is_created_and_can_post_with_these_tokens(x: X) -> None:
    token = request_token(x)

    given = form(access_token(x, token, authorised(x, token, "newcomer")))

    linked = Author(x, given["user_id"], "newcomer", given["oauth_token"], given["oauth_token_secret"])
    assert linked.tweet("Hello")


def test_after_a_revocation_a_user_gets_new_tokens(x: X, author: Author) -> None:
    x.control("revoke", username=author.username)
    token = request_token(x)

    given = form(access_token(x, token, authorised(x, token, author.username)))

    assert given["oauth_token"] != author.access_token
    assert Author(x, author.id, author.username, given["oauth_token"], given["oauth_token_secret"]).tweet("Hello")


@pytest.mark.parametrize("wrong", [{"client_key": "unknown"}, {"client_secret": "wrong"}])
def test_a_wrong_consumer_gets_no_request_token(x: X, wrong: dict[str, str]) -> None:
    answer = oauth(x, "request_token", callback_uri="oob", **wrong)

    assert (answer.status_code, answer.json()) == (401, COULD_NOT_AUTHENTICATE)


def test_a_request_that_is_not_signed_gets_no_request_token(x: X) -> None:
    answer = requests.post(f"{x.url}/oauth/request_token", timeout=TIMEOUT)

    assert (answer.status_code, answer.json()) == (401, COULD_NOT_AUTHENTICATE)


def test_a_header_that_cannot_be_read_gets_no_request_token(x: X) -> None:
    answer = requests.post(f"{x.url}/oauth/request_token", headers={"Authorization": "OAuth ???"}, timeout=TIMEOUT)

    assert (answer.status_code, answer.json()) == (401, COULD_NOT_AUTHENTICATE)


def test_a_callback_that_the_app_does_not_have_is_forbidden(x: X) -> None:
    answer = oauth(x, "request_token", callback_uri="https://example.com/callback")

    assert answer.status_code == 403
    assert 'code="415"' in answer.text


@pytest.mark.parametrize("wrong", [{"client_key": "unknown"}, {"client_secret": "wrong"}])
def test_a_wrong_consumer_gets_no_access_token(x: X, author: Author, wrong: dict[str, str]) -> None:
    token = request_token(x)

    answer = access_token(x, token, authorised(x, token, author.username), **wrong)

    assert (answer.status_code, answer.json()) == (401, COULD_NOT_AUTHENTICATE)


def test_a_wrong_pin_is_refused_and_the_right_one_still_works(x: X, author: Author) -> None:
    token = request_token(x)
    pin = authorised(x, token, author.username)

    answer = access_token(x, token, other_pin(pin))

    assert (answer.status_code, answer.text) == (401, INVALID_PIN)
    assert form(access_token(x, token, pin))["user_id"] == author.id


def test_a_pin_works_once(x: X, author: Author) -> None:
    token = request_token(x)
    pin = authorised(x, token, author.username)
    form(access_token(x, token, pin))

    answer = access_token(x, token, pin)

    assert (answer.status_code, answer.json()) == (401, INVALID_TOKEN)


def test_before_the_user_has_authorised_the_app_no_pin_is_right(x: X) -> None:
    answer = access_token(x, request_token(x), "0000000")

    assert (answer.status_code, answer.text) == (401, INVALID_PIN)


def test_after_a_denial_no_pin_is_right(x: X) -> None:
    token = request_token(x)
    x.control("deny", oauth_token=token["oauth_token"])

    answer = access_token(x, token, "0000000")

    assert (answer.status_code, answer.text) == (401, INVALID_PIN)


def test_a_request_token_of_somebody_else_is_refused(x: X, author: Author) -> None:
    own, other = request_token(x), request_token(x)

    answer = access_token(x, other, authorised(x, own, author.username))

    assert (answer.status_code, answer.text) == (401, INVALID_PIN)


def test_a_request_token_expires(x_with_clock: X, clock: Clock) -> None:
    token = request_token(x_with_clock)
    pin = authorised(x_with_clock, token, "alice")
    clock.advance(minutes=15)

    answer = access_token(x_with_clock, token, pin)

    assert (answer.status_code, answer.json()) == (401, INVALID_TOKEN)


def page(x: X, token: dict[str, str]) -> requests.Response:
    return requests.get(f"{x.url}/oauth/authorize", params={"oauth_token": token["oauth_token"]}, timeout=TIMEOUT)


def send(x: X, token: dict[str, str], **fields: str) -> requests.Response:
    form = {"oauth_token": token["oauth_token"], **fields}
    return requests.post(f"{x.url}/oauth/authorize", data=form, timeout=TIMEOUT)


def test_the_page_offers_the_known_users_and_shows_the_pin_of_the_chosen_one(x: X, author: Author) -> None:
    token = request_token(x)
    assert f"<option>{author.username}</option>" in page(x, token).text

    [pin] = re.findall("<code>([0-9]{7})</code>", send(x, token, username=author.username, authorize="").text)

    assert form(access_token(x, token, pin))["screen_name"] == author.username


def test_the_page_denies_the_app_access(x: X) -> None:
    token = request_token(x)

    answer = send(x, token, username="", deny="")

    assert "denied" in answer.text
    assert access_token(x, token, "0000000").status_code == 401


def test_the_page_takes_no_username_that_x_would_not_have(x: X) -> None:
    answer = send(x, request_token(x), username="<script>", authorize="")

    assert answer.status_code == 400
    assert "<script>" not in answer.text


def test_the_page_says_when_the_request_token_cannot_be_used(x: X) -> None:
    decided = request_token(x)
    x.control("deny", oauth_token=decided["oauth_token"])

    assert "request token for this page is invalid" in page(x, decided).text
    assert "request token for this page is invalid" in page(x, {"oauth_token": "unknown"}).text
    assert send(x, decided, username="alice", authorize="").status_code == 403


def test_the_page_is_for_names_of_this_machine_alone(x: X) -> None:
    token = request_token(x)
    foreign = {"Host": "example.com"}

    answer = requests.get(
        f"{x.url}/oauth/authorize", params={"oauth_token": token["oauth_token"]}, headers=foreign, timeout=TIMEOUT
    )

    assert answer.status_code == 403


def test_the_log_tells_no_token_and_no_pin(x: X, author: Author) -> None:
    token = request_token(x)
    pin = authorised(x, token, author.username)
    access_token(x, token, other_pin(pin))
    given = form(access_token(x, token, pin))

    assert x.log
    log = x.log.read_text()
    assert f"@{author.username}: the app got the access token" in log
    secrets = [*token.values(), given["oauth_token"], given["oauth_token_secret"], pin, other_pin(pin)]
    assert [secret for secret in secrets if secret in log and secret != "true"] == []
