"""The demo of a post that cannot be published; ``.ci/run`` runs the demo of one that is published."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_a_post_that_is_not_published_ends_the_demo_with_the_reason() -> None:
    tokens_from_a_cookie = {"type": "HS256", "key": "k" * 32, "header": {"type": "Cookie", "name": "token"}}

    demo = subprocess.run(
        [sys.executable, "-m", "local.demo"],
        cwd=REPOSITORY,
        env={**os.environ, "HASURA_GRAPHQL_JWT_SECRET": json.dumps(tokens_from_a_cookie)},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert demo.returncode == 1
    assert "alice writes a post" in demo.stdout
    assert (
        "HASURA_GRAPHQL_JWT_SECRET cannot be used: tokens are read from the Authorization header alone" in demo.stderr
    )
    assert demo.stderr.splitlines()[-1].startswith("createPost answered 500: ")
