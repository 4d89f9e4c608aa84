"""Runs all benchmarks and keeps what they measured: ``python -m benchmarks``, or ``make bench``.

Prints the tables, and writes them to ``tables.md``, the numbers to ``results.json``, and plots. Short settings take
some ten minutes; ``--full`` takes more than an hour, and replaces the plots of docs/. A benchmark that fails, because a
post left early, twice or not at all, is named at the end, and the status is 1.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import plots

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Benchmark:
    """A module of this package. `short`: options for a run that is over soon. `has_json`: its numbers can be kept."""

    name: str
    title: str
    short: tuple[str, ...] = ()
    has_json: bool = True


BENCHMARKS = (
    Benchmark("create", "Creating a post", ("--rounds", "2", "--posts", "50")),
    Benchmark("throughput", "Many callers", ("--rounds", "2", "--posts", "200")),
    Benchmark("connections", "Connections to X", ("--rounds", "2")),
    Benchmark("cold_start", "Cold start and memory", ("--rounds", "3", "--creates", "1500")),
    Benchmark("text_length", "Counting a text", has_json=False),
    Benchmark("claim", "A claim by the size of the table", ("--rows", "1000", "100000", "--claims", "15")),
    Benchmark(
        "punctuality",
        "Lateness",
        ("--case", "early", "not-early", "one-second", "--posts", "100", "--minutes", "0.5"),
    ),
    Benchmark("backlog", "A backlog after an outage", ("--posts", "500", "--sample", "20", "--batch", "10", "50")),
    Benchmark("simulation", "Several instances on one PostgreSQL", ("--posts", "1000")),
    Benchmark(
        "thousand_deliveries",
        "A thousand deliveries in a second",
        ("--rounds", "1", "--posts", "100", "--delivery", "concurrent"),
        has_json=False,
    ),
    Benchmark("page", "The page with many posts", ("--idle-seconds", "10"), has_json=False),
)


def main() -> None:
    """Status 1 when a benchmark failed."""
    given = options(sys.argv[1:])
    chosen = [one for one in BENCHMARKS if one.name in given.only]
    given.output.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    tables, failed = [], []
    for benchmark in tqdm(chosen, unit="benchmarks"):
        ran = _run(benchmark, given.output, () if given.full else benchmark.short)
        tables.append(f"## {benchmark.title}\n\n{ran.stdout.strip()}\n")
        tqdm.write(tables[-1])
        if ran.returncode:
            failed.append(benchmark.name)
        file = _numbers(benchmark, given.output)
        if file.exists():
            results[benchmark.name] = json.loads(file.read_text())
    (given.output / "tables.md").write_text("\n".join(tables))
    (given.output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    drawn = plots.draw(results, given.pictures)
    print(f"written: {given.output}/tables.md, {given.output}/results.json, {', '.join(map(str, drawn)) or 'no plot'}")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for; a short run draws its plots beside its numbers, unless it is told where."""
    names = [one.name for one in BENCHMARKS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="with the settings of docs/performance.md; over an hour")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="which benchmarks (all)")
    parser.add_argument("--output", type=Path, default=Path(".local/benchmarks"), help="where to write the numbers")
    parser.add_argument("--pictures", type=Path, help="where to write the plots (OUTPUT; with --full docs/pictures)")
    given = parser.parse_args(arguments)
    given.pictures = given.pictures or (Path("docs/pictures") if given.full else given.output)
    return given


def _run(benchmark: Benchmark, output: Path, options: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Its table is kept; its progress bars and errors are shown."""
    file = _numbers(benchmark, output)
    file.unlink(missing_ok=True)
    json_options = ["--json", str(file.resolve())] if benchmark.has_json else []
    command = [sys.executable, "-m", f"benchmarks.{benchmark.name}", *options, *json_options]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)


def _numbers(benchmark: Benchmark, output: Path) -> Path:
    return output / f"{benchmark.name}.json"


if __name__ == "__main__":
    main()
