"""An author who signs in at an OpenID Connect provider."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from page_author import Author
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect

from local.running_stack import RunningStack

USERS = """query ($username: String!) { user(where: {username: {_eq: $username}}) { id } }"""
SIGN_UP = """mutation ($username: String!) { insert_user_one(object: {username: $username}) { id } }"""


class AuthorAtProvider(Author):
    """Has no row and no account before the first sign-in."""

    def __init__(self, issuer: str, stack: RunningStack, context: BrowserContext, zone: str) -> None:
        self.issuer = issuer
        super().__init__(stack, context, zone)

    @property
    def subject(self) -> str:
        return f"test|{self.name}"

    @property
    def sign_in_button(self) -> Locator:
        return self.page.get_by_role("button", name="Sign in")

    @property
    def sign_in_error(self) -> Locator:
        return self.page.locator("#sign-in-error")

    @property
    def no_account(self) -> Locator:
        return self.page.get_by_text("No X account is linked to you yet")

    def open(self) -> "AuthorAtProvider":
        self.page.goto(self.stack.urls["web"])
        return self

    def go_to_provider(self) -> Locator:
        """The field for the name, on the provider's page."""
        self.sign_in_button.click()
        field = self.page.get_by_label("Name at the provider")
        expect(field).to_be_visible()
        return field

    def sign_in(self) -> "AuthorAtProvider":
        self.open().go_to_provider().fill(self.name)
        self.page.get_by_role("button", name="Continue").click()
        expect(self.text).to_be_visible()
        return self

    def sign_in_linked(self) -> "AuthorAtProvider":
        """Signed in, with an account on X."""
        self.stack.graphql(SIGN_UP, {"username": self.subject})
        self.get_account()
        self.sign_in()
        expect(self.live).to_be_visible()
        return self

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        self.page.get_by_role("button", name="Yes, sign me out").click()
        expect(self.sign_in_button).to_be_visible()

    def rows(self) -> list[dict[str, int]]:
        """The rows of the table `user` with this author's subject."""
        users: list[dict[str, int]] = self.stack.graphql(USERS, {"username": self.subject})["user"]
        return users

    def get_account(self) -> None:
        """The operator links an account on X to the author's row."""
        [user] = self.rows()
        self.link_account(user["id"], self.name)

    def refuse_once(self, url: str, **answer: Any) -> None:
        """The next request that carries a token is answered so, and is not passed on."""
        refused: list[Route] = []

        def refuse(route: Route) -> None:
            if refused or "authorization" not in route.request.headers:
                route.continue_()
            else:
                refused.append(route)
                route.fulfill(**answer)

        self.page.route(url, refuse)

    def refresh_tokens_used(self) -> list[str]:
        """The refresh token of each request from now on that renews the access token; the list grows by itself."""
        used: list[str] = []

        def keep(request: Request) -> None:
            if urlsplit(request.url).path == "/token":
                used.extend(parse_qs(request.post_data or "").get("refresh_token", []))

        self.page.on("request", keep)
        return used

    def _token(self) -> str:
        return ""  # the page gets one

    def _urls(self) -> list[str]:
        return [*super()._urls(), self.issuer]


def kept_by(page: Page) -> str:
    """All that the page's scripts can find in the browser when they start: storage and address."""
    kept: str = page.evaluate(
        "JSON.stringify([{...sessionStorage}, {...localStorage}, location.href, document.cookie])"
    )
    return kept


def at(author: AuthorAtProvider, path: str = "") -> re.Pattern[str]:
    """The page's address."""
    return re.compile(re.escape(f"{author.stack.urls['web']}/{path}") + "$")
