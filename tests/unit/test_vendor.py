"""The library that the page brings along is, byte for byte, the package that package.json names."""

import json
import re
from pathlib import Path

from scripts.vendor import FILES, PACKAGE, VENDOR, checksums

ROOT = Path(__file__).parents[2]


def pinned_version() -> str:
    version: str = json.loads((ROOT / "package.json").read_text())["devDependencies"][PACKAGE]
    return version


def test_the_vendored_files_are_as_they_were_copied() -> None:
    assert checksums() == (VENDOR / "SHA256SUMS").read_text()


def test_the_vendored_files_are_those_that_make_vendor_copies() -> None:
    copied = {path.name for path in (VENDOR / PACKAGE).iterdir()}

    assert copied == {Path(name).name for name in FILES}


def test_the_vendored_library_is_of_the_version_that_package_json_pins() -> None:
    [version] = re.findall(r"const VERSION = 'v(.+)';", (VENDOR / PACKAGE / "index.js").read_text())

    assert version == pinned_version()


def test_the_notices_name_the_vendored_version_and_repeat_its_licence() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    licence = (VENDOR / PACKAGE / "LICENSE.md").read_text()

    assert f"{PACKAGE} {pinned_version()}" in notices
    assert re.findall(r"Copyright .*", licence)[0] in notices
