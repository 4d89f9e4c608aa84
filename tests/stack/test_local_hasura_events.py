"""Delivery of scheduled events and cron events by the local Hasura, seen by a webhook."""

import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local_hasura import (
    ADMIN_SECRET,
    PRODUCTION,
    Answer,
    HasuraProcess,
    HasuraServer,
    Webhooks,
    eventually,
    hasura_in_thread,
    hasura_process,
    new_database,
    soon,
    write_project,
)
from waiting import wait_until

pytest_plugins = ["local_hasura_fixtures"]

PATIENT_STOP = {"HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT": "60"}
THE_FIRST_OF_A_MONTH_TO_COME = f"1 {(datetime.now(UTC) + timedelta(days=180)).month} *"
"""The end of a cron schedule: not soon, and each year."""
SELDOM = f"0 0 {THE_FIRST_OF_A_MONTH_TO_COME}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cron = {
        "name": "sweep",
        "webhook": "{{HOOKS}}/sweep",
        "schedule": SELDOM,
        "include_in_metadata": True,
    }
    cron |= {"payload": {"all": True}, "comment": "the sweep"}
    return write_project(tmp_path_factory.mktemp("project"), [], [cron])


@pytest.fixture(scope="module")
def hasura(
    cluster: str, project: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HasuraProcess]:
    data = tmp_path_factory.mktemp("hasura")
    with hasura_process(new_database(cluster), data, "--project", str(project), environment=environment) as server:
        yield server


class TestTheRequest:
    def test_the_body_is_an_envelope_with_the_payload_inside(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()

        event_id = hasura.create_event(
            hook.url, payload={"id": 7, "text": "¡hola! \x00"}, schedule_at="2026-06-18T20:45:00.5+02:00",
            retry_conf={"tolerance_seconds": 10**9}, comment="post 7",
        )  # fmt: skip

        body = hook.wait_for_calls(1)[0].body
        assert body.pop("created_at").endswith("Z")
        assert body == {
            "id": event_id,
            "scheduled_time": "2026-06-18T18:45:00.5Z",
            "payload": {"id": 7, "text": "¡hola! \x00"},
            "comment": "post 7",
        }

    def test_without_payload_and_comment_the_payload_is_null(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()

        hasura.create_event(hook.url)

        assert set(hook.wait_for_calls(1)[0].body) == {"id", "scheduled_time", "payload", "created_at"}
        assert hook.calls[0].body["payload"] is None

    def test_headers_come_from_the_event_and_the_environment_but_hasuras_own_win(
        self, hasura: HasuraServer, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new()

        hasura.create_event(
            hook.url,
            headers=[
                {"name": "x-plain", "value": "as given"},
                {"name": "x-webhook-secret", "value_from_env": "HOOK_SECRET"},
                {"name": "user-agent", "value": "mine"},
                {"name": "CONTENT-TYPE", "value": "text/plain"},
            ],
        )

        headers = hook.wait_for_calls(1)[0].headers
        assert headers["x-plain"] == "as given"
        assert headers["x-webhook-secret"] == "s3cret"
        assert headers["user-agent"] == "hasura-graphql-engine/v2.43.0"
        assert headers["content-type"] == "application/json"

    def test_variables_in_the_address_are_looked_up(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()

        hasura.create_event(hook.url.replace(webhooks.url, "{{HOOKS}}"))

        assert hook.wait_for_calls(1)

    def test_a_cron_event_names_its_trigger_and_no_creation_time(
        self, hasura: HasuraServer, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new(path="/sweep")

        insert = (
            "insert into hdb_catalog.hdb_cron_events (trigger_name, scheduled_time) values ('sweep', {}) returning id"
        )
        ((event_id,),) = hasura.sql(insert.format("date_trunc('second', now())"))

        body = hook.wait_for_calls(1)[0].body
        assert body.pop("scheduled_time").endswith("Z")
        assert body == {"id": event_id, "name": "sweep", "payload": {"all": True}, "comment": "the sweep"}


class TestTheOutcomeOfATry:
    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_an_answer_of_2xx_delivers_the_event(self, hasura: HasuraServer, webhooks: Webhooks, status: int) -> None:
        hook = webhooks.new(Answer(status, body=""))

        event = hasura.wait_for_status(hasura.create_event(hook.url), "delivered")

        assert (event["tries"], len(hook.calls)) == (1, 1)

    @pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
    def test_any_other_status_is_one_failed_try_by_default(
        self, hasura: HasuraServer, webhooks: Webhooks, status: int
    ) -> None:
        hook = webhooks.new(Answer(status, {"Location": "/elsewhere"}))

        event = hasura.wait_for_status(hasura.create_event(hook.url), "error")

        assert (event["tries"], len(hook.calls)) == (1, 1)

    def test_a_redirect_is_not_followed(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        elsewhere = webhooks.new()
        hook = webhooks.new(Answer(307, {"Location": elsewhere.url}))

        event_id = hasura.create_event(hook.url)

        hasura.wait_for_status(event_id, "error")
        assert elsewhere.calls == []

    def test_num_retries_counts_the_tries_after_the_first(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new(Answer(500))

        event_id = hasura.create_event(hook.url, retry_conf={"num_retries": 2, "retry_interval_seconds": 0})

        assert hasura.wait_for_status(event_id, "error")["tries"] == 3
        assert [call.body["id"] for call in hook.calls] == [event_id] * 3

    def test_a_retry_waits_for_the_interval(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new(Answer(500), Answer(200))

        event_id = hasura.create_event(hook.url, retry_conf={"num_retries": 1, "retry_interval_seconds": 0.4})

        first, second = hook.wait_for_calls(2)
        assert second.arrived - first.arrived >= 0.4
        assert hasura.wait_for_status(event_id, "delivered")["tries"] == 2

    @pytest.mark.parametrize("status", [302, 429])
    def test_retry_after_has_precedence_over_the_interval_and_the_number_of_retries(
        self, hasura: HasuraServer, webhooks: Webhooks, status: int
    ) -> None:
        hook = webhooks.new(Answer(status, {"Retry-After": "1"}), Answer(200))

        event_id = hasura.create_event(hook.url, retry_conf={"num_retries": 0, "retry_interval_seconds": 60})

        first, second = hook.wait_for_calls(2)
        assert second.arrived - first.arrived >= 1
        assert hasura.wait_for_status(event_id, "delivered")["tries"] == 2

    @pytest.mark.parametrize("value", ["0", "-5", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
    def test_a_retry_after_that_is_no_positive_integer_is_ignored(
        self, hasura: HasuraServer, webhooks: Webhooks, value: str
    ) -> None:
        hook = webhooks.new(Answer(503, {"Retry-After": value}))

        event_id = hasura.create_event(hook.url)

        assert hasura.wait_for_status(event_id, "error")["tries"] == 1

    def test_a_huge_retry_after_is_limited(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new(Answer(503, {"Retry-After": "9" * 30}))

        event_id = hasura.create_event(hook.url)

        hook.wait_for_calls(1)
        assert eventually(lambda: hasura.event(event_id)["next_retry_at"]) > "2050"
        assert hasura.event(event_id)["status"] == "scheduled"

    def test_a_webhook_that_takes_too_long_is_a_failed_try(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        patience = threading.Event()
        hook = webhooks.new(Answer(until=patience))

        event_id = hasura.create_event(hook.url, retry_conf={"timeout_seconds": 1})

        hasura.wait_for_status(event_id, "error")
        patience.set()
        (invocation,) = hasura.invocations(event_id)
        assert invocation["status"] is None
        assert "Response timeout" in invocation["response"]["data"]["message"]

    def test_a_refused_connection_is_a_failed_try(self, hasura: HasuraServer) -> None:
        event_id = hasura.create_event("http://127.0.0.1:1/secret?token=hidden")

        hasura.wait_for_status(event_id, "error")
        (invocation,) = hasura.invocations(event_id)
        assert invocation["status"] is None
        assert "Connection failure" in invocation["response"]["data"]["message"]
        assert "hidden" not in str(invocation)

    @pytest.mark.parametrize("webhook", ["not an address", "ftp://example.org", "http://[::1", "{{HOOKS}}:99999/"])
    def test_a_malformed_address_is_a_failed_try(self, hasura: HasuraServer, webhook: str) -> None:
        event_id = hasura.create_event(webhook)

        assert hasura.wait_for_status(event_id, "error")["tries"] == 1

    @pytest.mark.parametrize(
        "event", [{"webhook": "{{NO_SUCH}}/x"}, {"headers": [{"name": "x", "value_from_env": "NO_SUCH"}]}]
    )
    def test_a_missing_variable_is_a_failed_try_without_a_call(
        self, hasura: HasuraServer, webhooks: Webhooks, event: dict[str, Any]
    ) -> None:
        hook = webhooks.new()

        event_id = hasura.create_event(**{"webhook": hook.url, **event})

        hasura.wait_for_status(event_id, "error")
        (invocation,) = hasura.invocations(event_id)
        words = "Error creating the request. The value for environment variables not found: NO_SUCH"
        assert (invocation["status"], invocation["request"]["payload"]) == (500, {"error": words})
        assert hook.calls == []

    def test_an_event_beyond_its_tolerance_is_dead_without_a_call_or_a_log(
        self, hasura: HasuraServer, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new()

        event_id = hasura.create_event(hook.url, schedule_at=soon(-61), retry_conf={"tolerance_seconds": 60})

        event = hasura.wait_for_status(event_id, "dead")
        assert (event["tries"], hasura.invocations(event_id), hook.calls) == (0, [], [])

    def test_a_late_event_within_its_tolerance_is_delivered(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()

        event_id = hasura.create_event(hook.url, schedule_at=soon(-5 * 3600))

        assert hasura.wait_for_status(event_id, "delivered")

    def test_a_retry_beyond_the_tolerance_is_dead(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        gate = threading.Event()
        hook = webhooks.new(Answer(503, until=gate))
        retry_conf = {"num_retries": 1, "retry_interval_seconds": 0, "tolerance_seconds": 600}
        event_id = hasura.create_event(hook.url, retry_conf=retry_conf)
        hook.wait_for_calls(1)

        hasura.sql(
            "update hdb_catalog.hdb_scheduled_events set scheduled_time = now() - interval '1 hour' where id = %s",
            event_id,
        )
        gate.set()

        assert hasura.wait_for_status(event_id, "dead")["tries"] == 1
        assert len(hook.calls) == 1

    def test_an_event_ahead_of_its_time_waits(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()
        due = time.monotonic() + 0.5

        hasura.create_event(hook.url, schedule_at=soon(0.5))

        assert hook.wait_for_calls(1)[0].arrived >= due

    def test_a_deleted_event_is_never_delivered(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        gate = threading.Event()
        slow, deleted, kept = webhooks.new(Answer(until=gate)), webhooks.new(), webhooks.new()
        hasura.create_event(slow.url)
        slow.wait_for_calls(1)  # the next poll waits for this delivery

        event_id = hasura.create_event(deleted.url)
        hasura.ask("delete_scheduled_event", type="one_off", event_id=event_id)
        hasura.create_event(kept.url)
        gate.set()

        kept.wait_for_calls(1)
        assert deleted.calls == []


class TestTheInvocationLog:
    def test_a_delivery_keeps_the_answer_and_the_names_of_variables(
        self, hasura: HasuraServer, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new(Answer(200, {"X-Answer": "yes"}, body="thanks"))
        headers = [{"name": "x-webhook-secret", "value_from_env": "HOOK_SECRET"}, {"name": "x-plain", "value": "a"}]

        event_id = hasura.create_event(hook.url, headers=headers)

        hasura.wait_for_status(event_id, "delivered")
        (invocation,) = hasura.invocations(event_id)
        assert set(invocation) == {"id", "event_id", "status", "request", "response", "created_at"}
        assert (invocation["event_id"], invocation["status"]) == (event_id, 200)
        assert invocation["request"] == {
            "payload": hook.calls[0].body,
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                {"name": "User-Agent", "value": "hasura-graphql-engine/v2.43.0"},
                *headers,
            ],
            "version": "1",
        }
        response = invocation["response"]
        assert (response["type"], response["version"]) == ("webhook_response", "1")
        assert (response["data"]["status"], response["data"]["body"]) == (200, "thanks")
        assert {"name": "X-Answer", "value": "yes"} in response["data"]["headers"]

    def test_a_failure_keeps_the_body_alone(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new(Answer(503, body="later"))

        event_id = hasura.create_event(hook.url)

        hasura.wait_for_status(event_id, "error")
        (invocation,) = hasura.invocations(event_id)
        assert invocation["status"] == 503
        assert invocation["response"] == {"type": "client_error", "version": "1", "data": {"message": "later"}}

    def test_the_server_log_has_a_line_for_each_thing_and_no_secret(
        self, hasura: HasuraProcess, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new(Answer(503), Answer(200))
        headers = [{"name": "x-webhook-secret", "value_from_env": "HOOK_SECRET"}]

        event_id = hasura.create_event(
            hook.url, headers=headers, retry_conf={"num_retries": 1, "retry_interval_seconds": 0}
        )

        hasura.wait_for_status(event_id, "delivered")
        name = hook.url.rpartition("/")[2]
        lines = [line.split("hasura     ")[1] for line in hasura.log.read_text().splitlines() if event_id in line]
        assert lines[0].startswith("scheduled event created for ")
        assert lines[1:] == [f"event {name} -> 503, retry in 0s ({event_id})", f"event {name} -> 200 ({event_id})"]
        assert "s3cret" not in hasura.log.read_text()
        assert ADMIN_SECRET not in hasura.log.read_text()


class TestThePoll:
    def test_events_that_are_due_together_are_delivered_at_once(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        gate = threading.Event()
        hook = webhooks.new(Answer(until=gate))

        event_ids = hasura.create_events_at_once(hook.url, 5)

        hook.wait_for_calls(5)
        gate.set()
        assert {call.body["id"] for call in hook.calls} == event_ids

    def test_three_hundred_events_at_once_are_delivered_once_each(
        self, hasura: HasuraServer, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new()

        event_ids = hasura.create_events_at_once(hook.url, 300)

        wait_until(lambda: len(hook.calls), lambda calls: calls >= 300, seconds=300)
        delivered = (
            "select count(*) from hdb_catalog.hdb_scheduled_events where webhook_conf #>> '{}' = %s and status = %s"
        )
        wait_until(lambda: hasura.sql(delivered, hook.url, "delivered"), lambda found: found == [(300,)], seconds=300)
        assert sorted(call.body["id"] for call in hook.calls) == sorted(event_ids)

    def test_a_slow_webhook_delays_the_next_poll(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        patience = threading.Event()
        slow, next_one = webhooks.new(Answer(until=patience)), webhooks.new()
        hasura.create_event(slow.url)
        slow.wait_for_calls(1)

        event_id = hasura.create_event(next_one.url)

        several_polls_later = time.monotonic() + 1
        while time.monotonic() < several_polls_later:
            assert hasura.event(event_id)["status"] == "scheduled"
        assert next_one.calls == []
        patience.set()
        assert next_one.wait_for_calls(1)

    def test_sequential_delivery_calls_one_webhook_after_the_other(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        hook = webhooks.new()
        with hasura_in_thread(new_database(cluster), project, environment, concurrent=False) as server:
            server.create_events_at_once(hook.url, 10)

            hook.wait_for_calls(10)
            assert hook.most_at_once == 1

    def test_duplicate_next_delivers_an_event_twice(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()
        hasura.inject("duplicate_next", times=1)

        first = hasura.create_event(hook.url)
        hook.wait_for_calls(2)
        second = hasura.create_event(hook.url)

        hook.wait_for_calls(3)
        assert [call.body["id"] for call in hook.calls] == [first, first, second]

    def test_drop_next_leaves_an_event_locked_and_undelivered(self, hasura: HasuraServer, webhooks: Webhooks) -> None:
        hook = webhooks.new()
        hasura.inject("drop_next")

        lost = hasura.create_event(hook.url)
        hasura.wait_for_status(lost, "locked")
        kept = hasura.create_event(hook.url)

        assert hasura.wait_for_status(kept, "delivered")
        assert [call.body["id"] for call in hook.calls] == [kept]


class TestTheLifeOfTheServer:
    def test_a_scheduled_event_survives_a_restart(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        hook, database = webhooks.new(), new_database(cluster)
        with hasura_in_thread(database, project, environment) as server:
            event_id = server.create_event(hook.url, schedule_at=soon(3600))
        server.sql("update hdb_catalog.hdb_scheduled_events set scheduled_time = now()")

        with hasura_in_thread(database, project, environment) as server:
            assert server.wait_for_status(event_id, "delivered")

        assert len(hook.calls) == 1

    def test_a_locked_event_is_unlocked_when_the_server_starts(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        crash = threading.Event()
        hook, database = webhooks.new(Answer(until=crash), Answer()), new_database(cluster)
        with hasura_process(database, tmp_path, "--project", str(project), environment=environment) as server:
            event_id = server.create_event(hook.url)
            hook.wait_for_calls(1)
            server.stop(signal.SIGKILL)
        crash.set()

        with hasura_in_thread(database, project, environment) as server:
            event = server.wait_for_status(event_id, "delivered")

        assert [call.body["id"] for call in hook.calls] == [event_id] * 2
        assert event["tries"] == 1

    def test_a_stop_waits_for_deliveries_in_flight(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        patience = threading.Event()
        hook, database = webhooks.new(Answer(until=patience)), new_database(cluster)
        environment = {**environment, **PATIENT_STOP}
        with hasura_process(database, tmp_path, "--project", str(project), environment=environment) as server:
            server.create_event(hook.url)
            hook.wait_for_calls(1)
            server.process.terminate()
            server.wait_for_log("stopping")
            patience.set()

        states = server.sql("select status, tries from hdb_catalog.hdb_scheduled_events")
        assert (server.process.returncode, states) == (0, [("delivered", 1)])

    def test_a_stop_starts_no_further_sequential_delivery(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        patience = threading.Event()
        hook, database = webhooks.new(Answer(until=patience)), new_database(cluster)
        arguments = ["--project", str(project), "--delivery", "sequential"]
        environment = {**environment, **PATIENT_STOP}
        with hasura_process(database, tmp_path, *arguments, environment=environment) as server:
            server.create_events_at_once(hook.url, 2)
            hook.wait_for_calls(1)
            server.process.terminate()
            server.wait_for_log("stopping")
            patience.set()

        assert len(hook.calls) == 1
        states = server.sql("select status from hdb_catalog.hdb_scheduled_events order by 1")
        assert states == [("delivered",), ("scheduled",)]

    def test_a_stop_unlocks_events_whose_delivery_does_not_end_in_time(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        never = threading.Event()
        hook, database = webhooks.new(Answer(until=never)), new_database(cluster)
        environment = {**environment, "HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT": "0.5"}
        with hasura_in_thread(database, project, environment) as server:
            server.create_event(hook.url)
            hook.wait_for_calls(1)
        never.set()

        assert server.sql("select status, tries from hdb_catalog.hdb_scheduled_events") == [("scheduled", 0)]


class TestCron:
    def test_a_hundred_events_are_written_ahead(self, hasura: HasuraServer) -> None:
        hasura.ask("create_cron_trigger", name="often", webhook="{{HOOKS}}/often", include_in_metadata=False,
                   schedule=f"*/5 * {THE_FIRST_OF_A_MONTH_TO_COME}")  # fmt: skip

        events = hasura.ask("get_scheduled_events", type="cron", trigger_name="often")["events"]

        times = [event["scheduled_time"] for event in events]
        assert (len(times), times) == (100, sorted(set(times)))
        assert all(time[14:16] in {f"{minute:02}" for minute in range(0, 60, 5)} for time in times)
        assert times[0] > soon()[:19]

    def test_the_events_are_topped_up_and_never_in_the_past(
        self, cluster: str, project: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        database = new_database(cluster)
        with hasura_in_thread(database, project, environment) as server:
            server.sql("update hdb_catalog.hdb_cron_events set scheduled_time = scheduled_time - interval '150 years'")

        with hasura_in_thread(database, project, environment) as server:
            ahead = "select count(*) from hdb_catalog.hdb_cron_events where scheduled_time > now()"
            eventually(lambda: server.sql(ahead)[0][0] >= 100)

        past = "select count(*) from hdb_catalog.hdb_cron_events where scheduled_time <= now()"
        assert server.sql(past) == [(100,)]  # those of before

    def test_events_missed_while_the_server_was_down_are_delivered_within_their_tolerance(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks, tmp_path: Path
    ) -> None:
        hook, database = webhooks.new(path="/sweep"), new_database(cluster)
        with hasura_in_thread(database, project, environment) as server:
            pass
        server.sql(
            "insert into hdb_catalog.hdb_cron_events (trigger_name, scheduled_time)"
            " select 'sweep', now() - interval '1 hour' * hours from generate_series(4, 8) as hours"
        )

        with hasura_in_thread(database, project, environment) as server:
            hook.wait_for_calls(2)
            dead = "select count(*) from hdb_catalog.hdb_cron_events where status = 'dead'"
            eventually(lambda: server.sql(dead) == [(3,)])

        assert len(hook.calls) == 2

    def test_removing_a_cron_trigger_from_the_metadata_deletes_its_future_events(
        self, cluster: str, environment: dict[str, str], tmp_path: Path
    ) -> None:
        sweep = {
            "name": "sweep",
            "webhook": "{{HOOKS}}/x",
            "schedule": SELDOM,
            "include_in_metadata": True,
        }
        project = write_project(tmp_path / "project", [], [sweep])
        with hasura_in_thread(new_database(cluster), project, environment) as server:
            assert len(server.ask("get_cron_triggers")["cron_triggers"]) == 1

            server.apply_metadata(write_project(project, [], []))

            assert server.ask("get_cron_triggers")["cron_triggers"] == []
            assert server.ask("get_scheduled_events", type="cron", trigger_name="sweep")["events"] == []


def test_the_production_metadata_delivers_its_events(cluster: str, webhooks: Webhooks) -> None:
    hook = webhooks.new(path="/api/postTweet")
    environment = {"ACTIONS_BASE_URL": webhooks.url, "WEBHOOK_SECRET": "shared"}

    with hasura_in_thread(new_database(cluster), PRODUCTION, environment) as server:
        server.sql(
            """insert into "user" (username) values ('alice');
            insert into account (x_user_id, account_name, sealed_tokens)
              values ('1', 'alice', 'v1.k.' || repeat('A', 60));
            insert into account_user (user_id, account_id) select "user".id, account.id from "user", account;
            insert into scheduled_post (user_id, account_id, text, schedule_for)
              select user_id, account_id, 'hello', now() + interval '1 day' from account_user;
            update scheduled_post set schedule_for = now() + interval '2 days'"""
        )
        call = eventually(lambda: [call for call in hook.calls if "trigger" in call.body])[0]

        assert call.body["trigger"] == {"name": "post_moved"}
        assert call.headers["x-webhook-secret"] == "shared"
        assert server.ask("get_inconsistent_metadata") == {"is_consistent": True, "inconsistent_objects": []}
        events = server.ask("get_scheduled_events", type="cron", trigger_name="publish_due_posts")["events"]
        assert len(events) >= 100
