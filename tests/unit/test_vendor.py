"""The libraries that the page brings along are, byte for byte, the packages that package.json names."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from scripts.vendor import PACKAGES, VENDOR, checksums

ROOT = Path(__file__).parents[2]


def pinned_version(package: str) -> str:
    version: str = json.loads((ROOT / "package.json").read_text())["devDependencies"][package]
    return version


def test_the_vendored_files_are_as_they_were_copied() -> None:
    assert checksums() == (VENDOR / "SHA256SUMS").read_text()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_vendored_files_are_those_that_make_vendor_copies(package: str) -> None:
    copied = sorted(path.name for path in (VENDOR / package).iterdir())

    patterns = [Path(pattern).name for pattern in PACKAGES[package]]
    assert [name for name in copied if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert len(copied) == len(patterns)


def test_the_vendored_library_is_of_the_version_that_package_json_pins() -> None:
    [version] = re.findall(r"const VERSION = 'v(.+)';", (VENDOR / "oauth4webapi" / "index.js").read_text())

    assert version == pinned_version("oauth4webapi")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_notices_name_the_vendored_version_and_repeat_its_licence(package: str) -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    licence = (VENDOR / package / "LICENSE.md").read_text()

    assert f"{package} {pinned_version(package)}" in notices
    assert re.findall(r"Copyright .*", licence)[0] in notices
