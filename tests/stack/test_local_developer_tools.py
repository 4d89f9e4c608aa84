"""The routes of the page's developer tools: Hasura's events, X's tweets, and fault injection."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import psycopg
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer
from waiting import wait_until

from local.running_stack import RunningStack
from local.web_server.hasura_events import HasuraEvents, Selection
from local.web_server.masking import HIDDEN, Mask


class Author:
    """A user of the stack, and what the developer tools answer them."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.name = f"u{secrets.token_hex(5)}"
        self.token = stack.token(self.name)

    def schedule(self, **from_now: float) -> int:
        """The id of a new post."""
        schedule_for = (datetime.now(UTC) + timedelta(**from_now)).isoformat()
        answer = self.stack.create_post(self.token, {"text": f"Hello {self.name}", "schedule_for": schedule_for})
        return int(answer.json()["insert_scheduled_post_one"]["id"])

    def publish(self) -> int:
        """The id of a new post whose event was delivered."""
        post_id = self.schedule(seconds=0)
        wait_until(lambda: self.events("processed", post=post_id), bool)
        return post_id

    def has_its_event(self, post_id: int) -> bool:
        """Whether the event of a post is written down on it."""
        query = "query($id: bigint!) { scheduled_post_by_pk(id: $id) { event_id } }"
        post = self.stack.graphql(query, {"id": post_id})["scheduled_post_by_pk"]
        return post["event_id"] is not None

    def move(self, post_id: int, to: str) -> None:
        self.stack.graphql(
            "mutation($id: bigint!, $to: timestamptz!) {"
            " update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $to}) { id } }",
            {"id": post_id, "to": to},
            self.token,
        )

    def create_event(self, post_id: int, **from_now: float) -> None:
        """Creates one more scheduled event of a post, which postTweet refuses: it has no secret."""
        self.stack.metadata(
            "create_scheduled_event",
            {
                "webhook": f"{self.stack.urls['functions']}/api/postTweet",
                "schedule_at": (datetime.now(UTC) + timedelta(**from_now)).isoformat(),
                "payload": {"id": post_id},
                "retry_conf": {"num_retries": 1, "retry_interval_seconds": 3600},
            },
        )

    def wait_until_the_next_table_event_is_its_own(self) -> None:
        """A fault is for the next event of any post: earlier tests left some that are new or to be delivered again."""
        wait_until(self.postpone_retries, lambda events: all(map(is_postponed, events)))

    def postpone_retries(self) -> list[dict[str, Any]]:
        """The pending table events, after those that are to be delivered again were postponed by an hour."""
        with psycopg.connect(self.stack.settings["PG_DATABASE_URL"]) as database:
            database.execute(
                "update hdb_catalog.event_log set next_retry_at = now() + interval '1 hour'"
                " where tries > 0 and locked is null and not delivered and not error"
            )
        return self.events("pending", kind="table")

    def get(self, route: str, **query: Any) -> requests.Response:
        return requests.get(f"{self.stack.urls['web']}/_local/{route}", params=query)

    def events(self, which: str, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.get("events", **query).json()[which]["rows"]
        return rows

    def invocations(self, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.get("invocations", **query).json()["rows"]
        return rows

    def request(self, method: str, route: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self.stack.urls['web']}/_local/{route}", json=body)


@pytest.fixture
def author(stack: RunningStack) -> Author:
    return Author(stack)


class TestEvents:
    def test_the_event_of_a_post_is_pending(self, author: Author) -> None:
        post_id = author.schedule(hours=1)

        [event] = author.events("pending", post=post_id)

        assert (event["kind"], event["name"], event["status"]) == ("one_off", f"publishes post {post_id}", "scheduled")
        assert (event["post_id"], event["tries"]) == (post_id, 0)
        assert event["due_at"] == event["delivery_at"] == event["row"]["scheduled_time"]
        assert author.events("processed", post=post_id) == []

    def test_a_delivered_event_is_processed_and_its_delivery_is_logged(self, author: Author) -> None:
        post_id = author.publish()

        [event] = author.events("processed", post=post_id)
        deliveries = author.invocations(post=post_id)  # more than one if another delivery had the post locked

        assert (event["status"], event["tries"]) == ("delivered", len(deliveries))
        delivery = next(one for one in deliveries if one["status"] == 200)
        assert (delivery["event_id"], delivery["name"]) == (event["id"], event["name"])
        assert delivery["request"]["payload"]["payload"]["id"] == post_id
        assert delivery["response"]["data"]["body"]["post_id"] == post_id
        assert author.events("pending", post=post_id) == []

    def test_an_event_that_will_be_delivered_again_is_pending_with_the_time_of_its_next_delivery(
        self, author: Author
    ) -> None:
        post_id = author.schedule(hours=2)
        author.create_event(post_id, seconds=0)

        [delivery] = wait_until(lambda: author.invocations(post=post_id), bool)
        event, _ = wait_until(
            lambda: author.events("pending", post=post_id, kind="one_off"), lambda events: events[0]["tries"] == 1
        )

        assert delivery["status"] == 401
        assert (event["status"], delivery["event_id"]) == ("scheduled", event["id"])
        assert event["delivery_at"] == event["row"]["next_retry_at"] > event["due_at"]

    def test_a_table_event_has_the_shape_of_a_scheduled_event(self, author: Author) -> None:
        post_id = author.schedule(hours=1)
        wait_until(lambda: author.has_its_event(post_id), bool)  # else createPost may set it beside the delivery
        author.move(post_id, "2040-01-01T00:00:00Z")

        [move] = wait_until(lambda: author.events("processed", post=post_id), bool)
        [delivery] = author.invocations(post=post_id, kind="table")

        assert (move["kind"], move["name"], move["status"], move["tries"]) == ("table", "post_moved", "delivered", 1)
        assert (delivery["event_id"], delivery["name"], delivery["status"]) == (move["id"], "post_moved", 200)
        assert all(row["created_at"].endswith("Z") for row in (move, delivery))

    def test_only_the_next_few_events_of_the_cron_trigger_are_pending(self, author: Author) -> None:
        sweeps = author.events("pending", kind="cron")

        assert [(sweep["name"], sweep["post_id"]) for sweep in sweeps] == [("publish_due_posts", None)] * 3
        assert sweeps == sorted(sweeps, key=lambda sweep: sweep["due_at"])

    def test_pending_events_come_soonest_first(self, author: Author) -> None:
        post_id = author.schedule(hours=2)
        author.create_event(post_id, hours=1)

        first, second = author.events("pending", post=post_id, kind="one_off")

        assert first["due_at"] < second["due_at"]
        assert first["created_at"] > second["created_at"]

    def test_processed_events_come_latest_first_and_no_more_than_the_limit(self, author: Author) -> None:
        first, last = author.publish(), author.publish()

        many = author.events("processed", kind="one_off", limit=200)
        one = author.get("events", kind="one_off", limit=1).json()["processed"]

        assert {first, last} <= {event["post_id"] for event in many}
        times = [datetime.fromisoformat(event["delivery_at"]) for event in many]
        assert times == sorted(times, reverse=True)
        [latest] = one["rows"]
        assert datetime.fromisoformat(latest["delivery_at"]) >= times[0]
        assert one["more"]

    def test_more_is_false_when_all_rows_are_in_the_answer(self, author: Author) -> None:
        post_id = author.publish()

        deliveries = len(author.invocations(post=post_id))  # more than one if another delivery had the post locked
        assert author.get("events", post=post_id, limit=1).json()["processed"]["more"] is False
        assert author.get("invocations", post=post_id, limit=deliveries).json()["more"] is False

    def test_only_the_kinds_in_the_query_are_answered(self, author: Author) -> None:
        author.schedule(minutes=1)

        kinds = {event["kind"] for event in author.events("pending", kind=["cron", "table"])}

        assert "cron" in kinds
        assert "one_off" not in kinds

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"kind": "other"}, "kind must be one of one_off, cron, table."),
            ({"post": "x"}, "post must be a whole number from 1 to 9223372036854775807."),
            ({"post": "9" * 5000}, "post must be a whole number from 1 to 9223372036854775807."),
            ({"limit": "0"}, "limit must be a whole number from 1 to 200."),
            ({"limit": "201"}, "limit must be a whole number from 1 to 200."),
            ({"limit": "²"}, "limit must be a whole number from 1 to 200."),
            ({"offset": "1"}, "offset is unknown here; known: kind, limit, post."),
        ],
        ids=lambda value: str(value)[:30],
    )
    @pytest.mark.parametrize("route", ["events", "invocations"])
    def test_an_invalid_query_is_refused(self, author: Author, route: str, query: dict[str, str], words: str) -> None:
        answer = author.get(route, **query)

        assert (answer.status_code, answer.json()) == (400, {"error": words})


class TestTheEventsOfOnePost:
    """Hasura cannot search by post; so a thousand events of each kind are read."""

    @pytest.mark.parametrize(("pending", "searched_all"), [(999, True), (1500, False)])
    def test_the_answer_says_whether_all_events_were_searched(self, pending: int, searched_all: bool) -> None:
        answer = asyncio.run(pending_of_post_seven_at(hasura_with_events_of_other_posts(pending)))

        assert answer == {"rows": [], "more": False, "searched_all": searched_all}

    def test_all_events_count_as_searched_when_no_post_is_named(self, author: Author) -> None:
        author.schedule(hours=1)

        assert author.get("events", limit=1).json()["pending"]["searched_all"] is True


def hasura_with_events_of_other_posts(number: int) -> web.Application:
    time = "2030-01-01T00:00:00Z"
    event = {"status": "scheduled", "tries": 0, "created_at": time, "scheduled_time": time, "next_retry_at": None}
    events = [{**event, "id": str(post_id), "payload": {"id": post_id}} for post_id in range(8, number + 8)]

    async def metadata(request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"events": events[: body["args"]["limit"]]})

    app = web.Application()
    app.router.add_post("/v1/metadata", metadata)
    return app


async def pending_of_post_seven_at(hasura: web.Application) -> dict[str, Any]:
    async with TestServer(hasura) as server, aiohttp.ClientSession() as session:
        events = HasuraEvents(session, str(server.make_url("")).rstrip("/"), {}, Mask([]))
        return await events.pending(Selection(kinds=("one_off",), post_id=7, limit=8))


class TestSecrets:
    def test_a_secret_that_hasura_logs_in_clear_text_is_in_no_answer(self, author: Author) -> None:
        secret = author.stack.settings["WEBHOOK_SECRET"]
        post_id = secrets.randbelow(10**9) + 10**9
        author.stack.metadata(
            "create_scheduled_event",
            {
                "webhook": f"http://user:{secret}@localhost:1/webhook?code=function-key",
                "schedule_at": datetime.now(UTC).isoformat(),
                "payload": {"id": post_id, "note": f"the secret is {secret}"},
                "headers": [{"name": "x-webhook-secret", "value": secret}, {"name": "x-key", "value": "literal-key"}],
            },
        )

        wait_until(lambda: author.events("processed", post=post_id), bool)
        answers = author.get("events", post=post_id).text + author.get("invocations", post=post_id).text

        assert "x-webhook-secret" in answers
        assert "http://(hidden)@localhost:1/webhook?(hidden)" in answers
        assert [word for word in (secret, "function-key", "literal-key") if word in answers] == []

    def test_no_secret_of_the_stack_is_in_any_answer(self, author: Author) -> None:
        author.publish()

        answers = "".join(author.get(route).text for route in ("events", "invocations", "tweets", "fail", "kinds"))

        secret_names = {"HASURA_GRAPHQL_ADMIN_SECRET", "WEBHOOK_SECRET", "CONSUMER_API_KEY", "CONSUMER_API_SECRET"}
        assert "x-webhook-secret" in answers
        assert [name for name in secret_names if author.stack.settings[name] in answers] == []

    def test_the_headers_and_the_query_of_a_call_that_failed_are_hidden(self) -> None:
        headers = {"X-Webhook-Secret": "secret", "Content-Type": "application/json"}
        failure = {"type": "http_exception", "request": {"requestHeaders": headers, "queryString": "?code=key"}}

        masked = Mask([])({"message": json.dumps(failure)})

        assert masked["message"]["request"] == {
            "requestHeaders": {"X-Webhook-Secret": HIDDEN, "Content-Type": "application/json"},
            "queryString": HIDDEN,
        }

    def test_a_cookie_that_the_webhook_sets_is_hidden(self) -> None:
        headers = [{"name": "Set-Cookie", "value": "session"}, {"name": "Retry-After", "value": "30"}]

        assert Mask([])({"headers": headers})["headers"] == [
            {"name": "Set-Cookie", "value": HIDDEN},
            {"name": "Retry-After", "value": "30"},
        ]

    def test_the_longest_of_overlapping_secrets_is_hidden_whole(self) -> None:
        assert Mask(["abc", "abcdef"])("xabcdefy") == f"x{HIDDEN}y"

    def test_a_post_whose_text_is_json_stays_text(self) -> None:
        assert Mask([])({"text": '{"a": 1}'}) == {"text": '{"a": 1}'}

    @pytest.mark.parametrize("body", ["", "plain", "{", "[" * 100_000])
    def test_a_body_that_is_no_json_stays_as_it_is(self, body: str) -> None:
        assert Mask([])({"body": body}) == {"body": body}


class TestFaultInjection:
    def test_each_kind_of_fault_has_a_description(self, author: Author) -> None:
        kinds = {kind["kind"]: kind for kind in author.get("kinds").json()}

        assert kinds["timeout_after"] == {
            "kind": "timeout_after",
            "sort": "The connection breaks",
            "words": "accepted, then no answer",
            "ms": 60_000,
        }
        assert kinds["403"]["ms"] is None

    def test_a_fault_of_x_is_set_and_removed(self, author: Author) -> None:
        fault = {"kind": "503", "times": 2, "username": author.name}

        answer = author.request("POST", "fail", fault)
        pending = author.get("fail").json()
        removed = author.request("DELETE", "fail")

        assert answer.status_code == 201
        assert {**fault, "endpoint": "tweets"} in pending
        assert (removed.status_code, removed.json(), author.get("fail").json()) == (200, [], [])

    def test_a_fault_that_x_refuses_is_refused_with_the_message_of_x(self, author: Author) -> None:
        answer = author.request("POST", "fail", {"kind": "503", "times": 0})

        assert (answer.status_code, "times" in answer.json()["error"]) == (400, True)

    def test_an_event_is_delivered_twice(self, author: Author) -> None:
        post_id = author.schedule(hours=1)
        author.wait_until_the_next_table_event_is_its_own()

        answer = author.request("POST", "duplicate_next", {"kind": "table"})
        author.move(post_id, "2040-01-01T00:00:00Z")

        deliveries = wait_until(lambda: author.invocations(post=post_id), lambda seen: len(seen) >= 2)
        assert answer.json() == {"message": "success"}
        assert {delivery["event_id"] for delivery in deliveries} == {deliveries[0]["event_id"]}

    def test_a_dropped_event_stays_locked_and_is_not_delivered(self, author: Author) -> None:
        post_id = author.schedule(hours=1)
        author.wait_until_the_next_table_event_is_its_own()

        author.request("POST", "drop_next", {"kind": "table"})
        author.move(post_id, "2040-01-01T00:00:00Z")

        move = wait_until(lambda: author.events("pending", post=post_id, kind="table"), is_locked)[0]
        assert move["tries"] == 0
        assert author.invocations(post=post_id) == []

    def test_the_tweets_are_those_of_x_and_no_more_than_the_limit(self, author: Author) -> None:
        author.publish()
        wait_until(lambda: author.stack.tweets(author.name), bool)  # another delivery may still be sending it

        timeline = author.get("tweets", username=author.name, limit=1)

        assert timeline.json() == author.stack.tweets(author.name)[-1:]


def is_postponed(event: dict[str, Any]) -> bool:
    return event["status"] == "scheduled" and event["tries"] > 0


def is_locked(events: list[dict[str, Any]]) -> bool:
    return [event["status"] for event in events] == ["locked"]
