"""An author in front of the page, and what they do there: by the names that people and screen readers use."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Request, Route, expect
from waiting import wait_until

from local.running_stack import RunningStack
from shared.x.sealed_tokens import AccessTokens, TokenKeys

PATIENCE_MILLISECONDS = 30_000  # a busy machine is no failure
ZONE = "Europe/Vienna"

SET = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) { id }
}"""

LINK_ACCOUNT = """mutation ($user: bigint!, $account: account_insert_input!) {
  insert_account_user_one(object: {user_id: $user, account: {data: $account}}) { account_id }
}"""

AGE = """mutation ($id: bigint!, $then: timestamptz!) {
  update_post_attempt(where: {post_id: {_eq: $id}}, _set: {finished_at: $then}) { affected_rows }
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {reconcile_at: $then}) { id }
}"""


class Author:
    """A user with an account, and the page as they see it once `sign_in` was called."""

    def __init__(self, stack: RunningStack, context: BrowserContext, zone: str) -> None:
        self.name = "u" + uuid.uuid4().hex[:12]
        self.stack = stack
        self.token = self._token()
        self.zone = ZoneInfo(zone)
        self.context = context
        self.page = context.new_page()
        self._complaints: list[str] = []
        self._expected: list[str] = []
        self._watch()

    def sign_in(self) -> "Author":
        """Returns once the posts are known, or the server is known to be away."""
        self.enter()
        expect(self.page.get_by_text("Loading…").filter(visible=True)).to_have_count(0)
        return self

    def enter(self) -> None:
        """Signs in and does not wait for the posts."""
        self.page.goto(self.stack.urls["web"])
        name = self.page.get_by_role("textbox", name="Your name")
        expect(name.or_(self.text)).to_be_visible()
        if name.is_visible():  # no other tab of this browser has signed in
            name.fill(self.name)
            self.page.get_by_role("button", name="Sign in").click()
        expect(self.text).to_be_visible()

    def set_clock(self, time: datetime) -> None:
        """Before `sign_in`: the clock of the page goes on from this time, whatever the server's clock shows."""
        self.page.route("**/config.json?*", lambda route: route.fulfill(json={}))  # without the server's time
        self.page.clock.install(time=time)

    def stop_clock(self, time: datetime | None = None) -> None:
        """Before `sign_in`: the page's clock stands at this time, or at now. Timers end in `clock.run_for` only."""
        time = (time or in_seconds(0)).astimezone(UTC)  # an hour before it is one also where clocks change
        self.set_clock(time - timedelta(hours=1))
        self.page.clock.pause_at(time)

    def _token(self) -> str:
        return self.stack.token(self.name)

    @property
    def text(self) -> Locator:
        return self.page.get_by_role("textbox", name="Post", exact=True)

    @property
    def composer(self) -> Locator:
        return self.page.locator("form").filter(has=self.text)

    @property
    def live(self) -> Locator:
        """The word that says that the posts are known as they are now."""
        return self.page.get_by_text("Live", exact=True)

    @property
    def when(self) -> Locator:
        return self.page.get_by_label("When", exact=True)

    @property
    def schedule_button(self) -> Locator:
        return self.page.get_by_role("button", name="Schedule", exact=True)

    def region(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def article(self, text: str, region: str | None = None) -> Locator:
        """The post with this text, in any of the lists, or in the region of that name."""
        where = self.region(region) if region else self.page
        return where.get_by_role("article").filter(has_text=text)

    def button(self, text: str, name: str) -> Locator:
        """A button of the post with this text."""
        return self.article(text).get_by_role("button", name=name, exact=True)

    def write(self, text: str, when: datetime) -> None:
        """Fills in the composer."""
        self.text.fill(text)
        self.fill_time(self.composer, self.when, when)

    def fill_time(self, form: Locator, field: Locator, when: datetime) -> None:
        """Fills in a local time. Where clocks go back it may come twice: then the one that is meant is chosen."""
        field.fill(self.field_value(when))
        if when.astimezone(self.zone).fold:
            form.get_by_role("button", name="Take the later one").click()

    def choose_instead_of_scheduling(self, choice: str) -> None:
        """Chooses from the menu beside "Schedule": ``Post now`` or ``Save as draft``."""
        self.page.get_by_role("button", name="Post now or save as draft").click()
        self.page.get_by_role("menuitem", name=choice).click()

    def save_draft(self, text: str) -> None:
        self.text.fill(text)
        self.choose_instead_of_scheduling("Save as draft")
        expect(self.page.locator("#text")).to_have_value("")  # also where the composer is hidden then

    def left_after(self, text: str) -> int:
        """How many characters the composer says are left after this text."""
        self.text.fill(text)
        return int(self.page.get_by_test_id("left").inner_text())

    def schedule(self, text: str, when: datetime) -> None:
        """Has a post scheduled with the composer, and sees it in the list."""
        self.write(text, when)
        self.schedule_button.click()
        expect(self.article(text)).to_be_visible()

    def show(self, view: str) -> Locator:
        """Goes to a view by its link: ``posts``, ``calendar``, ``timeline`` or ``developer-tools``."""
        self.page.get_by_role("navigation").locator(f"a[href='#{view}']").click()
        section = self.page.locator(f"#view-{view}")
        expect(section).to_be_visible()
        expect(section.get_by_text("Loading…")).to_have_count(0)
        return section

    def start_to_edit(self, text: str) -> Locator:
        """The field in which the text of this post is edited."""
        self.button(text, "Edit").click()
        field = self.article(text).get_by_role("textbox", name="Text")
        expect(field).to_be_focused()
        return field

    def edit(self, text: str, new_text: str) -> None:
        self.start_to_edit(text).fill(new_text)
        self.page.get_by_role("button", name="Save", exact=True).click()

    def move(self, text: str, when: datetime) -> None:
        self.button(text, "Move").click()
        article = self.article(text)
        self.fill_time(article, article.get_by_label("New time"), when)
        self.page.get_by_role("button", name="Save", exact=True).click()

    def delete(self, text: str) -> None:
        self.button(text, "Delete").click()
        self.do_at_once()

    def publish_now(self, text: str) -> None:
        self.button(text, "Publish now").click()
        self.do_at_once()

    def try_again(self, text: str) -> None:
        self.button(text, "Try again").click()
        self.do_at_once()

    @property
    def undo_button(self) -> Locator:
        return self.page.get_by_role("status", name="Messages").get_by_role("button", name="Undo")

    def do_at_once(self) -> None:
        """Closes the message that offers to undo, if its time is not over; what waits is then done at once."""
        close = self.page.get_by_role("status", name="Messages").get_by_role("button", name="Close")
        close.evaluate_all("buttons => buttons.at(-1)?.click()")  # at once: it may go before a mouse has come there

    def mutations_in(self, milliseconds: int) -> list[str]:
        """The names of the mutations that the page sends while its stopped clock goes on for so long."""
        sent: list[str] = []

        def note(request: Request) -> None:
            sent.extend(re.findall(r'"query":"mutation (\w+)', request.post_data or ""))

        self.page.on("request", note)
        self.page.clock.run_for(milliseconds)
        self.page.evaluate("fetch('config.json')")  # when this is answered, what was sent before it is noted
        self.page.remove_listener("request", note)
        return sent

    def tab(self, name: str) -> None:
        """Goes to a tab of the posts: ``Queue``, ``Drafts``, ``Sent`` or ``Needs attention``."""
        self.page.get_by_role("navigation", name="Lists").get_by_role("link", name=name).click()

    def open_details(self, text: str) -> Locator:
        """The post with this text, with its details."""
        self.button(text, "Details").click()
        return self.article(text)

    def choose(self, text: str, choice: str) -> None:
        """Chooses from the menu of the post with this text."""
        self.button(text, "More").click()
        self.page.get_by_role("menuitem", name=choice, exact=True).click()

    def unfold_attempts(self, text: str) -> Locator:
        """The attempts of the post with this text, shown."""
        return self.open_details(text).get_by_role("listitem")

    def tab_to(self, target: Locator) -> None:
        """Presses Tab until `target` has the focus, as somebody without a mouse does."""
        for _ in range(60):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"60 times Tab did not lead to {target}")

    def field_value(self, instant: datetime) -> str:
        """The instant as a field for a local time takes it, in the author's zone."""
        return instant.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def create(self, text: str, when: datetime, **fields: Any) -> int:
        """The id of a post that was scheduled elsewhere: not with this page."""
        body = {"text": text, "schedule_for": when.isoformat(), **fields}
        answer = self.stack.create_post(self.token, body)
        assert answer.status_code == 201, answer.text
        post_id: int = answer.json()["insert_scheduled_post_one"]["id"]
        return post_id

    def graphql(self, document: str, **variables: Any) -> Any:
        """What Hasura answers to this author, elsewhere."""
        return self.stack.graphql(document, variables, token=self.token)

    def change(self, post_id: int, **changes: Any) -> None:
        """Changes a post elsewhere."""
        self.graphql(SET, id=post_id, changes=changes)

    def posts(self) -> list[dict[str, Any]]:
        """The author's rows, oldest first."""
        rows: list[dict[str, Any]] = self.graphql(
            "{ scheduled_post(order_by: {id: asc}) { id text state schedule_for account_id } }"
        )["scheduled_post"]
        return rows

    def post_once(self, text: str, state: str) -> None:
        """Waits until the post with this text is in this state."""
        wait_until(self.posts, lambda posts: (text, state) in {(post["text"], post["state"]) for post in posts})

    def holds_everything(self) -> list[Route]:
        """The query with which the page begins waits until it is continued; it is in the list once it has come."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            if "query Everything" in (route.request.post_data or ""):
                held[:] = [route]  # the page may have given up an earlier one
            else:
                route.continue_()

        self.page.route("**/v1/graphql", hold)
        return held

    def is_sent_before_the_next(self, operation: str, post_id: int) -> None:
        """When the page next requests this mutation, the post is already being sent; the page does not know."""

        def send_first(route: Route) -> None:
            if f"mutation {operation}(" in (route.request.post_data or ""):
                sending = {"state": "sending", "lease_until": in_minutes(1).isoformat()}
                self.stack.graphql(SET, {"id": post_id, "changes": sending})
            route.continue_()

        self.page.route("**/v1/graphql", send_first)

    def meets_a_deadlock_at(self, operation: str) -> None:
        """Hasura answers the page's mutations of this name as when PostgreSQL ended one with 40P01."""
        self.is_refused_at(operation, "database query error", code="unexpected")

    def is_refused_at(self, operation: str, message: str, code: str) -> None:
        """Hasura answers the page's mutations of this name with this error."""
        refusal = {"message": message, "extensions": {"path": "$", "code": code}}

        def refuse(route: Route) -> None:
            if f"mutation {operation}(" in (route.request.post_data or ""):
                route.fulfill(json={"errors": [refusal]})
            else:
                route.continue_()

        self.page.route("**/v1/graphql", refuse)

    def meets_the_end_of_the_sign_in(self) -> Locator:
        """Hasura takes the token no longer until the page asks for another sign-in: the field for the name."""
        expired = {"message": "Could not verify JWT: JWTExpired", "extensions": {"path": "$", "code": "invalid-jwt"}}

        def refuse(route: Route) -> None:
            route.fulfill(json={"errors": [expired]})

        self.page.route("**/v1/graphql", refuse)
        self.page.evaluate("window.dispatchEvent(new Event('online'))")  # its next request is not awaited
        name = self.page.get_by_role("textbox", name="Your name")
        expect(name).to_have_accessible_description(re.compile("has expired"))
        self.page.unroute("**/v1/graphql", refuse)
        return name

    def waits_at(self, operation: str) -> list[Route]:
        """The page's next mutation of this name: it waits here until the test continues it."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            if not held and f"mutation {operation}(" in (route.request.post_data or ""):
                held.append(route)
            else:
                route.continue_()

        self.page.route("**/v1/graphql", hold)
        return held

    def hides_from_changes(self, text: str) -> None:
        """A post with this text becomes visible only after the page has seen later changes."""

        def leave_out(route: Route) -> None:
            answer = route.fetch()
            content = answer.json()
            if "query Changes(" in (route.request.post_data or ""):
                posts = content["data"]["scheduled_post"]
                content["data"]["scheduled_post"] = [post for post in posts if post["text"] != text]
            route.fulfill(response=answer, json=content)

        self.page.route("**/v1/graphql", leave_out)

    def gets_no_socket(self) -> None:
        """As behind a proxy that lets no WebSocket through: the page polls."""
        self.page.route_web_socket("**/v1/graphql", lambda socket: socket.close())

    def asking(self) -> set[Request]:
        """What the page asks Hasura from now on and has no answer to; the set changes by itself."""
        asking: set[Request] = set()

        def note(request: Request) -> None:
            if urlsplit(request.url).path == "/v1/graphql":
                asking.add(request)

        self.page.on("request", note)
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, lambda request: asking.discard(request))
        return asking

    def reconcile(self, text: str) -> None:
        """Makes the unknown attempt of this post old enough to be reconciled for good, and has it reconciled."""
        [post_id] = [post["id"] for post in self.posts() if post["text"] == text]
        self.stack.graphql(AGE, {"id": post_id, "then": in_minutes(-3).isoformat()})
        self._deliver(post_id)

    def _deliver(self, post_id: int) -> None:
        """Delivers an event of this post, as Hasura does. A delivery may wait for a minute and then publish."""
        body = {"id": str(uuid.uuid4()), "scheduled_time": in_seconds(0).isoformat(), "payload": {"id": post_id}}
        headers = {"x-webhook-secret": self.stack.settings["WEBHOOK_SECRET"]}
        requests.post(f"{self.stack.urls['functions']}/api/postTweet", json=body, headers=headers, timeout=150)

    def link_account(self, user_id: int, name: str) -> int:
        """The id of a new account, of a new user of X, that is linked to this row of `user`."""
        on_x = requests.post(f"{self.stack.urls['x']}/_local/users", json={"username": name}).json()
        tokens = AccessTokens(on_x["access_token"], on_x["access_token_secret"])
        sealed = TokenKeys.of(self.stack.settings["X_TOKEN_KEYS"]).seal(on_x["id"], tokens)
        account = {"x_user_id": on_x["id"], "account_name": name, "sealed_tokens": sealed}
        linked = self.stack.graphql(LINK_ACCOUNT, {"user": user_id, "account": account})
        account_id: int = linked["insert_account_user_one"]["account_id"]
        return account_id

    def wait_until(self, happened: Callable[[], object]) -> None:
        """Returns once listeners and routes of the page have made this true; they run while the page is waited for."""

        def is_so() -> bool:
            self.page.wait_for_timeout(50)
            return bool(happened())

        wait_until(is_so, bool)

    def tweets(self) -> list[str]:
        return [tweet["text"] for tweet in self.stack.tweets(self.name)]

    def expect_complaint(self, pattern: str) -> None:
        """The test provokes errors of the browser that match; they may come any number of times."""
        self._expected.append(pattern)

    def complaints(self) -> list[str]:
        """The errors so far that no test expected."""
        return [one for one in self._complaints if not any(re.search(pattern, one) for pattern in self._expected)]

    def _watch(self) -> None:
        self._servers = {urlsplit(url).netloc for url in self._urls()}
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._complaints.append(f"uncaught: {error}"))
        self.page.on("request", self._asked)

    def _urls(self) -> list[str]:
        """Of the servers that the page may call."""
        return [self.stack.urls[name] for name in ("web", "hasura", "functions")]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _asked(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.netloc not in self._servers:
            self._complaints.append(f"a request to another server: {request.url}")


def in_minutes(minutes: float) -> datetime:
    """To the millisecond, as the page shows it."""
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    return then.replace(microsecond=then.microsecond // 1000 * 1000)


def in_seconds(seconds: float) -> datetime:
    return in_minutes(seconds / 60)


def entry_in_the_calendar(view: Locator, text: str) -> Locator:
    """The post with this text in the calendar's view, which goes on to its days where it does not show them."""
    entry = view.get_by_role("button", name=re.compile(text)).first
    jump = view.get_by_role("button", name=re.compile("^Go to"))
    expect(entry.or_(jump)).to_be_visible()
    if not entry.is_visible():
        jump.click()
        expect(entry).to_be_visible()
    return entry


@contextmanager
def arriving(browser: Browser, make: Callable[[BrowserContext, str], Author]) -> Iterator["Arrive"]:
    """Makes authors until the block ends; then fails if a browser had an error that no test expected."""
    authors: list[Author] = []

    def arrive(**options: Any) -> Author:
        options = {"locale": "en-GB", "timezone_id": ZONE, "viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        authors.append(make(context, options["timezone_id"]))
        return authors[-1]

    yield arrive
    complaints = [complaint for author in authors for complaint in author.complaints()]
    for author in authors:
        for page in author.context.pages:
            page.unroute_all(behavior="ignoreErrors")  # a route may still wait for an answer
        author.context.close()
    assert complaints == []


Arrive = Callable[..., Author]
"""Makes an author, with a browser context of their own; takes the options of Playwright's `new_context`."""
