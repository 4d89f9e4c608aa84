"""A short run of the soak: ``make soak`` is the long one."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

HOSTILE = (
    "slow body",
    "half headers",
    "cut connection",
    "huge body",
    "token that a stranger signed",
    "token of an unknown kid",
)
FLOODS = ("flood: createPost", "flood: inserts", "flood: reads everything")


def test_a_short_run_publishes_the_authors_posts_once_beside_every_kind_of_hostile_client(tmp_path: Path) -> None:
    """Asserted is what holds however slow the machine is; how long answers took is for the long run to judge."""
    options = f"--minutes 0.1 --data {tmp_path}/run --json {tmp_path}/found"
    run = subprocess.run([sys.executable, "-m", "soak", *options.split()], cwd=ROOT, capture_output=True, text=True)
    printed = run.stdout + run.stderr
    assert (tmp_path / "found").exists(), printed
    report = json.loads((tmp_path / "found").read_text())
    measured = {bound["name"]: bound["measured"] for bound in report["bounds"]}

    assert run.returncode == (0 if report["holds"] else 1), printed
    assert measured["posts not published just once"] == 0, printed
    assert measured["authors who were refused"] == 0, printed
    assert measured["5xx other than 503"] == 0, printed
    assert [away["service"] for away in report["away"]] == ["x", "hasura"], printed
    assert report["answers"]["author: createPost: 201"] > 0, printed
    for who in (*HOSTILE, *FLOODS):
        assert any(line.startswith(who) for line in report["answers"]), (who, printed)
