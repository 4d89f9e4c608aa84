"""The doctor's view of the stack after a run: it knows nothing of what the run did."""

import os
import subprocess
import sys
from dataclasses import dataclass

from local import REPOSITORY
from local.running_stack import RunningStack


@dataclass(frozen=True)
class Opinion:
    """What ``python -m doctor`` printed, and its status: 0 when all is well."""

    status: int
    words: str


def ask_the_doctor(stack: RunningStack) -> Opinion:
    """Has the stack examined."""
    examined = subprocess.run(
        [sys.executable, "-m", "doctor"],
        cwd=REPOSITORY,
        env={**os.environ, **stack.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    return Opinion(examined.returncode, examined.stdout + examined.stderr)
