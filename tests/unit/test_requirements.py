"""requirements.lock holds exact versions, with hashes, that requirements.txt allows."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def requirements_in(path: str) -> list[Requirement]:
    lines = re.sub(r"\\\n", " ", (ROOT / path).read_text()).splitlines()
    written = [re.split(r" #|--hash", line)[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [Requirement(line) for line in written]


def locked() -> list[Requirement]:
    return requirements_in("requirements.lock")


@pytest.mark.parametrize("wanted", requirements_in("requirements.txt"), ids=lambda wanted: wanted.name)
def test_each_requirement_is_locked_to_a_version_that_it_allows(wanted: Requirement) -> None:
    versions = [
        specifier.version
        for requirement in locked()
        for specifier in requirement.specifier
        if canonicalize_name(requirement.name) == canonicalize_name(wanted.name)
    ]

    assert versions
    assert [version for version in versions if version not in wanted.specifier] == []


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_on_each_python_a_package_is_locked_to_one_version(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    names = [one.name for one in locked() if one.marker is None or one.marker.evaluate(environment)]

    assert sorted(set(names)) == sorted(names)
    assert {canonicalize_name(one.name) for one in requirements_in("requirements.txt")} <= set(names)


def test_every_locked_package_has_one_exact_version_and_a_hash() -> None:
    entries = re.split(r"\n(?=[a-z])", (ROOT / "requirements.lock").read_text())[1:]

    assert len(entries) == len(locked())
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ ", entry)] == []
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


def test_the_lock_names_no_server_to_install_from() -> None:
    assert re.findall(r"https?:|--(?:extra-)?index|--find-links|file:", (ROOT / "requirements.lock").read_text()) == []
