"""The timeline and the developer tools in a real browser: the event log and fault injection."""

import re

from page_author import Author, in_minutes, in_seconds
from playwright.sync_api import Locator, Page, Route, expect


class DeveloperTools:
    """The developer tools of an author. Other authors use the same stack; a post's number selects its events."""

    def __init__(self, author: Author) -> None:
        self.author = author.sign_in()
        self.view = author.show("developer-tools")

    def panel(self, name: str, post_id: int) -> Locator:
        """The rows of a panel that belong to this post."""
        self.view.get_by_label("Of post number").fill(str(post_id))
        return self.view.get_by_role("region", name=name).get_by_role("listitem")

    def opened_delivery(self, post_id: int) -> Locator:
        """A delivery of this post's event in the invocation logs, opened. A repeated one comes above."""
        rows = self.panel("Invocation logs", post_id).filter(has_text=re.compile(rf"publishes post {post_id}\b"))
        rows.first.locator("summary").click()
        return rows.filter(has=self.author.page.locator("details[open]"))

    def set_fault(self, kind: str) -> None:
        """The next call of this author's."""
        self.view.get_by_label("What happens").select_option(kind)
        self.view.get_by_label("For whom").focus()
        self.view.get_by_label("For whom").select_option(f"@{self.author.name}")
        self.view.get_by_role("button", name="Set fault").click()


def answer_that_only_a_part_was_searched(route: Route) -> None:
    page = {"rows": [], "more": False, "searched_all": False}
    route.fulfill(json={"pending": page, "processed": page})


def hold(page: Page, url: str) -> list[Route]:
    """The requests of the page for this URL, which wait until they are continued."""
    held: list[Route] = []
    page.route(url, lambda route: held.append(route))
    return held


class TestAViewThatIsLoadedLater:
    def test_a_view_that_cannot_be_loaded_says_what_to_do_and_the_others_work(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource|Failed to fetch dynamically imported module")
        alice.page.route("**/developer_tools.js", lambda route: route.abort())
        alice.sign_in()

        alice.page.get_by_role("link", name="Developer tools").click()

        view = alice.page.locator("#view-developer-tools")
        expect(view.get_by_role("alert")).to_have_text("This view cannot be loaded. Load the page again.")
        expect(view).to_have_text("This view cannot be loaded. Load the page again.")
        alice.show("calendar")

    def test_a_view_that_could_not_be_loaded_says_so_no_longer_when_it_is_there(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource|calendar.css does not come")
        alice.page.route("**/calendar.css", lambda route: route.abort(), times=1)
        alice.sign_in()
        alice.page.get_by_role("link", name="Calendar").click()
        failure = alice.page.locator("#view-calendar").get_by_role("alert").filter(has_text="cannot be loaded")
        expect(failure).to_be_visible()
        alice.show("settings")

        alice.show("calendar")

        expect(alice.page.get_by_role("button", name="Today")).to_be_visible()
        expect(failure).to_have_count(0)

    def test_a_fault_of_a_view_s_own_code_is_an_error_in_the_console_and_leaves_no_half_of_it(
        self, alice: Author
    ) -> None:
        script = "export function calendar(root) { root.append('one half'); throw new Error('as a test') }"
        alice.page.route("**/calendar.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
        alice.sign_in()

        alice.page.get_by_role("link", name="Calendar").click()

        expect(alice.page.locator("#view-calendar")).to_have_text("This view cannot be loaded. Load the page again.")
        alice.wait_until(alice.complaints)
        assert alice.complaints() == ["uncaught: as a test"]
        alice.expect_complaint("as a test")

    def test_while_a_view_is_being_loaded_it_says_so_and_then_it_is_there(self, alice: Author) -> None:
        held = hold(alice.page, "**/calendar.js")
        alice.sign_in()

        alice.page.get_by_role("link", name="Calendar").click()
        expect(alice.page.locator("#view-calendar")).to_have_text("Loading…")
        alice.wait_until(lambda: held)
        held[0].continue_()

        expect(alice.page.get_by_role("button", name="Today")).to_be_visible()
        expect(alice.page.locator("#view-calendar").get_by_text("Loading…")).to_have_count(0)

    def test_a_view_that_comes_late_does_not_appear_over_the_one_that_was_opened_meanwhile(self, alice: Author) -> None:
        held = hold(alice.page, "**/calendar.js")
        alice.sign_in()
        alice.page.get_by_role("link", name="Calendar").click()
        expect(alice.page.locator("#view-calendar")).to_have_text("Loading…")

        alice.show("settings")
        alice.wait_until(lambda: held)
        with alice.page.expect_response("**/calendar.js"):
            held[0].continue_()

        expect(alice.page.locator("#view-calendar .calendar-bar")).to_have_count(1)
        expect(alice.page.locator("#view-calendar")).to_be_hidden()
        expect(alice.page.get_by_role("heading", name="Settings")).to_be_visible()

    def test_the_page_loads_nothing_of_the_other_views_before_they_are_opened(self, alice: Author) -> None:
        loaded: list[str] = []
        alice.page.on("request", lambda request: loaded.append(request.url))

        alice.sign_in()
        alice.create("to come", in_minutes(60))
        expect(alice.article("to come")).to_be_visible()

        assert [url for url in loaded if re.search("/developer/|/calendar/|/settings/settings", url)] == []

    def test_a_link_to_the_developer_tools_shows_them_with_the_composer(self, alice: Author) -> None:
        alice.sign_in()
        alice.page.goto(f"{alice.stack.urls['web']}/#developer-tools")

        alice.page.reload()

        expect(alice.region("Fault injection")).to_be_visible()
        expect(alice.page.locator("#view-developer-tools").get_by_role("textbox", name="Post")).to_be_visible()
        expect(alice.page.get_by_role("button", name="New post")).to_be_hidden()


class TestTheTimeline:
    def test_the_timeline_shows_a_new_tweet_with_its_account_and_its_time(self, alice: Author) -> None:
        timeline = alice.sign_in().show("timeline")

        alice.create("fresh from the press", in_seconds(0))

        tweet = timeline.get_by_role("article").filter(has_text="fresh from the press")
        expect(tweet).to_contain_text(f"@{alice.name}")
        expect(tweet).to_contain_text(re.compile(r"\d\d:\d\d:\d\d\.\d\d\d"))


class TestTheEventLog:
    def test_the_pending_events_show_the_scheduled_event_of_a_post(self, alice: Author) -> None:
        post_id = alice.create("in an hour", in_minutes(60))

        pending = DeveloperTools(alice).panel("Pending events", post_id)

        expect(pending).to_have_count(1)
        expect(pending).to_contain_text("scheduled")

    def test_the_invocation_logs_show_a_delivery_with_its_request_and_its_response(self, alice: Author) -> None:
        post_id = alice.create("due at once", in_seconds(0))
        tools = DeveloperTools(alice)

        logs = tools.opened_delivery(post_id)

        expect(logs).to_contain_text(f'"id": {post_id}')
        expect(logs).to_contain_text(
            f'"post_id": {post_id}'
        )  # its state differs: another delivery may have published it
        processed = tools.panel("Processed events", post_id)
        expect(processed).to_have_count(1)  # those of other posts are there until the panel was read for this one
        expect(processed).to_contain_text("delivered")
        expect(tools.panel("Pending events", post_id)).to_have_count(0)

    def test_an_invalid_post_number_is_an_error_at_its_field(self, alice: Author) -> None:
        field = DeveloperTools(alice).view.get_by_label("Of post number")

        field.fill("-3")

        expect(field).to_have_attribute("aria-invalid", "true")
        expect(alice.page.get_by_text("This is not the number of a post")).to_be_visible()

    def test_an_incomplete_search_does_not_say_that_nothing_is_pending(self, alice: Author) -> None:
        alice.page.route("**/_local/events?*", answer_that_only_a_part_was_searched)
        tools = DeveloperTools(alice)

        pending = tools.view.get_by_role("region", name="Pending events")

        expect(pending).to_contain_text("Only the next 1,000 events were searched.")
        expect(pending.get_by_text("No event is pending.")).not_to_be_visible()

    def test_the_event_log_shows_no_secret(self, alice: Author) -> None:
        post_id = alice.create("due at once", in_seconds(0))
        logs = DeveloperTools(alice).opened_delivery(post_id)

        expect(logs).to_contain_text("x-webhook-secret")
        shown = alice.page.content()
        assert [name for name, value in alice.stack.settings.items() if "SECRET" in name and value in shown] == []


class TestFaultInjection:
    def test_a_post_is_published_once_although_x_fails(self, alice: Author) -> None:
        DeveloperTools(alice).set_fault("reset_after")
        expect(alice.page.get_by_role("listitem").filter(has_text=f"@{alice.name}")).to_be_visible()
        alice.write("lost and found", in_seconds(1))
        alice.schedule_button.click()
        alice.show("posts")
        expect(alice.article("lost and found", region="Pending")).to_contain_text("may or may not")

        alice.reconcile("lost and found")

        expect(alice.article("lost and found", region="Published")).to_be_visible()
        assert alice.tweets() == ["lost and found"]

    def test_removed_faults_do_not_happen(self, alice: Author) -> None:
        tools = DeveloperTools(alice)
        tools.set_fault("403")

        tools.view.get_by_role("button", name="Remove all faults").click()

        expect(tools.view.get_by_text("X has no faults.", exact=True)).to_be_visible()
        alice.create("no trouble", in_seconds(0))
        alice.show("posts")
        expect(alice.article("no trouble", region="Published")).to_be_visible()
