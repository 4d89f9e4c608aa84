"""A running stack for the demo, the tests and the benchmarks: starts one in the background and sends requests to it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from local import REPOSITORY
from local.ports import DEFAULT_PORTS
from local.service import STOP_AT_END_OF_INPUT

_SECONDS_TO_START = 150


class StackFailed(Exception):
    """The stack ended or was not ready in time; the message is what it printed."""


class GraphQLFailed(Exception):
    """Hasura answered with errors; `errors` are as it sent them."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(error["message"] for error in errors))
        self.errors = errors


class RunningStack:
    """Addresses, settings and process ids of a stack, and the requests that its users need most."""

    def __init__(self, ready_file: Path) -> None:
        """`ready_file` is what ``python -m local --ready-file`` wrote."""
        self._ready_file = ready_file
        ready = json.loads(ready_file.read_text())
        self.urls: dict[str, str] = ready["urls"]
        self.settings: dict[str, str] = ready["settings"]
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy is between; each request would look for one

    @property
    def pids(self) -> dict[str, int]:
        """The process ids as they are now: a service that was started again has another."""
        pids: dict[str, int] = json.loads(self._ready_file.read_text())["pids"]
        return pids

    @property
    def log(self) -> str:
        """What the services have printed so far, of a stack that `started` runs."""
        return self._ready_file.with_name("stack.log").read_text()

    def token(self, username: str) -> str:
        """An access token of the user, who is created when new."""
        answer = self._http.post(f"{self.urls['web']}/_local/token", json={"username": username})
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def graphql(self, document: str, variables: Mapping[str, Any] | None = None, token: str | None = None) -> Any:
        """The data that Hasura answers, to the token's user or, without a token, to the admin. Raises GraphQLFailed."""
        answer = self._http.post(
            f"{self.urls['hasura']}/v1/graphql",
            json={"query": document, "variables": variables or {}},
            headers={"Authorization": f"Bearer {token}"} if token else self._admin,
        )
        content = answer.json()
        if "errors" in content:
            raise GraphQLFailed(content["errors"])
        return content["data"]

    def metadata(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """What ``/v1/metadata`` answers to the admin."""
        body = {"type": operation, "args": arguments}
        answer = self._http.post(f"{self.urls['hasura']}/v1/metadata", json=body, headers=self._admin)
        answer.raise_for_status()
        return answer.json()

    def create_post(self, token: str, body: object, headers: Mapping[str, str] | None = None) -> requests.Response:
        """What createPost answers."""
        return self._http.post(
            f"{self.urls['functions']}/api/createPost",
            json=body,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        )

    def tweets(self, username: str | None = None) -> list[dict[str, Any]]:
        """What was published, oldest first: ``[{id, text, username, created_at}]``."""
        answer = self._http.get(f"{self.urls['x']}/_local/tweets", params={"username": username} if username else None)
        answer.raise_for_status()
        tweets: list[dict[str, Any]] = answer.json()
        return tweets

    def fail(self, kind: str, times: int = 1, **options: Any) -> None:
        """Injects a fault into the next calls of X; the kinds and options: docs/local-stack.md."""
        self._http.post(
            f"{self.urls['x']}/_local/fail", json={"kind": kind, "times": times, **options}
        ).raise_for_status()

    def close(self) -> None:
        """Closes the connections to the stack, which keeps running."""
        self._http.close()

    @property
    def _admin(self) -> dict[str, str]:
        return {"x-hasura-admin-secret": self.settings["HASURA_GRAPHQL_ADMIN_SECRET"]}


@contextmanager
def started(data: Path, *options: str, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[RunningStack]:
    """A stack of its own with its data in `data`, on free ports; ends with the block, or with this process.

    `options` are those of ``python -m local``; a service that they leave out keeps its usual port. `settings` come
    before those of the environment. The output goes to `data`/stack.log. Raises StackFailed.
    """
    data.mkdir(parents=True, exist_ok=True)
    ready_file, log = data / "ready.json", data / "stack.log"
    command = [sys.executable, "-m", "local", "--data", str(data.resolve()), "--ready-file", str(ready_file.resolve())]
    left_out = {name for option, name in pairwise(options) if option == "--without"}
    for name in DEFAULT_PORTS.keys() - left_out:
        command += ["--port", f"{name}=0"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *options],
            cwd=REPOSITORY,
            env={**os.environ, **settings, STOP_AT_END_OF_INPUT: "yes"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with process:
        try:
            _wait_for(ready_file, process, log)
            with closing(RunningStack(ready_file)) as stack:
                yield stack
        finally:
            process.terminate()


def _wait_for(ready_file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackFailed(log.read_text())
        time.sleep(0.05)
