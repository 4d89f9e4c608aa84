"""What a run found, as a table for people and as JSON for machines."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from chaos.checker import KINDS
from chaos.run import Result


def as_json(result: Result, how: dict[str, Any]) -> dict[str, Any]:
    """Everything; `how` is what it was started with."""
    return {
        **how,
        "verdict": {kind: result.checked.count(kind) for kind in KINDS},
        "became": dict(result.checked.became),
        "done": dict(result.done),
        "x_faults": dict(result.x_faults),
        "crashes": dict(result.crashes),
        "never_reached": result.never_reached,
        "answers": dict(result.answers),
        "attempts": dict(result.attempts),
        "seconds": result.seconds,
        "doctor": asdict(result.doctor),
        "findings": [asdict(finding) for finding in result.checked.findings],
    }


def as_table(result: Result, how: dict[str, Any]) -> str:
    """The same in Markdown, with every finding in words."""
    parts = [
        "\n" + ", ".join(f"{name} {value}" for name, value in how.items()),
        _table("what was done", result.done),
        _table("how X was told to fail", result.x_faults),
        _table("where the functions were killed", result.crashes),
        _table("what our own deliveries were answered", result.answers),
        _table("how attempts ended", result.attempts),
        _table("what became of the posts", result.checked.became),
        _table("what must not be", Counter({kind: result.checked.count(kind) for kind in KINDS})),
        *(f"{finding.kind}: {finding.mark} {finding.sentence}" for finding in result.checked.findings),
    ]
    if result.never_reached:
        parts.append(f"Crash points that were armed and never reached: {', '.join(result.never_reached)}.")
    if result.doctor.findings:
        parts.append(
            f"The doctor finds what should not be: {'; '.join(result.doctor.findings)}.\n{result.doctor.printed}"
        )
    return "\n\n".join(parts)


def _table(title: str, counts: Counter[str]) -> str:
    rows = [f"| {name} | {count} |" for name, count in sorted(counts.items())]
    return "\n".join([f"| {title} | |", "| --- | ---: |", *rows])
