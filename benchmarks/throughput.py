"""How many posts a second one process creates for how many callers, and what each costs.

``python -m benchmarks.throughput`` prints a table: posts a second, the median time of a create, and the processor time
of one, by the number of callers. The contenders are those of benchmarks.create; each caller of ours and of the floor is
a thread, as in a worker of Azure Functions, and one of Node is a promise. The contenders take turns in each round; the
upstream is a stub that only waits, and on two cores it takes a part of them.
"""

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from benchmarks import upstream
from benchmarks.create import WARM_UP, ask, contenders, running_process


@dataclass(frozen=True)
class Measured:
    """One contender with so many callers. `rates` has the posts a second of each round; times are in milliseconds."""

    callers: int
    name: str
    rates: list[float]
    p50: float
    cpu: float


def main() -> None:
    given = _options()
    measured = _measure(given)
    print("| callers | who | posts a second | rounds, from to | p50 | CPU |")
    print("| ---: | --- | ---: | --- | ---: | ---: |")
    for one in measured:
        spread = f"{min(one.rates):.0f} to {max(one.rates):.0f}"
        print(
            f"| {one.callers} | {one.name} | {median(one.rates):.0f} | {spread} | {one.p50:.1f} ms | {one.cpu:.2f} ms |"
        )
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in measured], indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--latency", type=float, default=5, help="the upstream's, in ms (5)")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32, 128], help="how many at once (1 8 32 128)")
    parser.add_argument("--posts", type=int, default=500, help="how many posts each contender creates a round (500)")
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds (3)")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    return parser.parse_args()


def _measure(given: argparse.Namespace) -> list[Measured]:
    answers: dict[tuple[int, str], list[dict[str, Any]]] = {}
    with ExitStack() as running:
        address = running.enter_context(upstream.running(given.latency))
        processes = {one.name: running.enter_context(running_process(one, address)) for one in contenders()}
        for process in processes.values():
            ask(process, WARM_UP)
        turns = [(callers, name) for callers in given.callers for _ in range(given.rounds) for name in processes]
        for callers, name in tqdm(turns, unit="rounds", leave=False):
            answers.setdefault((callers, name), []).append(ask(processes[name], given.posts, callers))
    return [
        Measured(
            callers,
            name,
            rates=[given.posts / one["seconds"] for one in rounds],
            p50=median(ms for one in rounds for ms in one["ms"]),
            cpu=median(one["cpu_ms"] for one in rounds),
        )
        for (callers, name), rounds in answers.items()
    ]


if __name__ == "__main__":
    main()
