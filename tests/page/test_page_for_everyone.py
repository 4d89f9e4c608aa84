"""The page for every author: with a keyboard alone, on a phone, in the dark, with a screen reader, on a bad line."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_author import Arrive, Author, entry_in_the_calendar, in_minutes, in_seconds
from playwright.sync_api import Locator, Page, Route, expect
from waiting import wait_until

SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
VIEWS = ["posts", "calendar", "timeline", "developer-tools", "settings"]
PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True}
TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "is_mobile": True}

ADD_DRAFT = """mutation ($text: String!) {
  insert_scheduled_post_one(object: {state: "draft", text: $text}) { id }
}"""

PAUSE = """mutation ($id: bigint!, $until: timestamptz!) {
  update_account_by_pk(pk_columns: {id: $id}, _set: {paused_until: $until, paused_reason: "As a test."}) { id }
}"""

TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """() => [...document.querySelectorAll("button, input, select, textarea, summary, nav a")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .map((element) => [element, (element.closest("label") ?? element).getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.width < 44 || box.height < 44))
  .map(([element, box]) => `${element.outerHTML.slice(0, 120)} is ${box.width} x ${box.height}`)"""


def the_first_run(author: Author) -> None:
    author.sign_in()
    expect(author.region("First steps")).to_be_visible()


def drafts(author: Author) -> None:
    author.graphql(ADD_DRAFT, text="half an idea, see https://example.com")
    author.sign_in().tab("Drafts")
    expect(author.article("half an idea")).to_be_visible()


def an_opened_post_with_its_menu(author: Author) -> None:
    author.create("to come", in_minutes(60))
    author.sign_in().open_details("to come")
    author.button("to come", "More").click()
    expect(author.page.get_by_role("menuitem").first).to_be_visible()


def a_text_that_is_too_long(author: Author) -> None:
    author.sign_in().text.fill("@somebody sees https://example.com/here #so " + "too long " * 40)
    author.when.focus()
    expect(author.composer.get_by_text("UTC")).to_be_visible()


def a_post_begun_in_another_view(author: Author) -> None:
    author.sign_in().show("settings")
    author.page.get_by_role("button", name="New post").click()
    expect(author.page.get_by_role("dialog", name="New post")).to_be_visible()


def a_message_that_can_be_undone(author: Author) -> None:
    author.create("nearly gone", in_minutes(60))
    author.stop_clock()
    author.sign_in().button("nearly gone", "Delete").click()
    expect(author.undo_button).to_be_visible()
    author.page.clock.resume()  # axe needs timers


def many_that_are_selected(author: Author) -> None:
    author.create("to come", in_minutes(60))
    author.sign_in().page.get_by_role("button", name="Select", exact=True).click()
    author.article("to come").get_by_role("checkbox", name="Select").check()
    expect(author.page.get_by_role("button", name="Delete selected")).to_be_visible()


def a_post_that_is_edited_in_the_calendar(author: Author) -> None:
    begin_in_the_calendar(author, "Edit")


def a_post_that_is_moved_in_the_calendar(author: Author) -> None:
    begin_in_the_calendar(author, "Move")


def begin_in_the_calendar(author: Author, name: str) -> None:
    author.create("to come", in_minutes(60))
    calendar = author.sign_in().show("calendar")
    entry_in_the_calendar(calendar, "to come").click()
    card = author.page.get_by_role("group", name="Post", exact=True)
    card.get_by_role("button", name=name).click()
    expect(card.get_by_role("button", name="Save")).to_be_visible()


def posting_times(author: Author) -> None:
    settings = author.sign_in().show("settings")
    settings.get_by_role("button", name="Add").click()
    expect(settings.get_by_role("button", name=re.compile("Remove .*")).last).to_be_visible()


def a_fault_and_an_opened_event(author: Author) -> None:
    author.create("to come", in_minutes(60))
    tools = author.sign_in().show("developer-tools")
    tools.get_by_label("What happens").select_option("timeout_after")
    tools.get_by_label("For whom").select_option(f"@{author.name}")
    tools.get_by_role("button", name="Set fault").click()
    expect(tools.get_by_text("Remove all faults")).to_be_visible()
    tools.get_by_role("region", name="Pending events").locator("summary").first.click()


def the_shortcuts(author: Author) -> None:
    author.sign_in().page.keyboard.press("?")
    expect(author.page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


STATES: dict[str, Callable[[Author], None]] = {
    state.__name__.replace("_", " "): state
    for state in (
        the_first_run,
        drafts,
        an_opened_post_with_its_menu,
        a_text_that_is_too_long,
        a_post_begun_in_another_view,
        a_message_that_can_be_undone,
        many_that_are_selected,
        a_post_that_is_edited_in_the_calendar,
        a_post_that_is_moved_in_the_calendar,
        posting_times,
        a_fault_and_an_opened_event,
        the_shortcuts,
    )
}


class TestAccessibility:
    def test_axe_finds_nothing_serious_in_any_view_in_light_or_dark_colours(self, arrive: Arrive) -> None:
        author = with_posts_in_every_state(arrive(reduced_motion="reduce")).sign_in()
        expect(author.article("out there", region="Published")).to_be_visible()

        found = {(view, scheme): serious_faults(author, view, scheme) for view in VIEWS for scheme in SCHEMES}

        assert found == {where: [] for where in found}

    @pytest.mark.parametrize("begin", STATES.values(), ids=STATES)
    def test_axe_finds_nothing_serious_while_an_author_is_at_work(
        self, arrive: Arrive, begin: Callable[[Author], None]
    ) -> None:
        author = arrive(reduced_motion="reduce")

        begin(author)

        assert {scheme: faults_in(author, scheme) for scheme in SCHEMES} == {scheme: [] for scheme in SCHEMES}

    def test_axe_finds_nothing_serious_in_the_sign_in(self, arrive: Arrive) -> None:
        author = arrive()
        author.page.goto(author.stack.urls["web"])
        expect(author.page.get_by_role("button", name="Sign in")).to_be_visible()

        assert faults_of(author) == []

    def test_axe_finds_nothing_serious_while_a_form_has_an_error(self, alice: Author) -> None:
        alice.create("twice", in_minutes(60))
        alice.sign_in()
        expect(alice.article("twice")).to_be_visible()
        alice.start_to_edit("twice")
        alice.text.fill("x" * 300)

        alice.schedule_button.click()

        expect(alice.text).to_have_attribute("aria-invalid", "true")
        assert faults_of(alice) == []


def with_posts_in_every_state(author: Author) -> Author:
    """Gives the author a failed, an unknown, a published and a pending post."""
    for text, kind, state in [("refused", "403", "failed"), ("unclear", "commit_then_503", "unknown")]:
        author.stack.fail(kind, username=author.name)
        author.create(text, in_seconds(0))
        author.post_once(text, state)
    author.create("out there", in_seconds(0))
    author.post_once("out there", "tweeted")
    author.create("a long word: " + "Donaudampfschifffahrt" * 5, in_minutes(60))
    return author


def serious_faults(author: Author, view: str, scheme: Literal["light", "dark"]) -> list[str]:
    author.show(view)
    return faults_in(author, scheme)


def faults_in(author: Author, scheme: Literal["light", "dark"]) -> list[str]:
    author.page.emulate_media(color_scheme=scheme)
    return faults_of(author)


def faults_of(author: Author) -> list[str]:
    faults = Axe().run(author.page).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes']][:3]}"
        for fault in faults
        if fault["impact"] in ("serious", "critical")
    ]


class TestAPhone:
    def test_every_view_fits_a_phone_and_its_targets_are_large_enough(self, arrive: Arrive) -> None:
        author = with_posts_in_every_state(arrive(**PHONE)).sign_in()
        expect(author.article("out there", region="Published")).to_be_visible()

        found = {view: (too_wide(author, view), small_targets(author)) for view in VIEWS}

        assert found == dict.fromkeys(VIEWS, (0, []))

    def test_a_post_can_be_scheduled_on_a_phone(self, arrive: Arrive) -> None:
        author = arrive(**PHONE).sign_in()

        author.write("on the train", in_minutes(60))
        author.schedule_button.tap()

        expect(author.article("on the train", region="Pending")).to_be_visible()

    def test_the_time_of_a_post_is_not_covered_by_the_name_of_a_paused_account(self, arrive: Arrive) -> None:
        author = arrive(**PHONE)
        [user] = author.graphql("{ user { id } }")["user"]
        account_id = author.link_account(user["id"], f"{author.name}_x")
        author.stack.graphql(PAUSE, {"id": account_id, "until": in_minutes(48 * 60).isoformat()})
        author.create("held up", in_minutes(23 * 60), account_id=account_id)
        author.sign_in()
        post = author.article("held up")
        expect(post).to_contain_text("Paused")

        time, name = (post.locator(part).bounding_box() for part in ("time", ".account"))

        assert time
        assert name
        assert time["x"] + time["width"] <= name["x"]
        assert too_wide(author, "posts") == 0


class TestATablet:
    def test_a_tap_on_a_post_opens_it_and_presses_no_button_that_is_not_shown(self, arrive: Arrive) -> None:
        author = arrive(**TABLET)
        author.create("not by accident", in_minutes(60))
        author.sign_in()
        box = author.button("not by accident", "Publish now").bounding_box()
        assert box

        author.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

        expect(author.button("not by accident", "Details")).to_have_attribute("aria-expanded", "true")
        expect(author.undo_button).to_have_count(0)

    def test_nothing_looks_selected_after_a_tap(self, arrive: Arrive) -> None:
        author = arrive(**TABLET)
        author.create("to come", in_minutes(60))
        author.sign_in()
        details = author.button("to come", "Details")
        more = author.button("to come", "More")
        select = author.page.get_by_role("button", name="Select", exact=True)

        for button in (details, more, select):
            before = look_of(button)
            button.tap()
            button.tap()
            assert look_of(button) == before

    def test_a_row_of_the_event_log_looks_the_same_after_a_tap(self, arrive: Arrive) -> None:
        author = arrive(**TABLET)
        author.create("to come", in_minutes(60))
        tools = author.sign_in().show("developer-tools")
        row = tools.get_by_role("region", name="Pending events").locator("summary").first
        name = row.locator(".row-name")
        before = look_of(name)

        row.tap()

        assert look_of(name) == before


LOOK = """element => {
  const { backgroundColor, borderColor, color, textDecorationLine } = getComputedStyle(element);
  return [backgroundColor, borderColor, color, textDecorationLine];
}"""


def look_of(target: Locator) -> list[str]:
    look: list[str] = target.evaluate(LOOK)
    return look


def too_wide(author: Author, view: str) -> int:
    """By how many pixels the view is wider than the screen."""
    author.show(view)
    pixels: int = author.page.evaluate(TOO_WIDE)
    return pixels


def small_targets(author: Author) -> list[str]:
    """What is shown and smaller than a finger, 44 by 44 pixels."""
    targets: list[str] = author.page.evaluate(SMALL_TARGETS)
    return targets


class TestAKeyboard:
    def test_a_post_can_be_scheduled_and_edited_with_a_keyboard_alone(self, alice: Author) -> None:
        alice.sign_in()
        keyboard = alice.page.keyboard
        alice.tab_to(alice.text)
        keyboard.type("no mouse")
        alice.tab_to(alice.schedule_button)
        keyboard.press("Enter")
        expect(alice.article("no mouse")).to_be_visible()

        alice.tab_to(alice.button("no mouse", "Edit"))
        keyboard.press("Enter")
        keyboard.press("End")
        keyboard.type(" at all")
        alice.tab_to(alice.page.get_by_role("button", name="Save", exact=True))
        keyboard.press("Enter")

        expect(alice.article("no mouse at all")).to_be_visible()
        expect(alice.button("no mouse at all", "Edit")).to_be_focused()

    def test_the_first_tab_stop_skips_to_the_content(self, alice: Author) -> None:
        alice.sign_in()
        alice.page.reload()

        alice.page.keyboard.press("Tab")

        expect(alice.page.get_by_role("link", name=re.compile("Skip"))).to_be_focused()
        expect(alice.page.get_by_role("link", name=re.compile("Skip"))).to_be_in_viewport()

    def test_skipping_to_the_content_does_not_change_the_view(self, alice: Author) -> None:
        alice.sign_in()
        alice.show("calendar")

        alice.page.get_by_role("link", name=re.compile("Skip")).press("Enter")

        expect(alice.page.get_by_role("main")).to_be_focused()
        expect(alice.page).to_have_url(re.compile("#calendar$"))


class TestALink:
    @pytest.mark.parametrize("name", ["constructor", "toString", "__proto__", "nothing"])
    def test_a_link_to_an_unknown_view_shows_the_posts(self, alice: Author, name: str) -> None:
        alice.page.goto(f"{alice.stack.urls['web']}/#{name}")
        alice.page.get_by_role("textbox", name="Your name").fill(alice.name)

        alice.page.get_by_role("button", name="Sign in").click()

        expect(alice.region("Pending")).to_be_visible()

    def test_a_link_to_a_deleted_post_says_that_it_does_not_exist(self, alice: Author) -> None:
        alice.sign_in()

        alice.page.goto(f"{alice.stack.urls['web']}/#posts/999999999")

        gone = alice.page.get_by_text("This post does not exist")
        expect(gone).to_be_visible()
        alice.show("posts")
        expect(gone).to_be_hidden()

    def test_a_link_to_a_post_works_twice(self, alice: Author) -> None:
        alice.create("the same words", in_minutes(60))
        alice.sign_in()
        alice.text.fill("the same words")
        link = alice.composer.get_by_role("link", name="Show it")
        link.click()
        expect(alice.article("the same words")).to_be_focused()
        alice.text.focus()

        link.click()

        expect(alice.article("the same words")).to_be_focused()


class TestABadLine:
    def test_changes_made_while_offline_are_shown_when_the_page_is_online_again(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource|WebSocket")
        alice.sign_in()
        alice.context.set_offline(True)
        away = alice.page.get_by_text("The server is not answering.")
        expect(away).to_be_visible()
        alice.create("written meanwhile", in_minutes(60))

        alice.context.set_offline(False)

        expect(alice.article("written meanwhile")).to_be_visible()
        expect(away).to_be_hidden()

    @pytest.mark.parametrize("screen", [{}, PHONE], ids=["desktop", "phone"])
    def test_the_offline_message_does_not_move_the_page(self, arrive: Arrive, screen: dict[str, Any]) -> None:
        author = arrive(**screen)
        author.expect_complaint("Failed to load resource|WebSocket")
        author.sign_in()
        expect(author.region("Pending")).to_contain_text("No post is pending")
        before = [author.composer.bounding_box(), author.region("Pending").bounding_box()]

        author.context.set_offline(True)

        expect(author.page.get_by_text("The server is not answering.")).to_be_visible()
        assert [author.composer.bounding_box(), author.region("Pending").bounding_box()] == before

    def test_a_draft_that_could_not_be_sent_offline_is_kept_and_sent_once(self, alice: Author) -> None:
        alice.expect_complaint("Failed to load resource|WebSocket")
        alice.sign_in()
        alice.write("on a bad line", in_minutes(60))
        alice.context.set_offline(True)
        alice.schedule_button.click()
        expect(alice.page.get_by_role("alert")).to_be_visible()
        expect(alice.text).to_have_value("on a bad line")

        alice.context.set_offline(False)
        alice.schedule_button.click()

        expect(alice.article("on a bad line")).to_have_count(1)
        assert len(alice.posts()) == 1


class TestAnExpiredSignIn:
    def test_an_expired_sign_in_loses_nothing_that_was_typed(self, alice: Author) -> None:
        alice.create("half edited", in_minutes(60))
        alice.sign_in()
        field = alice.start_to_edit("half edited")
        field.fill("typed with love")

        sign_in_again(alice, alice.name)

        expect(field).to_have_value("typed with love")
        alice.page.get_by_role("button", name="Save", exact=True).click()
        expect(alice.article("typed with love")).to_be_visible()

    def test_text_typed_before_a_sign_in_expired_is_not_shown_to_another_author(self, arrive: Arrive) -> None:
        first, second = arrive(), arrive()
        first.create("private", in_minutes(60))
        first.sign_in()
        first.start_to_edit("private").fill("typed in private")
        first.text.fill("drafted in private")
        first.page.get_by_role("searchbox", name="Search posts").fill("private")

        sign_in_again(first, second.name)

        expect(first.page.get_by_role("searchbox", name="Search posts")).to_have_value("")
        expect(first.text).to_have_value("")
        expect(first.page.get_by_role("article")).to_have_count(0)

    def test_a_newer_sign_in_of_the_same_author_in_another_tab_counts_here_too(self, alice: Author) -> None:
        alice.create("half edited", in_minutes(60))
        alice.sign_in()
        old = alice.page.evaluate("localStorage.getItem('session')")
        new = wait_until(lambda: alice.stack.token(alice.name), lambda token: token != old)
        alice.page.evaluate("token => localStorage.setItem('session', token)", new)
        refuse_token(alice, old)

        alice.edit("half edited", "typed with love")

        expect(alice.article("typed with love")).to_be_visible()


def refuse_token(author: Author, token: str) -> None:
    """Hasura takes this token of the page no longer."""
    expired = {"message": "Could not verify JWT: JWTExpired", "extensions": {"path": "$", "code": "invalid-jwt"}}

    def refuse(route: Route) -> None:
        if route.request.headers.get("authorization") == f"Bearer {token}":
            route.fulfill(json={"errors": [expired]})
        else:
            route.continue_()

    author.page.route("**/v1/graphql", refuse)


def sign_in_again(author: Author, name: str) -> None:
    """The token is no longer taken; then somebody signs in."""
    author.meets_the_end_of_the_sign_in().fill(name)
    author.page.get_by_role("button", name="Sign in").click()
    expect(author.composer).to_be_visible()


class TestAStaticHost:
    def test_a_host_without_a_sign_in_says_so_and_offers_none(self, alice: Author) -> None:
        configure(alice, createPost="https://api.example/createPost", graphql="https://api.example/graphql")

        alice.page.goto(alice.stack.urls["web"])

        expect(alice.page.get_by_text("no sign-in is set up here")).to_be_visible()
        expect(alice.page.get_by_role("button", name="Sign in")).to_be_hidden()

    def test_an_unfinished_configuration_says_what_is_missing(self, alice: Author) -> None:
        alice.expect_complaint("config.json")
        configure(alice, createPost="https://api.example/createPost")

        alice.page.goto(alice.stack.urls["web"])

        expect(alice.page.get_by_text("config.json does not name graphql")).to_be_visible()

    def test_a_host_that_sends_no_policy_runs_no_foreign_script_either(self, alice: Author) -> None:
        alice.expect_complaint("Content Security Policy|TrustedScript|been blocked")
        alice.page.route(alice.stack.urls["web"] + "/", without_policy)
        alice.page.goto(alice.stack.urls["web"])

        alice.page.evaluate(
            """() => new Promise((settle) => {
              const script = document.createElement("script");
              script.onload = script.onerror = settle;
              try {
                script.src = "data:text/javascript,window.ran=true";
                document.body.append(script);
              } catch {
                settle();
              }
            })"""
        )

        expect(alice.page.locator("meta[http-equiv=Content-Security-Policy]")).to_have_count(1)
        assert alice.page.evaluate("window.ran ?? false") is False


def configure(author: Author, **config: str) -> None:
    author.page.route("**/config.json", lambda route: route.fulfill(json=config))


def without_policy(route: Route) -> None:
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
    route.fulfill(response=answer, headers=headers)


class TestSafety:
    def test_a_script_that_gets_into_the_page_does_not_run(self, alice: Author) -> None:
        alice.expect_complaint("Content Security Policy|TrustedScript|trusted|been blocked")
        alice.sign_in()

        alice.page.evaluate(
            """() => new Promise((settle) => {
              const script = document.createElement("script");
              try { script.textContent = "window.ran = true"; document.body.append(script); } catch {}
              try {
                document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = true'>");
                document.body.lastElementChild.addEventListener("error", settle);
              } catch {
                settle();
              }
            })"""
        )

        assert alice.page.evaluate("window.ran ?? false") is False

    def test_signing_out_removes_the_session_and_the_posts(self, alice: Author) -> None:
        alice.create("private", in_minutes(60))
        alice.sign_in()
        expect(alice.article("private")).to_be_visible()

        alice.page.get_by_role("button", name="Sign out").click()

        expect(alice.page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(alice.article("private")).to_have_count(0)
        alice.page.reload()
        expect(alice.page.get_by_role("button", name="Sign in")).to_be_visible()
        assert alice.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})").find(alice.token[:20]) == -1

    def test_signing_out_leaves_no_word_of_the_author_in_the_page_nor_in_the_browser(self, alice: Author) -> None:
        alice.create("private", in_minutes(60))
        alice.sign_in()
        entry_in_the_calendar(alice.show("calendar"), "private").click()
        alice.page.get_by_role("link", name="Posts", exact=True).click()
        alice.text.fill("privately drafted")

        alice.page.get_by_role("button", name="Sign out").click()

        expect(alice.page.get_by_role("button", name="Sign in")).to_be_visible()
        assert "private" not in alice.page.content()
        assert alice.page.locator("#text").input_value() == ""
        assert "private" not in alice.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")

    def test_signing_out_in_one_tab_signs_out_all_and_leaves_no_word_there(self, alice: Author) -> None:
        alice.create("private", in_minutes(60))
        alice.sign_in()
        alice.text.fill("privately drafted")
        other = alice.context.new_page()
        other.goto(f"{alice.stack.urls['web']}/#calendar")
        entry_in_the_calendar(other.locator("#view-calendar"), "private")

        alice.page.get_by_role("button", name="Sign out").click()

        expect(other.get_by_role("button", name="Sign in")).to_be_visible()
        assert "private" not in other.content()
        assert "private" not in other.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")

    def test_a_tab_goes_on_as_its_own_author_when_another_one_signs_in_in_the_next_tab(self, alice: Author) -> None:
        in_the_next_tab(alice, f"{alice.name}_b")

        alice.schedule("of the first author", in_minutes(60))

        assert [post["text"] for post in alice.posts()] == ["of the first author"]

    def test_signing_out_ends_no_session_of_another_author_in_the_next_tab(self, alice: Author) -> None:
        other = in_the_next_tab(alice, f"{alice.name}_b")
        text = other.get_by_role("textbox", name="Post", exact=True)
        text.fill("half an idea")

        alice.page.get_by_role("button", name="Sign out").click()
        expect(alice.page.get_by_role("banner")).to_contain_text(f"{alice.name}_b")  # who signed in last
        other.reload()

        expect(text).to_have_value("half an idea")


def in_the_next_tab(author: Author, name: str) -> Page:
    """Another author's page, who signs in after this author has done so."""
    first, second = author.page, author.context.new_page()
    first.goto(author.stack.urls["web"])
    second.goto(author.stack.urls["web"])
    for page, username in ((first, author.name), (second, name)):
        page.get_by_role("textbox", name="Your name").fill(username)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("textbox", name="Post", exact=True)).to_be_visible()
    return second


def test_a_post_that_a_link_named_is_not_missed_in_the_view_that_was_opened_meanwhile(alice: Author) -> None:
    held = alice.holds_everything()
    alice.enter()
    alice.page.goto(f"{alice.stack.urls['web']}/#posts/999999999")
    alice.wait_until(lambda: held)
    alice.show("settings")

    held[0].continue_()

    expect(alice.page.get_by_text("Live", exact=True)).to_be_visible()
    expect(alice.page.get_by_text("This post does not exist")).to_be_hidden()


class TestShortcuts:
    def test_the_key_j_goes_on_from_a_post_that_a_link_has_shown(self, alice: Author) -> None:
        ids = [alice.create(f"number {number}", in_minutes(60 + number)) for number in range(4)]
        alice.sign_in()
        alice.page.goto(f"{alice.stack.urls['web']}/#posts/{ids[1]}")
        expect(alice.article("number 1")).to_be_focused()

        alice.page.keyboard.press("j")
        alice.page.keyboard.press("j")

        expect(alice.article("number 3")).to_be_focused()

    def test_a_slash_keeps_the_words_that_were_searched_for_after_a_link_has_shown_a_post(self, alice: Author) -> None:
        post_id = alice.create("number 0", in_minutes(60))
        alice.sign_in()
        alice.page.goto(f"{alice.stack.urls['web']}/#posts/{post_id}")
        expect(alice.article("number 0")).to_be_focused()
        search = alice.page.get_by_role("searchbox")
        search.fill("number")
        alice.article("number 0").focus()

        alice.page.keyboard.press("/")

        expect(search).to_be_focused()
        expect(search).to_have_value("number")

    @pytest.mark.parametrize("key", ["j", "/"])
    def test_in_another_view_the_keys_of_the_lists_show_them(self, alice: Author, key: str) -> None:
        alice.create("number 0", in_minutes(60))
        alice.sign_in()
        expect(alice.article("number 0")).to_be_visible()
        alice.show("settings")

        alice.page.keyboard.press(key)

        target = alice.article("number 0") if key == "j" else alice.page.get_by_role("searchbox")
        expect(target).to_be_focused()

    def test_the_key_n_begins_a_post_in_every_view(self, alice: Author) -> None:
        alice.sign_in()
        for view in ("posts", "calendar", "settings"):
            alice.show(view)

            alice.page.keyboard.press("n")

            expect(alice.text).to_be_focused()
            alice.page.keyboard.press("Escape")
            alice.page.evaluate("document.activeElement.blur()")

    def test_a_question_mark_shows_the_shortcuts(self, alice: Author) -> None:
        alice.sign_in()

        alice.page.keyboard.press("?")

        expect(alice.page.get_by_role("dialog", name="Shortcuts")).to_contain_text("New post")

    def test_shortcuts_can_be_switched_off(self, alice: Author) -> None:
        alice.sign_in()
        alice.show("settings")
        alice.page.get_by_label("Shortcuts of one key").uncheck()

        alice.page.keyboard.press("?")

        expect(alice.page.get_by_role("dialog", name="Shortcuts")).to_be_hidden()


class TestTheFirstRun:
    def test_somebody_new_sends_a_first_post_and_is_led_to_make_x_fail(self, alice: Author) -> None:
        alice.sign_in()
        expect(alice.page.get_by_text("Simulated X: nothing leaves this machine")).to_be_visible()
        alice.page.get_by_role("button", name="Fill in an example").click()
        alice.fill_time(alice.composer, alice.when, in_seconds(1))

        alice.schedule_button.click()

        alice.page.get_by_role("link", name="Make X fail").click()
        expect(alice.page.get_by_role("region", name="Fault injection")).to_be_visible()
