"""Runs the whole stack under everything that can go wrong, and says whether any post was lost or went out twice."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from chaos.plan import make_plan
from chaos.progress import Progress
from chaos.report import as_json, as_table
from chaos.run import run


def main() -> None:
    """Ends with status 0 when every post is where it should be, with 1 otherwise."""
    given = _options()
    started = time.monotonic()
    with ExitStack() as ending:
        directory = given.data or Path(
            ending.enter_context(tempfile.TemporaryDirectory(prefix="scheduled-posts-chaos-"))
        )
        directory.mkdir(parents=True, exist_ok=True)
        plan = make_plan(given.seed, given.posts, given.minutes * 60)
        result = run(plan, directory.resolve(), given.delivery, Progress(given.posts))
    how = {
        "seed": given.seed,
        "posts": given.posts,
        "minutes": given.minutes,
        "delivery": given.delivery,
        "took": f"{time.monotonic() - started:.0f} s",
    }
    print(as_table(result, how))
    if given.json:
        given.json.write_text(json.dumps(as_json(result, how), indent=2))
    sys.exit(0 if result.is_clean else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which of the possible runs (1)")
    parser.add_argument("--posts", type=_positive(int), default=1000, help="how many posts (1000)")
    parser.add_argument(
        "--minutes", type=_positive(float), default=1.0, help="within how many minutes the posts are due (1)"
    )
    parser.add_argument(
        "--delivery",
        choices=("concurrent", "sequential"),
        default="concurrent",
        help="how Hasura delivers (concurrent)",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="an empty folder where data and logs stay")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write everything that was found")
    return parser.parse_args()


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError("must be above 0")
        return value

    return read


if __name__ == "__main__":
    main()
