"""Who may import whom. Imports point down, so that each module can be read without those above it."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter
from http import HTTPStatus
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("createPost", "postTweet")
PRODUCT = ("shared", *FUNCTIONS)
NEVER_DEPLOYED = ("local", "admin", "doctor", "chaos", "soak", "benchmarks", "scripts", "tests")

EDGE = [
    "shared.core.model",
    "shared.core.event_store",
    "shared.core.policy",
    "shared.core.drafts",
    "shared.http.client",
    "shared.config",
]
BASE = ["shared.errors", "shared.limits", "shared.log"]
MAY_IMPORT = {
    "shared.errors": ["shared.limits"],
    "shared.limits": [],
    "shared.clock": [],
    "shared.log": [],
    "shared.config": ["shared.errors", "shared.http.jwt_tokens", "shared.x.sealed_tokens"],
    "shared.notifications": ["shared.config", "shared.core.clock", "shared.core.model", "shared.http.client", *BASE],
    "shared.http": ["shared.http", *BASE],
    "shared.core": ["shared.core", "shared.x.text_length", *BASE],
    "shared.hasura": ["shared.hasura", "shared.core.schedule", *EDGE, *BASE],
    "shared.x": ["shared.x", *EDGE, *BASE],
    "shared.x.text_length": ["shared.x"],
    "shared.x.sealed_tokens": ["shared.errors"],
    "createPost": ["shared"],
    "postTweet": ["shared"],
}
"""What of this repository each module or folder may import. The most exact name counts."""

IMPORTED_ONCE = {
    "requests": "shared.http.client",
    "urllib3": "shared.http.client",
    "oauthlib": "shared.x.signature",
    "jwt": "shared.http.jwt_tokens",
    "dotenv": "shared.config",
}
"""The one module of shared that may import a third party's package."""


@cache
def modules(folder: str) -> Mapping[str, Path]:
    """The modules of a folder by their names; a package is named like its folder."""
    files = sorted((ROOT / folder).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return dict(zip(names, files, strict=True))


@cache
def imports(file: Path) -> frozenset[str]:
    """The full names of the modules that a file imports: ``from shared.core import drafts`` is shared.core.drafts."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            found |= {_module(package, alias.name) for alias in node.names}
    return frozenset(found)


def _module(package: str, name: str) -> str:
    path = ROOT.joinpath(*package.split("."), name)
    return f"{package}.{name}" if path.with_suffix(".py").exists() or (path / "__init__.py").exists() else package


def lies_in(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def of_this_repository(names: frozenset[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in (*PRODUCT, *NEVER_DEPLOYED)}


def rule_for(module: str) -> list[str]:
    """What `module` may import; a package that nothing is said of, like shared itself, imports nothing."""
    name = max((name for name in MAY_IMPORT if lies_in(module, name)), key=len, default=None)
    return MAY_IMPORT[name] if name else []


def everything_under(names: Set[str]) -> set[str]:
    """`names` and all that is imported with them, of this repository and of others."""
    files = {name: file for folder in (*PRODUCT, *NEVER_DEPLOYED) for name, file in modules(folder).items()}
    found: set[str] = set()
    new = set(names)
    while new:
        found |= new
        packages = {".".join(name.split(".")[:length]) for name in new for length in range(1, name.count(".") + 1)}
        new = packages.union(*(imports(files[name]) for name in new if name in files)) - found
    return found


@pytest.mark.parametrize("module", [*modules("shared"), *FUNCTIONS])
def test_a_module_of_the_product_imports_what_lies_below_it_alone(module: str) -> None:
    imported = of_this_repository(imports(modules(module.split(".")[0])[module]))

    assert {name for name in imported if not any(lies_in(name, folder) for folder in rule_for(module))} == set()


@pytest.mark.parametrize("folder", PRODUCT)
def test_the_product_imports_absolutely(folder: str) -> None:
    # The worker imports a function under __app__: a relative import would make second copies of the modules.
    relative = {
        module: {name for name in imports(file) if name.startswith((".", "__app__"))}
        for module, file in modules(folder).items()
    }

    assert {module: names for module, names in relative.items() if names} == {}


def test_the_product_imports_nothing_that_is_not_deployed() -> None:
    for folder in PRODUCT:
        for module, file in modules(folder).items():
            assert {name for name in imports(file) if name.split(".")[0] in NEVER_DEPLOYED} == set(), module


def test_the_local_stack_does_not_know_the_product() -> None:
    # An emulator that was made from our own client would repeat our misunderstandings.
    for module, file in modules("local").items():
        assert {name for name in imports(file) if name.split(".")[0] in PRODUCT} == set(), module


@pytest.mark.parametrize("folder", ["shared", "admin", "doctor", "chaos", "soak", "local"])
def test_no_modules_import_each_other_in_a_circle(folder: str) -> None:
    graph = {
        module: {name for name in imports(file) if lies_in(name, folder) and name != module}
        for module, file in modules(folder).items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("package", IMPORTED_ONCE)
def test_a_third_party_package_is_imported_in_one_place(package: str) -> None:
    importers = {
        module for module, file in modules("shared").items() if any(lies_in(name, package) for name in imports(file))
    }

    assert importers == {IMPORTED_ONCE[package]}


def core_modules() -> list[str]:
    return [name for name in modules("shared") if lies_in(name, "shared.core")]


IO_OF_PYTHON = {"http", "urllib", "json", "os", "socket", "ssl", "subprocess", "sys", "io", "pathlib", "time"}


@pytest.mark.parametrize("module", core_modules())
def test_the_core_imports_no_package_and_nothing_that_reaches_outside(module: str) -> None:
    imported = {name.split(".")[0] for name in imports(modules("shared")[module])} - {"shared"}

    assert imported - sys.stdlib_module_names == set()
    assert imported & IO_OF_PYTHON == set()


@pytest.mark.parametrize("module", core_modules())
def test_the_core_knows_no_status_of_http(module: str) -> None:
    tree = ast.parse(modules("shared")[module].read_text())
    statuses = {status.value for status in HTTPStatus if status >= HTTPStatus.OK}

    found = [(node.lineno, node.value) for node in numbers_but_durations(tree) if node.value in statuses]

    assert found == []


def numbers_but_durations(tree: ast.AST) -> Iterator[ast.Constant]:
    """The whole numbers in a module, without those in ``timedelta(...)``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "timedelta":
            continue
        if isinstance(node, ast.Constant) and type(node.value) is int:
            yield node
        yield from numbers_but_durations(node)


def test_create_post_does_not_import_what_publishes() -> None:
    under = everything_under({"createPost"})

    assert under & {"shared.x.client", "shared.core.model", "shared.core.deliver", "shared.hasura.post_store"} == set()
    assert {"shared.http.auth", "shared.core.schedule", "shared.hasura.draft_store"} <= under


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_short_and_takes_what_its_bindings_name(function: str) -> None:
    source = (ROOT / function / "__init__.py").read_text()
    bindings = json.loads((ROOT / function / "function.json").read_text())["bindings"]
    [main] = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "main"]

    assert len(source.splitlines()) <= 40
    assert {argument.arg for argument in main.args.args} - {"context"} == {
        binding["name"] for binding in bindings if binding["direction"] == "in"
    }


def requirements(path: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z][A-Za-z0-9_-]*)", (ROOT / path).read_text(), re.MULTILINE))


COMES_WITH = {
    "azure-functions": {"azure"},
    "cryptography": {"cryptography"},
    "oauthlib": {"oauthlib"},
    "pyjwt": {"jwt"},
    "python-dotenv": {"dotenv"},
    "requests": {"requests"},
    "urllib3": {"urllib3"},
}
"""The packages that each requirement of the product installs, as they are imported."""


def test_the_product_imports_what_its_requirements_install_and_each_of_them() -> None:
    imported = {
        name.split(".")[0] for folder in PRODUCT for file in modules(folder).values() for name in imports(file)
    } - {*sys.stdlib_module_names, *PRODUCT}

    assert requirements("requirements.txt") == COMES_WITH.keys()
    assert imported <= set().union(*COMES_WITH.values())
    assert [name for name, packages in COMES_WITH.items() if not packages & imported] == []


@pytest.mark.parametrize("file", sorted((ROOT / "tests/unit").glob("*.py")), ids=lambda file: file.stem)
def test_the_unit_tests_import_the_product_and_their_own_packages_alone(file: Path) -> None:
    # packaging comes with pytest
    given = {
        "pytest",
        "packaging",
        "responses",
        "hypothesis",
        "standardwebhooks",
        "pycep",
        "yaml",
        *PRODUCT,
        *NEVER_DEPLOYED,
        *set().union(*COMES_WITH.values()),
    }
    beside = {path.stem for folder in ("tests", "tests/unit") for path in (ROOT / folder).glob("*.py")}

    imported = {name.split(".")[0] for name in everything_under(imports(file))}

    assert imported - given - beside - sys.stdlib_module_names == set()


NEVER_IMPORTED = ("requests_oauthlib", "oauthlib.oauth2", "sqlite3", "unittest", "multiprocessing")
"""What would make a cold start longer and is not needed."""


@pytest.mark.parametrize(
    ("function", "not_imported"),
    [
        ("createPost", (*NEVER_IMPORTED, "oauthlib", "shared.x.client", "shared.core.deliver")),
        ("postTweet", NEVER_IMPORTED),
    ],
)
def test_a_function_loads_nothing_that_it_does_not_need(function: str, not_imported: tuple[str, ...]) -> None:
    script = f"import sys, {function}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert [name for name in not_imported if name in loaded] == []
