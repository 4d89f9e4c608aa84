"""A short run of chaos, the proof in small: ``make chaos`` is the long one."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
POSTS = 16


def test_a_short_run_loses_no_post_and_publishes_none_twice_while_processes_die(tmp_path: Path) -> None:
    """Asserted is what is promised however slow the machine is, and that processes died and posts were published."""
    options = f"--seed 1 --posts {POSTS} --minutes 0.04 --data {tmp_path}/run --json {tmp_path}/found"
    run = subprocess.run([sys.executable, "-m", "chaos", *options.split()], cwd=ROOT, capture_output=True, text=True)
    printed = run.stdout + run.stderr
    assert (tmp_path / "found").exists(), printed
    report = json.loads((tmp_path / "found").read_text())

    assert set(report["verdict"].values()) == {0}, printed
    assert report["doctor"]["findings"] == [], report["doctor"]["printed"]
    assert run.returncode == 0, printed
    assert sum(report["became"].values()) == POSTS, printed
    assert report["became"]["published"] > 0, printed
    assert report["crashes"], printed
