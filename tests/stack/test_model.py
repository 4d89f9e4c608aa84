"""The rows as a state machine: whatever happens in whatever order, no post is lost and none goes out twice.

Hypothesis makes up the story: authors write, edit, move and delete, events are delivered one by one and at once,
processes die, freeze and go on, X accepts, rejects and does not answer. The SQL and the Hasura under it are real, and
so is all of the core; X is a list of tweets. Nobody waits: time passes by moving everything that is written down into
the past.

    MODEL_STORIES=1000 python -m pytest tests/stack/test_model.py    so many new stories instead of the few of every run
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from model_processes import MISHAPS, Clock, Processes
from model_world import ACCOUNTS, LINKS, World
from model_x import ANSWERS, TIMELINES
from psycopg.rows import dict_row
from recorded_at_once import RecordedAtOnce

from local.running_stack import GraphQLFailed, started
from shared.core import schedule
from shared.core.drafts import WHEN_LATE, Draft
from shared.core.model import Accepted, AttemptUpdate, Decision, Outcome, Recorded, State
from shared.errors import Forbidden, InvalidDraft
from shared.hasura.draft_store import HasuraDraftStore
from shared.hasura.post_store import HasuraPostStore
from shared.limits import DRAIN_TIME, MAX_UNANSWERED, MAX_UNSENT, RECONCILE_WAITS

CHANGE = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) { id }
}"""
PENDING_EVENTS = """
    select id, scheduled_time from hdb_catalog.hdb_scheduled_events
    where status = 'scheduled' and payload ->> 'id' = %s"""
DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"

AT_ONCE = timedelta(seconds=-1)
moments = st.sampled_from([AT_ONCE, timedelta(minutes=1), timedelta(hours=1), timedelta(hours=-3), timedelta(hours=-7)])
whiles = st.sampled_from([5, 31, 125, 1000, 3700, 7 * 3600]).map(lambda seconds: timedelta(seconds=seconds))
accounts = st.sampled_from(ACCOUNTS)
links = st.sampled_from(LINKS)
answers = st.sampled_from(list(ANSWERS))
timelines = st.sampled_from(list(TIMELINES))


class Story(RuleBasedStateMachine):
    """Posts are told apart by the mark that their text begins with, whatever is edited; equal posts share it."""

    written = Bundle("written")
    delivered = st.none() | written

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.world.begin()
        self.processes = Processes(world)
        self.authors: dict[int, str] = {}
        self.drafts: dict[int, Draft] = {}
        self.edits = 0
        self.excused: Counter[str] = Counter()

    # What authors do.

    @initialize(target=written, link=links)
    def write_one(self, link: tuple[str, int]) -> Any:
        return self.write(link, AT_ONCE, "skip", twice=False)

    @rule(target=written, link=links, at=moments, when_late=st.sampled_from(WHEN_LATE), twice=st.booleans())
    def write(self, link: tuple[str, int], at: timedelta, when_late: str, twice: bool) -> Any:
        author, account = link
        text = f"[{len(self.drafts)}] as written"
        return self.create(author, Draft(text, datetime.now(UTC) + at, account, when_late=when_late), twice)

    @rule(target=written, post=written)
    def write_the_same_again(self, post: int) -> Any:
        return self.create(self.authors[post], self.drafts[post], twice=False)

    def create(self, author: str, draft: Draft, twice: bool) -> Any:
        key, store = str(len(self.drafts)), HasuraDraftStore(self.world.settings)
        token, yesterday = self.world.tokens[author], Clock(behind=timedelta(days=1))
        create = partial(schedule.create, draft.as_json(), token, key, store, yesterday, RecordedAtOnce())
        try:
            post: int = create().post["id"]
        except (Forbidden, InvalidDraft):
            assert not self.world.is_linked(author, draft.account_id)
            return multiple()
        assert not twice or create().post["id"] == post
        self.authors[post], self.drafts[post] = author, draft
        return post

    @rule(post=written, too_long=st.booleans())
    def edit(self, post: int, too_long: bool) -> None:
        self.edits += 1
        self.change(post, text=f"{self.mark_of(post)} edited {self.edits}" + " too long" * 40 * too_long)

    @rule(post=written, account=accounts)
    def choose_account(self, post: int, account: int) -> None:
        if self.world.rows().get(post, {}).get("account_id") != account:
            self.change(post, account_id=account)

    @rule(post=written, at=moments)
    def move(self, post: int, at: timedelta) -> None:
        before = self.world.rows().get(post, {})
        if self.change(post, schedule_for=(datetime.now(UTC) + at).isoformat()) and is_given_up(before):
            self.excuse(post)  # that it may go out again is what its author decided

    @rule(post=written, keeps_its_time=st.booleans())
    def make_a_draft(self, post: int, keeps_its_time: bool) -> None:
        before = self.world.rows().get(post, {})
        changes: dict[str, Any] = {"state": "draft"} | ({} if keeps_its_time else {"schedule_for": None})
        if self.change(post, **changes):
            assert before["state"] in ("draft", "scheduled", "failed", "missed")

    @rule(post=written, at=moments)
    def schedule_the_draft(self, post: int, at: timedelta) -> None:
        if self.world.rows().get(post, {}).get("state") == "draft":
            self.change(post, state="scheduled", schedule_for=(datetime.now(UTC) + at).isoformat())

    @rule(post=written)
    def delete(self, post: int) -> None:
        before = self.world.rows().get(post, {})
        if self.as_author(post, DELETE, id=post) and before["state"] == "unknown":
            self.excuse(post)  # what a reconciliation would have found is nobody's now

    def change(self, post: int, **changes: Any) -> bool:
        return self.as_author(post, CHANGE, id=post, changes=changes)

    def as_author(self, post: int, document: str, **variables: Any) -> bool:
        """Whether the database let them. It must not while the post is sent and afterwards, and must say so.

        A post whose account was removed may get another at any time.
        """
        row = self.world.rows().get(post)
        try:
            self.world.stack.graphql(document, variables, self.world.tokens[self.authors[post]])
        except GraphQLFailed as refusal:
            if not re.search("This post|This one|X account|permission|foreign key", str(refusal)):
                raise
            return False
        assert row is None or row["account_id"] is None or row["state"] not in ("sending", "tweeted")
        return row is not None

    @rule(link=links, now=st.sampled_from(["linked", "unlinked", "removed", "linked anew"]))
    def account_is(self, link: tuple[str, int], now: str) -> None:
        author, account = link
        if now == "linked":
            self.world.link(author, account)
        elif now == "unlinked":
            self.world.unlink(author, account)
        else:
            self.world.remove_account(account)
            if now == "linked anew":
                self.world.add_account(account)
                self.world.link(author, account)

    # What X does.

    @rule(account=accounts, answer=answers, timeline=timelines, rejects_duplicates=st.booleans())
    def x_behaves(self, account: int, answer: str, timeline: str, rejects_duplicates: bool) -> None:
        self.world.x.answers[account] = answer
        self.world.x.timelines[account] = timeline
        self.world.x.rejects_duplicates = rejects_duplicates

    # What deliveries, processes and the time do.

    @rule(post=delivered, when_due=st.booleans(), answer=answers, mishap=st.sampled_from(MISHAPS))
    def deliver(self, post: int | None, when_due: bool = False, answer: str = "accepts", mishap: str = "none") -> None:
        if when_due:
            self.world.pass_time_until_something_is_due()
        self.world.x.answers = dict.fromkeys(ACCOUNTS, answer)
        self.processes.deliver(post, mishap)

    @rule(one=delivered, other=delivered, answer=answers)
    def deliver_at_once(self, one: int | None, other: int | None, answer: str) -> None:
        self.world.pass_time_until_something_is_due()
        self.world.x.answers = dict.fromkeys(ACCOUNTS, answer)
        self.processes.deliver_at_once([one, other, None])

    @rule(post=delivered, claims_first=st.booleans())
    def deliver_beside_a_dying_process(self, post: int | None, claims_first: bool) -> None:
        self.world.pass_time_until_something_is_due()
        self.processes.deliver_beside_a_dying_one(post, claims_first)

    @rule(times=st.integers(1, 6))
    def sweep(self, times: int) -> None:
        for _ in range(times):
            self.world.pass_time_until_something_is_due()
            self.processes.deliver(None)

    @rule()
    def hasura_delivers_what_is_due(self) -> None:
        self.world.pass_time_until_something_is_due()
        self.processes.deliver_due_events()

    @rule(by=whiles)
    def time_passes(self, by: timedelta) -> None:
        self.world.pass_time(by)

    @rule()
    def one_thaws(self) -> None:
        self.processes.thaw_one()

    # What must hold.

    @invariant()
    def no_post_is_on_x_more_often_than_its_rows_say(self) -> None:
        for post in self.drafts:
            assert self.too_many(post) <= 0, f"post {post} went out twice"

    @invariant()
    def no_post_is_sent_more_than_ten_times_without_an_answer(self) -> None:
        assert all(row["unanswered"] <= MAX_UNANSWERED for row in self.world.rows().values())

    @invariant()
    def no_post_has_more_than_one_pending_event(self) -> None:
        assert max(self.world.pending_events().values(), default=0) <= 1

    def too_many(self, post: int) -> int:
        """How many tweets of the post and its equals are on X of which no row knows, or is unsure, nor its author."""
        rows = [row for row in self.world.rows().values() if mark(row["text"]) == self.mark_of(post)]
        on_x = {tweet.id for tweet in self.world.x.tweets if mark(tweet.text) == self.mark_of(post)}
        known = {row["tweet_id"] for row in rows if row["state"] == "tweeted"}
        assert known <= on_x, f"post {post} is not on X"
        unsure = sum(row["state"] in ("sending", "unknown") for row in rows)
        return len(on_x - known) - unsure - self.excused[self.mark_of(post)]

    def excuse(self, post: int) -> None:
        self.excused[self.mark_of(post)] += max(0, self.too_many(post))

    def mark_of(self, post: int) -> str:
        return mark(self.drafts[post].text)

    def teardown(self) -> None:
        """However it went: once X works again and the sweep goes on, every post comes to its right end."""
        given_up = {post for post, row in self.world.rows().items() if is_given_up(row)}
        self.world.x.recover()
        self.come_to_rest()
        for post, row in self.world.rows().items():
            if row["state"] == "draft":
                continue  # its author keeps it
            assert row["state"] == "tweeted" or row["reason"], row
            if is_given_up(row):
                failed_too_often = row["failed_reconciliations"] > len(RECONCILE_WAITS)  # each of their processes died
                assert (
                    post in given_up or row["sent_from"] is None or row["outcome"] == "duplicate" or failed_too_often
                ), row
            else:
                assert self.has_ended_rightly(row), row

    def come_to_rest(self) -> None:
        for _ in range(500):
            if not self.world.pass_time_until_something_is_due():
                return
            self.processes.deliver(None)
            self.no_post_is_on_x_more_often_than_its_rows_say()
        raise AssertionError(f"it goes on for ever: {self.world.rows()}")

    def has_ended_rightly(self, row: dict[str, Any]) -> bool:
        is_late = row["schedule_for"] < datetime.now(UTC) - self.world.max_lateness
        right = {
            "tweeted": True,
            "failed": row["outcome"] == "rejected" or (row["outcome"] == "not_sent" and row["unsent"] == MAX_UNSENT),
            "missed": is_late and row["when_late"] == "skip",
        }
        return row["state"] in right and right[row["state"]]


def is_given_up(row: dict[str, Any]) -> bool:
    """Whether X can no longer be asked whether it has the post, so that its author has to decide."""
    return row["state"] == "unknown" and row["reconcile_at"] is None


def mark(text: str) -> str:
    return text[: text.index("]") + 1]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """On a stack without the functions, whose Hasura delivers nothing by itself."""
    options = ("--without", "functions", "--poll-interval", "86400", "--author-limits", "off")
    with (
        started(tmp_path_factory.mktemp("model"), *options) as stack,
        psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True, row_factory=dict_row) as database,
    ):
        yield World(stack, database)


@pytest.fixture(scope="module", autouse=True)
def _silence() -> Iterator[None]:
    """What goes wrong here goes wrong on purpose; a thousand lines about it would hide the story that failed."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def test_no_post_is_lost_and_none_goes_out_twice(world: World) -> None:
    class StoryOfThisWorld(Story):
        def __init__(self) -> None:
            super().__init__(world)

    stories = os.environ.get("MODEL_STORIES")
    run_state_machine_as_test(
        StoryOfThisWorld,
        settings=settings(
            max_examples=int(stories or 12),
            stateful_step_count=30,
            derandomize=stories is None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


class TestStoriesThatChanceSeldomTells:
    @pytest.fixture
    def story(self, world: World) -> Iterator[Story]:
        """One post of bob's, due now."""
        story = Story(world)
        story.write_one(("bob", 2))
        yield story
        story.no_post_is_on_x_more_often_than_its_rows_say()
        story.teardown()

    def ends(self, story: Story) -> list[str]:
        story.come_to_rest()
        return [row["state"] for _, row in sorted(story.world.rows().items())]

    def test_the_account_is_changed_while_it_is_unknown_whether_x_has_the_post(self, story: Story) -> None:
        story.deliver(1, answer="accepts, and the answer is lost")

        story.choose_account(1, 3)

        assert self.ends(story) == ["tweeted"]
        assert len(story.world.x.tweets) == 1

    def test_the_account_is_removed_and_another_chosen_while_the_post_goes_out(self, story: Story) -> None:
        story.deliver(1, mishap="killed before recording")

        story.account_is(("bob", 2), "removed")
        story.choose_account(1, 3)

        assert self.ends(story) == ["unknown"]
        assert len(story.world.x.tweets) == 1

    def test_the_account_is_removed_and_linked_anew_while_it_is_unknown_whether_x_has_the_post(
        self, story: Story
    ) -> None:
        story.deliver(1, answer="accepts, and the answer is lost")

        story.account_is(("bob", 2), "linked anew")

        assert self.ends(story) == ["tweeted"]
        assert len(story.world.x.tweets) == 1

    @pytest.mark.parametrize(
        ("answer", "end"),
        [
            ("accepts", "tweeted"),
            ("is not reached", "tweeted"),
            ("rejects", "failed"),
            ("does nothing, and the answer is lost", "tweeted"),
        ],
    )
    def test_a_frozen_process_goes_on_after_the_first_reconciliation(self, story: Story, answer: str, end: str) -> None:
        story.deliver(1, answer=answer, mishap="frozen before recording")
        story.sweep(1)

        story.one_thaws()

        story.world.x.recover()
        assert self.ends(story) == [end]
        assert len(story.world.x.tweets) == (end == "tweeted")

    def test_nobody_takes_a_post_from_a_process_that_is_held_up(self, story: Story) -> None:
        story.deliver(1, answer="accepts, and the answer is lost", mishap="held up a little after the claim")

        story.deliver(1, when_due=True, mishap="held up a little after the claim")

        assert self.ends(story) == ["tweeted"]
        assert len(story.world.x.tweets) == 1

    def test_a_reconciliation_is_overtaken_by_a_process_that_claims_and_dies(self, story: Story) -> None:
        story.deliver(1, answer="does nothing, and the answer is lost")
        story.sweep(2)
        story.edit(1, too_long=False)
        story.deliver(1, mishap="killed before recording")

        story.deliver_beside_a_dying_process(1, claims_first=False)

        assert self.ends(story) == ["tweeted"]
        assert len(story.world.x.tweets) == 1

    def test_x_rejects_a_duplicate_that_is_of_another_post(self, story: Story) -> None:
        story.write_the_same_again(1)
        story.x_behaves(2, "accepts", "shows all", rejects_duplicates=True)

        story.deliver(1, answer="does nothing, and the answer is lost")

        story.world.x.recover()
        assert sorted(self.ends(story)) == ["tweeted", "unknown"]

    @pytest.mark.parametrize("answer", ["does nothing, and the answer is lost", "limits the account"])
    def test_a_tweet_that_an_equal_post_was_recorded_with_is_not_recorded_again_and_the_post_is_reconciled(
        self, story: Story, answer: str
    ) -> None:
        """Equal posts are reconciled at once, or one is reconciled while the other is sent: both see the same tweet."""
        story.write_the_same_again(1)
        story.deliver(None, answer=answer)
        story.world.pass_time_until_something_is_due()
        store = HasuraPostStore(story.world.settings)
        first, second = store.claim_due_posts(None).posts
        story.world.x.recover()
        assert first.account
        accepted = story.world.x.publish(first.account, first.text)
        assert isinstance(accepted, Accepted)
        log = (AttemptUpdate(first.attempt_number, Outcome.TWEETED),)

        assert store.record(first, Decision(State.TWEETED, log, tweet_id=accepted.tweet_id)) == Recorded(
            True, State.TWEETED
        )
        assert store.record(second, Decision(State.TWEETED, log, tweet_id=accepted.tweet_id)) == Recorded(
            False, State.UNKNOWN
        )
        assert not story.world.rows()[second.id]["lease_until"]
        assert self.ends(story) == ["tweeted", "tweeted"]
        assert len(story.world.x.tweets) == 2

    def test_every_process_that_reconciles_a_post_dies(self, story: Story) -> None:
        story.deliver(1, answer="does nothing, and the answer is lost")

        for _ in range(len(RECONCILE_WAITS) + 1):
            story.deliver_beside_a_dying_process(1, claims_first=True)

        assert self.ends(story) == ["unknown"]

    def test_an_old_attempt_does_not_end_a_post_whose_author_opened_it_with_another_text(self, story: Story) -> None:
        story.x_behaves(2, "accepts, and the answer is lost", "does not answer", rejects_duplicates=False)
        story.deliver(1, answer="accepts, and the answer is lost")
        story.sweep(len(RECONCILE_WAITS) + 1)
        story.change(1, text="[0] another text", schedule_for=datetime.now(UTC).isoformat())
        story.excuse(1)

        story.deliver(1, answer="does nothing, and the answer is lost")

        story.world.x.recover()
        assert self.ends(story) == ["tweeted"]
        assert [tweet.text for tweet in story.world.x.tweets] == ["[0] as written", "[0] another text"]

    def test_every_process_fails_on_a_post_that_its_author_wants_however_late(self, story: Story) -> None:
        story.write(("bob", 3), AT_ONCE, "publish", twice=False)

        story.x_behaves(3, "is not asked, because we fail", "shows all", rejects_duplicates=False)

        assert self.ends(story) == ["tweeted", "failed"]

    def test_a_post_that_x_never_answers_is_sent_ten_times_whatever_lies_between(self, story: Story) -> None:
        x, sent = story.world.x, 0
        while story.world.rows()[1]["is_pending"] and sent <= MAX_UNANSWERED:
            answer = "limits the account" if x.asked % 2 else "does nothing, and the answer is lost"
            asked_before = x.asked
            story.deliver(1, when_due=True, answer=answer)
            sent += (x.asked - asked_before) * (answer != "limits the account")

        row = story.world.rows()[1]
        assert (sent, row["unanswered"], row["state"]) == (MAX_UNANSWERED, MAX_UNANSWERED, "failed")
        assert f"{MAX_UNANSWERED} times without an answer" in row["reason"]

    def test_a_post_that_is_moved_many_times_has_one_pending_event_for_its_latest_time(self, story: Story) -> None:
        post = story.write(("bob", 2), timedelta(hours=1), "skip", twice=False)
        assert isinstance(post, int)
        for hours in range(2, 8):
            story.move(post, timedelta(hours=hours))
            story.deliver(post)  # Hasura's event trigger
            story.deliver(post)

        row, events = story.world.rows()[post], story.world.execute(PENDING_EVENTS, str(post)).fetchall()
        assert [(event["id"], event["scheduled_time"]) for event in events] == [(row["event_id"], row["schedule_for"])]

    def test_a_post_that_was_a_draft_for_a_while_is_sent_once(self, story: Story) -> None:
        story.deliver(1, answer="does nothing, and the answer is lost")
        story.sweep(1)
        story.make_a_draft(1, keeps_its_time=False)
        story.deliver(1)
        story.edit(1, too_long=False)

        story.schedule_the_draft(1, AT_ONCE)

        assert self.ends(story) == ["tweeted"]
        assert len(story.world.x.tweets) == 1

    def test_deliveries_that_leave_posts_behind_have_one_follow_up_delivery_outstanding(self, story: Story) -> None:
        for _ in range(12):
            story.write(("bob", 2), AT_ONCE, "skip", twice=False)

        story.processes.deliver_at_once([None, None, None], step=DRAIN_TIME / 5)

        assert story.world.pending_follow_ups() == 1
        story.time_passes(timedelta(minutes=1))
        story.processes.deliver_due_events()
        assert story.world.pending_follow_ups() == 0
        assert self.ends(story) == ["tweeted"] * 13
        assert len(story.world.x.tweets) == 13
