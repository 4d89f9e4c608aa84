"""Who may import whom. Imports point down only, so that each module can be read without those above it."""

import ast
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ALLOWED = {
    "errors": set(),
    "clock": set(),
    "tweet_length": set(),
    "config": {"errors"},
    "auth": {"errors"},
    "endpoint": {"errors"},
    "http_client": {"errors"},
    "drafts": {"errors", "tweet_length"},
    "posts": {"errors", "drafts"},
    "events": {"errors"},
    "publishing": {"errors", "posts", "tweet_length"},
    "looking": {"errors", "posts", "publishing"},
    "ringing": {"looking", "posts", "publishing"},
    "hasura": {"config", "drafts", "errors", "http_client", "posts"},
    "timeline": set(),
    "tweet_text": set(),
    "x_refusals": {"errors", "http_client"},
    "x": {"config", "errors", "http_client", "posts", "timeline", "tweet_text", "x_refusals"},
}
FUNCTIONS = ["createPost", "postTweet"]


def imported_by(path: Path) -> set[str]:
    """Every module that a file imports, in full: ``from shared import x`` counts as ``shared.x``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {"." * node.level + (node.module or "")}
            if node.module == "shared":
                found = found - {"shared"} | {f"shared.{alias.name}" for alias in node.names}
    return found


def of_shared(modules: set[str]) -> set[str]:
    return {module.split(".")[1] for module in modules if module.startswith("shared.")}


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def test_every_module_of_shared_has_its_place() -> None:
    assert {path.stem for path in python_files("shared")} - {"__init__"} == ALLOWED.keys()


@pytest.mark.parametrize("module", sorted(ALLOWED))
def test_a_module_of_shared_imports_what_lies_below_it_alone(module: str) -> None:
    assert of_shared(imported_by(ROOT / "shared" / f"{module}.py")) <= ALLOWED[module]


@pytest.mark.parametrize("module", sorted(ALLOWED))
def test_a_module_of_shared_imports_absolutely(module: str) -> None:
    assert not any(name.startswith((".", "__app__")) for name in imported_by(ROOT / "shared" / f"{module}.py"))


def test_requests_is_imported_by_the_http_client_alone() -> None:
    importers = {path.stem for path in python_files("shared") if "requests" in imported_by(path)}

    assert importers == {"http_client"}


def test_the_core_knows_no_http_no_graphql_and_no_environment() -> None:
    for module in ("posts", "publishing", "looking", "ringing", "drafts", "errors", "tweet_length"):
        outside = {name.split(".")[0] for name in imported_by(ROOT / "shared" / f"{module}.py")}
        assert outside - set(sys.stdlib_module_names) <= {"shared"}
        assert outside.isdisjoint({"os", "urllib", "socket", "json"})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_shared_absolutely_and_never_the_other_function(function: str) -> None:
    modules = imported_by(ROOT / function / "__init__.py")

    assert not any(module.startswith((".", "__app__", *FUNCTIONS)) for module in modules)
    assert of_shared(modules)


def test_the_development_stack_and_the_product_do_not_know_each_other() -> None:
    for path in python_files("local"):
        assert not of_shared(imported_by(path)), path
    for folder in ("shared", *FUNCTIONS):
        for path in python_files(folder):
            assert not any(module.split(".")[0] == "local" for module in imported_by(path)), path


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_short_and_takes_what_its_bindings_name(function: str) -> None:
    source = (ROOT / function / "__init__.py").read_text()
    bindings = json.loads((ROOT / function / "function.json").read_text())["bindings"]
    [main] = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "main"]

    assert len(source.splitlines()) <= 40
    assert {argument.arg for argument in main.args.args} - {"context"} == {
        binding["name"] for binding in bindings if binding["direction"] == "in"
    }
