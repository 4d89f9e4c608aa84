"""What a soak found, as tables for people and as JSON for machines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from soak.judging import CREATE, READ, Answer, Measured, judge, percentile, samples_of, services
from soak.run import Soak

_PARTS = {"p50": 0.5, "p99": 0.99, "worst": 1.0}


def as_json(soak: Soak) -> dict[str, Any]:
    """The bounds and every number of the tables; answers and samples one by one are left out."""
    run = soak.measured
    return {
        "seconds": run.seconds,
        "holds": all(bound.holds for bound in judge(run)),
        "bounds": [{**asdict(bound), "holds": bound.holds} for bound in judge(run)],
        "away": [asdict(away) for away in run.aways],
        "times": {
            name: {part: percentile(times, _PARTS[part]) for part in _PARTS} for name, times in _times(run).items()
        },
        "counts": {name: len(times) for name, times in _times(run).items()},
        "processes": {service: _needs(service, run) for service in services(run)},
        "answers": dict(_statuses(run.answers)),
        "server errors": dict(_server_errors(run)),
        "deliveries": soak.deliveries,
    }


def as_table(soak: Soak) -> str:
    """The same in Markdown."""
    run = soak.measured
    times = [
        [name, len(of), *(f"{percentile(of, part):.2f} s" for part in _PARTS.values())]
        for name, of in _times(run).items()
        if of
    ]
    needs = [[service, *_needs(service, run).values()] for service in services(run)]
    bounds = [
        [
            bound.name,
            f"{bound.measured:.4g} {bound.unit}",
            f"{bound.limit:.4g} {bound.unit}",
            "yes" if bound.holds else "**no**",
        ]
        for bound in judge(run)
    ]
    return "\n\n".join(
        [
            _table(["ten normal authors", "how many", *_PARTS], times),
            _table(["process", "memory early", "late", "most", "threads early", "late", "most"], needs),
            _table(["who, and what was answered", "how often"], sorted(_statuses(run.answers).items())),
            _table(["5xx by cause", "how often"], sorted(_server_errors(run).items())),
            _table(["what Hasura's deliveries were answered", "how often"], sorted(soak.deliveries.items())),
            _table(["bound", "measured", "less than", "holds"], bounds),
        ]
    )


def _times(run: Measured) -> dict[str, list[float]]:
    return {
        "createPost, while nothing is away": run.answer_times(CREATE, calm=True),
        "createPost, while Hasura or X is away": run.answer_times(CREATE, calm=False),
        "the page's queries, while nothing is away": run.answer_times(READ, calm=True),
        "the page's queries, while Hasura or X is away": run.answer_times(READ, calm=False),
        "lateness of posts, while nothing is away": run.lateness(calm=True),
        "lateness of posts, while Hasura or X is away": run.lateness(calm=False),
    }


def _needs(service: str, run: Measured) -> dict[str, str]:
    """Early is the second fifth of the run, late the last, by their medians: what `growth` compares."""
    samples = samples_of(service, run)
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth] or samples, samples[-fifth:]
    return {
        "memory early": f"{median(one.mib for one in early):.0f} MiB",
        "memory late": f"{median(one.mib for one in late):.0f} MiB",
        "memory most": f"{max(one.mib for one in samples):.0f} MiB",
        "threads early": f"{median(one.threads for one in early):.0f}",
        "threads late": f"{median(one.threads for one in late):.0f}",
        "threads most": f"{max(one.threads for one in samples)}",
    }


def _statuses(answers: Iterable[Answer]) -> Counter[str]:
    return Counter(f"{one.who}: {one.status} {one.cause}".strip() for one in answers)


def _server_errors(run: Measured) -> Counter[str]:
    return Counter(
        f"{one.status} {one.cause or 'without a cause'}, {when}"
        for when, calm in (("while nothing is away", True), ("while Hasura or X is away", False))
        for one in run.server_errors(calm)
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = [f"| {' | '.join(titles)} |", f"| --- |{' ---: |' * (len(titles) - 1)}"]
    return "\n".join([*head, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])
