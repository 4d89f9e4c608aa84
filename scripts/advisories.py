"""Asks PyPI, by pip-audit, whether there is a security advisory on a package of requirements.lock.

Where PyPI's advisories cannot be had (offline, or a mirror that has none), it says so and ends well.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "requirements.lock"

_TIMEOUT_SECONDS = 120


class NoAdvisories(Exception):
    """None could be read; the message says why."""


def main() -> None:
    """Ends with status 1 when a package has an advisory, or when it could not be asked about as the others were."""
    argparse.ArgumentParser(prog="python -m scripts.advisories", description=__doc__).parse_args()
    try:
        faults = faults_in(_report())
    except NoAdvisories as error:
        print(f"No advisories can be had here, so none were looked for: {error}")
        return
    if faults:
        sys.exit("\n".join(faults))


def faults_in(report: str) -> list[str]:
    """A line for each advisory and for each package that was left out, of pip-audit's JSON."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoAdvisories("pip-audit gave no report.") from error
    if all("skip_reason" in package for package in packages):
        raise NoAdvisories("the index knows none of the versions.")
    return [fault for package in packages for fault in _faults_of(package)]


def _faults_of(package: dict[str, Any]) -> list[str]:
    if "skip_reason" in package:
        return [f"{package['name']} was not audited: {package['skip_reason']}"]
    return [
        f"{package['name']} {package['version']} has {advisory['id']}; mended in"
        f" {', '.join(advisory['fix_versions']) or 'no version yet'}."
        for advisory in package["vulns"]
    ]


def _report() -> str:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    try:
        done = subprocess.run(
            [*command, "--format", "json", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoAdvisories(f"PyPI has not answered within {_TIMEOUT_SECONDS} s.") from error
    return done.stdout


if __name__ == "__main__":
    main()
