"""The page's server as a browser sees it: alone, and with Hasura and X behind it."""

import json
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from sealed_value import DOES_NOT_OPEN
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack
from local.web_server.access_token import AccessTokens, CannotSign
from shared.x import sealed_tokens

REPOSITORY = Path(__file__).parents[2]
KEY = "k" * 64


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server alone: nothing answers at the addresses of Hasura and X."""
    with served(tmp_path_factory.mktemp("web")) as url:
        yield url


@contextmanager
def served(data: Path, *options: str) -> Iterator[str]:
    """The address of a server alone."""
    ready_file = data / "ready.json"
    command = [sys.executable, "-m", "local.web_server", "--data", str(data), "--ready-file", str(ready_file)]
    command += ["--port", "web=0", "--port", "hasura=1", "--port", "functions=2", "--port", "x=3", *options]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=dict(os.environ))
    wait_until(ready_file.exists, bool)
    yield json.loads(ready_file.read_text())["url"]
    process.kill()
    process.wait()


class TestPage:
    def test_the_page_and_every_file_that_it_names_are_served(self, url: str) -> None:
        page = requests.get(url)

        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        named = Names.of(page.text)
        assert {"icon.svg", "style.css", "app.js"} <= set(named.files)
        assert {file for file in named.files if requests.get(f"{url}/{file}").status_code != 200} == set()

    def test_every_module_is_served_as_what_browsers_run(self, url: str) -> None:
        modules = modules_of(url)

        assert len(modules) > 1
        types = {requests.get(f"{url}/{name}").headers["Content-Type"] for name in modules}
        assert types == {"text/javascript; charset=utf-8"}

    @pytest.mark.parametrize(
        ("file", "content_type"),
        [("style.css", "text/css; charset=utf-8"), ("icon.svg", "image/svg+xml; charset=utf-8")],
    )
    def test_a_file_has_the_type_of_its_name(self, url: str, file: str, content_type: str) -> None:
        assert requests.get(f"{url}/{file}").headers["Content-Type"] == content_type

    def test_every_element_that_a_module_names_is_on_the_page(self, url: str) -> None:
        sources = "".join(modules_of(url).values())
        named = set(re.findall(r'(?:\belement|getElementById)\("([\w-]+)"', sources))

        assert named
        assert named <= set(Names.of(requests.get(url).text).ids)

    def test_nothing_in_it_is_inline_and_no_text_becomes_markup(self, url: str) -> None:
        page = requests.get(url)

        assert not re.search(r"<style|<script[^>]*>[^<]|\son\w+=|\sstyle=", page.text)
        unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
        assert [name for name, source in modules_of(url).items() if unsafe.search(source)] == []

    @pytest.mark.parametrize("path", ["/", "/app.js", "/config.json", "/nothing", "/_local/nothing", "/_local/tweets"])
    def test_the_policy_allows_scripts_of_this_server_and_connections_to_the_two_apis_only(
        self, url: str, path: str
    ) -> None:
        headers = requests.get(url + path).headers

        policy = dict(directive.strip().split(" ", 1) for directive in headers["Content-Security-Policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": "'self' http://localhost:2 http://localhost:1 ws://localhost:1",
            "object-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
            "require-trusted-types-for": "'script'",
        }
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"

    @pytest.mark.parametrize("path", ["/", "/index.html"])
    def test_the_policy_in_the_page_itself_allows_the_same_connections(self, url: str, path: str) -> None:
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', requests.get(url + path).text)

        assert re.findall(r"connect-src ([^;]+);", policy) == [
            "'self' http://localhost:2 http://localhost:1 ws://localhost:1"
        ]

    def test_answers_of_the_stack_are_never_cached(self, url: str) -> None:
        assert requests.get(f"{url}/_local/tweets").headers["Cache-Control"] == "no-store"
        assert requests.get(f"{url}/app.js").headers["Cache-Control"] == "no-cache"

    def test_the_description_of_the_functions_is_served(self, url: str) -> None:
        answer = requests.get(f"{url}/openapi.yaml")

        assert answer.headers["Content-Type"] == "application/yaml"
        assert answer.content == (REPOSITORY / "docs" / "openapi.yaml").read_bytes()

    def test_the_page_learns_where_the_apis_are(self, url: str) -> None:
        assert requests.get(f"{url}/config.json").json() == {
            "createPost": "http://localhost:2/api/createPost",
            "graphql": "http://localhost:1/v1/graphql",
            "token": "/_local/token",
            "developerTools": "/_local/",
            "simulatedX": True,
        }

    @pytest.mark.parametrize("path", ["/../README.md", "/%2e%2e/host.json", "/..%2fhost.json", "/nothing"])
    def test_nothing_outside_the_folder_is_served(self, url: str, path: str) -> None:
        request = requests.Request("GET", url).prepare()
        request.url = url + path

        assert requests.Session().send(request).status_code in {403, 404}


OIDC = {"issuer": "https://login.example/tenant/", "client_id": "page"}


@pytest.fixture(scope="module")
def url_with_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server alone whose authors sign in at a provider."""
    data = tmp_path_factory.mktemp("web-with-provider")
    oidc = data / "oidc.json"
    oidc.write_text(json.dumps(OIDC))
    with served(data, "--oidc", str(oidc)) as url:
        yield url


class TestSignInAtAProvider:
    def test_the_page_learns_the_provider_and_of_no_sign_in_by_name(self, url_with_provider: str) -> None:
        config = requests.get(f"{url_with_provider}/config.json").json()

        assert config["oidc"] == OIDC
        assert "token" not in config

    def test_the_policy_allows_connections_to_the_origin_of_the_issuer(self, url_with_provider: str) -> None:
        policy = requests.get(url_with_provider).headers["Content-Security-Policy"]

        assert (
            "connect-src 'self' http://localhost:2 http://localhost:1 ws://localhost:1 https://login.example;" in policy
        )

    def test_nobody_gets_a_token_by_name(self, url_with_provider: str) -> None:
        assert requests.post(f"{url_with_provider}/_local/token", json={"username": "alice"}).status_code in {404, 405}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", "cannot be read as JSON"),
            ("[]", "must be a JSON object of texts"),
            ('{"issuer": "https://login.example", "client_id": 1}', "must be a JSON object of texts"),
            ('{"issuer": "https://login.example"}', "does not name client_id"),
            ('{"issuer": "login.example", "client_id": "page"}', "issuer must be an address"),
        ],
    )
    def test_an_unusable_file_is_refused_before_anything_starts(
        self, tmp_path: Path, content: str, message: str
    ) -> None:
        (tmp_path / "oidc.json").write_text(content)
        command = [sys.executable, "-m", "local", "--data", str(tmp_path / "data"), "--oidc", "oidc.json"]

        ran = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True
        )

        assert ran.returncode == 2
        assert message in ran.stderr
        assert not (tmp_path / "data").exists()


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

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [("application/json", "[" * 100_000), ("application/json; charset=nope", '{"username": "alice"}')],
        ids=["nested too deeply", "in no charset"],
    )
    def test_a_body_that_cannot_be_read_is_refused(self, url: str, content_type: str, body: str) -> None:
        answer = requests.post(f"{url}/_local/token", data=body, headers={"Content-Type": content_type})

        assert answer.status_code == 400

    @pytest.mark.parametrize("route", ["token", "fail", "drop_next", "duplicate_next"])
    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_a_content_type_that_a_form_of_another_page_can_send_is_refused(
        self, url: str, route: str, content_type: str
    ) -> None:
        headers = {"Content-Type": content_type}

        answer = requests.post(f"{url}/_local/{route}", data='{"username": "alice"}', headers=headers)

        assert answer.status_code == 415
        assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.parametrize(
        "foreign",
        [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site"},
        ],
        ids=lambda headers: ", ".join(headers.values()),
    )
    @pytest.mark.parametrize(
        ("method", "route"),
        [("POST", "token"), ("GET", "events"), ("POST", "fail"), ("DELETE", "fail"), ("POST", "drop_next")],
    )
    def test_a_page_of_another_origin_is_refused(
        self, url: str, method: str, route: str, foreign: dict[str, str]
    ) -> None:
        answer = requests.request(method, f"{url}/_local/{route}", json={}, headers=foreign)

        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_a_preflight_request_of_another_origin_is_refused(self, url: str) -> None:
        headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}

        answer = requests.options(f"{url}/_local/fail", headers=headers)

        assert answer.status_code in {403, 405}
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]

    def test_the_page_itself_is_accepted(self, url: str) -> None:
        own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}

        answer = requests.post(f"{url}/_local/token", json={"username": ""}, headers=own)

        assert answer.status_code == 400

    @pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/_local/token"), ("DELETE", "/_local/fail")])
    def test_a_foreign_host_name_that_resolves_to_this_machine_is_refused(
        self, url: str, method: str, path: str
    ) -> None:
        answer = requests.request(method, url + path, json={}, headers={"Host": "evil.example:3000"})

        assert answer.status_code == 421

    def test_an_error_says_that_x_cannot_be_reached(self, url: str) -> None:
        answer = requests.post(f"{url}/_local/token", json={"username": "alice"})

        assert answer.status_code == 502
        assert "X cannot be reached at http://localhost:3/_local/users" in answer.json()["error"]
        assert requests.get(f"{url}/_local/tweets").json() == {"error": "The local X cannot be reached."}

    @pytest.mark.parametrize("route", ["events", "invocations"])
    def test_an_error_says_that_hasura_cannot_be_reached(self, url: str, route: str) -> None:
        answer = requests.get(f"{url}/_local/{route}")

        assert answer.status_code == 502
        assert answer.json() == {"error": "Hasura cannot be reached (ClientConnectorError)."}


ACCOUNT = (
    "query ($name: String!) { account(where: {account_name: {_eq: $name}}) { x_user_id sealed_tokens paused_until } }"
)
PAUSE = """mutation ($name: String!) {
  update_account(where: {account_name: {_eq: $name}}, _set: {paused_until: "2100-01-01T00:00Z"}) { affected_rows }
}"""
STORE = """mutation ($name: String!, $sealed: String!) {
  update_account(where: {account_name: {_eq: $name}}, _set: {sealed_tokens: $sealed}) { affected_rows }
}"""


def account_of(stack: RunningStack, name: str) -> dict[str, Any]:
    """The one account of that name."""
    [account] = stack.graphql(ACCOUNT, {"name": name})["account"]
    return account


class TestSignIn:
    def test_the_token_is_the_users_at_hasura(self, stack: RunningStack) -> None:
        token, other = stack.token("ann"), stack.token("bob")

        assert stack.graphql("{ user { username } }", token=token) == {"user": [{"username": "ann"}]}
        assert stack.graphql("{ user { username } }", token=other) == {"user": [{"username": "bob"}]}
        with pytest.raises(GraphQLFailed, match="sealed_tokens"):
            stack.graphql("{ account { sealed_tokens } }", token=token)

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

    def test_the_account_is_that_of_the_user_on_x_and_its_tokens_open_with_the_functions_keys(
        self, stack: RunningStack
    ) -> None:
        stack.token("sealed")

        on_x = requests.post(f"{stack.urls['x']}/_local/users", json={"username": "sealed"}).json()
        account = account_of(stack, "sealed")
        keys = sealed_tokens.TokenKeys.of(stack.settings["X_TOKEN_KEYS"])
        assert account["x_user_id"] == on_x["id"]
        assert keys.open(on_x["id"], account["sealed_tokens"]) == sealed_tokens.AccessTokens(
            on_x["access_token"], on_x["access_token_secret"]
        )

    def test_signing_in_again_leaves_the_tokens_and_the_pause_of_the_account_as_they_are(
        self, stack: RunningStack
    ) -> None:
        stack.token("paused")
        stack.graphql(PAUSE, {"name": "paused"})
        before = account_of(stack, "paused")

        stack.token("paused")

        assert account_of(stack, "paused") == before
        assert before["paused_until"]

    @pytest.mark.parametrize("stored", ["of earlier tokens", "of another key"])
    def test_an_account_whose_tokens_do_not_open_or_are_old_gets_the_new_ones(
        self, stack: RunningStack, stored: str
    ) -> None:
        name = f"renewed{len(stored)}"
        stack.token(name)
        account = account_of(stack, name)
        keys = sealed_tokens.TokenKeys.of(stack.settings["X_TOKEN_KEYS"])
        old = sealed_tokens.AccessTokens("old", "old") if stored == "of earlier tokens" else None
        sealed = keys.seal(account["x_user_id"], old) if old else DOES_NOT_OPEN
        stack.graphql(STORE, {"name": name, "sealed": sealed})

        stack.token(name)

        opened = keys.open(account["x_user_id"], account_of(stack, name)["sealed_tokens"])
        assert opened == keys.open(account["x_user_id"], account["sealed_tokens"])


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
            ('{"jwk_url": "https://keys"}', "the page needs --oidc FILE"),
            ('{"type": "RS256", "key": "pem"}', "verifies RS256 tokens, which only its private key can sign"),
            ('{"type": "HS256", "key": "short"}', "too short for HS256"),
            (json.dumps({"type": "HS256", "key": KEY, "claims_map": {}}), "claims_map is not emulated"),
        ],
    )
    def test_a_secret_that_cannot_sign_is_refused_without_showing_it(self, secret: str, reason: str) -> None:
        with pytest.raises(CannotSign, match=reason) as refusal:
            AccessTokens(secret)

        assert "pem" not in str(refusal.value)


def modules_of(url: str) -> dict[str, str]:
    """The sources of the page's script and of all that it imports, by name."""
    sources: dict[str, str] = {}
    waiting = ["app.js"]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            answer = requests.get(f"{url}/{name}")
            assert answer.ok, name
            sources[name] = answer.text
            imported = re.findall(r'(?:from|import)\(? ?"(\.{1,2}/[\w./-]+)"', answer.text)
            waiting += [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in imported]
    return sources


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
