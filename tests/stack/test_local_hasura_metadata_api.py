"""The metadata API of the local Hasura: the commands of each endpoint, their answers and their errors."""

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import yaml
from local_hasura import (
    ADMIN_SECRET,
    DEADLINE,
    HasuraServer,
    hasura_in_thread,
    new_database,
    start_hasura_process,
    write_project,
)

from local.hasura.metadata import MetadataRefused
from local.hasura.metadata_directory import load_metadata
from local.postgres import wait_for

pytest_plugins = ["local_hasura_fixtures"]

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FAR = "2099-01-01T00:00:00Z"
HOOK = "http://127.0.0.1:1/hook"
SELDOM = f"0 0 1 {(datetime.now(UTC) + timedelta(days=180)).month} *"  # and not soon
EVENT: dict[str, Any] = {"webhook": HOOK, "schedule_at": FAR}
CRON: dict[str, Any] = {"webhook": HOOK, "schedule": SELDOM, "include_in_metadata": False}


@pytest.fixture(scope="module")
def hasura(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HasuraServer]:
    cron = {"name": "from_files", "webhook": HOOK, "schedule": SELDOM, "include_in_metadata": True}
    project = write_project(tmp_path_factory.mktemp("project"), [], [cron])
    with hasura_in_thread(new_database(cluster), project) as server:
        yield server


def refused(response: requests.Response, status: int, code: str, path: str, message: str) -> None:
    """An error answer: its status, its code and path, and what its text contains."""
    answer = response.json()
    assert (response.status_code, answer["code"], answer["path"]) == (status, code, path)
    assert message in answer["error"]
    assert set(answer) == {"path", "error", "code"}


class TestCreatingAScheduledEvent:
    @pytest.mark.parametrize("path", ["/v1/query", "/v1/metadata"])
    def test_the_answer_contains_the_event_id(self, hasura: HasuraServer, path: str) -> None:
        answer = hasura.ask("create_scheduled_event", path, **EVENT)

        assert answer["message"] == "success"
        assert UUID.fullmatch(answer["event_id"])

    def test_arguments_that_are_not_given_have_hasuras_defaults(self, hasura: HasuraServer) -> None:
        event_id = hasura.create_event(HOOK, schedule_at=FAR)

        event = hasura.event(event_id)

        assert event.pop("created_at").endswith("Z")
        assert event == {
            "id": event_id,
            "webhook_conf": HOOK,
            "scheduled_time": FAR,
            "retry_conf": {
                "num_retries": 0,
                "retry_interval_seconds": 10,
                "timeout_seconds": 60,
                "tolerance_seconds": 21600,
            },
            "payload": None,
            "header_conf": [],
            "status": "scheduled",
            "tries": 0,
            "next_retry_at": None,
            "comment": None,
        }

    def test_every_given_argument_is_stored(self, hasura: HasuraServer) -> None:
        given: dict[str, Any] = {
            "payload": [1, 2.5, {"ünï": None}],
            "headers": [{"name": "x-a", "value": "1"}, {"name": "x-b", "value_from_env": "SOME_ENV"}],
            "retry_conf": {"num_retries": 3, "timeout_seconds": 5},
            "comment": "why",
        }

        event = hasura.event(hasura.create_event("{{SOME_ENV}}/x", schedule_at=FAR, **given))

        assert (event["webhook_conf"], event["payload"], event["comment"]) == (
            "{{SOME_ENV}}/x",
            given["payload"],
            "why",
        )
        assert event["header_conf"] == given["headers"]
        assert event["retry_conf"] == {
            "num_retries": 3, "retry_interval_seconds": 10, "timeout_seconds": 5, "tolerance_seconds": 21600,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("given", "stored"),
        [
            ("2099-06-18T18:45:00Z", "2099-06-18T18:45:00Z"),
            ("2099-06-18 18:45Z", "2099-06-18T18:45:00Z"),
            ("2099-06-18T18:45:00.120Z", "2099-06-18T18:45:00.12Z"),
            ("2099-06-18T18:45:00.123456789Z", "2099-06-18T18:45:00.123456Z"),
            ("2099-06-18T18:45:00+02:00", "2099-06-18T16:45:00Z"),
            ("2099-06-18T18:45:00-0530", "2099-06-19T00:15:00Z"),
            ("2099-06-18T18:45:00+02", "2099-06-18T16:45:00Z"),
        ],
    )
    def test_a_time_with_a_zone_is_an_instant(self, hasura: HasuraServer, given: str, stored: str) -> None:
        assert hasura.event(hasura.create_event(HOOK, schedule_at=given))["scheduled_time"] == stored

    @pytest.mark.parametrize(
        "given",
        ["2099-06-18T18:45:00", "2099-06-18", "18:45", "tomorrow", "2099-13-18T18:45:00Z", "2099-06-18T25:00:00Z",
         "2099-06-18T18:45:00 Z", "2099-06-18T18:45:00+25:00", "20990618T184500Z", "", "٢٠٩٩-06-18T18:45:00Z"],
    )  # fmt: skip
    def test_a_time_without_a_zone_or_sense_is_refused(self, hasura: HasuraServer, given: str) -> None:
        response = hasura.metadata("create_scheduled_event", {**EVENT, "schedule_at": given})

        refused(response, 400, "parse-failed", "$.args.schedule_at", "could not parse date")

    @pytest.mark.parametrize(
        ("args", "path", "message"),
        [
            ({"schedule_at": FAR}, "", 'key "webhook" not found'),
            ({"webhook": HOOK}, "", 'key "schedule_at" not found'),
            ([], "", "expected Object, but encountered Array"),
            ({**EVENT, "webhook": 7}, ".webhook", "parsing Text failed, expected String, but encountered Number"),
            ({**EVENT, "webhook": None}, ".webhook", "expected String, but encountered Null"),
            ({**EVENT, "comment": True}, ".comment", "expected String, but encountered Boolean"),
            ({**EVENT, "headers": {}}, ".headers", "parsing [] failed, expected Array, but encountered Object"),
            ({**EVENT, "headers": [{"value": "x"}]}, ".headers[0]", 'key "name" not found'),
            ({**EVENT, "headers": [{"name": "x"}]}, ".headers[0]", "exactly one of value and value_from_env"),
            (
                {**EVENT, "headers": [{"name": "x", "value": "x", "value_from_env": "Y"}]},
                ".headers[0]",
                "exactly one of value and value_from_env",
            ),
            (
                {**EVENT, "headers": [{"name": "x", "value_from_env": "HASURA_GRAPHQL_ADMIN_SECRET"}]},
                ".headers[0]",
                "HASURA_GRAPHQL_",
            ),
            ({**EVENT, "retry_conf": {"num_retries": -1}}, ".retry_conf", "num_retries cannot be a negative value"),
            ({**EVENT, "retry_conf": {"num_retries": 1.5}}, ".retry_conf.num_retries", "expected an integer"),
            ({**EVENT, "retry_conf": {"timeout_seconds": -1}}, ".retry_conf.timeout_seconds", "cannot be negative"),
            ({**EVENT, "retry_conf": {"timeout_seconds": "5"}}, ".retry_conf.timeout_seconds", "encountered String"),
        ],
    )
    def test_wrong_arguments_are_refused_at_their_path(
        self, hasura: HasuraServer, args: Any, path: str, message: str
    ) -> None:
        response = hasura.metadata("create_scheduled_event", args)

        refused(response, 400, "parse-failed", f"$.args{path}", message)


class TestReadingAndDeleting:
    @pytest.fixture(autouse=True)
    def _no_events(self, hasura: HasuraServer) -> None:
        hasura.sql("delete from hdb_catalog.hdb_scheduled_events")

    def test_events_are_listed_soonest_first_in_pages_with_a_count(self, hasura: HasuraServer) -> None:
        for year in (2093, 2091, 2092):
            hasura.create_event(HOOK, schedule_at=f"{year}-01-01T00:00:00Z")

        page = hasura.ask("get_scheduled_events", type="one_off", limit=2, offset=1, get_rows_count=True)

        assert [event["scheduled_time"][:4] for event in page["events"]] == ["2092", "2093"]
        assert page["count"] == 3
        assert "count" not in hasura.ask("get_scheduled_events", type="one_off")

    def test_events_are_filtered_by_status(self, hasura: HasuraServer) -> None:
        event_id = hasura.create_event(HOOK)
        hasura.create_event(HOOK, schedule_at=FAR)
        hasura.wait_for_status(event_id, "error")

        found = {
            tuple(statuses): len(hasura.ask("get_scheduled_events", type="one_off", status=statuses)["events"])
            for statuses in (["error"], ["scheduled"], ["error", "scheduled"], [], ["dead"])
        }

        assert found == {("error",): 1, ("scheduled",): 1, ("error", "scheduled"): 2, (): 2, ("dead",): 0}

    def test_invocations_are_listed_newest_first(self, hasura: HasuraServer) -> None:
        event_id = hasura.create_event(HOOK, retry_conf={"num_retries": 2, "retry_interval_seconds": 0})
        hasura.wait_for_status(event_id, "error")

        page = hasura.ask(
            "get_scheduled_event_invocations", type="one_off", event_id=event_id, limit=2, get_rows_count=True
        )

        times = [invocation["created_at"] for invocation in page["invocations"]]
        assert (len(times), page["count"]) == (2, 3)
        assert times == sorted(times, reverse=True)

    def test_deleting_an_event_deletes_its_logs(self, hasura: HasuraServer) -> None:
        event_id = hasura.create_event(HOOK)
        hasura.wait_for_status(event_id, "error")

        answer = hasura.ask("delete_scheduled_event", type="one_off", event_id=event_id)

        assert answer == {"message": "success"}
        assert hasura.ask("get_scheduled_events", type="one_off") == {"events": []}
        assert hasura.invocations(event_id) == []

    def test_deleting_an_unknown_event_succeeds(self, hasura: HasuraServer) -> None:
        assert hasura.ask("delete_scheduled_event", type="one_off", event_id="nobody") == {"message": "success"}

    def test_cron_events_are_listed_by_trigger(self, hasura: HasuraServer) -> None:
        events = hasura.ask("get_scheduled_events", type="cron", trigger_name="from_files", limit=1)["events"]

        assert set(events[0]) == {
            "id", "trigger_name", "scheduled_time", "status", "tries", "created_at", "next_retry_at",
        }  # fmt: skip
        assert events[0]["trigger_name"] == "from_files"
        assert hasura.ask("get_scheduled_event_invocations", type="cron", trigger_name="from_files") == {
            "invocations": []
        }

    @pytest.mark.parametrize(
        ("kind", "args", "path", "message"),
        [
            ("get_scheduled_events", {}, "", 'key "type" not found'),
            ("get_scheduled_events", {"type": "weekly"}, ".type", "one_off"),
            ("get_scheduled_events", {"type": "cron"}, "", 'key "trigger_name" not found'),
            ("get_scheduled_events", {"type": "one_off", "status": ["lost"]}, ".status[0]", "scheduled"),
            ("get_scheduled_events", {"type": "one_off", "limit": -1}, ".limit", "negative"),
            ("get_scheduled_events", {"type": "one_off", "limit": "1"}, ".limit", "encountered String"),
            ("delete_scheduled_event", {"type": "one_off"}, "", 'key "event_id" not found'),
            ("delete_scheduled_event", {"event_id": "x"}, "", 'key "type" not found'),
        ],
    )
    def test_wrong_arguments_are_refused_at_their_path(
        self, hasura: HasuraServer, kind: str, args: dict[str, Any], path: str, message: str
    ) -> None:
        refused(hasura.metadata(kind, args), 400, "parse-failed", f"$.args{path}", message)


class TestCronTriggers:
    def test_a_cron_trigger_is_created_listed_replaced_and_deleted(self, hasura: HasuraServer) -> None:
        hasura.ask("create_cron_trigger", name="yearly", **CRON)
        hasura.ask("create_cron_trigger", name="yearly", **{**CRON, "schedule": "0 0 2 2 *", "replace": True})

        listed = {trigger["name"]: trigger for trigger in hasura.ask("get_cron_triggers")["cron_triggers"]}

        assert listed["yearly"]["schedule"] == "0 0 2 2 *"
        assert listed["yearly"]["retry_conf"]["tolerance_seconds"] == 21600
        events = hasura.ask("get_scheduled_events", type="cron", trigger_name="yearly")["events"]
        assert (len(events), {event["scheduled_time"][5:10] for event in events}) == (100, {"02-02"})
        assert hasura.ask("delete_cron_trigger", name="yearly") == {"message": "success"}
        assert hasura.ask("get_scheduled_events", type="cron", trigger_name="yearly")["events"] == []

    def test_a_trigger_outside_the_metadata_stays_when_the_metadata_is_reloaded(self, hasura: HasuraServer) -> None:
        hasura.ask("create_cron_trigger", name="kept", **CRON)

        hasura.ask("reload_metadata")

        names = [trigger["name"] for trigger in hasura.ask("get_cron_triggers")["cron_triggers"]]
        hasura.ask("delete_cron_trigger", name="kept")
        assert names == ["from_files", "kept"]

    @pytest.mark.parametrize(
        ("kind", "args", "code", "path", "message"),
        [
            ("create_cron_trigger", {**CRON, "name": "from_files"}, "already-exists", "$.args",
             "cron trigger with name: from_files already exists"),
            ("delete_cron_trigger", {"name": "nobody"}, "not-exists", "$.args",
             "cron trigger with name: nobody does not exist"),
            ("create_cron_trigger", CRON, "parse-failed", "$.args", 'key "name" not found'),
            ("create_cron_trigger", {**CRON, "name": "x", "schedule": "* * *"}, "parse-failed", "$.args.schedule",
             "five fields"),
            ("create_cron_trigger", {**CRON, "name": "x", "schedule": "61 * * * *"}, "parse-failed", "$.args.schedule",
             "not a cron schedule"),
            ("create_cron_trigger", {**CRON, "name": "x", "webhook": "{{NO_SUCH}}"}, "invalid-configuration", "$.args",
             "NO_SUCH"),
            ("create_cron_trigger", {**CRON, "name": "x", "request_transform": {}}, "parse-failed",
             "$.args.request_transform", "not emulated"),
        ],
    )  # fmt: skip
    def test_a_wrong_cron_trigger_is_refused(
        self, hasura: HasuraServer, kind: str, args: dict[str, Any], code: str, path: str, message: str
    ) -> None:
        refused(hasura.metadata(kind, args), 400, code, path, message)


class TestTheEndpoints:
    @pytest.mark.parametrize(
        "kind",
        [
            "get_scheduled_events",
            "get_scheduled_event_invocations",
            "delete_scheduled_event",
            "get_cron_triggers",
            "nope",
        ],
    )
    def test_v1_query_does_not_read_scheduled_events(self, hasura: HasuraServer, kind: str) -> None:
        refused(hasura.metadata(kind, {}, "/v1/query"), 400, "parse-failed", "$", "create_scheduled_event")

    def test_v1_metadata_names_an_unknown_command(self, hasura: HasuraServer) -> None:
        message = 'unknown metadata command "foo_bar"; "foo" was not recognized as a valid backend name'

        refused(hasura.metadata("foo_bar", {}), 400, "parse-failed", "$", message)

    @pytest.mark.parametrize(
        ("kind", "path"),
        [
            ("pg_track_table", "/v1/metadata"),
            ("create_query_collection", "/v1/metadata"),
            ("track_function", "/v1/query"),
            ("select", "/v1/query"),
        ],
    )
    def test_a_command_that_only_a_real_hasura_has_is_not_emulated(
        self, hasura: HasuraServer, kind: str, path: str
    ) -> None:
        refused(hasura.metadata(kind, {}, path), 400, "not-supported", "$", f"{kind} is not emulated")

    def test_version_2_of_the_export_has_the_document_and_its_version(self, hasura: HasuraServer) -> None:
        command = {"type": "export_metadata", "version": 2, "args": {}}

        exported = hasura.post("/v1/metadata", command, x_hasura_admin_secret=ADMIN_SECRET).json()

        assert exported["metadata"] == hasura.ask("export_metadata")
        assert exported["resource_version"] > 0

    def test_v2_query_takes_no_scheduled_events(self, hasura: HasuraServer) -> None:
        refused(hasura.metadata("create_scheduled_event", EVENT, "/v2/query"), 400, "parse-failed", "$", "run_sql")

    @pytest.mark.parametrize("path", ["/v1/query", "/v1/metadata"])
    def test_a_bulk_answers_in_order(self, hasura: HasuraServer, path: str) -> None:
        commands = [
            {"type": "create_cron_trigger", "args": {**CRON, "name": "in_bulk"}},
            {"type": "create_scheduled_event", "args": EVENT},
            {"type": "delete_cron_trigger", "args": {"name": "in_bulk"}},
        ]

        created, event, deleted = hasura.metadata("bulk", commands, path).json()

        assert created == deleted == {"message": "success"}
        assert set(event) == {"message", "event_id"}

    def test_a_bulk_with_an_unreadable_command_does_nothing(self, hasura: HasuraServer) -> None:
        before = hasura.sql("select count(*) from hdb_catalog.hdb_scheduled_events")
        commands = [
            {"type": "create_scheduled_event", "args": EVENT},
            {"type": "create_scheduled_event", "args": {**EVENT, "schedule_at": "soon"}},
        ]

        response = hasura.metadata("bulk", commands)

        refused(response, 400, "parse-failed", "$.args[1].args.schedule_at", "could not parse date")
        assert hasura.sql("select count(*) from hdb_catalog.hdb_scheduled_events") == before

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            (b"", "invalid-json", ""),
            (b"{", "invalid-json", ""),
            (b'{"type": NaN}', "invalid-json", "NaN"),
            (b"\xff\xfe", "invalid-json", ""),
            (b"[" * 100_000, "invalid-json", ""),
            (b"[]", "parse-failed", "expected Object, but encountered Array"),
            (b"{}", "parse-failed", 'key "type" not found'),
            (b'{"type": "get_cron_triggers"}', "parse-failed", 'key "args" not found'),
            (b'{"type": 1, "args": {}}', "parse-failed", ""),
        ],
    )
    def test_a_body_that_is_not_a_command_is_refused(
        self, hasura: HasuraServer, body: bytes, code: str, message: str
    ) -> None:
        headers = {"x-hasura-admin-secret": ADMIN_SECRET}

        response = requests.post(hasura.url + "/v1/metadata", data=body, headers=headers, timeout=DEADLINE)

        assert (response.status_code, response.json()["code"]) == (400, code)
        assert message in response.json()["error"]

    def test_an_answer_carries_the_request_id_and_an_error_does_not(self, hasura: HasuraServer) -> None:
        mine = {"x_hasura_admin_secret": ADMIN_SECRET, "x_request_id": "mine"}
        good, bad = {"type": "get_cron_triggers", "args": {}}, {"type": "nope", "args": {}}

        echoed, fresh = hasura.post("/v1/metadata", good, **mine), hasura.metadata("get_cron_triggers", {})

        assert echoed.headers["x-request-id"] == "mine"
        assert UUID.fullmatch(fresh.headers["x-request-id"])
        assert "x-request-id" not in hasura.post("/v1/metadata", bad, **mine).headers
        assert echoed.headers["Content-Type"] == "application/json; charset=utf-8"

    def test_long_answers_are_compressed_on_request(self, hasura: HasuraServer) -> None:
        command = {"type": "export_metadata", "args": {}}
        long = {"type": "bulk", "args": [command] * 5}
        headers = {"x_hasura_admin_secret": ADMIN_SECRET}

        encodings = [
            hasura.post("/v1/metadata", body, Accept_Encoding=accepted, **headers).headers.get("Content-Encoding")
            for body, accepted in (
                (long, "gzip"),
                (long, "identity"),
                ({**command, "type": "get_cron_triggers"}, "gzip"),
            )
        ]

        assert encodings == ["gzip", None, None]

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/query"), ("POST", "/v1alpha1/graphql"), ("GET", "/")])
    def test_a_route_that_is_not_emulated_is_not_found(self, hasura: HasuraServer, method: str, path: str) -> None:
        response = requests.request(method, hasura.url + path, timeout=DEADLINE)

        refused(response, 404, "not-found", "$", "resource does not exist")

    def test_health_and_version_are_answered(self, hasura: HasuraServer) -> None:
        health, version = (requests.get(hasura.url + path, timeout=DEADLINE) for path in ("/healthz", "/v1/version"))

        assert (health.status_code, health.text) == (200, "OK")
        assert version.json() == {"server_type": "ce", "version": "v2.43.0"}

    def test_graphql_is_answered_with_200_and_errors_whatever_happens(self, hasura: HasuraServer) -> None:
        headers = {"x-hasura-admin-secret": ADMIN_SECRET}

        broken = requests.post(hasura.url + "/v1/graphql", data=b"{", headers=headers, timeout=DEADLINE)
        by_get = requests.get(hasura.url + "/v1/graphql", headers=headers, timeout=DEADLINE)

        for response, code in ((broken, "invalid-json"), (by_get, "not-supported")):
            (error,) = response.json()["errors"]
            assert (response.status_code, error["extensions"]) == (200, {"path": "$", "code": code})
            assert "data" not in response.json()

    def test_requests_of_other_origins_are_allowed(self, hasura: HasuraServer) -> None:
        origin = {"Origin": "http://localhost:3000"}
        asking = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }

        preflight = requests.options(hasura.url + "/v1/graphql", headers=origin | asking, timeout=DEADLINE)
        refusal = requests.post(hasura.url + "/v1/metadata", headers=origin, timeout=DEADLINE)

        assert (preflight.status_code, preflight.content) == (204, b"")
        assert preflight.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        for response in (preflight, refusal):
            assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


class TestRunSql:
    @pytest.mark.parametrize("path", ["/v1/query", "/v2/query"])
    def test_rows_come_as_text_with_their_names_first(self, hasura: HasuraServer, path: str) -> None:
        answer = hasura.ask("run_sql", path, sql="select 1 as one, null as nothing, true as yes")

        assert answer == {"result_type": "TuplesOk", "result": [["one", "nothing", "yes"], ["1", "NULL", "t"]]}

    def test_a_new_column_is_in_the_schema_at_once(self, hasura: HasuraServer) -> None:
        answer = hasura.ask("run_sql", "/v2/query", sql="alter table note add column mood text")

        assert answer == {"result_type": "CommandOk", "result": None}
        assert hasura.graphql("{ note { mood } }") == {"data": {"note": []}}

    def test_run_sql_does_not_bring_back_a_deleted_cron_trigger(self, cluster: str, tmp_path: Path) -> None:
        project = write_project(tmp_path, [], [{**CRON, "name": "deleted", "include_in_metadata": True}])
        with hasura_in_thread(new_database(cluster), project) as server:
            server.ask("delete_cron_trigger", name="deleted")
            server.ask("create_cron_trigger", **CRON, name="new")

            server.ask("run_sql", "/v2/query", sql="alter table note add column mood text")

            assert [trigger["name"] for trigger in server.ask("get_cron_triggers")["cron_triggers"]] == ["new"]

    def test_failed_sql_is_rolled_back_and_explained(self, hasura: HasuraServer) -> None:
        response = hasura.metadata("run_sql", {"sql": "insert into note (id) values (9); select 1 / 0"}, "/v2/query")

        answer = response.json()
        assert (response.status_code, answer["code"], answer["error"]) == (
            400, "postgres-error", "query execution failed",
        )  # fmt: skip
        assert answer["internal"]["error"]["message"] == "division by zero"
        assert hasura.sql("select * from note where id = 9") == []

    def test_a_read_only_statement_writes_nothing(self, hasura: HasuraServer) -> None:
        response = hasura.metadata(
            "run_sql", {"sql": "insert into note (id) values (9)", "read_only": True}, "/v2/query"
        )

        assert response.json()["internal"]["error"]["status_code"] == "25006"

    def test_another_source_is_refused_by_its_name(self, hasura: HasuraServer) -> None:
        response = hasura.metadata("run_sql", {"sql": "select 1", "source": "other"}, "/v2/query")

        refused(response, 400, "not-exists", "$.args.source", 'source with name "other" does not exist')


class TestTheMetadataDirectory:
    def test_metadata_is_exported_without_defaults(self, hasura: HasuraServer) -> None:
        exported = hasura.ask("export_metadata")

        assert exported["version"] == 3
        assert exported["sources"][0]["tables"][0]["table"] == {"schema": "public", "name": "note"}
        assert exported["cron_triggers"] == [
            {"name": "from_files", "webhook": HOOK, "schedule": SELDOM, "include_in_metadata": True}
        ]

    def test_includes_may_be_tags_too(self, cluster: str, tmp_path: Path) -> None:
        project = write_project(tmp_path, [], [])
        databases = project / "metadata" / "databases" / "databases.yaml"
        databases.write_text(
            databases.read_text().replace(
                "'!include default/tables/tables.yaml'", "!include default/tables/tables.yaml"
            )
        )
        assert "tables: !include" in databases.read_text()

        with hasura_in_thread(new_database(cluster), project) as server:
            assert server.graphql("{ note { id } }") == {"data": {"note": []}}

    @pytest.mark.parametrize(
        ("file", "content", "message"),
        [
            ("actions.yaml", {"actions": [{"name": "x"}]}, "actions.yaml: not emulated"),
            ("remote_schemas.yaml", [{"name": "x"}], "remote_schemas.yaml: not emulated"),
            ("version.yaml", {"version": 2}, "expected `version: 3`"),
            ("databases/databases.yaml", [{"name": "default", "kind": "mssql"}], "of the kind postgres"),
            ("databases/databases.yaml", "!include nowhere.yaml", "nowhere.yaml: No such file"),
        ],
    )
    def test_metadata_that_is_not_emulated_is_refused(
        self, tmp_path: Path, file: str, content: Any, message: str
    ) -> None:
        project = write_project(tmp_path, [], [])
        (project / "metadata" / file).write_text(yaml.safe_dump(content))

        with pytest.raises(MetadataRefused, match=re.escape(message)):
            load_metadata(project / "metadata")

    @pytest.mark.parametrize(
        ("trigger", "message"),
        [
            ({"name": "1st"}, "a letter, then"),
            ({"name": "x" * 43}, "at most 41"),
            ({"definition": {}}, "at least one of insert, update, delete"),
            ({"definition": {"update": {"columns": []}}}, "at least one column"),
            ({"definition": {"update": {}}}, 'key "columns" not found'),
            ({"retry_conf": {"num_retries": 1}}, 'key "interval_sec" not found'),
            ({"webhook_from_env": "X"}, "exactly one of webhook and webhook_from_env"),
            ({"cleanup_config": {}}, "cleanup_config of an event trigger: not emulated"),
            ({"headers": [{"name": "x", "value_from_env": "HASURA_GRAPHQL_X"}]}, "HASURA_GRAPHQL_"),
        ],
    )
    def test_a_wrong_event_trigger_is_refused(
        self, hasura: HasuraServer, tmp_path: Path, trigger: dict[str, Any], message: str
    ) -> None:
        good = {
            "name": "good",
            "webhook": HOOK,
            "definition": {"insert": {"columns": "*"}},
            "retry_conf": {"num_retries": 0, "interval_sec": 1},
        }
        metadata = load_metadata(write_project(tmp_path, [{**good, **trigger}], []) / "metadata")

        response = hasura.metadata("replace_metadata", {"metadata": metadata.as_document()})

        assert (response.status_code, response.json()["code"]) == (400, "parse-failed")
        assert message in response.json()["error"]


class TestControlRoutes:
    @pytest.mark.parametrize("route", ["drop_next", "duplicate_next"])
    def test_control_routes_need_the_admin_secret(self, hasura: HasuraServer, route: str) -> None:
        assert hasura.post(f"/_local/{route}", {}, x_hasura_admin_secret="wrong").status_code == 401

    @pytest.mark.parametrize("body", [{"times": -1}, {"times": "1"}, {"kind": "all"}, []])
    def test_a_control_route_refuses_a_wrong_body(self, hasura: HasuraServer, body: Any) -> None:
        response = hasura.post("/_local/drop_next", body, x_hasura_admin_secret=ADMIN_SECRET)

        assert (response.status_code, response.json()["code"]) == (400, "parse-failed")


class TestTheStart:
    def test_the_server_waits_for_a_database_that_is_still_starting(self, cluster: str, tmp_path: Path) -> None:
        project = write_project(tmp_path / "project", [], [])
        url = new_database(cluster)
        socket_folder = psycopg.conninfo.conninfo_to_dict(url)["host"]
        with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
            link = Path(folder) / "postgres"
            later = psycopg.conninfo.make_conninfo(url, host=str(link))
            server = start_hasura_process(later, tmp_path, "--project", str(project))
            server.wait_for_log("waiting for PostgreSQL, up to 60 s: ")

            link.symlink_to(str(socket_folder))

            server.wait_for_log("listening on")
            server.stop()

        assert server.process.returncode == 0
        assert server.log.read_text().count("waiting for PostgreSQL") == 1

    def test_waiting_for_a_database_has_an_end(self) -> None:
        with pytest.raises(psycopg.OperationalError, match="Connection refused"):
            wait_for("postgresql://127.0.0.1:1/none", seconds=0.3)

    @pytest.mark.parametrize(
        ("file", "content", "message"),
        [
            ("actions.yaml", "actions: [{name: x}]", "/actions.yaml: not emulated."),
            ("cron_triggers.yaml", "[{name: broken}]", ': $.cron_triggers: key "webhook" not found.'),
        ],
    )
    def test_the_server_ends_with_one_line_when_its_metadata_is_refused(
        self, cluster: str, tmp_path: Path, file: str, content: str, message: str
    ) -> None:
        project = write_project(tmp_path / "project", [], [])
        (project / "metadata" / file).write_text(content)

        server = start_hasura_process(new_database(cluster), tmp_path, "--project", str(project))

        assert server.process.wait(DEADLINE) == 1
        assert server.log.read_text().splitlines()[-1] == f"hasura: {project / 'metadata'}{message}"

    def test_the_server_ends_with_one_line_when_its_port_is_taken(self, cluster: str, tmp_path: Path) -> None:
        project = write_project(tmp_path / "project", [], [])
        with hasura_in_thread(new_database(cluster), project) as server:
            port = server.url.rpartition(":")[2]
            arguments = ["--project", str(project), "--port", f"hasura={port}"]

            second = start_hasura_process(server.database_url, tmp_path, *arguments)

            assert second.process.wait(DEADLINE) == 1
            assert f"port {port} is taken" in second.log.read_text().splitlines()[-1]
