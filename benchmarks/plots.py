"""Draws what the benchmarks measured as SVG files for docs/."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def draw(results: Mapping[str, Any], directory: Path) -> list[Path]:
    """The files that were written: a plot for each benchmark that has one and was measured."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, (file, plot) in _PLOTS.items():
        if name in results:
            drawn.append(directory / file)
            _save(results[name], plot, drawn[-1])
    return drawn


def share_until(lateness: Iterable[float]) -> tuple[list[float], list[float]]:
    """For each lateness, in order, which share of the posts was no later."""
    ordered = sorted(lateness)
    return ordered, [(place + 1) / len(ordered) for place in range(len(ordered))]


def _save(rows: Rows, plot: Callable[[Any, Rows], None], file: Path) -> None:
    import matplotlib  # only who draws waits for it

    matplotlib.use("svg")
    # The same numbers make the same file, and the text in it stays text.
    matplotlib.rcParams.update({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    plot(axes, rows)
    axes.grid(alpha=0.3)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _lateness(axes: Any, cases: Rows) -> None:
    for case in cases:
        seconds, share = share_until(case["lateness"])
        axes.plot(seconds, [100 * part for part in share], label=case["case"])
    axes.set(xlabel="seconds after its time", ylabel="% of the posts that are out", ylim=(0, 101))
    axes.set_xlim(left=0)
    axes.legend()


def _create(axes: Any, measured: Rows) -> None:
    latencies = sorted({one["latency"] for one in measured})
    names = list(dict.fromkeys(one["name"] for one in measured))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        heights = [
            one["p50"] for latency in latencies for one in measured if (one["latency"], one["name"]) == (latency, name)
        ]
        axes.bar([place + number * width for place in range(len(latencies))], heights, width, label=name)
    middle = width * (len(names) - 1) / 2
    axes.set_xticks([place + middle for place in range(len(latencies))], [f"{latency:g} ms" for latency in latencies])
    axes.set(xlabel="latency of the upstream", ylabel="p50 of a create in ms")
    axes.legend(fontsize=7)


def _claim(axes: Any, measured: Rows) -> None:
    for situation, rows in groupby(measured, key=lambda one: one["situation"]):
        points = list(rows)
        axes.plot([one["rows"] for one in points], [one["ms"] for one in points], marker="o", label=situation)
    axes.set(xscale="log", xlabel="rows of the table", ylabel="median of a claim in ms")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)


def _backlog(axes: Any, contenders: Rows) -> None:
    places = range(len(contenders))
    seconds = [sorted(run["seconds"] for run in one["runs"])[len(one["runs"]) // 2] for one in contenders]
    bounds = [one["posts"] / one["threads"] * one["latency"] / 1000 for one in contenders]
    axes.barh(places, seconds, label="measured")
    axes.plot(bounds, places, "k|", markersize=16, label="the bound")
    axes.set_yticks(places, [one["name"] for one in contenders])
    axes.set(xscale="log", xlabel=f"seconds until {contenders[0]['posts']:,} posts are out")
    axes.invert_yaxis()
    axes.legend()


_PLOTS: Mapping[str, tuple[str, Callable[[Any, Rows], None]]] = {
    "punctuality": ("lateness.svg", _lateness),
    "create": ("create-latency.svg", _create),
    "claim": ("claim.svg", _claim),
    "backlog": ("backlog.svg", _backlog),
}
