"""How long createPost takes beside the least that two calls take, and beside the tutorial's logic in Node.

``python -m benchmarks.create`` prints a table: the median latency of a create by the upstream's latency, its ratio to
the floor (two requests on a kept connection, and nothing else), the spread of the rounds' medians, and the processor
time. ``--against DIRECTORY`` measures another checkout's createPost beside this one's. All contenders take turns in
each round, each in a process of its own; the upstream is a stub that only waits (benchmarks/upstream.py). `ours`
verifies an RS256 token; the tutorial verifies none.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NoReturn

from tqdm import tqdm

from benchmarks import upstream

ROOT = Path(__file__).parents[1]
WARM_UP = 30


@dataclass(frozen=True)
class Contender:
    name: str
    command: tuple[str, ...]
    """Takes the upstream's address where it says UPSTREAM."""
    checkout: Path = ROOT


@dataclass(frozen=True)
class Measured:
    """One contender at one latency of the upstream. Times in milliseconds; `medians` has one for each round."""

    latency: float
    name: str
    p50: float
    p95: float
    cpu: float
    medians: list[float]


def main() -> None:
    given = _options()
    chosen = contenders(given.against)
    steps = tqdm(total=len(given.latency) * given.rounds * len(chosen), unit="rounds", leave=False)
    measured = [one for latency in given.latency for one in _measure(latency, chosen, given, steps)]
    steps.close()
    print("| upstream | who | p50 | x floor | rounds' p50, from to | p95 | CPU |")
    print("| ---: | --- | ---: | ---: | --- | ---: | ---: |")
    for one in measured:
        floor = next(other.p50 for other in measured if other.latency == one.latency and other.name == "floor")
        spread = f"{min(one.medians):.1f} to {max(one.medians):.1f}"
        print(
            f"| {one.latency:g} ms | {one.name} | {one.p50:.1f} ms | {one.p50 / floor:.2f} | {spread} ms "
            f"| {one.p95:.1f} ms | {one.cpu:.2f} ms |"
        )
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in measured], indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.create", description=__doc__)
    parser.add_argument("--latency", type=float, nargs="+", default=[1, 5, 20], help="the upstream's, in ms (1 5 20)")
    parser.add_argument("--posts", type=int, default=100, help="how many posts each contender creates a round (100)")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds (5)")
    parser.add_argument("--against", type=Path, help="another checkout, measured beside this one")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    return parser.parse_args()


def contenders(against: Path | None = None) -> list[Contender]:
    """Those that can run here; `against` is another checkout."""
    python = (sys.executable, str(ROOT / "benchmarks/create_posts.py"), "UPSTREAM")
    chosen = [
        Contender("floor", (*python, "floor")),
        Contender("ours", (*python, "ours")),
        Contender("ours, with an Idempotency-Key", (*python, "ours-with-key")),
    ]
    if against:
        chosen += [
            Contender(f"{against.name}", (*python, "ours"), against.resolve()),
            Contender(f"{against.name}, with an Idempotency-Key", (*python, "ours-with-key"), against.resolve()),
        ]
    if node := shutil.which("node"):
        tutorial = (node, str(ROOT / "benchmarks/tutorial/create.mjs"), "UPSTREAM")
        chosen += [
            Contender("Node, both calls awaited", (*tutorial, "awaited")),
            Contender("Node, the event not awaited", (*tutorial, "not-awaited")),
        ]
    return chosen


def _measure(
    latency: float, chosen: list[Contender], given: argparse.Namespace, steps: "tqdm[NoReturn]"
) -> list[Measured]:
    """All contenders at one latency; they take turns in each round."""
    answers: dict[str, list[dict[str, Any]]] = {one.name: [] for one in chosen}
    with ExitStack() as running:
        address = running.enter_context(upstream.running(latency))
        processes = {one.name: running.enter_context(running_process(one, address)) for one in chosen}
        for process in processes.values():
            ask(process, WARM_UP)
        for _ in range(given.rounds):
            for name, process in processes.items():
                answers[name].append(ask(process, given.posts))
                steps.update()
    return [_summary(latency, name, rounds) for name, rounds in answers.items()]


@contextmanager
def running_process(contender: Contender, address: str) -> Iterator["subprocess.Popen[str]"]:
    """The contender, until the block ends."""
    command = [address if part == "UPSTREAM" else part for part in contender.command]
    environment = {**os.environ, "PYTHONPATH": str(contender.checkout)}
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # no contender needs certificates
        environment.pop(name, None)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=contender.checkout
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def ask(process: "subprocess.Popen[str]", posts: int, callers: int = 1) -> dict[str, Any]:
    """What the contender prints, once it has created so many posts."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{posts} {callers}\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit("A contender stopped; its error stands above.")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _summary(latency: float, name: str, rounds: list[dict[str, Any]]) -> Measured:
    times = [ms for one in rounds for ms in one["ms"]]
    return Measured(
        latency,
        name,
        p50=median(times),
        p95=quantiles(times, n=20)[-1],
        cpu=median(one["cpu_ms"] for one in rounds),
        medians=[median(one["ms"]) for one in rounds],
    )


if __name__ == "__main__":
    main()
