"""The npm packages that some tests run, installed when the first test needs them."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from fasteners import InterProcessLock  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]


def require_npm_package(name: str) -> None:
    """Returns once the package is installed, with the version that package-lock.json has. Skips without npm."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("Node.js with npm was not found.")
    with InterProcessLock(Path(tempfile.gettempdir()) / "scheduled-posts-npm.lock"):
        if not (ROOT / "node_modules" / name).exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=ROOT, check=True)
