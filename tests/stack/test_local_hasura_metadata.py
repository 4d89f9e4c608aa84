"""The metadata of the local Hasura: stored and replaced, applied before the migrations, and checked by run_sql."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from local_hasura import ADMIN_SECRET, PRODUCTION, HasuraServer, hasura_in_thread, new_database, write_project

from local.hasura.metadata_directory import load_metadata

pytest_plugins = ["local_hasura_fixtures"]

HOOK = "http://127.0.0.1:1/hook"
SQL_TRIGGER = "notify_hasura_note_changed_UPDATE"
OTHER_SQL_TRIGGER = "notify_hasura_note_came_INSERT"
NOTE_CHANGED: dict[str, Any] = {
    "name": "note_changed",
    "definition": {"update": {"columns": ["body"]}},
    "retry_conf": {"num_retries": 0, "interval_sec": 10},
    "webhook": HOOK,
}
NOTE_CAME: dict[str, Any] = {**NOTE_CHANGED, "name": "note_came", "definition": {"insert": {"columns": "*"}}}
NO_SUCH_TABLE = {
    "type": "table",
    "name": "table note in source default",
    "reason": 'Inconsistent object: no such table/view exists in source: "note"',
}
RECREATE: dict[str, Any] = {"recreate_event_triggers": True}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the table `note`, of whose changes an event trigger tells."""
    return write_project(tmp_path / "project", [NOTE_CHANGED], [])


@pytest.fixture
def empty(cluster: str) -> Iterator[HasuraServer]:
    """A server that was started on a new database and has no metadata."""
    with hasura_in_thread(new_database(cluster), None) as server:
        yield server


@pytest.fixture
def server(cluster: str, project: Path) -> Iterator[HasuraServer]:
    """A server that was set up with the project."""
    with hasura_in_thread(new_database(cluster), project) as server:
        yield server


@pytest.fixture(scope="module")
def unchanged(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HasuraServer]:
    """A server that was set up in the same way, for tests that change nothing."""
    project = write_project(tmp_path_factory.mktemp("project"), [NOTE_CHANGED], [])
    with hasura_in_thread(new_database(cluster), project) as server:
        yield server


def apply_migrations(server: HasuraServer, project: Path) -> None:
    """As ``hasura migrate apply`` does it."""
    sql = (project / "migrations" / "default" / "1700000000000_note" / "up.sql").read_text()
    server.ask("run_sql", "/v2/query", sql=sql, check_metadata_consistency=False)


def run_sql(server: HasuraServer, sql: str, **args: Any) -> requests.Response:
    return server.metadata("run_sql", {"sql": sql, **args}, "/v2/query")


def inconsistent(server: HasuraServer) -> list[Any]:
    found: list[Any] = server.ask("get_inconsistent_metadata")["inconsistent_objects"]
    return found


class TestMetadataBeforeTheMigrations:
    def test_a_missing_table_is_an_inconsistent_object_and_its_fields_are_missing(
        self, empty: HasuraServer, project: Path
    ) -> None:
        answer = empty.apply_metadata(project)

        assert answer == {"is_consistent": False, "inconsistent_objects": [NO_SUCH_TABLE]}
        assert inconsistent(empty) == [NO_SUCH_TABLE]
        [error] = empty.graphql("{ note { id } }")["errors"]
        assert error["message"] == "field 'note' not found in type: 'query_root'"

    def test_migrations_without_a_check_are_seen_after_a_reload(self, empty: HasuraServer, project: Path) -> None:
        empty.apply_metadata(project)
        apply_migrations(empty, project)
        before = inconsistent(empty)

        answer = empty.ask("reload_metadata")

        assert before == [NO_SUCH_TABLE]
        assert answer == {"message": "success", "is_consistent": True}
        assert empty.graphql("{ note { id } }") == {"data": {"note": []}}

    def test_in_this_order_no_sql_trigger_is_created_before_it_is_asked_for(
        self, empty: HasuraServer, project: Path
    ) -> None:
        empty.apply_metadata(project)
        apply_migrations(empty, project)
        empty.ask("reload_metadata")
        empty.apply_metadata(project)  # the same again, as at the next start of the cli-migrations image
        without = empty.sql_triggers()

        empty.ask("reload_metadata", **RECREATE)

        assert (without, empty.sql_triggers()) == ([], [SQL_TRIGGER])

    def test_a_start_of_the_server_creates_no_sql_trigger(self, cluster: str, project: Path) -> None:
        database = new_database(cluster)
        with hasura_in_thread(database, None) as first:
            first.apply_metadata(project)
            apply_migrations(first, project)

        with hasura_in_thread(database, None) as restarted:
            restarted.apply_metadata(project)

            assert restarted.sql_triggers() == []
            assert inconsistent(restarted) == []
            assert restarted.graphql("{ note { id } }") == {"data": {"note": []}}

    def test_metadata_after_the_migrations_creates_the_sql_trigger(self, empty: HasuraServer, project: Path) -> None:
        apply_migrations(empty, project)

        answer = empty.apply_metadata(project)

        assert answer == {"is_consistent": True, "inconsistent_objects": []}
        assert empty.sql_triggers() == [SQL_TRIGGER]

    def test_the_stacks_own_start_creates_it(self, server: HasuraServer) -> None:
        assert server.sql_triggers() == [SQL_TRIGGER]
        assert inconsistent(server) == []


class TestReload:
    @pytest.mark.parametrize("args", [{}, {"recreate_event_triggers": False}, {"recreate_event_triggers": []}])
    def test_a_plain_reload_creates_no_sql_trigger(self, server: HasuraServer, args: dict[str, Any]) -> None:
        server.sql(f'drop trigger "{SQL_TRIGGER}" on note')

        server.ask("reload_metadata", reload_sources=True, **args)

        assert server.sql_triggers() == []

    @pytest.mark.parametrize("sources", [True, ["default"]])
    @pytest.mark.parametrize("path", ["/v1/query", "/v1/metadata"])
    def test_a_reload_that_recreates_event_triggers_creates_it(
        self, server: HasuraServer, path: str, sources: Any
    ) -> None:
        server.sql(f'drop trigger "{SQL_TRIGGER}" on note')

        server.ask("reload_metadata", path, recreate_event_triggers=sources)

        assert server.sql_triggers() == [SQL_TRIGGER]

    def test_the_step_of_docker_compose_recreates_it(self, server: HasuraServer) -> None:
        script = PRODUCTION / "event_triggers.sh"
        server.sql(f'drop trigger "{SQL_TRIGGER}" on note')

        wrong, right = (
            subprocess.run(
                ["sh", script],
                env={**os.environ, "APP_BASE_API": server.url, "HASURA_GRAPHQL_ADMIN_SECRET": secret},
                capture_output=True,
            )
            for secret in ("wrong", ADMIN_SECRET)
        )

        assert wrong.returncode != 0
        assert right.returncode == 0, right.stderr
        assert server.sql_triggers() == [SQL_TRIGGER]

    def test_an_unknown_source_is_refused(self, unchanged: HasuraServer) -> None:
        response = unchanged.metadata("reload_metadata", {"recreate_event_triggers": ["other"]})

        assert (response.status_code, response.json()["code"]) == (400, "not-exists")

    def test_a_column_that_was_added_elsewhere_is_captured_after_it(self, cluster: str, tmp_path: Path) -> None:
        project = write_project(tmp_path, [NOTE_CAME], [])
        with hasura_in_thread(new_database(cluster), project) as server:
            server.sql("alter table note add column mood text")
            server.ask("reload_metadata")
            server.sql("insert into note (id, mood) values (1, 'calm')")
            server.ask("reload_metadata", **RECREATE)
            server.sql("insert into note (id, mood) values (2, 'calm')")

            captured = server.sql("select payload #> '{data,new}' from hdb_catalog.event_log order by created_at")

        assert [row.get("mood") for (row,) in captured] == [None, "calm"]


class TestReplacingMetadata:
    def test_a_new_event_trigger_gets_its_sql_trigger_and_a_removed_one_loses_it(
        self, server: HasuraServer, tmp_path: Path
    ) -> None:
        server.apply_metadata(write_project(tmp_path, [NOTE_CAME], []))

        assert server.sql_triggers() == [OTHER_SQL_TRIGGER]

    def test_a_changed_event_trigger_gets_another_sql_trigger(self, server: HasuraServer, tmp_path: Path) -> None:
        changed = {**NOTE_CHANGED, "definition": {"update": {"columns": ["extra"]}}}

        server.apply_metadata(write_project(tmp_path, [changed], []))
        server.sql("insert into note (id) values (1); update note set extra = 'x'")

        assert server.sql("select count(*) from hdb_catalog.event_log") == [(1,)]

    def test_metadata_that_is_the_same_creates_no_sql_trigger(self, server: HasuraServer, project: Path) -> None:
        server.sql(f'drop trigger "{SQL_TRIGGER}" on note')

        server.apply_metadata(project)

        assert server.sql_triggers() == []

    @pytest.mark.parametrize("options", [{}, {"allow_inconsistent_metadata": False}])
    def test_inconsistent_metadata_is_refused_unless_it_is_allowed(
        self, empty: HasuraServer, project: Path, options: dict[str, bool]
    ) -> None:
        document = load_metadata(project / "metadata").as_document()

        responses = [
            empty.metadata("replace_metadata", {"metadata": document, **options}),
            empty.metadata("replace_metadata", document),
        ]

        for response in responses:
            assert (response.status_code, response.json()) == (
                400,
                {
                    "path": "$",
                    "error": "cannot continue due to inconsistent metadata",
                    "code": "unexpected",
                    "internal": [NO_SUCH_TABLE],
                },
            )
        assert empty.ask("export_metadata") == {"version": 3, "sources": [], "cron_triggers": []}

    def test_the_first_version_of_the_call_takes_the_document_alone(self, server: HasuraServer, tmp_path: Path) -> None:
        document = load_metadata(write_project(tmp_path, [NOTE_CAME], []) / "metadata").as_document()

        answer = server.ask("replace_metadata", **document)

        assert answer == {"message": "success"}
        assert server.ask("export_metadata") == document

    @pytest.mark.parametrize(
        ("part", "message"),
        [
            ({"version": 2}, "version: expected 3"),
            ({"actions": [{"name": "x"}]}, "actions: not emulated"),
            ({"sources": []}, "sources: expected one database"),
        ],
    )
    def test_what_is_not_emulated_is_refused(
        self, unchanged: HasuraServer, project: Path, part: dict[str, Any], message: str
    ) -> None:
        document = {**load_metadata(project / "metadata").as_document(), **part}

        response = unchanged.metadata("replace_metadata", {"metadata": document})

        assert (response.status_code, response.json()["code"]) == (400, "not-supported")
        assert message in response.json()["error"]

    def test_the_metadata_survives_a_restart(self, cluster: str, project: Path) -> None:
        database = new_database(cluster)
        with hasura_in_thread(database, project) as first:
            first.ask("pg_create_event_trigger", **created())
            exported = first.ask("export_metadata")

        with hasura_in_thread(database, None) as restarted:
            assert restarted.ask("export_metadata") == exported


def created(**differing: Any) -> dict[str, Any]:
    """The arguments that create the event trigger `note_came`."""
    trigger = {"name": "note_came", "table": "note", "insert": {"columns": "*"}, "webhook": HOOK}
    return {**trigger, **differing}


class TestEventTriggersByCall:
    @pytest.mark.parametrize(("path", "kind"), [("/v1/metadata", "pg_create"), ("/v1/query", "create")])
    def test_a_created_event_trigger_has_its_sql_trigger_and_hasuras_defaults(
        self, server: HasuraServer, path: str, kind: str
    ) -> None:
        answer = server.ask(f"{kind}_event_trigger", path, **created())

        assert answer == {"message": "success"}
        assert server.sql_triggers() == sorted([SQL_TRIGGER, OTHER_SQL_TRIGGER])
        [_, trigger] = server.ask("export_metadata")["sources"][0]["tables"][0]["event_triggers"]
        assert trigger == {
            "name": "note_came",
            "definition": {"insert": {"columns": "*"}},
            "retry_conf": {"num_retries": 0, "interval_sec": 10, "timeout_sec": 60},
            "webhook": HOOK,
        }

    def test_a_replaced_event_trigger_is_another(self, server: HasuraServer) -> None:
        server.ask("pg_create_event_trigger", **created())

        server.ask("pg_create_event_trigger", **created(insert=None, delete={"columns": "*"}, replace=True))

        assert server.sql_triggers() == sorted([SQL_TRIGGER, "notify_hasura_note_came_DELETE"])

    @pytest.mark.parametrize(("path", "kind"), [("/v1/metadata", "pg_delete"), ("/v1/query", "delete")])
    def test_a_deleted_event_trigger_archives_its_events(self, server: HasuraServer, path: str, kind: str) -> None:
        server.sql("insert into note (id) values (1); update note set body = 'pending'")

        answer = server.ask(f"{kind}_event_trigger", path, name="note_changed")

        assert answer == {"message": "success"}
        assert server.sql_triggers() == []
        assert server.sql("select archived from hdb_catalog.event_log") == [(True,)]

    @pytest.mark.parametrize(
        ("kind", "args", "code"),
        [
            ("pg_create_event_trigger", created(name="note_changed"), "already-exists"),
            ("pg_create_event_trigger", created(replace=True), "not-exists"),
            ("pg_create_event_trigger", created(table="nothing"), "not-exists"),
            ("pg_create_event_trigger", created(name="1st"), "parse-failed"),
            ("pg_create_event_trigger", created(webhook="{{NOT_SET}}"), "invalid-configuration"),
            ("pg_create_event_trigger", created(insert={"columns": ["gone"]}), "invalid-configuration"),
            ("pg_delete_event_trigger", {"name": "nobody"}, "not-exists"),
        ],
    )
    def test_a_wrong_call_is_refused_and_changes_nothing(
        self, unchanged: HasuraServer, kind: str, args: dict[str, Any], code: str
    ) -> None:
        before = unchanged.ask("export_metadata")

        response = unchanged.metadata(kind, args)

        assert (response.status_code, response.json()["code"]) == (400, code)
        assert unchanged.ask("export_metadata") == before
        assert unchanged.sql_triggers() == [SQL_TRIGGER]


TWO_TABLES = """
create table topic (id int primary key);
alter table note add column topic_id int constraint of_topic references topic;
create function notes_of(topic_id int) returns setof note language sql volatile as
  'select * from note where note.topic_id = notes_of.topic_id';
"""
TOPIC = {"table": "topic", "array_relationships": [{"name": "notes", "using": {
    "foreign_key_constraint_on": {"column": "topic_id", "table": "note"}}}]}  # fmt: skip
PERMISSION = {"role": "user", "permission": {"columns": ["extra"], "filter": {}}}


class TestRunSqlThatChangesTheSchema:
    @pytest.fixture
    def server(self, cluster: str, project: Path) -> Iterator[HasuraServer]:
        """Tracks two tables, one of which depends on the other, and a function."""
        tables = project / "metadata" / "databases" / "default" / "tables"
        (tables / "tables.yaml").write_text('["!include public_note.yaml", "!include public_topic.yaml"]')
        (tables / "public_topic.yaml").write_text(yaml.safe_dump(TOPIC))
        note = yaml.safe_load((tables / "public_note.yaml").read_text())
        (tables / "public_note.yaml").write_text(yaml.safe_dump({**note, "select_permissions": [PERMISSION]}))
        databases = tables.parent.parent / "databases.yaml"
        [database] = yaml.safe_load(databases.read_text())
        databases.write_text(yaml.safe_dump([{**database, "functions": [{"function": "notes_of"}]}]))
        more = project / "migrations" / "default" / "1700000000001_more"
        more.mkdir()
        (more / "up.sql").write_text(TWO_TABLES)
        with hasura_in_thread(new_database(cluster), project) as server:
            assert inconsistent(server) == []
            yield server

    @pytest.mark.parametrize(
        ("sql", "dependent"),
        [
            ("alter table note drop column body", "event trigger note_changed in table note"),
            ("alter table note drop column extra", "select permission user in table note"),
            ("alter table note drop constraint of_topic", "array relation notes in table topic"),
            ("drop table note cascade", "array relation notes in table topic"),
        ],
    )
    def test_what_the_metadata_depends_on_cannot_be_dropped(
        self, server: HasuraServer, sql: str, dependent: str
    ) -> None:
        response = run_sql(server, sql)

        assert (response.status_code, response.json()["code"]) == (400, "dependency-error")
        assert response.json()["error"].startswith("cannot drop due to the following dependent objects : ")
        assert dependent in response.json()["error"]
        assert server.graphql("{ note { body extra topic_id } }") == {"data": {"note": []}}
        assert server.sql_triggers() == [SQL_TRIGGER]

    def test_a_dropped_table_that_nothing_else_needs_leaves_the_metadata(self, server: HasuraServer) -> None:
        assert run_sql(server, "drop table topic cascade").status_code == 200

        tables = server.ask("export_metadata")["sources"][0]["tables"]
        assert [table["table"]["name"] for table in tables] == ["note"]
        assert inconsistent(server) == []

    def test_a_dropped_function_leaves_the_metadata(self, server: HasuraServer) -> None:
        assert run_sql(server, "drop function notes_of").status_code == 200

        assert server.ask("export_metadata")["sources"][0]["functions"] == []
        assert inconsistent(server) == []

    def test_a_tracked_function_cannot_be_overloaded(self, server: HasuraServer) -> None:
        overload = "create function notes_of() returns setof note language sql as 'select * from note'"

        response = run_sql(server, overload)

        assert response.json() == {
            "path": "$",
            "error": 'the following tracked function(s) cannot be overloaded: "notes_of"',
            "code": "not-supported",
        }
        assert server.sql("select count(*) from pg_proc where proname = 'notes_of'") == [(1,)]

    def test_what_makes_more_of_the_metadata_inconsistent_is_answered_500_and_committed(
        self, empty: HasuraServer, server: HasuraServer
    ) -> None:
        document = server.ask("export_metadata")
        empty.ask("replace_metadata", metadata=document, allow_inconsistent_metadata=True)
        before = inconsistent(empty)

        response = run_sql(empty, "create table topic (id int primary key); comment on table topic is 'first of two'")

        assert (response.status_code, response.json()["code"]) == (500, "unexpected")
        assert response.json()["error"] == "cannot continue due to newly found inconsistent metadata"
        [found] = response.json()["internal"]
        assert found["name"] == "array_relation notes in table topic in source default"
        assert empty.sql("select count(*) from topic") == [(0,)]
        assert inconsistent(empty) == before

    def test_sql_with_a_word_of_a_schema_change_creates_the_sql_triggers_again(self, server: HasuraServer) -> None:
        server.sql(f'drop trigger "{SQL_TRIGGER}" on note')

        assert run_sql(server, "alter table note add column mood text").status_code == 200

        assert server.sql_triggers() == [SQL_TRIGGER]
        assert server.graphql("{ note { mood } }") == {"data": {"note": []}}

    @pytest.mark.parametrize(
        ("sql", "args"),
        [
            ("create table other (id int)", {}),
            ("alter table note add column mood text", {"check_metadata_consistency": False}),
            ("alter table note drop column body", {"check_metadata_consistency": False}),
        ],
    )
    def test_without_such_a_word_or_without_the_check_nothing_is_built_again(
        self, server: HasuraServer, sql: str, args: dict[str, bool]
    ) -> None:
        server.sql(f'drop trigger "{SQL_TRIGGER}" on note')

        assert run_sql(server, sql, **args).status_code == 200

        assert server.sql_triggers() == []
        assert inconsistent(server) == []

    def test_a_check_can_be_asked_for(self, server: HasuraServer) -> None:
        server.sql("alter table note add column mood text")

        assert run_sql(server, "select 1", check_metadata_consistency=True).status_code == 200

        assert server.graphql("{ note { mood } }") == {"data": {"note": []}}

    def test_cascade_is_refused(self, unchanged: HasuraServer) -> None:
        response = run_sql(unchanged, "alter table note drop column body", cascade=True)

        assert (response.json()["code"], response.json()["error"]) == ("not-supported", "cascade is not emulated")
