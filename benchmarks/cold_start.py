"""What the imports of each function cost beside the libraries it cannot do without, and whether memory grows.

``python -m benchmarks.cold_start`` prints a table of medians: processor time of the imports, each in a new process, and
memory afterwards; then the memory at rest and after many creates. ``--against DIRECTORY`` measures another checkout
beside this one. ``-X importtime`` shows more: ``.venv/bin/python -X importtime -c 'import createPost'``.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from tqdm import tqdm

from benchmarks import upstream

ROOT = Path(__file__).parents[1]

NEEDED = {
    "createPost": "import azure.functions, requests, jwt, dotenv, cryptography.hazmat.primitives.ciphers.aead",
    "postTweet": "import azure.functions, requests, jwt, dotenv, cryptography.hazmat.primitives.ciphers.aead, "
    "oauthlib.oauth1, concurrent.futures.thread",
}
"""The libraries alone, without our own modules."""

IMPORT = """
import resource, time
began = time.process_time()
{statement}
print((time.process_time() - began) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

GROWTH = """
import resource, sys
sys.path.insert(0, {scripts!r})
import create_posts
create = create_posts.ours({address!r}, with_key=True)
for number in range({creates} + 1):
    if number in (500, {creates}):
        with open("/proc/self/statm") as file:
            print(int(file.read().split()[1]) * resource.getpagesize() / 2**20)
    create(number)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how many processes a median is of (9)")
    parser.add_argument("--creates", type=int, default=10_000, help="after how many creates memory is read (10000)")
    parser.add_argument("--against", type=Path, help="another checkout, measured beside this one")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    given = parser.parse_args()

    imports = _imports(given.rounds, given.against)
    print("| imports | CPU | from to | x its libraries | memory |")
    print("| --- | ---: | --- | ---: | ---: |")
    for name, rounds in imports.items():
        times = [ms for ms, _ in rounds]
        libraries = median(ms for ms, _ in imports[f"libraries of {name.split(',')[0].removeprefix('libraries of ')}"])
        memory = median(megabytes for _, megabytes in rounds)
        print(
            f"| {name} | {median(times):.0f} ms | {min(times):.0f} to {max(times):.0f} ms "
            f"| {median(times) / libraries:.2f} | {memory:.0f} MB |"
        )
    at_rest, after = _growth(given.creates)
    print(f"\nmemory after 500 creates: {at_rest:.1f} MB; after {given.creates:,}: {after:.1f} MB")
    if given.json:
        given.json.write_text(json.dumps({"imports": imports, "memory": [at_rest, after]}, indent=1))


def _imports(rounds: int, against: Path | None) -> dict[str, list[tuple[float, float]]]:
    cases: dict[str, tuple[str, Path]] = {}
    for function, libraries in NEEDED.items():
        cases[f"libraries of {function}"] = (libraries, ROOT)
        cases[function] = (f"import {function}", ROOT)
        if against:
            cases[f"{function}, {against.name}"] = (f"import {function}", against.resolve())
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in tqdm(range(rounds), unit="rounds", leave=False):
        for name, (statement, checkout) in cases.items():
            cpu, memory = _run(IMPORT.format(statement=statement), checkout)
            measured[name].append((cpu, memory))
    return measured


def _growth(creates: int) -> tuple[float, float]:
    """Megabytes in use after 500 creates, when everything is loaded, and after all of them."""
    with upstream.running(0) as address:
        script = GROWTH.format(scripts=str(ROOT / "benchmarks"), address=address, creates=creates)
        at_rest, after = _run(script, ROOT)
    return at_rest, after


def _run(script: str, checkout: Path) -> list[float]:
    """The numbers that a script prints."""
    printed = subprocess.check_output(
        [sys.executable, "-c", script], text=True, cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}
    )
    return [float(number) for number in printed.split()]


if __name__ == "__main__":
    main()
