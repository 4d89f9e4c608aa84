"""Ten normal authors beside slow, broken and flooding clients; Hasura and X are stopped for a while each."""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from soak.judging import judge
from soak.report import as_json, as_table
from soak.run import soak

LONGEST = 45.0
"""In more minutes the authors would schedule more than the 100 posts that an account may have in a day."""


def main() -> None:
    """Ends with status 0 when every bound holds, with 1 otherwise."""
    given = _options()
    with ExitStack() as ending:
        directory = given.data or Path(
            ending.enter_context(tempfile.TemporaryDirectory(prefix="scheduled-posts-soak-"))
        )
        found = soak(given.minutes * 60, directory.resolve())
    print(as_table(found))
    if given.json:
        given.json.write_text(json.dumps(as_json(found), indent=2))
    sys.exit(0 if all(bound.holds for bound in judge(found.measured)) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=10.0, help=f"how long, at most {LONGEST:g} (10)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="an empty folder where data and logs stay")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write what was measured")
    return parser.parse_args()


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= LONGEST:
        raise argparse.ArgumentTypeError(f"must be above 0, and at most {LONGEST:g}")
    return minutes


if __name__ == "__main__":
    main()
