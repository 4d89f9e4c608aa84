"""An author who signs in at an OpenID Connect provider."""

import re
from typing import Any

import requests
from page_author import Author
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from local.running_stack import RunningStack
from local.web_server.sealed_tokens import TokenSealer

LINK = (
    """mutation ($account: account_user_insert_input!) { insert_account_user_one(object: $account) { account_id } }"""
)
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
    def live(self) -> Locator:
        return self.page.get_by_text("Live", exact=True)

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
        self.link_account()
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

    def link_account(self) -> None:
        """Links an account on X to the author's row, as the operator does."""
        on_x = requests.post(f"{self.stack.urls['x']}/_local/users", json={"username": self.name}).json()
        tokens = {name: on_x[name] for name in ("access_token", "access_token_secret")}
        sealed = TokenSealer(self.stack.settings["X_TOKEN_KEYS"]).seal(on_x["id"], tokens)
        account = {"x_user_id": on_x["id"], "account_name": self.name, "sealed_tokens": sealed}
        [user] = self.rows()
        self.stack.graphql(LINK, {"account": {"user_id": user["id"], "account": {"data": account}}})

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
