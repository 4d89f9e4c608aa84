"""The control routes of X of the development stack: what they do, and which requests they reject."""

import json
import re
import secrets
from typing import Any

import pytest
import requests
from local_x import TIMEOUT, Author, X

from local.x_api.faults import KINDS

pytest_plugins = ["local_x_fixtures"]


def test_reset_clears_tweets_faults_and_rate_limits_but_no_tokens(x: X, author: Author) -> None:
    author.tweet("Hello")
    author.fail("503")

    x.control("reset")

    assert requests.get(f"{x.url}/_local/tweets", timeout=TIMEOUT).json() == []
    assert requests.get(f"{x.url}/_local/fail", timeout=TIMEOUT).json() == []
    assert author.post("Hello").headers["x-rate-limit-remaining"] == "99"


def test_deleting_the_faults_lets_x_work_again_with_its_tweets(x: X, author: Author) -> None:
    author.tweet("Hello")
    author.fail("503", times=3)

    answer = requests.delete(f"{x.url}/_local/fail", timeout=TIMEOUT)

    assert (answer.status_code, answer.json()) == (200, [])
    assert requests.get(f"{x.url}/_local/fail", timeout=TIMEOUT).json() == []
    assert author.published() == ["Hello"]


def test_the_kinds_of_faults_are_listed_with_their_group_description_and_duration(x: X) -> None:
    kinds = requests.get(f"{x.url}/_local/kinds", timeout=TIMEOUT).json()

    assert [kind["kind"] for kind in kinds] == list(KINDS)
    assert kinds[0] == {"kind": "401", "sort": "X rejects the call", "words": "the sign-in is rejected", "ms": None}
    assert len({kind["words"] for kind in kinds}) == len(kinds)
    assert {kind["kind"]: kind["ms"] for kind in kinds}["429"] == 15 * 60 * 1000


def test_a_limit_lists_the_latest_tweets(x: X, author: Author) -> None:
    for text in ("one", "two", "three"):
        author.tweet(text)

    listed = requests.get(f"{x.url}/_local/tweets", {"username": author.username, "limit": "2"}, timeout=TIMEOUT)

    assert [tweet["text"] for tweet in listed.json()] == ["two", "three"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "1" * 10])
def test_a_limit_is_a_whole_number_from_1_on(x: X, limit: str) -> None:
    answer = requests.get(f"{x.url}/_local/tweets", {"limit": limit}, timeout=TIMEOUT)

    assert answer.status_code == 400
    assert answer.json()["error"] == f'"limit" must be a whole number from 1 on, not {limit!r}.'


def test_a_user_is_created_once(x: X) -> None:
    name = f"u{secrets.token_hex(5)}"

    answers = [requests.post(f"{x.url}/_local/users", json={"username": name}, timeout=TIMEOUT) for _ in range(2)]

    first, second = answers
    assert [answer.status_code for answer in answers] == [201, 200]
    assert first.json() == second.json()
    assert first.json()["access_token"].startswith(first.json()["id"] + "-")


def test_usernames_do_not_tell_letter_cases_apart(x: X, author: Author) -> None:
    assert x.author(author.username.upper()).id == author.id


def test_tweets_are_listed_oldest_first_as_they_were_sent(x: X) -> None:
    alice, bob = x.author(), x.author()
    first, second = alice.tweet(" a < b\r\n"), bob.tweet("see main.py")

    listed = requests.get(f"{x.url}/_local/tweets", timeout=TIMEOUT).json()[-2:]

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", tweet.pop("created_at")) for tweet in listed)
    assert listed == [
        {"id": first, "text": " a < b\r\n", "username": alice.username},
        {"id": second, "text": "see main.py", "username": bob.username},
    ]


@pytest.mark.parametrize(
    ("route", "body", "status", "why"),
    [
        ("users", {}, 400, '"username" must be 1 to 15 letters, digits or underscores'),
        ("users", {"username": "a b"}, 400, '"username" must be 1 to 15 letters, digits or underscores'),
        ("users", {"username": 7}, 400, '"username" must be 1 to 15 letters, digits or underscores'),
        ("users", {"username": "alice", "age": 7}, 400, "age means nothing here; known: username."),
        ("users", ["alice"], 400, "The body must be a JSON object."),
        ("fail", {}, 400, '"kind" must be one of 401, '),
        ("fail", {"kind": ["503"]}, 400, '"kind" must be one of 401, '),
        ("fail", {"kind": "earthquake"}, 400, "commit_then_503, timeout_before, timeout_after"),
        ("fail", {"kind": "503", "times": 0}, 400, '"times" must be a whole number from 1 '),
        ("fail", {"kind": "503", "times": True}, 400, '"times" must be a whole number from 1 '),
        ("fail", {"kind": "503", "ms": 5}, 400, '"ms" means nothing to 503; it does to 429, 429_day, timeout_before'),
        ("fail", {"kind": "slow", "ms": -1}, 400, '"ms" must be a whole number from 0 '),
        ("fail", {"kind": "503", "endpoint": "home"}, 400, '"endpoint" must be one of tweets, tweet, delete, users/me'),
        ("fail", {"kind": "timeline_lag", "endpoint": "tweets"}, 400, '"endpoint" must be one of timeline, not'),
        ("fail", {"kind": "503", "username": "nobody_at_all"}, 404, "There is no user 'nobody_at_all'."),
        ("revoke", {"username": "nobody_at_all"}, 404, "There is no user 'nobody_at_all'."),
        ("suspend", {}, 404, "There is no user None."),
        ("suspend", {"username": "\ud800"}, 404, "There is no user '\\ud800'."),
        ("reset", {"all": True}, 400, "all means nothing here; known: nothing."),
        ("explode", {}, 404, "There is no POST /_local/explode."),
    ],
    ids=str,
)
def test_a_control_route_explains_what_it_rejects(x: X, route: str, body: Any, status: int, why: str) -> None:
    answer = requests.post(f"{x.url}/_local/{route}", json=body, timeout=TIMEOUT)

    assert answer.status_code == status
    assert why in answer.json()["error"]


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("route", ["users", "fail", "reset", "revoke", "suspend"])
def test_a_form_on_another_site_cannot_use_a_control_route(
    x: X, author: Author, route: str, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    body = json.dumps({"username": author.username, "kind": "503"})
    author.tweet("Hello")

    answer = requests.post(f"{x.url}/_local/{route}", data=body, headers=headers, timeout=TIMEOUT)

    assert (answer.status_code, answer.json()["error"]) == (415, "Send the content type application/json.")
    assert author.published() == ["Hello"]


def test_a_script_on_another_site_gets_no_cors_permission(x: X) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}

    answers = [
        requests.request(method, f"{x.url}/_local/tweets", headers=headers, timeout=TIMEOUT)
        for method in ("OPTIONS", "GET")
    ]

    assert [name for answer in answers for name in answer.headers if name.startswith("Access-Control")] == []


@pytest.mark.parametrize("route", ["tweets", "fail"])
def test_a_request_for_a_foreign_host_name_is_rejected(x: X, route: str) -> None:
    answer = requests.get(f"{x.url}/_local/{route}", headers={"Host": "evil.example:80"}, timeout=TIMEOUT)

    assert answer.status_code == 421
    assert "localhost" in answer.json()["error"]
