"""The page signs in at a real OpenID Connect provider, whose tokens the functions and Hasura verify by its keys."""

import base64
import functools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs

import pytest
from author_at_provider import SIGN_UP, AuthorAtProvider, at, kept_by
from axe_playwright_python.sync_playwright import Axe
from page_author import arriving, in_minutes, in_seconds
from playwright.sync_api import Browser, Request, Route, expect
from running_provider import AUDIENCE, CLIENT_ID, running_provider
from waiting import wait_until

from local.ports import DEFAULT_PORTS, choose_ports
from local.running_stack import RunningStack, started
from scripts.vendor import PACKAGES, REPOSITORY, VENDOR

GRAPHQL = "**/v1/graphql"
TOKENS = "**/token"
OF_NO_KEY = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg": "RS256", "kid": "none"}', b'{"sub": "nobody"}', b"no signature")
)
"""A token that names a key which the provider does not have."""
SHORTLY_BEFORE_A_TOKEN_EXPIRES = 280_000  # milliseconds; the provider's tokens are valid for 300 seconds


@pytest.fixture(scope="module")
def provider_and_stack(
    tmp_path_factory: pytest.TempPathFactory, _clean_environment: None
) -> Iterator[tuple[str, RunningStack]]:
    """A provider, and a stack of its own that accepts this provider's tokens."""
    data = tmp_path_factory.mktemp("stack-with-provider")
    port = choose_ports(["web"], {**DEFAULT_PORTS, "web": 0})["web"]
    with ExitStack() as running:
        issuer = running.enter_context(running_provider(f"http://localhost:{port}/"))
        oidc = data / "oidc.json"
        oidc.write_text(json.dumps({"issuer": issuer, "client_id": CLIENT_ID, "resource": AUDIENCE}))
        jwt_secret = {"jwk_url": f"{issuer}/jwks", "audience": AUDIENCE, "issuer": issuer}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HASURA_GRAPHQL_JWT_SECRET", json.dumps(jwt_secret))
            options = ["--poll-interval", "0.2", "--port", f"web={port}", "--oidc", str(oidc)]
            stack = running.enter_context(started(data, *options))
        # The first token waits but shortly until the functions have read the provider's keys.
        wait_until(lambda: stack.create_post(OF_NO_KEY, {}).status_code, lambda status: status == 401)
        yield issuer, stack


@pytest.fixture
def arrive(browser: Browser, provider_and_stack: tuple[str, RunningStack]) -> Iterator[Any]:
    """Makes authors of the provider."""
    with arriving(browser, functools.partial(AuthorAtProvider, *provider_and_stack)) as arrive:
        yield arrive


@pytest.fixture
def alice(arrive: Any) -> AuthorAtProvider:
    """Whose page polls: each second, it sends a token that a test can have refused."""
    author: AuthorAtProvider = arrive()
    author.gets_no_socket()
    return author


class TestSignUp:
    def test_the_first_sign_in_makes_the_row_of_the_token_s_subject(self, alice: AuthorAtProvider) -> None:
        assert alice.rows() == []

        alice.sign_in()

        wait_until(alice.rows, lambda rows: len(rows) == 1)

    def test_a_later_sign_in_makes_no_other_row(self, alice: AuthorAtProvider) -> None:
        alice.sign_in()
        [first] = wait_until(alice.rows, bool)
        alice.sign_out()

        alice.sign_in()

        expect(alice.live).to_be_visible()
        assert alice.rows() == [first]

    def test_a_row_that_another_tab_makes_at_the_same_time_is_no_error(self, alice: AuthorAtProvider) -> None:
        def make_it_first(route: Route) -> None:
            if "mutation SignUp" in (route.request.post_data or ""):
                alice.stack.graphql(SIGN_UP, {"username": alice.subject})
            route.continue_()

        alice.page.route(GRAPHQL, make_it_first)

        alice.sign_in()

        expect(alice.live).to_be_visible()
        assert len(alice.rows()) == 1

    def test_a_sign_up_that_hasura_refuses_is_said_in_words(self, alice: AuthorAtProvider) -> None:
        refused = {"message": "no mutations exist", "extensions": {"path": "$", "code": "validation-failed"}}

        def refuse(route: Route) -> None:
            if "mutation SignUp" in (route.request.post_data or ""):
                route.fulfill(json={"errors": [refused]})
            else:
                route.continue_()

        alice.page.route(GRAPHQL, refuse)

        alice.sign_in()

        expect(alice.page.get_by_text("You cannot be signed up here: no mutations exist")).to_be_visible()

    def test_the_page_shows_the_name_in_the_id_token(self, alice: AuthorAtProvider) -> None:
        alice.sign_in()

        expect(alice.page.get_by_text(f"{alice.name} of the tests")).to_be_visible()

    def test_without_a_linked_account_the_composer_says_how_to_get_one_and_sends_nothing(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.sign_in()
        expect(alice.no_account).to_contain_text("sign in with X")
        expect(alice.no_account).to_contain_text("make link-account")
        expect(alice.no_account).to_contain_text(alice.subject)
        requests: list[Request] = []
        alice.page.on("request", lambda request: requests.append(request))

        alice.write("too early", in_minutes(60))
        alice.text.press("Control+Enter")
        before = len(requests)
        alice.wait_until(lambda: [request for request in requests[before:] if "graphql" in request.url])

        assert [request.url for request in requests if "createPost" in request.url] == []
        assert [fault["id"] for fault in Axe().run(alice.page).response["violations"]] == []

    def test_an_account_that_the_operator_links_can_be_used_at_once(self, alice: AuthorAtProvider) -> None:
        alice.sign_in()
        expect(alice.no_account).to_be_visible()

        alice.get_account()

        expect(alice.no_account).to_be_hidden()
        alice.schedule("now I may", in_minutes(60))


class TestSignIn:
    def test_a_post_scheduled_with_a_token_of_the_provider_is_published(self, alice: AuthorAtProvider) -> None:
        alice.sign_in_linked()

        alice.schedule("signed in at a provider", in_seconds(2))

        expect(alice.article("signed in at a provider", region="Published")).to_be_visible()
        assert alice.tweets() == ["signed in at a provider"]

    def test_no_token_and_no_secret_of_the_sign_in_is_kept_in_the_browser(self, alice: AuthorAtProvider) -> None:
        alice.open().go_to_provider().fill(alice.name)
        with alice.page.expect_response(TOKENS) as answered:
            alice.page.get_by_role("button", name="Continue").click()
        expect(alice.text).to_be_visible()

        answer, sent = answered.value.json(), parse_qs(answered.value.request.post_data or "")
        secrets = [answer["access_token"], answer["refresh_token"], answer["id_token"]]
        secrets += [*sent["code"], *sent["code_verifier"]]
        kept = kept_by(alice.page)
        assert [secret for secret in secrets if secret in kept] == []
        expect(alice.page).to_have_url(at(alice))

    def test_a_second_author_sees_nothing_of_the_first(self, arrive: Any) -> None:
        first, second = arrive().sign_in_linked(), arrive()
        first.schedule("private", in_minutes(60))
        first.text.fill("drafted in private")
        first.sign_out()

        first.name = second.name
        first.sign_in()

        expect(first.no_account).to_be_visible()
        expect(first.text).to_have_value("")
        expect(first.page.get_by_role("article")).to_have_count(0)

    def test_a_sign_in_that_the_author_denies_is_said_in_words(self, alice: AuthorAtProvider) -> None:
        alice.open().go_to_provider()

        alice.page.get_by_role("button", name="Deny").click()

        expect(alice.sign_in_error).to_have_text("The sign-in was cancelled or denied: The author said no.")
        expect(alice.page).to_have_url(at(alice))

    def test_an_answer_with_another_state_signs_nobody_in(self, alice: AuthorAtProvider) -> None:
        alice.open().go_to_provider()

        alice.page.goto(f"{alice.stack.urls['web']}/?code=stolen&state=another&iss={alice.issuer}")

        expect(alice.sign_in_error).to_have_text("The answer does not belong to this sign-in. Sign in again.")

    def test_an_answer_without_a_sign_in_under_way_signs_nobody_in(self, alice: AuthorAtProvider) -> None:
        alice.page.goto(f"{alice.stack.urls['web']}/?code=stolen&state=another")

        expect(alice.sign_in_error).to_contain_text("has ended, or it began in another window")
        expect(alice.page).to_have_url(at(alice))

    def test_a_provider_that_is_away_is_named(self, alice: AuthorAtProvider) -> None:
        alice.expect_complaint("ERR_FAILED")
        alice.page.route("**/.well-known/openid-configuration", lambda route: route.abort())
        alice.open()

        alice.sign_in_button.click()

        expect(alice.sign_in_error).to_have_text("The sign-in provider cannot be reached. Try again soon.")

    def test_a_clock_that_is_off_is_named(self, alice: AuthorAtProvider) -> None:
        alice.page.clock.set_fixed_time(in_minutes(24 * 60))
        alice.open().go_to_provider().fill(alice.name)

        alice.page.get_by_role("button", name="Continue").click()

        expect(alice.sign_in_error).to_contain_text("The clock of this device and that of the sign-in provider differ")


class TestRenewal:
    def test_a_subscription_goes_on_with_a_new_token_when_one_expires(self, arrive: Any) -> None:
        author = arrive()
        author.name = f"brief-{author.name[:9]}"
        used = author.refresh_tokens_used()
        author.sign_in()
        author.wait_until(lambda: used)

        [user] = author.rows()
        author.link_account(user["id"], author.name.replace("-", "_"))

        expect(author.no_account).to_be_hidden()
        expect(author.live).to_be_visible()

    def test_tokens_are_renewed_before_they_expire_and_each_refresh_token_is_used_once(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.page.clock.install()
        used = alice.refresh_tokens_used()
        alice.sign_in()

        for _ in range(3):
            renew_token(alice)

        assert len(set(used)) == len(used) == 3
        expect(alice.live).to_be_visible()

    def test_when_hasura_refuses_a_token_it_is_renewed_once_and_nothing_is_lost(self, alice: AuthorAtProvider) -> None:
        alice.sign_in_linked()
        used = alice.refresh_tokens_used()

        alice.refuse_once(GRAPHQL, json=expired())

        alice.wait_until(lambda: used)
        alice.schedule("still signed in", in_minutes(60))
        assert len(used) == 1

    def test_when_create_post_refuses_a_token_it_is_renewed_and_the_post_sent_again(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.expect_complaint("401")
        alice.sign_in_linked()
        problem = {"type": "/problems/unauthorized", "status": 401, "detail": "The token has expired."}
        alice.refuse_once("**/api/createPost", status=401, json=problem)

        alice.schedule("sent again", in_minutes(60))

        expect(alice.article("sent again")).to_have_count(1)

    def test_a_new_token_that_is_refused_too_ends_the_session_with_the_reason(self, alice: AuthorAtProvider) -> None:
        alice.sign_in_linked()

        alice.page.route(GRAPHQL, lambda route: route.fulfill(json=expired()))

        expect(alice.sign_in_error).to_contain_text("The server does not accept this sign-in: ")
        expect(alice.sign_in_error).to_contain_text("JWTExpired")

    def test_a_session_that_the_provider_ended_is_said_in_words_and_the_draft_survives(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.expect_complaint("400")
        alice.sign_in_linked()
        alice.text.fill("half a thought")
        alice.page.route(TOKENS, lambda route: route.fulfill(status=400, json={"error": "invalid_grant"}))
        alice.refuse_once(GRAPHQL, json=expired())
        expect(alice.sign_in_error).to_have_text("Your sign-in has expired. Sign in again.")
        alice.page.unroute(TOKENS)

        alice.sign_in_button.click()

        expect(alice.text).to_have_value("half a thought")

    def test_a_renewal_that_names_another_subject_signs_out_and_its_token_is_never_sent(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.sign_in_linked()
        sent: list[str] = []
        alice.page.on("request", lambda request: sent.append(request.headers.get("authorization", "")))
        tokens: list[str] = []

        def name_another(route: Route) -> None:
            answer = route.fetch().json()
            tokens.append(answer["access_token"])
            route.fulfill(json={**answer, "id_token": of_subject("test|mallory", answer["id_token"])})

        alice.page.route(TOKENS, name_another)

        alice.refuse_once(GRAPHQL, json=expired())

        expect(alice.sign_in_error).to_have_text(
            "The sign-in provider answered for somebody else than before. Sign in again."
        )
        assert len(tokens) == 1
        assert f"Bearer {tokens[0]}" not in sent

    def test_the_page_works_again_when_the_provider_is_back(self, alice: AuthorAtProvider) -> None:
        alice.expect_complaint("503")
        alice.sign_in_linked()
        alice.page.route(TOKENS, lambda route: route.fulfill(status=503))
        used = alice.refresh_tokens_used()
        alice.refuse_once(GRAPHQL, json=expired())
        alice.wait_until(lambda: used)

        alice.page.unroute(TOKENS)

        alice.schedule("after the outage", in_minutes(60))


def renew_token(author: AuthorAtProvider) -> None:
    """Moves the page's clock on to shortly before its token expires, and returns once it has sent another one."""
    with author.page.expect_request(GRAPHQL) as before:
        pass
    sent: set[str] = set()
    author.page.on("request", lambda request: sent.add(request.headers.get("authorization", "")))
    author.page.clock.fast_forward(SHORTLY_BEFORE_A_TOKEN_EXPIRES)
    author.wait_until(lambda: sent - {"", before.value.headers["authorization"]})


def of_subject(subject: str, id_token: str) -> str:
    """The ID token with another subject. It came from the provider itself, so its signature is not looked at."""
    header, claims, signature = id_token.split(".")
    changed = {**json.loads(base64.urlsafe_b64decode(claims + "==")), "sub": subject}
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip('=')}.{signature}"


def expired() -> dict[str, Any]:
    """Hasura's answer to a token that has expired."""
    return {"errors": [{"message": "Could not verify JWT: JWTExpired", "extensions": {"code": "invalid-jwt"}}]}


class TestReload:
    def test_a_reload_signs_in_again_without_a_page_of_the_provider(self, alice: AuthorAtProvider) -> None:
        alice.sign_in_linked()
        alice.schedule("still here", in_minutes(60))
        alice.show("calendar")

        alice.page.reload()

        expect(alice.page.get_by_role("region", name="Calendar")).to_be_visible()
        expect(alice.page).to_have_url(at(alice, "#calendar"))

    def test_a_reload_after_the_session_at_the_provider_has_ended_offers_the_sign_in(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.sign_in()
        expect(alice.live).to_be_visible()  # no answer of the provider is under way that could bring a cookie
        alice.context.clear_cookies()
        wait_until(lambda: alice.context.cookies(alice.issuer), lambda cookies: cookies == [])

        alice.page.reload()

        expect(alice.sign_in_button).to_be_visible()
        expect(alice.sign_in_error).to_be_hidden()

    def test_a_provider_that_sends_the_browser_back_without_an_answer_is_not_asked_again(
        self, alice: AuthorAtProvider
    ) -> None:
        alice.sign_in()
        home = {"Location": alice.stack.urls["web"]}
        alice.page.route("**/auth?*", lambda route: route.fulfill(status=302, headers=home))

        alice.page.reload()

        expect(alice.sign_in_button).to_be_visible()

    def test_a_browser_that_never_signed_in_is_not_sent_to_the_provider(self, alice: AuthorAtProvider) -> None:
        requests: list[Request] = []
        alice.page.on("request", lambda request: requests.append(request))

        alice.open()

        expect(alice.sign_in_button).to_be_visible()
        assert [request.url for request in requests if request.url.startswith(alice.issuer)] == []


class TestLibrary:
    def test_the_vendored_files_are_those_of_the_npm_package(self, provider_and_stack: object) -> None:
        modules = REPOSITORY / "node_modules"
        files = {
            file: VENDOR / package / file.name
            for package, patterns in PACKAGES.items()
            for pattern in patterns
            for file in (modules / package).glob(pattern)
        }

        vendored = {file: copy.read_bytes() for file, copy in files.items()}

        assert vendored == {file: file.read_bytes() for file in files}


class TestSignOut:
    def test_signing_out_ends_the_session_here_and_at_the_provider(self, alice: AuthorAtProvider) -> None:
        alice.sign_in()

        with alice.page.expect_response("**/token/revocation") as revoked:
            alice.sign_out()

        assert revoked.value.status == 200
        alice.page.reload()
        alice.go_to_provider()

    def test_no_token_is_in_the_address_of_the_end_of_the_session(self, alice: AuthorAtProvider) -> None:
        alice.sign_in()

        with alice.page.expect_request("**/session/end?*") as ended:
            alice.sign_out()

        assert "eyJ" not in ended.value.url

    def test_signing_out_in_one_tab_signs_out_in_the_others(self, alice: AuthorAtProvider) -> None:
        alice.sign_in()
        other = alice.context.new_page()
        other.goto(alice.stack.urls["web"])
        expect(other.get_by_role("textbox", name="Post", exact=True)).to_be_visible()

        alice.sign_out()

        expect(other.get_by_role("button", name="Sign in")).to_be_visible()


class TestConfig:
    @pytest.mark.parametrize(
        ("oidc", "message"),
        [
            ({"issuer": "https://login.example"}, "config.json does not name oidc.client_id."),
            ({"issuer": "http://login.example", "client_id": "page"}, "oidc.issuer must be an address with https://"),
            ({"issuer": "login.example", "client_id": "page"}, "oidc.issuer must be an address with https://"),
            ({"issuer": "https://login.example", "client_id": "page", "scope": 1}, "does not name oidc.scope"),
        ],
    )
    def test_an_unusable_provider_is_named(
        self, alice: AuthorAtProvider, oidc: dict[str, object], message: str
    ) -> None:
        alice.expect_complaint("oidc")
        config = {"createPost": "https://api.example/createPost", "graphql": "https://api.example/graphql"}
        alice.page.route("**/config.json", lambda route: route.fulfill(json={**config, "oidc": oidc}))

        alice.open()

        expect(alice.page.get_by_text(message)).to_be_visible()
