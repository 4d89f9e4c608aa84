"""The failures that are waiting for the calls they will happen to."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from local.x_api.call import Call
from local.x_api.failure_kinds import KINDS, Attempt, NotAccepted

ANY_ENDPOINT = "any"

log = logging.getLogger(__name__)


@dataclass
class Failure:
    """Happens to the next `times` calls of `endpoint` by `username` (None = anybody); takes `ms` (None = no time)."""

    kind: str
    times: int
    endpoint: str
    username: str | None
    ms: int | None

    def concerns(self, endpoint: str, username: str) -> bool:
        return self.endpoint in (ANY_ENDPOINT, endpoint) and self.username in (None, username)


class Failures:
    """The failures that are pending, the first asked for first."""

    def __init__(self) -> None:
        self.pending: list[Failure] = []

    def add(self, failure: Failure) -> None:
        self.pending.append(failure)

    def forget(self) -> None:
        self.pending.clear()

    async def answer(self, endpoint: str, call: Call, work: Callable[[Call], web.Response]) -> web.StreamResponse:
        """The answer of `work`, unless a failure is due. Raises Problem as `work` does, and as failures do."""
        failure = self._take(endpoint, call.user.username)
        if failure is None:
            return work(call)
        log.info(
            "@%s: %s %s is made to fail: %s", call.user.username, call.request.method, call.request.path, failure.kind
        )
        try:
            return await KINDS[failure.kind].happen(Attempt(call, failure.ms or 0, work))
        except NotAccepted as refused:
            self._give_back(failure)
            raise refused.problem from None

    def _take(self, endpoint: str, username: str) -> Failure | None:
        failure = next((failure for failure in self.pending if failure.concerns(endpoint, username)), None)
        if failure:
            failure.times -= 1
            if not failure.times:
                self.pending.remove(failure)
        return failure

    def _give_back(self, failure: Failure) -> None:
        if not failure.times:
            self.pending.insert(0, failure)
        failure.times += 1
