"""The main job through the whole stack: real HTTP, a real database, Hasura's and X's protocols."""

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from problems import assert_refused
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack
from local.web_server.access_token import AccessTokens

# A thread that a busy machine held up sends nothing and says so; the next delivery goes on.
POST = """query ($id: bigint!) { scheduled_post_by_pk(id: $id) {
  id text state is_pending reason tweet_id schedule_for next_attempt_at reconcile_at event_id account { account_name }
  post_attempts(
    where: {_or: [{outcome: {_is_null: true}}, {outcome: {_neq: "skipped"}}, {detail: {_nlike: "%was held up%"}}]}
    order_by: {number: asc}
  ) {
    number started_at finished_at text outcome rejection status_code detail
  }
} }"""
MOVE = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) { id }
}"""
DELETE = "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }"
INSERT = """mutation ($text: String!, $at: timestamptz!) {
  insert_scheduled_post_one(object: {text: $text, schedule_for: $at}) { id }
}"""


class Author:
    """A signed-in user with a linked account, and what they do through the public APIs."""

    def __init__(self, stack: RunningStack) -> None:
        self.name = "u" + uuid.uuid4().hex[:12]
        self.stack = stack
        self.token = stack.token(self.name)

    def schedule(self, text: str, seconds_ahead: float, **fields: Any) -> int:
        response = self.try_to_schedule(text=text, schedule_for=in_seconds(seconds_ahead), **fields)
        assert response.status_code == 201, response.text
        assert response.json()["scheduled_event"]["message"] == "success"
        post_id: int = response.json()["insert_scheduled_post_one"]["id"]
        return post_id

    def try_to_schedule(self, **fields: Any) -> requests.Response:
        return self.stack.create_post(self.token, fields)

    def graphql(self, document: str, **variables: Any) -> Any:
        return self.stack.graphql(document, variables, token=self.token)

    def post(self, post_id: int) -> dict[str, Any]:
        post: dict[str, Any] = self.graphql(POST, id=post_id)["scheduled_post_by_pk"]
        return post

    def change(self, post_id: int, **changes: Any) -> Any:
        return self.graphql(MOVE, id=post_id, changes=changes)["update_scheduled_post_by_pk"]

    def post_once(self, post_id: int, *states: str) -> dict[str, Any]:
        """The post as soon as it is in one of these states."""
        return wait_until(lambda: self.post(post_id), lambda post: post["state"] in states)

    def tweets(self) -> list[str]:
        return [tweet["text"] for tweet in self.stack.tweets(self.name)]


@pytest.fixture
def alice(stack: RunningStack) -> Author:
    return Author(stack)


@pytest.fixture
def bob(stack: RunningStack) -> Author:
    return Author(stack)


def with_roles(author: Author, default: str, allowed: list[str]) -> str:
    """A token of the author with other roles than those of the local stack's tokens."""
    secret = json.loads(author.stack.settings["HASURA_GRAPHQL_JWT_SECRET"])
    claims = jwt.decode(author.token, secret["key"], [secret["type"]])
    session = {"x-hasura-user-id": author.name, "x-hasura-default-role": default, "x-hasura-allowed-roles": allowed}
    return jwt.encode({**claims, "https://hasura.io/jwt/claims": session}, secret["key"], secret["type"])


def says_why(post: dict[str, Any]) -> bool:
    """Whether X, or a rule of ours, said what became of the post."""
    return bool(post["reason"]) and "held up" not in post["reason"]


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def deliver(stack: RunningStack, post_id: int | None, secret: str | None = None) -> requests.Response:
    """Calls the webhook as Hasura does. A delivery may wait for a minute and then publish."""
    body = {"id": str(uuid.uuid4()), "scheduled_time": in_seconds(0), "payload": {"id": post_id} if post_id else None}
    headers = {"x-webhook-secret": secret or stack.settings["WEBHOOK_SECRET"]}
    return requests.post(f"{stack.urls['functions']}/api/postTweet", json=body, headers=headers, timeout=150)


class TestTheMainJob:
    def test_a_post_goes_out_once_at_its_time_and_says_so(self, alice: Author) -> None:
        post_id = alice.schedule("Hello, world", seconds_ahead=1)

        post = alice.post_once(post_id, "tweeted")

        [tweet] = alice.stack.tweets(alice.name)
        assert (tweet["text"], tweet["id"]) == ("Hello, world", post["tweet_id"])
        assert tweet["created_at"] >= post["schedule_for"][:19]
        assert (post["is_pending"], post["reason"], post["account"]) == (False, None, {"account_name": alice.name})
        [attempt] = post["post_attempts"]
        assert (attempt["outcome"], attempt["text"]) == ("tweeted", "Hello, world")
        assert attempt["started_at"] <= attempt["finished_at"]

    def test_twenty_posts_of_one_moment_all_go_out_once(self, alice: Author) -> None:
        texts = [f"number {number}" for number in range(20)]
        for text in texts:
            alice.schedule(text, seconds_ahead=1)

        wait_until(alice.tweets, lambda seen: len(seen) >= len(texts))

        assert sorted(alice.tweets()) == sorted(texts)

    def test_an_edited_post_goes_out_with_its_new_text(self, alice: Author) -> None:
        post_id = alice.schedule("first thought", seconds_ahead=3600)

        alice.change(post_id, text="second thought")
        alice.change(post_id, schedule_for=in_seconds(0))

        alice.post_once(post_id, "tweeted")
        assert alice.tweets() == ["second thought"]

    def test_a_deleted_post_does_not_go_out_and_its_event_is_answered(self, alice: Author) -> None:
        post_id = alice.schedule("regretted", seconds_ahead=3600)
        alice.graphql(DELETE, id=post_id)

        answer = deliver(alice.stack, post_id)

        assert (answer.status_code, answer.json()["reason"][:21]) == (200, "There is no such post")
        assert alice.tweets() == []

    def test_a_post_moved_earlier_goes_out_at_its_new_time(self, alice: Author) -> None:
        post_id = alice.schedule("sooner", seconds_ahead=3600)

        alice.change(post_id, schedule_for=in_seconds(1))

        alice.post_once(post_id, "tweeted")
        assert alice.tweets() == ["sooner"]

    def test_a_post_moved_later_does_not_go_out_at_its_old_time_but_at_its_new_one(self, alice: Author) -> None:
        post_id = alice.schedule("later", seconds_ahead=1800)
        wait_until(lambda: alice.post(post_id)["event_id"], bool)  # it is written down behind the answer
        later = in_seconds(3600)
        alice.change(post_id, schedule_for=later)
        wait_until_its_event_is_for(alice.stack, post_id, later)  # another delivery sets it

        at_its_old_time = deliver(alice.stack, post_id)

        assert (at_its_old_time.status_code, at_its_old_time.json()["state"]) == (200, "scheduled")
        assert "Not due before" in at_its_old_time.json()["reason"]
        new_time = in_seconds(1)
        alice.change(post_id, schedule_for=new_time)
        alice.post_once(post_id, "tweeted")
        [tweet] = alice.stack.tweets(alice.name)
        assert tweet["created_at"][:19] >= new_time[:19]

    def test_a_post_that_is_moved_again_and_again_has_one_event_for_its_time(self, alice: Author) -> None:
        post_id = alice.schedule("moved", seconds_ahead=3600)
        wait_until(lambda: alice.post(post_id)["event_id"], bool)  # it is written down behind the answer

        for hours in (2, 3, 4):
            new_time = in_seconds(hours * 3600)
            alice.change(post_id, schedule_for=new_time)
            wait_until_its_event_is_for(alice.stack, post_id, new_time)

        [event] = events_of(alice.stack, post_id)
        assert alice.post(post_id)["event_id"] == event["id"]

    def test_a_post_that_was_moved_to_now_leaves_no_event_for_its_earlier_time(self, alice: Author) -> None:
        post_id = alice.schedule("now", seconds_ahead=3600)
        wait_until(lambda: alice.post(post_id)["event_id"], bool)  # it is written down behind the answer

        alice.change(post_id, schedule_for=in_seconds(0))

        alice.post_once(post_id, "tweeted")
        wait_until(lambda: events_of(alice.stack, post_id), lambda events: events == [])

    @pytest.mark.parametrize(("hours_ago", "state"), [(1, "tweeted"), (7, "missed")])
    def test_a_post_moved_into_the_past_goes_out_at_once_or_is_missed(
        self, alice: Author, hours_ago: int, state: str
    ) -> None:
        post_id = alice.schedule("at last", seconds_ahead=3600)

        alice.change(post_id, schedule_for=in_seconds(-3600 * hours_ago))

        alice.post_once(post_id, state)
        assert alice.tweets() == (["at last"] if state == "tweeted" else [])

    def test_a_post_without_an_event_goes_out_with_the_sweep(self, alice: Author) -> None:
        post_id = alice.graphql(INSERT, text="swept", at=in_seconds(-1))["insert_scheduled_post_one"]["id"]

        answer = deliver(alice.stack, None)

        assert (answer.status_code, answer.json()["post_id"]) == (200, None)
        alice.post_once(post_id, "tweeted")
        assert alice.tweets() == ["swept"]

    def test_an_event_that_is_delivered_again_and_again_publishes_once(self, alice: Author) -> None:
        post_id = alice.schedule("once", seconds_ahead=0.5)
        alice.post_once(post_id, "tweeted")

        answers = [deliver(alice.stack, post_id) for _ in range(3)]

        assert {answer.json()["reason"] for answer in answers} == {"It is published already."}
        assert alice.tweets() == ["once"]

    def test_a_delivery_that_comes_too_early_publishes_nothing_and_sets_no_second_event(self, alice: Author) -> None:
        post_id = alice.schedule("patience", seconds_ahead=3600)
        wait_until(lambda: alice.post(post_id)["event_id"], bool)  # it is written down behind the answer

        answer = deliver(alice.stack, post_id)

        assert "Not due before" in answer.json()["reason"]
        assert alice.tweets() == []
        assert len(events_of(alice.stack, post_id)) == 1

    def test_an_event_holds_no_secret(self, alice: Author) -> None:
        post_id = alice.schedule("plain", seconds_ahead=3600)

        [event] = events_of(alice.stack, post_id)

        assert event["header_conf"] == [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}]
        assert not any(secret in str(event) for name, secret in alice.stack.settings.items() if "SECRET" in name)
        assert alice.token not in str(event)


def events_of(stack: RunningStack, post_id: int) -> list[dict[str, Any]]:
    events = stack.metadata("get_scheduled_events", {"type": "one_off", "status": ["scheduled"]})["events"]
    return [event for event in events if event["payload"].get("id") == post_id]


def invocations_of(stack: RunningStack, event_id: str) -> Any:
    return stack.metadata("get_scheduled_event_invocations", {"type": "one_off", "event_id": event_id})["invocations"]


def wait_until_its_event_is_for(stack: RunningStack, post_id: int, schedule_for: str) -> None:
    """Until the post has one event, which is for this time."""
    early = datetime.fromisoformat(schedule_for) - timedelta(seconds=15)
    wait_until(
        lambda: [datetime.fromisoformat(event["scheduled_time"]) for event in events_of(stack, post_id)],
        lambda times: times == [early],
    )


RELEASE = """mutation ($name: String!) {
  update_account(where: {account_name: {_eq: $name}}, _set: {paused_until: null}) { affected_rows }
}"""


class TestWhatXSays:
    @pytest.fixture(autouse=True)
    def _operator_has_acted(self, stack: RunningStack) -> Iterator[None]:
        yield
        stack.graphql("mutation { update_app(where: {}, _set: {paused_until: null}) { affected_rows } }")

    @pytest.mark.parametrize(
        ("kind", "state", "words", "tweets"),
        [
            pytest.param("402", "scheduled", "credits", 0, id="no-credits"),
            pytest.param("401", "scheduled", "sign-in", 0, id="first-401"),
            pytest.param("403", "failed", "rejects", 0, id="policy"),
            pytest.param("duplicate", "failed", "already", 0, id="duplicate"),
            pytest.param("suspended", "scheduled", "blocked", 0, id="suspended"),
            pytest.param("500", "unknown", "may or may not", 0, id="500"),
            pytest.param("html_520", "unknown", "may or may not", 0, id="html"),
            pytest.param("reset_before", "unknown", "may or may not", 0, id="reset-before"),
            pytest.param("reset_after", "unknown", "may or may not", 1, id="reset-after"),
            pytest.param("commit_then_503", "unknown", "may or may not", 1, id="accepted-then-503"),
        ],
    )
    def test_decides_the_row_with_a_reason_and_is_never_sent_twice(
        self, alice: Author, kind: str, state: str, words: str, tweets: int
    ) -> None:
        # X goes on failing; but what pauses the app fails once, or it would pause it again for the tests behind this.
        alice.stack.fail(kind, times=1 if kind == "402" else 100, username=alice.name)
        post_id = alice.schedule("hello", seconds_ahead=3600)

        alice.change(post_id, schedule_for=in_seconds(-1))

        post = wait_until(lambda: alice.post(post_id), says_why)
        assert post["state"] == state
        assert words in post["reason"]
        assert len(alice.tweets()) == tweets
        deliver(alice.stack, post_id)
        assert len(alice.tweets()) == tweets

    def test_what_the_operator_must_act_on_is_logged_with_the_id_of_the_invocation(self, alice: Author) -> None:
        """Azure drops the lines of a thread that the function started, and so does the local functions host."""
        alice.stack.fail("402", username=alice.name)
        post_id = alice.schedule("no credits", seconds_ahead=3600)

        alice.change(post_id, schedule_for=in_seconds(-1))

        of_an_invocation = r"functions  \[[0-9a-f-]{36}\] "
        for line in (
            r"the operator must act, all posts wait until .*: X wants our",
            rf"post {post_id} is scheduled: X wants our",
        ):
            wait_until(lambda: alice.stack.log, re.compile(of_an_invocation + line).search)

    def test_a_limited_post_is_attempted_again_and_goes_out(self, alice: Author) -> None:
        alice.stack.fail("429", username=alice.name, ms=600_000)
        post_id = alice.schedule("limited", seconds_ahead=0.5)

        post = wait_until(lambda: alice.post(post_id), says_why)

        assert (post["state"], post["post_attempts"][0]["rejection"]) == ("scheduled", "account")
        paused_until = alice.graphql("{ account { paused_until } }")["account"][0]["paused_until"]
        assert paused_until > post["post_attempts"][0]["finished_at"]
        alice.stack.graphql(RELEASE, {"name": alice.name})  # the limit is over sooner than X said
        deliver(alice.stack, post_id)
        assert len(alice.post_once(post_id, "tweeted")["post_attempts"]) == 2
        assert alice.tweets() == ["limited"]


AGE_ATTEMPTS = """mutation ($id: bigint!, $at: timestamptz!) {
  update_post_attempt(where: {post_id: {_eq: $id}}, _set: {finished_at: $at}) { affected_rows }
}"""


class TestAnUnknownOutcome:
    def unknown_post(self, alice: Author, kind: str) -> int:
        """A post whose first attempt ended unknown, long enough ago for an empty timeline to prove something."""
        alice.stack.fail(kind, username=alice.name)
        post_id = alice.schedule(f"{kind} & <b> example.com/{kind}", seconds_ahead=0.3)
        alice.post_once(post_id, "unknown")
        alice.stack.graphql(MOVE, {"id": post_id, "changes": {"reconcile_at": in_seconds(3600)}})
        event_id = wait_until(lambda: alice.post(post_id)["event_id"], bool)
        wait_until(lambda: invocations_of(alice.stack, event_id), bool)  # one that came later would reconcile the post
        alice.stack.graphql(AGE_ATTEMPTS, {"id": post_id, "at": in_seconds(-180)})
        alice.stack.graphql(MOVE, {"id": post_id, "changes": {"reconcile_at": in_seconds(-1)}})
        return post_id

    @pytest.mark.parametrize("kind", ["reset_after", "commit_then_503", "unreadable_201"])
    def test_is_found_on_x_and_the_post_is_published_once(self, alice: Author, kind: str) -> None:
        post_id = self.unknown_post(alice, kind)

        deliver(alice.stack, post_id)

        post = alice.post_once(post_id, "tweeted")  # by this delivery or by another one
        [tweet] = alice.stack.tweets(alice.name)
        assert (post["tweet_id"], post["is_pending"]) == (tweet["id"], False)
        assert [attempt["outcome"] for attempt in post["post_attempts"]] == ["tweeted"]

    @pytest.mark.parametrize("kind", ["reset_before", "503"])
    def test_is_surely_absent_and_the_post_is_published_once(self, alice: Author, kind: str) -> None:
        post_id = self.unknown_post(alice, kind)

        deliver(alice.stack, post_id)

        post = alice.post_once(post_id, "tweeted")
        assert len(alice.tweets()) == 1
        assert [attempt["outcome"] for attempt in post["post_attempts"]] == ["absent", "tweeted"]

    def test_stays_unknown_while_x_cannot_be_asked(self, alice: Author) -> None:
        alice.stack.fail("503", times=100, username=alice.name, endpoint="timeline")  # other deliveries ask, too
        post_id = self.unknown_post(alice, "503")

        deliver(alice.stack, post_id)

        post = wait_until(lambda: alice.post(post_id), lambda post: "X could not be asked" in post["reason"])
        assert post["state"] == "unknown"
        assert alice.tweets() == []


class TestMovingAClosedPost:
    def test_opens_it_again_and_it_goes_out(self, alice: Author) -> None:
        alice.stack.fail("403", username=alice.name)
        post_id = alice.schedule("second chance", seconds_ahead=0.3)
        alice.post_once(post_id, "failed")

        alice.change(post_id, schedule_for=in_seconds(0))

        post = alice.post_once(post_id, "tweeted")
        assert [attempt["outcome"] for attempt in post["post_attempts"]] == ["rejected", "opened", "tweeted"]
        assert alice.tweets() == ["second chance"]

    def test_does_not_open_an_unknown_one_before_it_was_reconciled(self, alice: Author) -> None:
        alice.stack.fail("commit_then_503", username=alice.name)
        alice.stack.fail("503", times=100, username=alice.name, endpoint="timeline")  # it stays unknown
        post_id = alice.schedule("patience", seconds_ahead=0.3)
        alice.post_once(post_id, "unknown")

        alice.change(post_id, schedule_for=in_seconds(0))

        assert deliver(alice.stack, post_id).json()["state"] == "unknown"
        assert alice.tweets() == ["patience"]


class TestAnIdempotencyKey:
    def test_makes_one_post_of_a_double_click(self, alice: Author) -> None:
        draft = {"text": "clicked twice", "schedule_for": in_seconds(3600)}
        key = {"Idempotency-Key": str(uuid.uuid4())}

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: alice.stack.create_post(alice.token, draft, key), range(4)))

        assert [answer.status_code for answer in answers] == [201] * 4
        [post_id] = {answer.json()["insert_scheduled_post_one"]["id"] for answer in answers}
        assert len(events_of(alice.stack, post_id)) == 1
        wait_until(lambda: alice.post(post_id)["event_id"], bool)  # it is written down behind the answer
        again = alice.stack.create_post(alice.token, draft, key).json()
        assert again["scheduled_event"]["message"] == "success"

    def test_for_another_draft_is_refused(self, alice: Author) -> None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        alice.stack.create_post(alice.token, {"text": "one", "schedule_for": in_seconds(3600)}, key)

        problem = assert_refused(
            alice.stack.create_post(alice.token, {"text": "two", "schedule_for": in_seconds(3600)}, key), 422
        )

        assert {fault["field"] for fault in problem["errors"]} == {"text", "schedule_for"}


OPEN_ATTEMPT = """mutation ($id: bigint!, $account: bigint!, $x_user: String!) {
  insert_post_attempt_one(
    object: {post_id: $id, number: 1, text: "crash", account_id: $account, x_user_id: $x_user}
  ) { number }
}"""


class TestBadEnds:
    def test_a_post_whose_publisher_died_is_not_sent_again_before_it_was_reconciled(self, alice: Author) -> None:
        post_id = alice.schedule("crash", seconds_ahead=3600)
        alice.stack.graphql(MOVE, {"id": post_id, "changes": {"state": "sending", "lease_until": in_seconds(3600)}})
        [account] = alice.graphql("{ account { id x_user_id } }")["account"]
        alice.stack.graphql(OPEN_ATTEMPT, {"id": post_id, "account": account["id"], "x_user": account["x_user_id"]})
        alice.stack.graphql(MOVE, {"id": post_id, "changes": {"lease_until": in_seconds(-1)}})

        deliver(alice.stack, post_id)

        post = wait_until(lambda: alice.post(post_id), lambda post: post["reason"] == "X does not show it so far.")
        assert post["state"] == "unknown"
        assert "publisher stopped" in post["post_attempts"][0]["detail"]
        assert alice.tweets() == []

    def test_a_post_that_is_too_late_is_missed(self, alice: Author) -> None:
        post_id = alice.graphql(INSERT, text="old", at=in_seconds(-7 * 3600))["insert_scheduled_post_one"]["id"]

        deliver(alice.stack, post_id)

        post = alice.post_once(post_id, "missed")
        assert "360 minutes" in post["reason"]
        again = deliver(alice.stack, post_id)
        assert (again.status_code, again.json()["state"]) == (200, "missed")
        assert alice.tweets() == []


SIGN_UP = "mutation { insert_user_one(object: {}) { username } }"


class TestSigningUp:
    """What the bearer of a token may do of whom no row is known."""

    def new_token(self, stack: RunningStack) -> tuple[str, str]:
        name = "u" + uuid.uuid4().hex[:12]
        return name, AccessTokens(stack.settings["HASURA_GRAPHQL_JWT_SECRET"]).token_for(name)

    def test_makes_the_row_of_the_token_s_subject_once(self, stack: RunningStack) -> None:
        name, token = self.new_token(stack)

        assert stack.graphql(SIGN_UP, token=token) == {"insert_user_one": {"username": name}}

        with pytest.raises(GraphQLFailed) as refused:
            stack.graphql(SIGN_UP, token=token)
        assert refused.value.errors[0]["extensions"]["code"] == "constraint-violation"
        assert stack.graphql("{ user { username } }", token=token) == {"user": [{"username": name}]}

    @pytest.mark.parametrize(
        "document",
        [
            'mutation { insert_user_one(object: {username: "admin"}) { id } }',
            "mutation { insert_user_one(object: {id: 1}) { id } }",
            "mutation { insert_user_one(object: {account_users: {data: {account_id: 1}}}) { id } }",
            'mutation { insert_user_one(object: {scheduled_posts: {data: {text: "x", schedule_for: "now"}}}) { id } }',
            """mutation { insert_user_one(
            object: {}, on_conflict: {constraint: user_username_key, update_columns: [username]}) { id } }""",
            'mutation { update_user(where: {}, _set: {username: "other"}) { affected_rows } }',
        ],
    )
    def test_chooses_nothing(self, stack: RunningStack, document: str) -> None:
        _, token = self.new_token(stack)

        with pytest.raises(GraphQLFailed) as refused:
            stack.graphql(document, token=token)

        assert refused.value.errors[0]["extensions"]["code"] == "validation-failed"

    def test_gives_no_account(self, stack: RunningStack) -> None:
        _, token = self.new_token(stack)
        stack.graphql(SIGN_UP, token=token)

        assert stack.graphql("{ account { id } }", token=token) == {"account": []}


class TestWhoMayWhat:
    def test_a_delivery_without_the_secret_is_refused(self, stack: RunningStack) -> None:
        assert_refused(deliver(stack, None, secret="guessed"), 401)

    def test_a_token_with_a_forged_signature_is_refused(self, stack: RunningStack, alice: Author) -> None:
        forged = alice.token[:-4] + ("aaaa" if alice.token[-4:] != "aaaa" else "bbbb")

        assert_refused(stack.create_post(forged, {"text": "x", "schedule_for": in_seconds(60)}), 401)

    def test_nobody_schedules_for_another_user_or_learns_whether_there_is_one(self, alice: Author, bob: Author) -> None:
        [known] = bob.graphql("{ user { id } }")["user"]
        key = f'"{uuid.uuid4()}"'
        bob.stack.create_post(bob.token, {"text": "x", "schedule_for": in_seconds(3600)}, {"Idempotency-Key": key})
        draft = {"text": "x", "schedule_for": in_seconds(3600)}

        refused = [
            assert_refused(alice.stack.create_post(alice.token, {**draft, "user_id": user_id}, headers), 403)
            for user_id in (known["id"], 2**40)
            for headers in ({}, {"Idempotency-Key": key})
        ]

        assert {problem["detail"] for problem in refused} == {"user_id must be your own."}

    def test_an_author_may_give_their_own_user_id(self, alice: Author) -> None:
        [user] = alice.graphql("{ user { id } }")["user"]

        post_id = alice.schedule("mine", seconds_ahead=3600, user_id=user["id"])

        assert alice.graphql("{ scheduled_post { id user_id } }")["scheduled_post"] == [
            {"id": post_id, "user_id": user["id"]}
        ]

    def test_through_graphql_a_post_is_its_sender_s_and_no_user_can_be_named(self, alice: Author, bob: Author) -> None:
        [user] = bob.graphql("{ user { id } }")["user"]
        document = "mutation ($post: scheduled_post_insert_input!) { insert_scheduled_post_one(object: $post) { id } }"

        for user_id in (user["id"], 2**40):
            with pytest.raises(GraphQLFailed, match="field 'user_id' not found in type: 'scheduled_post_insert_input'"):
                alice.graphql(document, post={"text": "x", "schedule_for": in_seconds(60), "user_id": user_id})

    def test_a_token_that_allows_the_admin_too_gains_nothing_by_it(self, alice: Author, bob: Author) -> None:
        [account] = bob.graphql("{ account { id } }")["account"]
        token = with_roles(alice, default="admin", allowed=["admin", "user"])

        own = alice.stack.create_post(token, {"text": "x", "schedule_for": in_seconds(3600)})
        of_bob = alice.stack.create_post(
            token, {"text": "x", "schedule_for": in_seconds(3600), "account_id": account["id"]}
        )

        assert own.status_code == 201, own.text
        assert [post["id"] for post in alice.graphql("{ scheduled_post { id } }")["scheduled_post"]] == [
            own.json()["insert_scheduled_post_one"]["id"]
        ]
        assert_refused(of_bob, 403)

    @pytest.mark.parametrize("role", ["admin", "linker"])
    def test_a_token_that_does_not_allow_the_role_of_authors_is_refused(self, alice: Author, role: str) -> None:
        token = with_roles(alice, default=role, allowed=[role])

        problem = assert_refused(alice.stack.create_post(token, {"text": "x", "schedule_for": in_seconds(3600)}), 403)

        assert "does not allow the role of authors" in problem["detail"]

    def test_an_account_of_somebody_else_and_one_that_is_not_there_are_refused_alike(
        self, alice: Author, bob: Author
    ) -> None:
        [account] = bob.graphql("{ account { id } }")["account"]

        answers = [
            assert_refused(alice.try_to_schedule(text="x", schedule_for=in_seconds(60), account_id=account_id), 403)
            for account_id in (account["id"], 2**40)
        ]

        assert answers[0] | {"request_id": None} == answers[1] | {"request_id": None}

    def test_a_user_sees_and_changes_nothing_of_another_s(self, alice: Author, bob: Author) -> None:
        post_id = alice.schedule("mine", seconds_ahead=3600)

        assert bob.post(post_id) is None
        assert bob.change(post_id, text="yours") is None
        assert bob.graphql(DELETE, id=post_id)["delete_scheduled_post_by_pk"] is None
        assert bob.graphql("{ scheduled_post_aggregate { aggregate { count } } }") == {
            "scheduled_post_aggregate": {"aggregate": {"count": 0}}
        }
        assert alice.post(post_id)["text"] == "mine"

    @pytest.mark.parametrize(
        "document",
        [
            "{ account { sealed_tokens } }",
            '{ account(where: {sealed_tokens: {_like: "a%"}}) { id } }',
            "{ account(order_by: {sealed_tokens: asc}) { id } }",
            'mutation { insert_account_one(object: {account_name: "x"}) { id } }',
            'mutation { update_scheduled_post(where: {}, _set: {tweet_id: "1"}) { affected_rows } }',
            "mutation { claim_due_posts(args: {}) { post_id } }",
            "mutation { record_outcome(args: {}) { recorded } }",
            "{ claimed_post { account } }",
            "mutation { delete_post_attempt(where: {}) { affected_rows } }",
            "{ scheduled_post { account { sealed_tokens } } }",
        ],
    )
    def test_a_user_has_no_way_to_tokens_or_outcomes(self, alice: Author, document: str) -> None:
        with pytest.raises(GraphQLFailed) as refused:
            alice.graphql(document)

        assert refused.value.errors[0]["extensions"]["code"] == "validation-failed"

    def test_a_user_may_change_whether_a_post_goes_out_when_and_from_where_and_nothing_else(
        self, alice: Author
    ) -> None:
        fields = "query ($type: String!) { __type(name: $type) { inputFields { name } } }"
        allowed = {"text", "schedule_for", "account_id", "when_late", "state"}  # which states: test_kept_drafts.py

        for type_name, names in {
            "scheduled_post_set_input": allowed,
            # Hasura lets `user` be inserted with a post, because a user may sign up: it is their own row in any case.
            "scheduled_post_insert_input": allowed | {"request_key", "request_draft", "user"},
        }.items():
            shown = alice.graphql(fields, type=type_name)["__type"]["inputFields"]
            assert {field["name"] for field in shown} == names

    def test_a_post_cannot_be_moved_to_an_account_of_somebody_else_nor_to_one_that_is_not_there(
        self, alice: Author, bob: Author
    ) -> None:
        post_id = alice.schedule("mine", seconds_ahead=3600)
        [account] = bob.graphql("{ account { id } }")["account"]

        errors = []
        for account_id in (account["id"], 2**40):
            with pytest.raises(GraphQLFailed) as refused:
                alice.change(post_id, account_id=account_id)
            errors += refused.value.errors

        assert errors[0] == errors[1]
        assert errors[0]["extensions"]["code"] == "permission-error"

    def test_a_post_that_is_being_sent_can_be_neither_changed_nor_deleted(self, alice: Author) -> None:
        post_id = alice.schedule("on its way", seconds_ahead=3600)
        alice.stack.graphql(MOVE, {"id": post_id, "changes": {"state": "sending", "lease_until": in_seconds(3600)}})

        with pytest.raises(GraphQLFailed, match="being published just now"):
            alice.change(post_id, text="other")
        with pytest.raises(GraphQLFailed, match="being published just now"):
            alice.graphql(DELETE, id=post_id)
        assert alice.post(post_id)["text"] == "on its way"

    def test_a_published_post_can_be_neither_changed_nor_deleted(self, alice: Author) -> None:
        post_id = alice.schedule("final", seconds_ahead=0.3)
        alice.post_once(post_id, "tweeted")

        with pytest.raises(GraphQLFailed, match="published and cannot be changed"):
            alice.change(post_id, text="other")
        with pytest.raises(GraphQLFailed, match="published and cannot be changed"):
            alice.graphql(DELETE, id=post_id)
        assert alice.post(post_id)["text"] == "final"
