"""What the page's server tells of the inside of the stack, and the switches it has."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer
from waiting import wait_until

from local.running_stack import RunningStack
from local.web_server.hasura_events import HasuraEvents, Wanted
from local.web_server.masking import HIDDEN, Mask


class Author:
    """A user of the stack, and what the machine room tells."""

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
        """The id of a new post whose alarm has rung."""
        post_id = self.schedule(seconds=0)
        wait_until(lambda: self.events("processed", post=post_id), bool)
        return post_id

    def move(self, post_id: int, to: str) -> None:
        self.stack.graphql(
            "mutation($id: bigint!, $to: timestamptz!) {"
            " update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $to}) { id } }",
            {"id": post_id, "to": to},
            self.token,
        )

    def ask(self, route: str, **query: Any) -> requests.Response:
        return requests.get(f"{self.stack.urls['web']}/_local/{route}", params=query)

    def events(self, which: str, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("events", **query).json()[which]["rows"]
        return rows

    def invocations(self, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("invocations", **query).json()["rows"]
        return rows

    def switch(self, method: str, route: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self.stack.urls['web']}/_local/{route}", json=body)


@pytest.fixture
def author(stack: RunningStack) -> Author:
    return Author(stack)


class TestEvents:
    def test_the_alarm_of_a_post_is_pending(self, author: Author) -> None:
        post_id = author.schedule(hours=1)

        [alarm] = author.events("pending", post=post_id)

        assert (alarm["kind"], alarm["name"], alarm["status"]) == ("one_off", f"publishes post {post_id}", "scheduled")
        assert (alarm["post_id"], alarm["tries"]) == (post_id, 0)
        assert alarm["due_at"] == alarm["rings_at"] == alarm["row"]["scheduled_time"]
        assert author.events("processed", post=post_id) == []

    def test_an_alarm_that_rang_is_processed_and_its_ring_is_logged(self, author: Author) -> None:
        post_id = author.publish()

        [alarm] = author.events("processed", post=post_id)
        [ring] = author.invocations(post=post_id)

        assert (alarm["status"], alarm["tries"]) == ("delivered", 1)
        assert (ring["event_id"], ring["name"], ring["status"]) == (alarm["id"], alarm["name"], 200)
        assert ring["request"]["payload"]["payload"]["id"] == post_id
        assert ring["response"]["data"]["body"]["state"] == "tweeted"
        assert author.events("pending", post=post_id) == []

    def test_an_alarm_that_is_to_ring_again_is_pending_and_says_when(self, author: Author) -> None:
        author.switch("POST", "fail", {"kind": "commit_then_503", "username": author.name})
        post_id = author.schedule(seconds=0)

        [ring] = wait_until(lambda: author.invocations(post=post_id), bool)
        [alarm] = author.events("pending", post=post_id)

        assert (ring["status"], ring["response"]["data"]["message"]["state"]) == (503, "unknown")
        assert (alarm["status"], alarm["tries"]) == ("scheduled", 1)
        assert alarm["rings_at"] == alarm["row"]["next_retry_at"] > alarm["due_at"]

    def test_a_move_is_told_like_an_alarm(self, author: Author) -> None:
        post_id = author.schedule(hours=1)
        author.move(post_id, "2040-01-01T00:00:00Z")

        [move] = wait_until(lambda: author.events("processed", post=post_id), bool)
        [ring] = author.invocations(post=post_id, kind="table")

        assert (move["kind"], move["name"], move["status"], move["tries"]) == ("table", "post_moved", "delivered", 1)
        assert (ring["event_id"], ring["name"], ring["status"]) == (move["id"], "post_moved", 200)
        assert all(row["created_at"].endswith("Z") for row in (move, ring))

    def test_of_the_sweep_only_the_next_few_are_pending(self, author: Author) -> None:
        sweeps = author.events("pending", kind="cron")

        assert [(sweep["name"], sweep["post_id"]) for sweep in sweeps] == [("publish_due_posts", None)] * 3
        assert sweeps == sorted(sweeps, key=lambda sweep: sweep["due_at"])

    def test_pending_events_come_soonest_first(self, author: Author) -> None:
        post_id = author.schedule(hours=2)
        author.move(post_id, (datetime.now(UTC) + timedelta(hours=1)).isoformat())

        alarms = wait_until(lambda: author.events("pending", post=post_id, kind="one_off"), lambda seen: len(seen) == 2)

        assert alarms[0]["due_at"] < alarms[1]["due_at"]
        assert alarms[0]["created_at"] > alarms[1]["created_at"]

    def test_the_latest_of_the_processed_come_first_and_no_more_than_asked_for(self, author: Author) -> None:
        first, last = author.publish(), author.publish()

        many = author.events("processed", kind="one_off", limit=200)
        one = author.ask("events", kind="one_off", limit=1).json()["processed"]

        assert [alarm["post_id"] for alarm in many if alarm["post_id"] in (first, last)] == [last, first]
        [latest] = one["rows"]
        assert latest["rings_at"] >= next(alarm["rings_at"] for alarm in many if alarm["post_id"] == last)
        assert one["more"]

    def test_nothing_more_is_said_to_be_there_when_all_is_told(self, author: Author) -> None:
        post_id = author.publish()

        assert author.ask("events", post=post_id, limit=1).json()["processed"]["more"] is False
        assert author.ask("invocations", post=post_id, limit=1).json()["more"] is False

    def test_the_kinds_asked_for_are_told_alone(self, author: Author) -> None:
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
            ({"offset": "1"}, "offset means nothing here; known: kind, limit, post."),
        ],
        ids=lambda value: str(value)[:30],
    )
    @pytest.mark.parametrize("route", ["events", "invocations"])
    def test_a_query_that_means_nothing_is_refused(
        self, author: Author, route: str, query: dict[str, str], words: str
    ) -> None:
        answer = author.ask(route, **query)

        assert (answer.status_code, answer.json()) == (400, {"error": words})


class TestLookingForWhatBelongsToOnePost:
    """Hasura cannot do that; so a thousand events of each kind are read."""

    @pytest.mark.parametrize(("pending", "searched_all"), [(999, True), (1500, False)])
    def test_says_whether_all_were_looked_through(self, pending: int, searched_all: bool) -> None:
        told = asyncio.run(pending_of_post_seven_at(hasura_with_alarms_of_other_posts(pending)))

        assert told == {"rows": [], "more": False, "searched_all": searched_all}

    def test_is_not_said_of_events_of_any_post(self, author: Author) -> None:
        author.schedule(hours=1)

        assert author.ask("events", limit=1).json()["pending"]["searched_all"] is True


def hasura_with_alarms_of_other_posts(number: int) -> web.Application:
    time = "2030-01-01T00:00:00Z"
    alarm = {"status": "scheduled", "tries": 0, "created_at": time, "scheduled_time": time, "next_retry_at": None}
    alarms = [{**alarm, "id": str(post_id), "payload": {"id": post_id}} for post_id in range(8, number + 8)]

    async def metadata(request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response({"events": alarms[: asked["args"]["limit"]]})

    app = web.Application()
    app.router.add_post("/v1/metadata", metadata)
    return app


async def pending_of_post_seven_at(hasura: web.Application) -> dict[str, Any]:
    async with TestServer(hasura) as server, aiohttp.ClientSession() as session:
        events = HasuraEvents(session, str(server.make_url("")).rstrip("/"), {}, Mask([]))
        return await events.pending(Wanted(kinds=("one_off",), post_id=7, limit=8))


class TestSecrets:
    def test_a_secret_that_hasura_logs_in_clear_does_not_leave(self, author: Author) -> None:
        secret = author.stack.settings["WEBHOOK_SECRET"]
        post_id = secrets.randbelow(10**9) + 10**9
        author.stack.metadata(
            "create_scheduled_event",
            {
                "webhook": f"http://user:{secret}@localhost:1/rings?code=function-key",
                "schedule_at": datetime.now(UTC).isoformat(),
                "payload": {"id": post_id, "note": f"the secret is {secret}"},
                "headers": [{"name": "x-webhook-secret", "value": secret}, {"name": "x-key", "value": "literal-key"}],
            },
        )

        wait_until(lambda: author.events("processed", post=post_id), bool)
        told = author.ask("events", post=post_id).text + author.ask("invocations", post=post_id).text

        assert "x-webhook-secret" in told
        assert "http://(hidden)@localhost:1/rings?(hidden)" in told
        assert [word for word in (secret, "function-key", "literal-key") if word in told] == []

    def test_no_secret_of_the_stack_is_in_any_answer(self, author: Author) -> None:
        author.publish()

        told = "".join(author.ask(route).text for route in ("events", "invocations", "tweets", "fail", "kinds"))

        secret_names = {"HASURA_GRAPHQL_ADMIN_SECRET", "WEBHOOK_SECRET", "CONSUMER_API_KEY", "CONSUMER_API_SECRET"}
        assert "x-webhook-secret" in told
        assert [name for name in secret_names if author.stack.settings[name] in told] == []

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


class TestSwitches:
    def test_the_kinds_of_failure_are_told_in_words(self, author: Author) -> None:
        kinds = {kind["kind"]: kind for kind in author.ask("kinds").json()}

        assert kinds["timeout_after"] == {
            "kind": "timeout_after",
            "sort": "The connection breaks",
            "words": "accepted, then no answer",
            "ms": 60_000,
        }
        assert kinds["403"]["ms"] is None

    def test_x_is_made_to_fail_and_to_work_again(self, author: Author) -> None:
        wish = {"kind": "503", "times": 2, "username": author.name}

        switched = author.switch("POST", "fail", wish)
        coming = author.ask("fail").json()
        worked = author.switch("DELETE", "fail")

        assert switched.status_code == 201
        assert {**wish, "endpoint": "tweets"} in coming
        assert (worked.status_code, worked.json(), author.ask("fail").json()) == (200, [], [])

    def test_what_x_refuses_is_refused_in_its_words(self, author: Author) -> None:
        answer = author.switch("POST", "fail", {"kind": "503", "times": 0})

        assert (answer.status_code, "times" in answer.json()["error"]) == (400, True)

    def test_an_event_is_delivered_twice(self, author: Author) -> None:
        post_id = author.schedule(hours=1)

        switched = author.switch("POST", "duplicate_next", {"kind": "table"})
        author.move(post_id, "2040-01-01T00:00:00Z")

        rings = wait_until(lambda: author.invocations(post=post_id), lambda rings: len(rings) == 2)
        assert switched.json() == {"message": "success"}
        assert {ring["event_id"] for ring in rings} == {rings[0]["event_id"]}

    def test_an_event_is_lost_as_if_hasura_had_died_holding_it(self, author: Author) -> None:
        post_id = author.schedule(hours=1)

        author.switch("POST", "drop_next", {"kind": "table"})
        author.move(post_id, "2040-01-01T00:00:00Z")

        move = wait_until(lambda: author.events("pending", post=post_id, kind="table"), is_locked)[0]
        assert move["tries"] == 0
        assert author.invocations(post=post_id) == []

    def test_the_timeline_is_xs_and_as_long_as_asked_for(self, author: Author) -> None:
        author.publish()

        timeline = author.ask("tweets", username=author.name, limit=1)

        assert timeline.json() == author.stack.tweets(author.name)[-1:]


def is_locked(events: list[dict[str, Any]]) -> bool:
    return [event["status"] for event in events] == ["locked"]
