"""The page's server as a browser sees it: alone, and with Hasura and X behind it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack
from local.web_server.access_token import AccessTokens, CannotSign

REPOSITORY = Path(__file__).parent.parent
KEY = "k" * 64


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server alone: nothing answers where it looks for Hasura and X."""
    data = tmp_path_factory.mktemp("web")
    ready_file = data / "ready.json"
    command = [sys.executable, "-m", "local.web_server", "--data", str(data), "--ready-file", str(ready_file)]
    command += ["--port", "web=0", "--port", "hasura=1", "--port", "functions=2", "--port", "x=3"]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=dict(os.environ))
    wait_until(ready_file.exists, bool)
    yield json.loads(ready_file.read_text())["url"]
    process.kill()
    process.wait()


class TestPage:
    def test_the_page_and_all_it_names_are_served(self, url: str) -> None:
        page = requests.get(url)

        assert page.headers["Content-Type"].startswith("text/html")
        named = Names.of(page.text)
        assert named.files == ["icon.svg", "style.css", "app.js"]
        assert {requests.get(f"{url}/{file}").status_code for file in named.files} == {200}

    def test_every_element_the_script_looks_up_is_on_the_page(self, url: str) -> None:
        looked_up = set(re.findall(r'(?:element|show)\("([\w-]+)"', requests.get(f"{url}/app.js").text))

        assert looked_up
        assert looked_up <= set(Names.of(requests.get(url).text).ids)

    def test_nothing_in_it_is_inline_so_the_policy_can_be_strict(self, url: str) -> None:
        page = requests.get(url)

        assert not re.search(r"<style|<script[^>]*>[^<]|\son\w+=|\sstyle=", page.text)
        assert "innerHTML" not in requests.get(f"{url}/app.js").text

    @pytest.mark.parametrize("path", ["/", "/app.js", "/config.json", "/nothing", "/_local/tweets"])
    def test_the_browser_may_load_from_here_and_connect_to_the_three_apis_alone(self, url: str, path: str) -> None:
        headers = requests.get(url + path).headers

        policy = dict(directive.strip().split(" ", 1) for directive in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["connect-src"] == "'self' http://localhost:1 http://localhost:2 http://localhost:3"
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_the_page_learns_where_the_apis_are(self, url: str) -> None:
        assert requests.get(f"{url}/config.json").json() == {
            "createPost": "http://localhost:2/api/createPost",
            "graphql": "http://localhost:1/v1/graphql",
            "token": "/_local/token",
            "timeline": "/_local/tweets",
        }

    @pytest.mark.parametrize("path", ["/../README.md", "/%2e%2e/host.json", "/..%2fhost.json", "/nothing"])
    def test_nothing_outside_the_folder_is_served(self, url: str, path: str) -> None:
        request = requests.Request("GET", url).prepare()
        request.url = url + path

        assert requests.Session().send(request).status_code in {403, 404}


class TestRefusals:
    @pytest.mark.parametrize(
        "username",
        ["", "a" * 16, "no spaces", "naïve", "a\n", "<b>", None, 5, ["alice"]],
        ids=lambda value: repr(value),
    )
    def test_a_username_is_what_x_allows(self, url: str, username: Any) -> None:
        answer = requests.post(f"{url}/_local/token", json={"username": username})

        assert answer.status_code == 400
        assert answer.json() == {"error": "A username has 1 to 15 letters, digits and underscores, as on X."}

    @pytest.mark.parametrize("body", ["", "{", "[]", "null"])
    def test_a_body_without_a_username_is_refused(self, url: str, body: str) -> None:
        answer = requests.post(f"{url}/_local/token", data=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 400

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_what_a_foreign_page_could_send_as_a_form_is_refused(self, url: str, content_type: str) -> None:
        headers = {"Content-Type": content_type}

        answer = requests.post(f"{url}/_local/token", data='{"username": "alice"}', headers=headers)

        assert answer.status_code == 415
        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_a_foreign_name_that_points_here_is_refused(self, url: str) -> None:
        answer = requests.post(f"{url}/_local/token", json={"username": "alice"}, headers={"Host": "evil.example:3000"})

        assert answer.status_code == 421

    def test_without_x_it_says_so(self, url: str) -> None:
        answer = requests.post(f"{url}/_local/token", json={"username": "alice"})

        assert answer.status_code == 502
        assert "X cannot be reached at http://localhost:3/_local/users" in answer.json()["error"]
        assert requests.get(f"{url}/_local/tweets").status_code == 502


class TestSignIn:
    def test_the_token_is_the_users_at_hasura(self, stack: RunningStack) -> None:
        token, other = stack.token("ann"), stack.token("bob")

        assert stack.graphql("{ user { username } }", token=token) == {"user": [{"username": "ann"}]}
        assert stack.graphql("{ user { username } }", token=other) == {"user": [{"username": "bob"}]}
        with pytest.raises(GraphQLFailed, match="access_token"):
            stack.graphql("{ account { access_token } }", token=token)

    def test_signing_in_twenty_times_at_once_creates_one_user_and_one_account(self, stack: RunningStack) -> None:
        def sign_in(_: int) -> Any:
            return requests.post(f"{stack.urls['web']}/_local/token", json={"username": "crowd"}).json()["user_id"]

        with ThreadPoolExecutor(20) as pool:
            ids = set(pool.map(sign_in, range(20)))

        [user] = stack.graphql('{ user(where: {username: {_eq: "crowd"}}) { id account_users { account_id } } }')[
            "user"
        ]
        assert ids == {user["id"]}
        assert len(user["account_users"]) == 1
        accounts = stack.graphql('{ account(where: {account_name: {_eq: "crowd"}}) { id } }')["account"]
        assert accounts == [{"id": user["account_users"][0]["account_id"]}]

    def test_an_account_whose_tokens_x_no_longer_knows_gets_the_new_ones(self, stack: RunningStack) -> None:
        stack.token("renewed")
        stack.graphql(
            'mutation { update_account(where: {account_name: {_eq: "renewed"}}, _set: {access_token: "old"}) '
            "{ affected_rows } }"
        )

        stack.token("renewed")

        [account] = stack.graphql('{ account(where: {account_name: {_eq: "renewed"}}) { access_token } }')["account"]
        assert account["access_token"] != "old"

    def test_the_timeline_is_xs(self, stack: RunningStack) -> None:
        timeline = requests.get(f"{stack.urls['web']}/_local/tweets", params={"username": "nobody"})

        assert (timeline.status_code, timeline.json()) == (200, [])


class TestAccessTokens:
    @pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
    def test_the_claims_are_hasuras(self, algorithm: str) -> None:
        token = AccessTokens(json.dumps({"type": algorithm, "key": KEY})).token_for("alice")

        claims = jwt.decode(token, KEY, [algorithm])
        assert claims["sub"] == "alice"
        assert claims["exp"] - claims["iat"] == 12 * 3600
        assert claims["https://hasura.io/jwt/claims"] == {
            "x-hasura-default-role": "user",
            "x-hasura-allowed-roles": ["user"],
            "x-hasura-user-id": "alice",
        }

    @pytest.mark.parametrize(
        ("secret", "reason"),
        [
            ("", "must be a JSON object"),
            ("[]", "must be a JSON object"),
            ('{"jwk_url": "https://keys"}', "must be a JSON object with type and key"),
            ('{"type": "RS256", "key": "pem"}', "verifies RS256 tokens, which only its private key can sign"),
            ('{"type": "HS256", "key": "short"}', "too short for HS256"),
            (json.dumps({"type": "HS256", "key": KEY, "claims_map": {}}), "claims_map is not emulated"),
        ],
    )
    def test_a_secret_that_cannot_sign_is_refused_without_showing_it(self, secret: str, reason: str) -> None:
        with pytest.raises(CannotSign, match=reason) as refusal:
            AccessTokens(secret)

        assert "pem" not in str(refusal.value)


class Names(HTMLParser):
    """The files and the ids that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[str] = []
        self.ids: list[str] = []

    @classmethod
    def of(cls, page: str) -> "Names":
        names = cls()
        names.feed(page)
        return names

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "link"}:
            self.files.append(given.get("src") or given.get("href") or "")
        if found := given.get("id"):
            self.ids.append(found)
