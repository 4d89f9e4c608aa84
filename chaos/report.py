"""What a run found, as a table for people and as JSON for machines."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from chaos.run import Result
from chaos.verdict import KINDS


def as_json(result: Result, how: dict[str, Any]) -> dict[str, Any]:
    """Everything; `how` is what it was started with."""
    return {
        **how,
        "verdict": {kind: result.verdict.count(kind) for kind in KINDS},
        "became": dict(result.verdict.became),
        "done": dict(result.done),
        "x_fails": dict(result.x_fails),
        "crashes": dict(result.crashes),
        "never_reached": result.never_reached,
        "rings": dict(result.rings),
        "attempts": dict(result.attempts),
        "seconds": result.seconds,
        "doctor": asdict(result.doctor),
        "findings": [asdict(finding) for finding in result.verdict.findings],
    }


def as_table(result: Result, how: dict[str, Any]) -> str:
    """The same in Markdown, with every finding in words."""
    parts = [
        "\n" + ", ".join(f"{name} {value}" for name, value in how.items()),
        _table("what was done", result.done),
        _table("how X was told to fail", result.x_fails),
        _table("where the functions were killed", result.crashes),
        _table("what the bursts of rings were answered", result.rings),
        _table("how attempts ended", result.attempts),
        _table("what became of the posts", result.verdict.became),
        _table("what must not be", Counter({kind: result.verdict.count(kind) for kind in KINDS})),
        *(f"{finding.kind}: {finding.mark} {finding.sentence}" for finding in result.verdict.findings),
    ]
    if result.never_reached:
        parts.append(f"Crash points that were armed and never reached: {', '.join(result.never_reached)}.")
    if result.doctor.findings:
        parts.append(
            f"The doctor finds what should not be: {'; '.join(result.doctor.findings)}.\n{result.doctor.words}"
        )
    return "\n\n".join(parts)


def _table(title: str, counts: Counter[str]) -> str:
    rows = [f"| {name} | {count} |" for name, count in sorted(counts.items())]
    return "\n".join([f"| {title} | |", "| --- | ---: |", *rows])
