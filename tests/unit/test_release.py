"""There is one version, and the changelog begins with it."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def headings() -> list[str]:
    return re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_changelog_begins_with_the_version_of_the_project() -> None:
    assert headings()[0].split(" - ")[0] == version()


def test_each_release_has_its_day_and_only_the_newest_may_lack_it() -> None:
    dated = re.compile(r"\d+\.\d+\.\d+ - (\d{4}-\d{2}-\d{2})")

    assert [heading for heading in headings()[1:] if not dated.fullmatch(heading)] == []
    assert dated.fullmatch(headings()[0]) or headings()[0].endswith(" - not released yet")


def test_the_version_stands_nowhere_else() -> None:
    assert "version" not in json.loads((ROOT / "package.json").read_text())
