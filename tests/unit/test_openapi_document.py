"""docs/openapi.yaml says of the functions what their code, their bindings and docs/errors.md say."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared import errors
from shared.core.drafts import WHEN_LATE, Draft
from shared.core.model import State
from shared.errors import InvalidDraft, Problem, Unavailable
from shared.hasura import documents
from shared.http.endpoint import problem_type

ROOT = Path(__file__).parents[2]
DESCRIPTION: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
FUNCTIONS = {"/api/createPost": "createPost", "/api/postTweet": "postTweet"}


def resolved(node: Any) -> Any:
    """`node` without references."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = DESCRIPTION
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def answers() -> Iterator[tuple[str, int, dict[str, Any]]]:
    for path, item in DESCRIPTION["paths"].items():
        for status, answer in item["post"]["responses"].items():
            yield path, int(status), resolved(answer)


def described_problems() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The type, the status and the answer of each problem."""
    for _, status, answer in answers():
        if content := answer["content"].get("application/problem+json"):
            properties = content["schema"]["allOf"][1]["properties"]
            assert properties["status"]["const"] == status
            for kind in properties["type"].get("enum") or [properties["type"]["const"]]:
                yield kind, status, answer


KINDS = {
    problem_type(kind): kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, Problem) and kind not in (Problem, Unavailable)
}


def test_every_problem_is_described_with_its_status_and_none_besides() -> None:
    assert {(kind, status) for kind, status, _ in described_problems()} == {
        (name, kind.status) for name, kind in KINDS.items()
    }


@pytest.mark.parametrize(("name", "status", "answer"), list(described_problems()), ids=lambda value: str(value)[:40])
def test_a_problem_comes_with_the_headers_and_faults_that_its_class_has(
    name: str, status: int, answer: dict[str, Any]
) -> None:
    kind = KINDS[name]
    schema = answer["content"]["application/problem+json"]["schema"]["allOf"][1]

    assert ("Retry-After" in answer.get("headers", {})) == (status in (429, 503))
    assert ("WWW-Authenticate" in answer.get("headers", {})) == (status == 401)
    assert ("errors" in schema.get("required", [])) == issubclass(kind, InvalidDraft)


def test_the_functions_are_at_the_routes_and_take_the_methods_of_their_bindings() -> None:
    bound = {}
    for path in ROOT.glob("*/function.json"):
        [trigger] = [one for one in json.loads(path.read_text())["bindings"] if one["type"] == "httpTrigger"]
        bound[f"/api/{trigger['route']}"] = set(trigger["methods"])

    assert {path: set(item) for path, item in DESCRIPTION["paths"].items()} == bound


def test_a_draft_has_the_fields_that_are_read() -> None:
    draft = DESCRIPTION["components"]["schemas"]["Draft"]

    assert list(draft["properties"]) == list(Draft.__dataclass_fields__)
    assert draft["properties"]["when_late"]["enum"] == list(WHEN_LATE)


def test_a_created_post_has_the_fields_that_are_selected() -> None:
    created = DESCRIPTION["components"]["schemas"]["CreatedPost"]["properties"]["insert_scheduled_post_one"]
    selected = documents.INSERT_POST.split("{")[2].split("}")[0].split()

    assert list(created["properties"]) == created["required"] == selected


def test_the_states_are_those_of_a_post() -> None:
    assert DESCRIPTION["components"]["schemas"]["State"]["enum"] == [str(state) for state in State]


def test_the_version_is_that_of_the_project() -> None:
    assert DESCRIPTION["info"]["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
