"""The allow list of the local Hasura: which documents everybody but the admin may send."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from local_hasura import JWT_KEY, HasuraServer, hasura_in_thread, new_database, write_project

pytest_plugins = ["local_hasura_fixtures"]

NOTES = """query Notes($id: Int!) {
  note(where: {id: {_gt: $id}}, order_by: {id: asc}) { ...note }
}
fragment note on note { id body }"""
OTHERS = "query Others { note { id } }"
OF_EDITORS = "query OfEditors { note { body } }"
ON = {"HASURA_GRAPHQL_ENABLE_ALLOWLIST": "true"}


def collection(name: str, **queries: str) -> dict[str, Any]:
    return {"name": name, "definition": {"queries": [{"name": each, "query": queries[each]} for each in queries]}}


COLLECTIONS = [
    collection("listed", notes=NOTES),
    collection("of editors", of=OF_EDITORS),
    collection("unlisted", o=OTHERS),
]
LISTED = [
    {"collection": "listed", "scope": {"global": True}},
    {"collection": "of editors", "scope": {"global": False, "roles": ["user"]}},
]


def project_with(folder: Path, collections: Any, listed: Any) -> Path:
    """The project of `write_project`, whose table the role ``user`` may read, with these collections."""
    project = write_project(folder, [], [])
    table = project / "metadata" / "databases" / "default" / "tables" / "public_note.yaml"
    columns = {"columns": ["id", "body"], "filter": {}}
    content = yaml.safe_load(table.read_text()) | {"select_permissions": [{"role": "user", "permission": columns}]}
    table.write_text(yaml.safe_dump(content))
    (project / "metadata" / "query_collections.yaml").write_text(yaml.safe_dump(collections))
    (project / "metadata" / "allow_list.yaml").write_text(yaml.safe_dump(listed))
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_with(tmp_path_factory.mktemp("project"), COLLECTIONS, LISTED)


@pytest.fixture(scope="module")
def server(cluster: str, project: Path) -> Iterator[HasuraServer]:
    """With the list on."""
    with hasura_in_thread(new_database(cluster), project, ON) as running:
        yield running


def ask(server: HasuraServer, query: str, **variables: Any) -> Any:
    """What the role ``user`` is answered."""
    return send(server, {"query": query, "variables": variables})


def send(server: HasuraServer, body: Any) -> Any:
    claims = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user"}
    token = jwt.encode({"https://hasura.io/jwt/claims": claims}, JWT_KEY, "HS256")
    return server.post("/v1/graphql", body, Authorization=f"Bearer {token}").json()


REFUSED = {"errors": [{"message": "query is not allowed", "extensions": {"path": "$", "code": "validation-failed"}}]}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(NOTES, id="as it is listed"),
        pytest.param("# a comment\n" + " ".join(NOTES.split()).replace("{ ", "{\n\n"), id="other white space"),
        pytest.param(NOTES.replace("{ id body }", "{ __typename id body }"), id="__typename"),
    ],
)
def test_a_listed_document_is_executed(server: HasuraServer, query: str) -> None:
    assert ask(server, query, id=0) == {"data": {"note": []}}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(NOTES.replace("id body", "body id"), id="another order"),
        pytest.param(NOTES.replace("asc", "desc"), id="another literal"),
        pytest.param(NOTES.replace("query Notes", "query Others"), id="another name"),
        pytest.param(NOTES.replace("id body", "id body ... on note { __typename }"), id="more"),
        pytest.param(NOTES + " fragment unused on note { id }", id="an unused fragment"),
        pytest.param(
            "query Notes($id: Int!) { note(where: {id: {_gt: $id}}, order_by: {id: asc}) { id body } }", id="inlined"
        ),
        pytest.param(OTHERS, id="of a collection that is not listed"),
        pytest.param(OF_EDITORS, id="of a collection that is listed for roles"),
        pytest.param("{ __schema { types { name } } }", id="introspection"),
        pytest.param("{ nothing }", id="what the schema does not have"),
    ],
)
def test_any_other_document_is_refused_before_it_is_validated(server: HasuraServer, query: str) -> None:
    assert ask(server, query) == REFUSED


def test_what_is_no_document_is_refused_as_such(server: HasuraServer) -> None:
    [error] = ask(server, "query {")["errors"]

    assert error["message"] == "not a valid graphql query"


def test_each_request_of_a_batch_is_checked(server: HasuraServer) -> None:
    answers = send(server, [{"query": NOTES, "variables": {"id": 0}}, {"query": OTHERS}])

    assert answers == [{"data": {"note": []}}, REFUSED]


def test_the_admin_may_send_anything(server: HasuraServer) -> None:
    assert server.graphql(OTHERS) == {"data": {"note": []}}


def test_without_the_setting_everybody_may_send_anything(cluster: str, project: Path) -> None:
    with hasura_in_thread(new_database(cluster), project) as server:
        assert ask(server, OTHERS) == {"data": {"note": []}}


def test_the_list_is_exported_and_survives_a_restart(cluster: str, project: Path) -> None:
    database = new_database(cluster)
    with hasura_in_thread(database, project, ON) as first:
        exported = first.ask("export_metadata")

    with hasura_in_thread(database, None, ON) as restarted:
        assert ask(restarted, NOTES, id=0) == {"data": {"note": []}}
        assert ask(restarted, OTHERS) == REFUSED
    assert (exported["query_collections"], exported["allowlist"]) == (COLLECTIONS, LISTED)


def test_a_listed_document_that_does_not_fit_the_schema_is_inconsistent(cluster: str, tmp_path: Path) -> None:
    wrong = [collection("listed", wrong="query Wrong { note { title } }"), collection("unlisted", o="{ nothing }")]
    with hasura_in_thread(new_database(cluster), project_with(tmp_path, wrong, LISTED[:1])) as server:
        found = server.ask("get_inconsistent_metadata")["inconsistent_objects"]

    assert [(one["type"], one["name"]) for one in found] == [("query_collections", "query_collections wrong in listed")]
    assert "Cannot query field 'title'" in found[0]["reason"]


@pytest.mark.parametrize(
    ("collections", "code"),
    [
        pytest.param([collection("listed", wrong="query {")], "parse-failed", id="no document"),
        pytest.param([], "not-exists", id="no such collection"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(
    server: HasuraServer, project: Path, collections: Any, code: str
) -> None:
    before = server.ask("export_metadata")

    answer = server.metadata("replace_metadata", before | {"query_collections": collections, "allowlist": LISTED[:1]})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert server.ask("export_metadata") == before
