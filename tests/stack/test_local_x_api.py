"""X's API of the development stack as a server: who may call it, what it keeps over a restart, what it logs."""

import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from local_x import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    DUPLICATE,
    TIMEOUT,
    UNAUTHORIZED,
    Author,
    Clock,
    X,
    process,
    thread,
)
from waiting import wait_until

pytest_plugins = ["local_x_fixtures"]


def test_a_rightly_signed_request_publishes_a_tweet(author: Author) -> None:
    answer = author.post("Hello")

    tweet = answer.json()["data"]
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json; charset=utf-8")
    assert tweet == {"id": tweet["id"], "text": "Hello", "edit_history_tweet_ids": [tweet["id"]]}
    assert author.published() == ["Hello"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource_owner_secret": "wrong"},
        {"client_secret": "wrong"},
        {"resource_owner_key": "12345-unknown"},
        {"client_key": "unknown"},
        {"resource_owner_key": None, "resource_owner_secret": None},
        {"signature_method": "HMAC-SHA256"},
        {"signature_method": "PLAINTEXT"},
        {"timestamp": str(int(time.time()) - 100_000)},
        {"timestamp": str(int(time.time()) + 100_000)},
        {"timestamp": "yesterday"},
        {"nonce": "n" * 200},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_a_wrong_signature_is_unauthorized(author: Author, wrong: dict[str, Any]) -> None:
    auth = author.auth(**wrong)

    answer = requests.post(f"{author.x.url}/2/tweets", json={"text": "Hello"}, auth=auth, timeout=TIMEOUT)

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert answer.headers["content-type"] == "application/problem+json"
    assert author.published() == []


@pytest.mark.parametrize(
    "header", [None, "", "OAuth", "OAuth ???", 'OAuth oauth_token="x"', "Basic YTpi", "Bearer abc", 'OAuth a="%zz"']
)
def test_a_header_without_a_signature_is_unauthorized(x: X, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = requests.post(f"{x.url}/2/tweets", json={"text": "Hello"}, headers=headers, timeout=TIMEOUT)

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_an_app_only_token_is_forbidden_to_act_for_a_user(x: X) -> None:
    headers = {"Authorization": "Bearer AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA0"}

    answer = requests.post(f"{x.url}/2/tweets", json={"text": "Hello"}, headers=headers, timeout=TIMEOUT)

    assert answer.status_code == 403
    assert answer.json() == {
        "title": "Unsupported Authentication",
        "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported "
        "authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        "type": "https://api.twitter.com/2/problems/unsupported-authentication",
        "status": 403,
    }


def test_the_same_signed_request_counts_once(author: Author) -> None:
    request = requests.Request("POST", f"{author.x.url}/2/tweets", json={"text": "Once"}, auth=author.auth()).prepare()

    with requests.Session() as session:
        statuses = [session.send(request, timeout=TIMEOUT).status_code for _ in range(2)]

    assert statuses == [201, 401]


@pytest.mark.parametrize(
    ("signed", "sent", "status"),
    [
        ("/2/users/me", "/2/users/me/", 404),
        ("/2/users/me?a=1", "/2/users/me?a=2", 401),
        ("/2/users/me", "/2/users/me?a=2", 401),
        ("/2/tweets/1?tweet.fields=text&post.fields=id", "/2/tweets/1?post.fields=id&tweet.fields=text", 200),
    ],
)
def test_the_signature_covers_the_path_and_the_query(author: Author, signed: str, sent: str, status: int) -> None:
    request = requests.Request("GET", author.x.url + signed, auth=author.auth()).prepare()
    request.url = author.x.url + sent

    with requests.Session() as session:
        answer = session.send(request, timeout=TIMEOUT)

    assert answer.status_code == status


def test_the_signature_covers_the_host(author: Author) -> None:
    request = requests.Request("GET", f"{author.x.url}/2/users/me", auth=author.auth()).prepare()
    request.url = f"{author.x.url.replace('localhost', '127.0.0.1')}/2/users/me"

    with requests.Session() as session:
        answer = session.send(request, timeout=TIMEOUT)

    assert answer.status_code == 401


def test_the_signature_does_not_cover_a_json_body(author: Author) -> None:
    request = requests.Request("POST", f"{author.x.url}/2/tweets", json={"text": "as is"}, auth=author.auth()).prepare()
    request.body = b'{"text": "other"}'
    request.headers["Content-Length"] = str(len(request.body))

    with requests.Session() as session:
        answer = session.send(request, timeout=TIMEOUT)

    assert answer.status_code == 201


def test_revoked_tokens_stop_working_and_a_new_link_brings_new_ones(x: X, author: Author) -> None:
    x.control("revoke", username=author.username)
    refused = author.post("Hello")
    again = x.author(author.username)

    assert (refused.status_code, refused.json()) == (401, UNAUTHORIZED)
    assert again.id == author.id
    assert again.access_token != author.access_token
    assert again.post("Hello").status_code == 201


def test_users_me_names_the_owner_of_the_token(author: Author) -> None:
    answer = author.call("GET", "/2/users/me")

    assert answer.json() == {"data": {"id": author.id, "name": author.username, "username": author.username}}


def test_users_me_shows_what_is_asked_for(author: Author) -> None:
    answer = author.call("GET", "/2/users/me", params={"user.fields": "username,verified"})
    of_x = author.call("GET", "/2/users/me", params={"user.fields": "public_metrics"})
    of_nobody = author.call("GET", "/2/users/me", params={"user.fields": "mood"})

    always = {"id": author.id, "name": author.username, "username": author.username}
    assert answer.json() == {"data": {**always, "verified": False}}
    assert (of_x.status_code, of_nobody.status_code) == (400, 400)
    assert "is not emulated" in of_x.json()["errors"][0]["message"]
    assert "is not one of [affiliation," in of_nobody.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/2/media/upload"), ("GET", "/2/tweets?ids=1"), ("POST", "/2/oauth2/token"), ("GET", "/")],
)
def test_what_is_not_emulated_is_refused_by_name(author: Author, method: str, path: str) -> None:
    answer = author.call(method, path)

    detail = f"The development stack does not emulate {method} {path.partition('?')[0]}."
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)


# The server


def test_users_and_tweets_survive_a_restart(tmp_path: Path) -> None:
    with process(tmp_path) as x:
        before = x.author("alice")
        tweet_id = before.tweet("Still here")

    with process(tmp_path) as x:
        after = x.author("alice")

        assert (after.id, after.access_token, after.access_token_secret) == (
            before.id,
            before.access_token,
            before.access_token_secret,
        )
        assert [tweet["id"] for tweet in after.timeline()["data"]] == [tweet_id]
        assert after.post("Still here").json() == DUPLICATE


def test_the_files_with_the_users_tokens_are_their_owners_alone(tmp_path: Path) -> None:
    with process(tmp_path) as x:
        x.author("alice")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("x.sqlite3*")}

    assert modes == {"x.sqlite3": 0o600, "x.sqlite3-wal": 0o600, "x.sqlite3-shm": 0o600}


def test_ids_grow_over_a_restart_although_the_clock_was_set_back(tmp_path: Path, clock: Clock) -> None:
    with thread(tmp_path, clock) as x:
        earlier = int(x.author("alice").tweet("Summer time"))

    clock.advance(hours=-1)
    with thread(tmp_path, clock) as x:
        later = int(x.author("alice").tweet("Winter time"))

    assert later > earlier


def test_a_delayed_answer_does_not_keep_the_server_running(tmp_path: Path, clock: Clock) -> None:
    # aiohttp would wait a minute for the answer; leaving thread() fails after half a minute.
    with ThreadPoolExecutor(1) as pool:
        with thread(tmp_path, clock) as x:
            author = x.author()
            author.fail("timeout_after", ms=300_000)
            delayed = pool.submit(author.post, "Hello", timeout=(5, 120))
            wait_until(author.published, bool)

        assert isinstance(delayed.exception(), requests.exceptions.ConnectionError)


def test_the_log_has_a_line_for_each_event_and_no_secret(tmp_path: Path) -> None:
    with process(tmp_path) as x:
        author = x.author("alice")
        tweet_id = author.tweet("Good \x1b[31m\nmorning, world! This is a rather long text")
        author.post("")
        author.fail("503")
        author.post("Hello")
        requests.post(f"{x.url}/2/tweets", json={"text": "a"}, auth=author.auth(client_secret="wrong"), timeout=TIMEOUT)

    log = (tmp_path / "log").read_text()
    lines = [re.sub(r"^\S+  x +", "", line) for line in log.splitlines()]
    assert lines[1:] == [
        "@alice: authorised the app",
        f"@alice: tweeted {tweet_id}",
        "rejected @alice POST /2/tweets: 403 You are not permitted to perform this action.",
        "fault for the next 1 of tweets by @alice: 503",
        "@alice: POST /2/tweets: injected fault 503",
        "rejected @alice POST /2/tweets: 503 Service Unavailable",
        "rejected POST /2/tweets: the signature does not match (secrets, method, URL)",
    ]
    secret = (author.access_token, author.access_token_secret, CONSUMER_KEY, CONSUMER_SECRET)
    assert [word for word in secret if word in log] == []
