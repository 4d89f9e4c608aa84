"""The doctor's report on the stack after a run: the doctor knows nothing of what the run did."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local import REPOSITORY
from local.running_stack import RunningStack

_FINDING = re.compile(r"^  (\w+) {2,}(\S.*)$", re.MULTILINE)
"""A name and what it is about; the sentence below is indented further."""


@dataclass(frozen=True)
class DoctorReport:
    """What ``python -m doctor`` printed, and what of it should not be: nothing when all is well."""

    findings: list[str]
    printed: str


def ask_the_doctor(stack: RunningStack, rows: Sequence[Mapping[str, Any]]) -> DoctorReport:
    """Has the stack examined. That several of the `rows` went out with the same text is as their authors wanted it:
    the doctor, who cannot know that, must say so of just these."""
    examined = subprocess.run(
        [sys.executable, "-m", "doctor"],
        cwd=REPOSITORY,
        env={**os.environ, **stack.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    found = Counter(_findings(examined.stdout))
    expected = Counter(_equal_texts(rows))
    findings = [*(found - expected).elements(), *(f"overlooked: {one}" for one in (expected - found).elements())]
    if examined.returncode != bool(found):
        findings.append(f"status {examined.returncode}")
    return DoctorReport(findings, examined.stdout + examined.stderr)


def _findings(printed: str) -> Iterator[str]:
    for name, subject in _FINDING.findall(printed):
        yield f"{name} {subject}"


def _equal_texts(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids_of: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        if row["state"] == "tweeted":
            ids_of.setdefault((row["account_id"], row["text"]), []).append(row["id"])
    for ids in ids_of.values():
        if len(ids) > 1:
            yield f"doubled posts {', '.join(map(str, sorted(ids)))}"
