"""THIRD_PARTY_NOTICES.md names all that others made."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTICES = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()


def test_every_package_that_a_deployment_contains_is_named_with_its_licence() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))

    assert set(re.findall(r"^\| ([a-z0-9-]+) \| [A-Z]", NOTICES, re.MULTILINE)) == locked


def test_every_file_of_others_and_every_file_made_from_their_data_is_named() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    theirs = [path for path in tracked if {"vendor", "vendored"} & set(Path(path).parts) and "LICENSE" not in path]
    made = [path for path in tracked if Path(path).stem in ("text_tables", "emoji", "top_level_domains")]

    assert [path for path in [*theirs, *made] if f"`{path}`" not in NOTICES] == []
    assert made
