"""What `make check` makes of pip-audit's report."""

import json
from typing import Any

import pytest

from scripts.advisories import NoAdvisories, faults_in

GOOD = {"name": "requests", "version": "2.34.2", "vulns": []}
LEFT_OUT = {"name": "werkzeug", "skip_reason": "Dependency not found on PyPI"}
ADVISORY = {"id": "PYSEC-2026-1", "fix_versions": ["2.35.0"], "aliases": ["CVE-2026-1"], "description": "..."}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_packages_without_advisories_have_no_fault() -> None:
    assert faults_in(report(GOOD)) == []


def test_an_advisory_is_named_with_the_version_that_mends_it() -> None:
    assert faults_in(report(GOOD, {**GOOD, "vulns": [ADVISORY]})) == [
        "requests 2.34.2 has PYSEC-2026-1; mended in 2.35.0."
    ]


def test_an_advisory_that_no_version_mends_is_a_fault_as_well() -> None:
    [fault] = faults_in(report({**GOOD, "vulns": [{**ADVISORY, "fix_versions": []}]}))

    assert fault.endswith("mended in no version yet.")


def test_a_package_that_was_left_out_beside_others_is_a_fault() -> None:
    assert faults_in(report(GOOD, LEFT_OUT)) == ["werkzeug was not audited: Dependency not found on PyPI"]


@pytest.mark.parametrize("given", ["", "Traceback (most recent call last):", "[]", report(LEFT_OUT, LEFT_OUT)])
def test_without_any_advisories_nothing_is_said_of_the_packages(given: str) -> None:
    with pytest.raises(NoAdvisories):
        faults_in(given)
