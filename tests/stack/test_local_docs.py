"""docs/local-stack.md tells the truth: what it lists is what there is."""

import re
import subprocess
import sys
from pathlib import Path

from local.hasura.metadata_api.not_emulated import NOT_EMULATED
from local.hasura.subscriptions import connection, endpoint, live_queries
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


def test_every_metadata_call_that_only_a_real_hasura_has_is_listed() -> None:
    section = (ROOT / "docs/local-stack.md").read_text().split("\n### Metadata calls\n")[1]
    [on_a_database, *others] = re.findall(r"^- .*$", section, re.MULTILINE)
    names = {name for line in others for name in re.findall(r"`([a-z_]+)`", line)}
    without_prefix = set(re.findall(r"`([a-z_]+)`", on_a_database.partition(": ")[2]))

    assert names | without_prefix | {f"pg_{name}" for name in without_prefix} == NOT_EMULATED


def test_the_bounds_of_websockets_are_those_of_the_code() -> None:
    bounds = {row[0]: row[1] for row in table_with("what")}

    assert bounds["connections"].startswith(f"{endpoint.MOST_CONNECTIONS:,};")
    assert bounds["subscriptions of a connection"].startswith(f"{connection.MOST_SUBSCRIPTIONS};")
    assert bounds["a message from a client"].startswith(f"{endpoint.LARGEST_MESSAGE // 2**20} MiB;")
    assert bounds["a message to a client"].startswith(f"{connection.SECONDS_TO_TAKE_A_MESSAGE} s ")
    assert bounds["a close frame to a client"].startswith(f"{connection.SECONDS_TO_CLOSE} s ")
    assert bounds["polls at the same time"] == str(live_queries.POLLS_AT_ONCE)
