"""The development stack has no import cycle, so that each of its modules can be read after those that it imports."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, modules: set[str]) -> set[str]:
    """The modules that a file imports anywhere in it, in functions and for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= members & modules or {node.module or ""}
    return found & modules


def test_the_modules_of_local_have_no_import_cycle() -> None:
    paths = {module_name(path): path for path in (ROOT / "local").rglob("*.py")}
    graph = {name: imports(path, set(paths)) for name, path in paths.items()}

    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssertionError(f"import cycle: {' -> '.join(error.args[1])}") from None

    assert set(order) == set(paths)
