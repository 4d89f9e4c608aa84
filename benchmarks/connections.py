"""What it brings to keep connections to X: posts over TLS, one after the other, on new and on kept connections.

``python -m benchmarks.connections`` prints a table. The upstream is a stub in a process of its own that waits before
each answer, and once more before it answers on a new connection: so long take the round trips of a connection and of
its handshake that a stub on loopback does not have. Both ways take turns in each round.
"""

import argparse
import json
import os
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from ssl import create_default_context
from statistics import median

from tqdm import tqdm

from benchmarks import upstream
from benchmarks.certificate import self_signed_certificate
from shared.http import client
from shared.limits import X_KEEP_ALIVE, X_TIMEOUT
from shared.x.signature import signature


@dataclass(frozen=True)
class Measured:
    """One way to use connections. Times in milliseconds; `medians` has one for each round."""

    name: str
    p50: float
    cpu: float
    connections: int
    posts: int
    medians: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connections", description=__doc__)
    parser.add_argument("--latency", type=float, default=100, help="X's, in ms (100)")
    parser.add_argument("--round-trip", type=float, default=15, help="between us and X, in ms (15)")
    parser.add_argument("--posts", type=int, default=20, help="how many posts a round (20)")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds (5)")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        certificate = self_signed_certificate(Path(directory) / "server.pem")
        os.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
        measured = _measure(given, certificate)
    print("| connections to X | p50 of a post | rounds' p50, from to | CPU | connections opened |")
    print("| --- | ---: | --- | ---: | ---: |")
    for one in measured:
        print(
            f"| {one.name} | {one.p50:.1f} ms | {min(one.medians):.1f} to {max(one.medians):.1f} ms | {one.cpu:.2f} ms "
            f"| {one.connections} for {one.posts} posts |"
        )
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in measured], indent=1))


def _measure(given: argparse.Namespace, certificate: Path) -> list[Measured]:
    ways = {"new for each post": timedelta(), "kept while young": X_KEEP_ALIVE}
    # Of a connection by TCP and TLS 1.3, two round trips are over before the request leaves.
    options = ("--handshake", str(2 * given.round_trip), "--tls", str(certificate))
    times: dict[str, list[list[float]]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    opened = dict.fromkeys(ways, 0)
    with upstream.running(given.latency + given.round_trip, *options) as address:
        for _ in tqdm(range(given.rounds), unit="rounds", leave=False):
            for name, keep_alive in ways.items():
                before, began = _connections(address, certificate), time.process_time()
                times[name].append([_post(address, keep_alive) for _ in range(given.posts)])
                cpu[name].append((time.process_time() - began) * 1000 / given.posts)
                opened[name] += _connections(address, certificate) - before
    return [
        Measured(
            name,
            median(ms for one in rounds for ms in one),
            median(cpu[name]),
            opened[name],
            given.rounds * given.posts,
            [median(one) for one in rounds],
        )
        for name, rounds in times.items()
    ]


def _post(address: str, keep_alive: timedelta) -> float:
    began = time.perf_counter()
    sign = signature(("app", "its secret"), ("token", "its secret"))
    answer = client.post(f"{address}/2/tweets", {"text": "A post"}, auth=sign, timeout=X_TIMEOUT, keep_alive=keep_alive)
    assert answer.status == 201
    return (time.perf_counter() - began) * 1000


def _connections(address: str, certificate: Path) -> int:
    with urllib.request.urlopen(f"{address}/connections", context=create_default_context(cafile=certificate)) as answer:
        connections: int = json.load(answer)["connections"]
        return connections


if __name__ == "__main__":
    main()
