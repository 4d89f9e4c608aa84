"""What one author may do: through createPost and through GraphQL alike, however many requests come at once."""

import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import requests
from problems import assert_refused
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack

INSERT = """mutation ($posts: [scheduled_post_insert_input!]!) {
  insert_scheduled_post(objects: $posts) { affected_rows }
}"""
MOVE = """mutation ($where: scheduled_post_bool_exp!, $at: timestamptz!) {
  update_scheduled_post(where: $where, _set: {schedule_for: $at}) { affected_rows }
}"""
EXCEPTIONS = """mutation ($name: String!, $user: user_set_input!, $account: account_set_input!) {
  update_user(where: {username: {_eq: $name}}, _set: $user) { affected_rows }
  update_account(where: {account_name: {_eq: $name}}, _set: $account) { affected_rows }
}"""
SHARE = """mutation ($name: String!, $account: bigint!) {
  insert_account_user_one(object: {account_id: $account, user: {
    data: {username: $name}, on_conflict: {constraint: user_username_key, update_columns: [username]}
  }}) { account_id }
}"""
COUNT = "{ scheduled_post_aggregate { aggregate { count } } }"


class Author:
    """A signed-in user with an account of the same name."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.name = "u" + uuid.uuid4().hex[:12]
        self.token = stack.token(self.name)

    def may(self, pending: int | None = None, changes: int | None = None, posts_a_day: int | None = None) -> None:
        user, account = {"max_pending": pending, "max_changes": changes}, {"max_posts_a_day": posts_a_day}
        self.stack.graphql(EXCEPTIONS, {"name": self.name, "user": user, "account": account})

    def create(self, at: datetime | None = None, **fields: Any) -> requests.Response:
        return self.stack.create_post(
            self.token, {"text": "x", "schedule_for": (at or in_days(1)).isoformat(), **fields}
        )

    def graphql(self, document: str, **variables: Any) -> Any:
        return self.stack.graphql(document, variables, token=self.token)

    def insert(self, count: int, at: datetime | None = None) -> Any:
        return self.graphql(INSERT, posts=[{"text": "x", "schedule_for": (at or in_days(1)).isoformat()}] * count)

    def move_all(self, at: datetime) -> Any:
        return self.graphql(MOVE, where={}, at=at.isoformat())

    def posts(self) -> int:
        count: int = self.graphql(COUNT)["scheduled_post_aggregate"]["aggregate"]["count"]
        return count


@pytest.fixture
def alice(stack: RunningStack) -> Author:
    return Author(stack)


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def refused(call: Callable[[], Any]) -> str:
    """Hasura's words for the author."""
    with pytest.raises(GraphQLFailed) as caught:
        call()
    [error] = caught.value.errors
    assert error["extensions"]["code"] == "data-exception"
    message: str = error["message"]
    return message


class TestChanges:
    def test_the_31st_create_within_15_minutes_is_answered_429_with_the_time_to_wait(self, alice: Author) -> None:
        assert {alice.create().status_code for _ in range(30)} == {201}

        answer = alice.create()

        problem = assert_refused(answer, 429)
        assert problem["type"] == "/problems/too-many-posts"
        assert problem["detail"].startswith("At most 30 posts may be created or moved in 15 minutes. Try again in ")
        assert 0 < int(answer.headers["Retry-After"]) <= 900
        assert alice.posts() == 30

    def test_graphql_says_the_same_and_stores_nothing_of_a_request_that_is_too_large(self, alice: Author) -> None:
        message = refused(lambda: alice.insert(20_000))

        assert message.startswith("At most 30 posts may be created or moved in 15 minutes.")
        assert alice.posts() == 0

    def test_moves_count_and_edits_do_not(self, alice: Author) -> None:
        alice.may(changes=4)
        alice.insert(2)
        alice.move_all(in_days(2))
        edit = 'mutation { update_scheduled_post(where: {}, _set: {text: "y"}) { affected_rows } }'

        assert alice.graphql(edit)["update_scheduled_post"]["affected_rows"] == 2
        assert refused(lambda: alice.move_all(in_days(3))).startswith("At most 4 posts may be created or moved")

    def test_a_post_that_is_deleted_counts_all_the_same(self, alice: Author) -> None:
        alice.may(changes=2)
        alice.insert(2)
        alice.graphql("mutation { delete_scheduled_post(where: {}) { affected_rows } }")

        assert alice.create().status_code == 429

    def test_after_15_minutes_a_change_counts_no_more(self, alice: Author) -> None:
        alice.may(changes=2)
        alice.insert(2)
        with psycopg.connect(alice.stack.settings["PG_DATABASE_URL"]) as database:
            database.execute(
                "update author_change set changed_at = changed_at - interval '15 minutes' "
                'where user_id = (select id from "user" where username = %s)',
                [alice.name],
            )

        assert [alice.create().status_code for _ in range(3)] == [201, 201, 429]

    def test_a_request_that_is_repeated_with_its_key_is_answered_although_the_limit_is_reached(
        self, alice: Author
    ) -> None:
        alice.may(changes=1)
        fields = {"text": "once", "schedule_for": in_days(1).isoformat()}
        key = {"idempotency-key": uuid.uuid4().hex}
        url = f"{alice.stack.urls['functions']}/api/createPost"
        headers = {"Authorization": f"Bearer {alice.token}", **key}

        answers = [requests.post(url, json=fields, headers=headers, timeout=60) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]

    def test_the_same_request_twice_at_a_time_counts_once(self, alice: Author) -> None:
        alice.may(changes=2, pending=1)
        document = """mutation ($post: scheduled_post_insert_input!) {
          insert_scheduled_post_one(object: $post, on_conflict: {
            constraint: one_post_per_request_key, update_columns: []
          }) { id }
        }"""
        post = {"text": "x", "schedule_for": in_days(1).isoformat(), "request_key": "k", "request_draft": {}}

        answers = [alice.graphql(document, post=post)["insert_scheduled_post_one"] for _ in range(3)]

        assert answers[1:] == [None, None]
        alice.graphql("mutation { delete_scheduled_post(where: {}) { affected_rows } }")
        assert [alice.create().status_code for _ in range(2)] == [201, 429]

    def test_a_key_whose_post_is_being_deleted_is_no_way_to_create_uncounted(self, alice: Author) -> None:
        alice.may(changes=1)
        post = {"text": "x", "schedule_for": in_days(1).isoformat(), "request_key": "k", "request_draft": {}}
        alice.graphql(INSERT, posts=[post])
        url = alice.stack.settings["PG_DATABASE_URL"]
        with (
            psycopg.connect(url) as deletes,
            psycopg.connect(url, autocommit=True) as observer,
            ThreadPoolExecutor() as pool,
        ):
            deletes.execute(
                'delete from scheduled_post where user_id = (select id from "user" where username = %s)',
                [alice.name],
            )
            created = pool.submit(refused, lambda: alice.graphql(INSERT, posts=[post]))
            blocked = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            pid = deletes.info.backend_pid
            wait_until(lambda: observer.execute(blocked, [pid]).fetchone() != (0,), bool)
            deletes.commit()

            assert created.result(60).startswith("At most 1 posts may be created or moved")

    def test_who_has_not_signed_up_is_told_about_the_post_and_not_about_its_counting(self, alice: Author) -> None:
        alice.stack.graphql(
            "mutation ($n: String!) { delete_user(where: {username: {_eq: $n}}) { affected_rows } }", {"n": alice.name}
        )

        with pytest.raises(GraphQLFailed, match='"user_id" of relation "scheduled_post"'):
            alice.insert(1)

    def test_requests_at_the_same_time_stay_within_the_limit_together(self, alice: Author) -> None:
        alice.may(changes=10)

        with ThreadPoolExecutor(16) as pool:
            statuses = Counter(pool.map(lambda _: alice.create().status_code, range(24)))

        assert statuses == {201: 10, 429: 14}
        assert alice.posts() == 10


class TestPendingPosts:
    def test_one_too_many_is_refused_until_one_is_deleted(self, alice: Author) -> None:
        alice.may(pending=3)
        alice.insert(3)

        answer = alice.create()
        message = refused(lambda: alice.insert(1))
        alice.graphql('mutation { delete_scheduled_post(where: {text: {_eq: "x"}}) { affected_rows } }')

        assert assert_refused(answer, 429)["detail"].startswith(
            "At most 3 posts may be pending. Delete one, or try again in "
        )
        assert message.startswith("At most 3 posts may be pending.")
        assert alice.create().status_code == 201

    def test_the_wait_is_until_the_next_post_is_due(self, alice: Author) -> None:
        alice.may(pending=1)
        alice.insert(1, at=in_days(0.5))

        wait = int(alice.create().headers["Retry-After"])

        assert 43_000 < wait <= 43_200

    def test_a_post_that_failed_may_be_tried_again_only_within_the_limit(self, alice: Author) -> None:
        alice.may(pending=1)
        alice.insert(1)
        fail = """mutation ($name: String!) {
          sent: update_scheduled_post(where: {user: {username: {_eq: $name}}}, _set: {state: "missed", reason: "r"}) {
            affected_rows } }"""
        alice.stack.graphql(fail, {"name": alice.name})
        alice.insert(1)

        missed = {"state": {"_eq": "missed"}}

        message = refused(lambda: alice.graphql(MOVE, where=missed, at=in_days(1).isoformat()))

        assert message.startswith("At most 1 posts may be pending.")


class TestADayOfAnAccount:
    def test_one_too_many_for_a_day_is_refused_and_another_day_is_free(self, alice: Author) -> None:
        alice.may(posts_a_day=2)
        noon = in_days(3).replace(hour=12)
        alice.insert(2, at=noon)

        answer = alice.create(noon + timedelta(hours=2))

        assert assert_refused(answer, 429)["detail"] == (
            f"At most 2 posts may be scheduled from @{alice.name} for one day (UTC). "
            f"Choose another day than {noon:%Y-%m-%d}."
        )
        assert alice.create(noon + timedelta(days=1)).status_code == 201

    def test_posts_cannot_be_moved_together_onto_one_day(self, alice: Author) -> None:
        alice.may(posts_a_day=2)
        for day in (2, 3, 4):
            alice.insert(1, at=in_days(day))

        assert refused(lambda: alice.move_all(in_days(5))).startswith("At most 2 posts may be scheduled from")

    def test_authors_who_share_an_account_stay_within_its_limit_together(
        self, stack: RunningStack, alice: Author
    ) -> None:
        alice.may(posts_a_day=5)
        bob = Author(stack)
        [account] = alice.graphql("{ account { id } }")["account"]
        stack.graphql(SHARE, {"name": bob.name, "account": account["id"]})
        noon = in_days(3).replace(hour=12)

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda who: who.create(noon, account_id=account["id"]), [alice, bob] * 6))

        assert Counter(answer.status_code for answer in answers) == {201: 5, 429: 7}

    def test_a_post_may_be_moved_within_its_full_day(self, alice: Author) -> None:
        alice.may(posts_a_day=1)
        noon = in_days(3).replace(hour=12)
        alice.insert(1, at=noon)

        assert alice.move_all(noon + timedelta(hours=1))["update_scheduled_post"]["affected_rows"] == 1

    def test_days_that_have_passed_are_no_way_to_publish_more_now(self, alice: Author) -> None:
        alice.may(posts_a_day=2)
        old_news = {"text": "x", "when_late": "publish", "schedule_for": in_days(-1.01).isoformat()}

        inserted = refused(lambda: alice.graphql(INSERT, posts=[old_news]))
        alice.insert(1)
        moved = refused(lambda: alice.move_all(in_days(-400)))

        assert inserted == moved == "The time is more than a day in the past. Choose a later one."
        assert alice.posts() == 1

    def test_the_limit_of_somebody_elses_account_tells_nothing_about_it(
        self, stack: RunningStack, alice: Author
    ) -> None:
        bob = Author(stack)
        bob.may(posts_a_day=0)
        account = stack.graphql(
            "query ($n: String!) { account(where: {account_name: {_eq: $n}}) { id } }", {"n": bob.name}
        )
        post = {"text": "x", "schedule_for": in_days(1).isoformat()}
        alice.insert(1)
        move = "mutation ($id: bigint!) { update_scheduled_post(where: {}, _set: {account_id: $id}) { affected_rows } }"

        def answer(document: str, **variables: Any) -> Any:
            with pytest.raises(GraphQLFailed) as caught:
                alice.graphql(document, **variables)
            return caught.value.errors

        theirs, nobodys = account["account"][0]["id"], 2**60
        assert answer(INSERT, posts=[post | {"account_id": theirs}]) == answer(
            INSERT, posts=[post | {"account_id": nobodys}]
        )
        assert answer(move, id=theirs) == answer(move, id=nobodys)


def test_a_request_of_many_changes_ends_when_a_single_one_would_have_to(alice: Author) -> None:
    alice.insert(1)
    with psycopg.connect(alice.stack.settings["PG_DATABASE_URL"]) as request:
        request.execute(
            "select set_config('hasura.user', json_build_object('x-hasura-user-id', %s::text)::text, true)",
            [alice.name],
        )
        change = "update scheduled_post set text = 'y' where user_id = session_author()"
        request.execute(change)
        request.execute("select pg_sleep(3.1)")
        request.execute("set local statement_timeout = '3s'")

        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"^This request takes too long\."):
            request.execute(change)


class TestTheCommand:
    def test_it_shows_the_limits_and_sets_and_ends_exceptions(self, stack: RunningStack, alice: Author) -> None:
        environment = {**stack.settings, "PATH": "/usr/bin:/bin"}

        def limits(*options: str) -> str:
            command = [sys.executable, "-m", "admin.limits", *options]
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
            return ran.stdout + ran.stderr

        of_user = limits("--user", alice.name, "--pending", "5", "--changes", "7")
        of_account = limits("--account", alice.name, "--posts-a-day", "9")
        ended = limits("--user", alice.name, "--pending", "default", "--changes", "default")

        assert "   300  pending posts of an author\n" in of_user
        assert f"Exception for {alice.name}: 5 pending posts of an author, 7 posts created or moved" in of_user
        assert f"Exception for @{alice.name}: 9 posts of an account for one day (UTC).\n" in of_account
        assert f"Exception for {alice.name}: " not in ended
        assert "There is no user of this name." in limits("--user", "nobody", "--pending", "1")
        assert "Of a user there are --pending, --changes and --drafts" in limits(
            "--user", alice.name, "--posts-a-day", "1"
        )
        assert "expected a whole number, or default" in limits("--pending", "-1")
