"""Drafts: kept in the database, never published, scheduled by one change of state; written with GraphQL alone."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from author_with_database import AuthorWithDatabase
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack

INSERT = """mutation ($post: scheduled_post_insert_input!) {
  insert_scheduled_post_one(object: $post) { id state text schedule_for account_id is_pending when_late }
}"""
CHANGE = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) { state text schedule_for account_id reason }
}"""
DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"
STATE = "query ($id: bigint!) { scheduled_post_by_pk(id: $id) { state event_id event_at tweet_id } }"


class Author(AuthorWithDatabase):
    def insert(self, **post: Any) -> Any:
        return self.graphql(INSERT, post=post)["insert_scheduled_post_one"]

    def draft(self, **post: Any) -> int:
        """The id of a new draft."""
        draft_id: int = self.insert(**{"text": "not yet", "state": "draft", **post})["id"]
        return draft_id

    def change(self, post_id: int, **changes: Any) -> Any:
        return self.graphql(CHANGE, id=post_id, changes=changes)["update_scheduled_post_by_pk"]

    def post(self, post_id: int) -> Any:
        return self.graphql(STATE, id=post_id)["scheduled_post_by_pk"]


@pytest.fixture
def alice(stack: RunningStack) -> Iterator[Author]:
    with Author.signed_in(stack) as author:
        yield author


def at(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def refused(call: Callable[[], Any], code: str = "data-exception") -> str:
    """Hasura's words for the author."""
    with pytest.raises(GraphQLFailed) as caught:
        call()
    [error] = caught.value.errors
    assert error["extensions"]["code"] == code
    message: str = error["message"]
    return message


class TestWriting:
    def test_a_draft_needs_neither_a_time_nor_an_account_nor_words(self, alice: Author) -> None:
        draft = alice.insert(text="", state="draft")

        assert {name: draft[name] for name in ("state", "schedule_for", "account_id", "is_pending")} == {
            "state": "draft",
            "schedule_for": None,
            "account_id": None,
            "is_pending": False,
        }

    def test_a_draft_may_have_all_that_a_post_has(self, alice: Author) -> None:
        time = at(days=1)

        draft = alice.insert(
            text="a\r\nb", state="draft", schedule_for=time, account_id=alice.account(), when_late="publish"
        )

        assert (draft["text"], draft["account_id"], draft["when_late"]) == ("a\nb", alice.account(), "publish")
        assert datetime.fromisoformat(draft["schedule_for"]) == datetime.fromisoformat(time)

    def test_without_a_state_a_post_is_scheduled_and_needs_a_time(self, alice: Author) -> None:
        assert alice.insert(text="x", schedule_for=at(days=1))["state"] == "scheduled"
        assert refused(lambda: alice.insert(text="x")).startswith("Only a draft has no time.")

    @pytest.mark.parametrize("state", ["sending", "tweeted", "failed", "unknown", "missed", "Draft", ""])
    def test_a_new_post_in_any_other_state_is_refused(self, alice: Author, state: str) -> None:
        message = refused(lambda: alice.insert(text="x", schedule_for=at(days=1), state=state))

        assert message == "A new post is scheduled or a draft, and was never attempted."

    def test_a_draft_is_edited_and_deleted_freely(self, alice: Author) -> None:
        draft = alice.draft(schedule_for=at(days=1))

        edited = alice.change(
            draft, text="y" * 5000, schedule_for=None, when_late="publish", account_id=alice.account()
        )
        emptied = alice.change(draft, text="", account_id=None)
        alice.graphql(DELETE, id=draft)

        assert (len(edited["text"]), edited["schedule_for"]) == (5000, None)
        assert (emptied["text"], emptied["account_id"]) == ("", None)
        assert alice.post(draft) is None

    def test_a_draft_is_32_kilobytes_long_at_most(self, alice: Author) -> None:
        alice.draft(text="é" * 16384)

        assert "draft_is_not_endless" in refused(lambda: alice.draft(text="é" * 16385), "permission-error")

    def test_a_draft_is_from_no_account_of_somebody_else(self, alice: Author) -> None:
        bob = Author(alice.stack, alice.database)

        refused(lambda: alice.draft(account_id=bob.account()), "permission-error")
        draft = alice.draft()
        refused(lambda: alice.change(draft, account_id=bob.account()), "permission-error")

    def test_a_post_that_is_scheduled_keeps_an_account_and_a_time(self, alice: Author) -> None:
        post = alice.insert(text="x", schedule_for=at(days=1))["id"]

        refused(lambda: alice.change(post, account_id=None), "permission-error")
        assert refused(lambda: alice.change(post, schedule_for=None)).startswith("Only a draft has no time.")

    def test_nobody_else_sees_a_draft(self, alice: Author) -> None:
        draft = alice.draft()
        bob = Author(alice.stack, alice.database)

        assert bob.post(draft) is None
        assert bob.change(draft, text="mine") is None


class TestScheduling:
    def test_a_draft_is_scheduled_by_one_change_with_its_authors_only_account(self, alice: Author) -> None:
        draft = alice.draft()

        scheduled = alice.change(draft, state="scheduled", schedule_for=at(days=1), text="now it is")

        assert (scheduled["state"], scheduled["text"], scheduled["account_id"]) == (
            "scheduled",
            "now it is",
            alice.account(),
        )
        assert alice.graphql("{ scheduled_post(where: {is_pending: {_eq: true}}) { id } }") == {
            "scheduled_post": [{"id": draft}]
        }

    def test_a_draft_that_has_a_time_is_scheduled_by_its_state_alone(self, alice: Author) -> None:
        draft = alice.draft(schedule_for=at(days=1))

        assert alice.change(draft, state="scheduled")["state"] == "scheduled"

    def test_its_scheduled_event_is_set_though_its_time_stays(self, alice: Author) -> None:
        draft = alice.draft(schedule_for=at(days=1))

        alice.change(draft, state="scheduled")

        wait_until(lambda: alice.post(draft)["event_id"], bool)

    def test_a_draft_whose_time_has_come_is_published_at_once(self, alice: Author) -> None:
        draft = alice.draft(schedule_for=at(seconds=-5))

        alice.change(draft, state="scheduled")

        assert wait_until(lambda: alice.post(draft)["state"], lambda state: state == "tweeted") == "tweeted"

    @pytest.mark.parametrize(
        ("changes", "words", "code"),
        [
            ({}, "Only a draft has no time.", "data-exception"),
            ({"schedule_for": "2999-01-01T00:00Z", "text": "  "}, "text_is_not_blank", "permission-error"),
            ({"schedule_for": "2999-01-01T00:00Z", "text": "y" * 4001}, "text_is_not_endless", "permission-error"),
        ],
    )
    def test_the_rules_of_a_post_are_checked_when_it_is_scheduled(
        self, alice: Author, changes: dict[str, str], words: str, code: str
    ) -> None:
        draft = alice.draft()

        assert words in refused(lambda: alice.change(draft, state="scheduled", **changes), code)
        assert alice.post(draft)["state"] == "draft"

    def test_an_author_of_several_accounts_must_name_one(self, alice: Author) -> None:
        alice.sql(
            """with added as (
              insert into account (x_user_id, account_name, sealed_tokens)
              select (1e17 + floor(random() * 1e17))::bigint::text, account_name || 'x', sealed_tokens from account
              where account_name = %(name)s returning id
            )
            insert into account_user select "user".id, added.id from "user", added where username = %(name)s"""
        )
        draft = alice.draft()

        message = refused(lambda: alice.change(draft, state="scheduled", schedule_for=at(days=1)))

        assert message == "You have several X accounts. Say in account_id which one posts."
        assert alice.change(draft, state="scheduled", schedule_for=at(days=1), account_id=alice.account())

    def test_an_author_of_no_account_keeps_drafts_and_cannot_schedule_them(self, alice: Author) -> None:
        alice.sql("delete from account where account_name = %(name)s")
        draft = alice.draft()

        message = refused(lambda: alice.change(draft, state="scheduled", schedule_for=at(days=1)))

        assert message.startswith("No X account is linked to you yet.")


class TestLimits:
    def test_drafts_are_limited_by_themselves(self, alice: Author) -> None:
        alice.sql('update "user" set max_drafts = 2, max_pending = 0, max_changes = 0 where username = %(name)s')
        first, _ = alice.draft(), alice.draft()

        assert refused(alice.draft) == "At most 2 drafts may be kept. Delete or schedule one."
        alice.graphql(DELETE, id=first)
        assert alice.draft()

    def test_one_request_cannot_exceed_the_limit(self, alice: Author) -> None:
        many = """mutation ($posts: [scheduled_post_insert_input!]!) {
          insert_scheduled_post(objects: $posts) { affected_rows } }"""

        message = refused(lambda: alice.graphql(many, posts=[{"text": "x", "state": "draft"}] * 101))

        assert message.startswith("At most 100 drafts")

    @pytest.mark.parametrize(
        ("limit", "words"),
        [
            ('update "user" set max_pending = 0 where username = %(name)s', "At most 0 posts may be pending."),
            ('update "user" set max_changes = 0 where username = %(name)s', "At most 0 posts may be created or moved"),
            (
                "update account set max_posts_a_day = 0 where account_name = %(name)s",
                "At most 0 posts may be scheduled",
            ),
        ],
    )
    @pytest.mark.parametrize("time", [{"days": 1}, {"days": 2}], ids=["same-time", "moved"])
    def test_scheduling_a_draft_is_limited_as_creating_a_post_is(
        self, alice: Author, limit: str, words: str, time: dict[str, float]
    ) -> None:
        day = at(days=1)
        draft = alice.draft(schedule_for=day)
        alice.sql(limit)
        new_time = {} if time == {"days": 1} else {"schedule_for": at(**time)}

        assert refused(lambda: alice.change(draft, state="scheduled", **new_time)).startswith(words)

    def test_editing_and_moving_a_draft_counts_for_nothing(self, alice: Author) -> None:
        draft = alice.draft(account_id=alice.account())
        alice.sql('update "user" set max_pending = 0, max_changes = 0 where username = %(name)s')
        alice.sql("update account set max_posts_a_day = 0 where account_name = %(name)s")

        alice.change(draft, schedule_for=at(days=1), text="y")
        alice.change(draft, schedule_for=at(days=2))

    def test_a_draft_takes_no_place_in_a_day(self, alice: Author) -> None:
        alice.sql("update account set max_posts_a_day = 1 where account_name = %(name)s")
        alice.draft(schedule_for=at(days=1), account_id=alice.account())

        assert alice.insert(text="x", schedule_for=at(days=1))["state"] == "scheduled"

    def test_taking_posts_back_to_the_drafts_is_limited(self, alice: Author) -> None:
        alice.sql('update "user" set max_drafts = 1 where username = %(name)s')
        alice.draft()
        post = alice.insert(text="x", schedule_for=at(days=1))["id"]

        assert refused(lambda: alice.change(post, state="draft")).startswith("At most 1 drafts")


PUT = """update scheduled_post set state = %(state)s, reason = 'why',
  lease_until = case when %(state)s = 'sending' then now() + interval '1 hour' end,
  next_attempt_at = case when %(state)s = 'scheduled' then now() + interval '1 hour' end,
  tweet_id = case when %(state)s = 'tweeted' then 'tweet of ' || id end
  where id = %(id)s"""


class TestBackToTheDrafts:
    def put(self, author: Author, state: str) -> int:
        """A post in that state."""
        post: int = author.insert(text="x", schedule_for=at(days=1))["id"]
        with author.database.transaction():
            author.sql("set local session_replication_role = replica")
            author.sql(PUT, state=state, id=post)
        return post

    @pytest.mark.parametrize("state", ["scheduled", "failed", "missed"])
    def test_what_is_not_out_can_become_a_draft(self, alice: Author, state: str) -> None:
        post = self.put(alice, state)

        changed = alice.change(post, state="draft", schedule_for=None, text="")

        assert (changed["state"], changed["schedule_for"], changed["text"], changed["reason"]) == (
            "draft",
            None,
            "",
            None,
        )
        assert alice.sql("select 1 from scheduled_post where id = %(id)s and next_attempt_at is null", id=post)

    @pytest.mark.parametrize("state", ["failed", "missed"])
    def test_its_attempts_are_counted_anew(self, alice: Author, state: str) -> None:
        post = self.put(alice, state)
        alice.change(post, state="draft")

        alice.change(post, state="scheduled")

        log = "select outcome, detail from post_attempt where post_id = %(id)s"
        [(outcome, detail)] = alice.sql(log, id=post)
        assert (outcome, detail.endswith(f"It was {state}: why")) == ("opened", True)

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("sending", "This post is being published just now"),
            ("tweeted", "This post is published"),
            ("unknown", "A draft can be scheduled, and a post that is scheduled, failed or missed can become a draft."),
        ],
    )
    def test_what_is_out_or_may_be_cannot(self, alice: Author, state: str, words: str) -> None:
        post = self.put(alice, state)

        assert refused(lambda: alice.change(post, state="draft")).startswith(words)

    def test_what_is_being_reconciled_cannot(self, alice: Author) -> None:
        post = self.put(alice, "unknown")
        alice.sql("update scheduled_post set reconcile_at = now() + interval '1 hour' where id = %(id)s", id=post)

        assert refused(lambda: alice.change(post, state="draft")).startswith("This post may be on X already.")

    @pytest.mark.parametrize("old", ["draft", "scheduled", "failed", "missed", "unknown"])
    @pytest.mark.parametrize("new", ["draft", "scheduled", "sending", "tweeted", "failed", "missed", "unknown"])
    def test_no_other_state_is_an_authors_to_set(self, alice: Author, old: str, new: str) -> None:
        allowed = {("draft", "scheduled"), ("scheduled", "draft"), ("failed", "draft"), ("missed", "draft")}
        post = self.put(alice, old)

        if old == new or (old, new) in allowed:
            assert alice.change(post, state=new)["state"] == new
        else:
            assert refused(lambda: alice.change(post, state=new)).endswith(f"This one is {old}.")

    def test_its_event_finds_nothing_to_do_and_is_set_anew_when_it_is_scheduled_again(self, alice: Author) -> None:
        post = alice.insert(text="x", schedule_for=at(days=1))["id"]
        alice.change(post, schedule_for=at(days=2))
        first = wait_until(lambda: alice.post(post)["event_id"], bool)

        alice.change(post, state="draft", schedule_for=None)
        alice.change(post, state="scheduled", schedule_for=at(days=3))

        wait_until(lambda: alice.post(post)["event_id"], lambda event_id: event_id != first)


class TestTheClaim:
    def test_a_draft_is_never_taken_whatever_its_time(self, alice: Author) -> None:
        draft = alice.draft(schedule_for=at(hours=-1), account_id=alice.account())
        with alice.database.transaction(force_rollback=True):
            assert alice.sql('select 1 from next_due join "user" on id = user_id where username = %(name)s') == []
            assert alice.sql("select 1 from claim_due_posts(%(id)s) where post_id = %(id)s", id=draft) == []

    def test_a_post_that_became_a_draft_is_not_taken(self, alice: Author) -> None:
        post = alice.insert(text="x", schedule_for=at(days=1))["id"]
        alice.change(post, state="draft", schedule_for=at(hours=-1))

        with alice.database.transaction(force_rollback=True):
            assert alice.sql("select 1 from claim_due_posts(%(id)s) where post_id = %(id)s", id=post) == []

    def test_a_tweet_that_is_recorded_late_is_the_posts_though_it_is_an_empty_draft_by_now(self, alice: Author) -> None:
        post = alice.insert(text="sent", schedule_for=at(days=1))["id"]
        alice.sql(
            """insert into post_attempt (post_id, number, text, finished_at, outcome)
            values (%(id)s, 1, 'sent', now(), 'absent')""",
            id=post,
        )
        alice.change(post, state="draft", schedule_for=None, text="")

        alice.sql(
            """select record_outcome(%(id)s, 1, now(), 'tweeted', '[{"number": 1, "outcome": "tweeted"}]',
              tweet_id => 'tweet of ' || %(id)s)""",
            id=post,
        )

        assert alice.sql(
            "select state, text, schedule_for is not null from scheduled_post where id = %(id)s", id=post
        ) == [("tweeted", "sent", True)]
