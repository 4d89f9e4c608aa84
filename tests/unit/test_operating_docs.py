"""docs/operating.md is true to the code: what the log asks, what can be typed, which secrets there are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.config import SETTINGS

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "operating.md").read_text()
MIGRATION = (ROOT / "hasura/migrations/default/1795000002000_claim_and_record/up.sql").read_text()


def first_column(heading: str) -> list[str]:
    """Of the table that is headed so."""
    table = DOCS.split(f"\n| {heading} |", 1)[1].split("\n\n")[0]
    return [row.split(" | ")[0].strip("| ") for row in table.split("\n")[2:]]


def operator_messages() -> Iterator[str]:
    """How each message to the operator begins, as far as it is the same each time. That of the ceiling is in SQL."""
    for path in [ROOT / "shared/core/policy.py", ROOT / "shared/x/client.py", ROOT / "shared/x/rejections.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "operator":
                yield from beginnings(node.value)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "TokensUnreadable":
                yield from beginnings(node.args[1])
    [of_the_ceiling] = re.findall(r"create function public\.within_ceiling.*?format\(\s*'([^%]+)", MIGRATION, re.DOTALL)
    yield of_the_ceiling.strip()


def beginnings(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from (*beginnings(value.body), *beginnings(value.orelse))
    elif isinstance(value, ast.JoinedStr):
        yield from beginnings(value.values[0])
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value.strip()


def test_each_message_to_the_operator_is_explained_by_its_beginning() -> None:
    explained = [cell.strip("`") for cell in first_column("it goes on with")]

    assert sorted(explained) == sorted(operator_messages())


def test_each_event_that_wants_the_operator_is_explained() -> None:
    query = (ROOT / "infra/queries/operator.kql").read_text()
    explained = {cell.strip("`") for cell in first_column("event")} | {"operator_must_act"}

    assert explained == set(re.findall(r"'(\w+)'", query))


def test_each_alert_is_explained() -> None:
    rules = re.findall(r"^    name: '([\w-]+)'", (ROOT / "infra/alerts.bicep").read_text(), re.MULTILINE)

    assert [cell.strip("`") for cell in first_column("rule")] == rules


def test_each_query_is_named_and_each_that_is_named_is_there() -> None:
    there = {path.name for path in (ROOT / "infra/queries").glob("*.kql")}

    assert set(re.findall(r"\w+\.kql", DOCS)) == there


def test_each_secret_has_its_order_of_rotation() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", " ".join(first_column("setting"))))

    assert named == {one.name for one in SETTINGS if one.secret}


def test_each_command_that_is_shown_can_be_typed() -> None:
    targets = set(re.findall(r"^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    modules = re.findall(r"python -m ([\w.]+)", DOCS)

    assert set(re.findall(r"\bmake ([a-z-]+)\b", DOCS.replace("make it", ""))) - {"contract"} <= targets
    for module in modules:
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_no_command_for_a_real_hasura_has_the_admin_secret_among_its_arguments() -> None:
    """Other users of the machine see a command's arguments; a header goes by standard input."""
    header = re.compile(r"""(-H|--header) ?["']x-hasura-admin-secret""", re.IGNORECASE)

    showing = {path.name for path in (ROOT / "docs").glob("*.md") if header.search(path.read_text())}
    assert showing <= {"local-stack.md"}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[\w/.]+)`", DOCS))))
def test_a_test_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()
