"""Table event triggers of the local Hasura: the writes that they capture, and the delivery of their events."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from local_hasura import (
    Answer,
    Call,
    HasuraServer,
    Hook,
    Webhooks,
    eventually,
    hasura_in_thread,
    new_database,
    write_project,
)

pytest_plugins = ["local_hasura_fixtures"]

RETRY = {"num_retries": 2, "interval_sec": 0}


def event_trigger(name: str, definition: dict[str, Any], **more: Any) -> dict[str, Any]:
    trigger = {"name": name, "definition": definition, "retry_conf": RETRY, "webhook": "{{HOOKS}}/" + name}
    return trigger | more


NOTE_TRIGGERS = [
    event_trigger(
        "note_changed",
        {"update": {"columns": ["body", "moved_at"], "payload": ["id", "body", "moved_at"]}, "enable_manual": True},
        headers=[{"name": "x-webhook-secret", "value_from_env": "HOOK_SECRET"}],
    ),
    event_trigger("note_doc", {"update": {"columns": ["doc"]}}),
    event_trigger("note_came", {"insert": {"columns": "*", "payload": ["id", "extra"]}}),
    event_trigger("note_went", {"delete": {"columns": "*", "payload": ["id"]}}),
    event_trigger("note_astray", {"update": {"columns": ["extra"]}}, webhook_from_env="NOT_SET", webhook=None),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"), NOTE_TRIGGERS, [])


@pytest.fixture(scope="module")
def hasura(cluster: str, project: Path, environment: dict[str, str]) -> Iterator[HasuraServer]:
    with hasura_in_thread(new_database(cluster), project, environment) as server:
        yield server


class Notes:
    """Rows of the table `note`, and what the trigger of one test's row was called with."""

    def __init__(self, hasura: HasuraServer) -> None:
        self.hasura = hasura
        self._next_id = hasura.sql("select coalesce(max(id), 0) + 1 from note")[0][0]

    def add(self, body: str = "first") -> int:
        self.hasura.sql(
            "insert into note (id, body, moved_at) values (%s, %s, '2026-05-04T12:00Z')", self._next_id, body
        )
        return int(self._next_id)

    def change(self, note_id: int, assignments: str) -> None:
        self.hasura.sql(f"update note set {assignments} where id = {note_id}")


def calls_about(hook: Hook, note_id: int) -> list[Call]:
    rows = ((call, call.body["event"]["data"]) for call in list(hook.calls))
    return [call for call, data in rows if (data["new"] or data["old"]).get("id") == note_id]


@pytest.fixture
def notes(hasura: HasuraServer, webhooks: Webhooks) -> Notes:
    for name in ("note_doc", "note_came", "note_went"):
        webhooks.new(path=f"/{name}")
    return Notes(hasura)


def event_rows(hasura: HasuraServer, trigger: str, note_id: int) -> list[dict[str, Any]]:
    found = hasura.sql(
        "select row_to_json(event_log) from hdb_catalog.event_log where trigger_name = %s"
        " and coalesce(payload #>> '{data,new,id}', payload #>> '{data,old,id}') = %s order by created_at",
        trigger,
        str(note_id),
    )
    return [row for (row,) in found]


class TestCapture:
    @pytest.mark.parametrize(
        ("assignments", "number"),
        [
            ("body = 'second'", 1),
            ("body = null", 1),
            ("body = 'first'", 0),  # the same value again
            ("extra = 'other column'", 0),
            ("moved_at = '2026-05-04T14:00+02'", 0),  # the same instant in another zone
            ("moved_at = '2026-05-04T12:00:01Z'", 1),
            ("extra = 'shout'", 1),  # a BEFORE trigger changes body
        ],
    )
    def test_an_update_fires_when_a_watched_column_really_changes(
        self, notes: Notes, webhooks: Webhooks, assignments: str, number: int
    ) -> None:
        webhooks.new(path="/note_changed")
        note_id = notes.add()

        notes.change(note_id, assignments)

        assert len(event_rows(notes.hasura, "note_changed", note_id)) == number

    def test_a_column_without_equality_is_compared_byte_by_byte(self, notes: Notes) -> None:
        note_id = notes.add()

        for value in ("""'{"a": 1}'""", """'{"a": 1}'""", """'{"a":1}'""", "null"):
            notes.change(note_id, f"doc = {value}")

        assert len(event_rows(notes.hasura, "note_doc", note_id)) == 3

    def test_a_rollback_leaves_no_event(self, notes: Notes, webhooks: Webhooks) -> None:
        webhooks.new(path="/note_changed")
        note_id = notes.add()

        with psycopg.connect(notes.hasura.database_url) as connection:
            connection.execute("update note set body = 'second' where id = %s", [note_id])
            connection.rollback()

        assert event_rows(notes.hasura, "note_changed", note_id) == []

    def test_two_updates_in_one_transaction_are_two_events(self, notes: Notes, webhooks: Webhooks) -> None:
        webhooks.new(path="/note_changed")
        note_id = notes.add("one")

        with psycopg.connect(notes.hasura.database_url) as connection:
            connection.execute("update note set body = 'two' where id = %s", [note_id])
            connection.execute("update note set body = 'one' where id = %s", [note_id])

        bodies = [row["payload"]["data"]["new"]["body"] for row in event_rows(notes.hasura, "note_changed", note_id)]
        assert sorted(bodies) == ["one", "two"]

    def test_an_upsert_is_an_update(self, notes: Notes, webhooks: Webhooks) -> None:
        webhooks.new(path="/note_changed")
        note_id = notes.add()

        notes.hasura.sql("insert into note values (%s) on conflict (id) do update set body = 'second'", note_id)

        (row,) = event_rows(notes.hasura, "note_changed", note_id)
        assert row["payload"]["op"] == "UPDATE"

    def test_an_insert_has_no_old_and_a_delete_no_new_row(self, notes: Notes) -> None:
        note_id = notes.add()
        notes.hasura.sql("delete from note where id = %s", note_id)

        (came,), (went,) = (event_rows(notes.hasura, name, note_id) for name in ("note_came", "note_went"))

        assert (came["payload"]["op"], came["payload"]["data"]) == (
            "INSERT", {"old": None, "new": {"id": note_id, "extra": None}},
        )  # fmt: skip
        assert (went["payload"]["op"], went["payload"]["data"]) == ("DELETE", {"old": {"id": note_id}, "new": None})

    def test_a_writer_through_graphql_leaves_its_session_variables(self, notes: Notes, webhooks: Webhooks) -> None:
        hook = webhooks.new(path="/note_changed")
        note_id = notes.add()

        answer = notes.hasura.graphql(
            f'mutation {{ update_note(where: {{id: {{_eq: {note_id}}}}}, _set: {{body: "2"}}) {{ affected_rows }} }}'
        )

        assert answer == {"data": {"update_note": {"affected_rows": 1}}}
        eventually(lambda: calls_about(hook, note_id))
        (call,) = calls_about(hook, note_id)
        assert call.body["event"]["session_variables"] == {"x-hasura-role": "admin"}

    def test_a_trigger_whose_variable_is_missing_is_inconsistent(self, hasura: HasuraServer) -> None:
        answer = hasura.ask("get_inconsistent_metadata")

        assert answer["is_consistent"] is False
        assert answer["inconsistent_objects"] == [
            {
                "type": "event_trigger",
                "name": "event_trigger note_astray in table note in source default",
                "reason": "Inconsistent object: environment variables not set: NOT_SET",
            }
        ]

    def test_a_trigger_that_leaves_the_metadata_archives_its_events(
        self, cluster: str, environment: dict[str, str], tmp_path: Path
    ) -> None:
        project = write_project(tmp_path, NOTE_TRIGGERS, [])
        environment = {**environment, "HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL": "0"}  # captured, not delivered
        with hasura_in_thread(new_database(cluster), project, environment) as server:
            server.sql("insert into note (id) values (1); update note set body = 'pending'")

            kept = [trigger for trigger in NOTE_TRIGGERS if trigger["name"] == "note_came"]
            server.apply_metadata(write_project(project, kept, []))
            server.sql("update note set body = 'silent'")

            archived = server.sql("select trigger_name, archived from hdb_catalog.event_log order by 1")
            assert archived == [("note_came", False), ("note_changed", True)]


class TestDeliveryOfTableEvents:
    def test_the_body_has_the_old_and_the_new_row(self, notes: Notes, webhooks: Webhooks) -> None:
        hook = webhooks.new(path="/note_changed")
        note_id = notes.add()

        notes.change(note_id, "moved_at = '2026-05-05T11:30:00.12+02'")

        eventually(lambda: calls_about(hook, note_id))
        (call,) = calls_about(hook, note_id)
        (row,) = event_rows(notes.hasura, "note_changed", note_id)
        assert call.headers["x-webhook-secret"] == "s3cret"
        assert call.headers["user-agent"] == "hasura-graphql-engine/v2.43.0"
        assert call.body == {
            "id": row["id"],
            "created_at": row["created_at"],
            "trigger": {"name": "note_changed"},
            "table": {"schema": "public", "name": "note"},
            "event": {
                "op": "UPDATE",
                "data": {
                    "old": {"id": note_id, "body": "first", "moved_at": "2026-05-04T12:00:00+00:00"},
                    "new": {"id": note_id, "body": "first", "moved_at": "2026-05-05T09:30:00.12+00:00"},
                },
                "session_variables": None,
                "trace_context": None,
            },
            "delivery_info": {"current_retry": 0, "max_retries": 2},
        }

    def test_a_failed_try_is_repeated_and_counted_until_it_is_an_error(self, notes: Notes, webhooks: Webhooks) -> None:
        hook = webhooks.new(Answer(500), path="/note_changed")
        note_id = notes.add()

        notes.change(note_id, "body = 'second'")

        (row,) = eventually(lambda: [row for row in event_rows(notes.hasura, "note_changed", note_id) if row["error"]])
        infos = [call.body["delivery_info"]["current_retry"] for call in calls_about(hook, note_id)]
        assert infos == [0, 1, 2]
        assert (row["tries"], row["delivered"], row["locked"], row["next_retry_at"]) == (3, False, None, None)

    def test_retry_after_is_followed_when_no_retries_are_left(self, notes: Notes, webhooks: Webhooks) -> None:
        failures = [Answer(500), Answer(500), Answer(503, {"Retry-After": "1"})]
        hook = webhooks.new(*failures, Answer(200), path="/note_changed")
        note_id = notes.add()

        notes.change(note_id, "body = 'second'")

        eventually(lambda: [row for row in event_rows(notes.hasura, "note_changed", note_id) if row["delivered"]])
        calls = calls_about(hook, note_id)
        assert len(calls) == 4
        assert calls[3].arrived - calls[2].arrived >= 1

    def test_no_more_than_the_pool_are_called_at_once(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks
    ) -> None:
        gate = threading.Event()
        hook = webhooks.new(Answer(until=gate), path="/pool/note_came")
        environment = {
            **environment,
            "HOOKS": f"{webhooks.url}/pool",
            "HASURA_GRAPHQL_EVENTS_HTTP_POOL_SIZE": "3",
            "HASURA_GRAPHQL_EVENTS_FETCH_BATCH_SIZE": "4",
        }
        with hasura_in_thread(new_database(cluster), project, environment) as server:
            server.sql("insert into note (id) select generate_series(1, 30)")

            locked = "select count(*) from hdb_catalog.event_log where locked is not null"
            eventually(lambda: server.sql(locked) == [(8,)])  # the batch being delivered, and the next
            hook.wait_for_calls(3)
            gate.set()
            hook.wait_for_calls(30)

        assert hook.most_at_once == 3
        assert sorted(call.body["event"]["data"]["new"]["id"] for call in hook.calls) == list(range(1, 31))

    def test_a_stop_unlocks_events_whose_delivery_does_not_end_in_time(
        self, cluster: str, project: Path, environment: dict[str, str], webhooks: Webhooks
    ) -> None:
        never = threading.Event()
        hook = webhooks.new(Answer(until=never), path="/stop/note_came")
        environment = {
            **environment,
            "HOOKS": f"{webhooks.url}/stop",
            "HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT": "0.2",
        }

        with hasura_in_thread(new_database(cluster), project, environment) as server:
            server.sql("insert into note (id) values (1)")
            hook.wait_for_calls(1)
        never.set()

        assert server.sql("select locked, delivered, tries from hdb_catalog.event_log") == [(None, False, 0)]

    def test_a_lock_left_behind_is_free_after_half_an_hour_and_not_at_the_start(
        self, hasura: HasuraServer, notes: Notes, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new(path="/note_changed")
        notes_ids = {}
        for minutes in (29, 31):
            notes_ids[minutes] = -minutes
            hasura.sql(
                "insert into hdb_catalog.event_log (schema_name, table_name, trigger_name, payload, locked) values"
                " ('public', 'note', 'note_changed', %s::jsonb, now() - %s * interval '1 minute')",
                f'{{"op": "UPDATE", "data": {{"old": null, "new": {{"id": {-minutes}}}}}}}',
                minutes,
            )

        eventually(lambda: calls_about(hook, -31))

        assert calls_about(hook, -29) == []

    def test_an_event_is_invoked_by_hand_read_by_id_and_delivered_again(
        self, hasura: HasuraServer, notes: Notes, webhooks: Webhooks
    ) -> None:
        hook = webhooks.new(path="/note_changed")

        event_id = hasura.ask("pg_invoke_event_trigger", name="note_changed", payload={"id": -1})["event_id"]
        eventually(lambda: hasura.ask("pg_get_event_by_id", event_id=event_id)["event"]["delivered"])
        hasura.ask("pg_redeliver_event", event_id=event_id)
        eventually(lambda: len(hasura.ask("pg_get_event_by_id", event_id=event_id)["invocations"]) == 2)

        assert [call.body["event"]["op"] for call in calls_about(hook, -1)] == ["MANUAL", "MANUAL"]
        logs = hasura.ask("pg_get_event_invocation_logs", name="note_changed", limit=2)
        assert [(log["event_id"], log["http_status"], log["request"]["version"]) for log in logs] == [
            (event_id, 200, "2"), (event_id, 200, "2"),
        ]  # fmt: skip
        assert hasura.ask("pg_get_event_logs", name="note_changed", limit=1, status="processed")[0]["delivered"] is True


@pytest.mark.parametrize(
    ("kind", "args", "code"),
    [
        ("pg_invoke_event_trigger", {"name": "note_came", "payload": {}}, "not-supported"),
        ("pg_invoke_event_trigger", {"name": "nobody", "payload": {}}, "not-exists"),
        ("pg_redeliver_event", {"event_id": "nobody"}, "not-exists"),
        ("pg_get_event_by_id", {"event_id": "nobody"}, "not-exists"),
        ("pg_get_event_logs", {"name": "note_came", "source": "other"}, "not-exists"),
    ],
)
def test_event_calls_refuse_unknown_names_and_ids(
    hasura: HasuraServer, kind: str, args: dict[str, Any], code: str
) -> None:
    response = hasura.metadata(kind, args)

    assert (response.status_code, response.json()["code"]) == (400, code)


def test_an_event_in_flight_is_busy(hasura: HasuraServer, notes: Notes, webhooks: Webhooks) -> None:
    patience = threading.Event()
    hook = webhooks.new(Answer(until=patience), path="/note_changed")
    event_id = hasura.ask("pg_invoke_event_trigger", name="note_changed", payload={"id": -2})["event_id"]
    eventually(lambda: calls_about(hook, -2))

    response = hasura.metadata("pg_redeliver_event", {"event_id": event_id})

    patience.set()
    assert (response.status_code, response.json()["code"]) == (400, "busy")
