"""docs/local-stack.md tells the truth: what it lists is what there is."""

import re
import subprocess
import sys
from pathlib import Path

from local.x_api.faults import KINDS

ROOT = Path(__file__).parents[2]


def table_with(first_column: str) -> list[list[str]]:
    """The rows of the table in docs/local-stack.md whose first column is headed so."""
    text = (ROOT / "docs/local-stack.md").read_text()
    rows = re.findall(r"^\|(.*)\|$", text.split(f"\n| {first_column} |", 1)[1].split("\n\n")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[1:]]


def test_every_fault_that_x_can_be_told_to_have_is_explained() -> None:
    assert {row[0].strip("`"): row[1] for row in table_with("kind")} == {
        name: kind.description for name, kind in KINDS.items()
    }


def test_every_option_of_the_stack_is_explained() -> None:
    shown = subprocess.run([sys.executable, "-m", "local", "--help"], cwd=ROOT, capture_output=True, text=True).stdout
    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}

    assert {row[0].strip("`").split()[0] for row in table_with("option")} == options
