"""The doctor's report on the stack after a run: the doctor knows nothing of what the run did."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local import REPOSITORY
from local.running_stack import RunningStack


@dataclass(frozen=True)
class DoctorReport:
    """What ``python -m doctor --json`` printed, and what of it should not be: nothing when all is well."""

    findings: list[str]
    printed: str


def ask_the_doctor(stack: RunningStack, rows: Sequence[Mapping[str, Any]]) -> DoctorReport:
    """Has the stack examined.

    That several of the `rows` went out with the same text is as their authors wanted it: the doctor, who cannot know
    that, must report just these.
    """
    examined = subprocess.run(
        [sys.executable, "-m", "doctor", "--json"],
        cwd=REPOSITORY,
        env={**os.environ, **stack.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    printed = examined.stdout + examined.stderr
    try:
        found = Counter((one["kind"], one["subject"]) for one in json.loads(examined.stdout)["findings"])
    except ValueError:
        return DoctorReport([f"no report, status {examined.returncode}"], printed)
    expected = Counter(_equal_texts(rows))
    findings = [
        *(f"{kind} {subject}" for kind, subject in (found - expected).elements()),
        *(f"not found: {kind} {subject}" for kind, subject in (expected - found).elements()),
    ]
    return DoctorReport(findings, printed)


def _equal_texts(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    ids_of: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        if row["state"] == "tweeted":
            ids_of.setdefault((row["account_id"], row["text"]), []).append(row["id"])
    for ids in ids_of.values():
        if len(ids) > 1:
            yield "duplicate", f"posts {', '.join(map(str, sorted(ids)))}"
