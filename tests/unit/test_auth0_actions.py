"""The Actions of Auth0: their own tests, which Node.js runs."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.node
@pytest.mark.parametrize("path", sorted((ROOT / "auth0/test").glob("*.test.js")), ids=lambda path: path.name)
def test_the_tests_of_an_action_pass(path: Path) -> None:
    run = subprocess.run(["node", "--test", str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert run.returncode == 0, run.stdout + run.stderr
