"""Live queries: each is polled once for all its subscribers, who hear of an answer that differs from their last one.

Hasura puts the queries of one document with other variables into one statement, too; here each has its own.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from psycopg_pool import AsyncConnectionPool

from local.hasura.errors import HasuraError
from local.hasura.graphql_api import CheckedOperation
from local.hasura.subscriptions.messages import failed_answer

log = logging.getLogger(__name__)

POLLS_AT_ONCE = 4
"""The pool's other connections are for requests and deliveries."""


@dataclass(frozen=True)
class Answer:
    """What a poll found: the JSON of the answer, and the error in it, if the poll failed."""

    text: str
    error: HasuraError | None = None


Receive = Callable[[Answer], Coroutine[Any, Any, None]]
"""Takes an answer to a subscriber; returns when it has been sent."""


class LiveQueries:
    """All that is subscribed to. `interval`: seconds from the end of a poll to the next one."""

    def __init__(self, pool: AsyncConnectionPool, interval: float) -> None:
        self._pool = pool
        self._interval = interval
        self._may_poll = asyncio.Semaphore(POLLS_AT_ONCE)
        self._queries: dict[tuple[str, str, str], _LiveQuery] = {}

    def subscribe(self, operation: CheckedOperation, receive: Receive) -> Callable[[], None]:
        """Sends the answer now, or at the next poll, and whenever it has changed. Returns what ends that."""
        key = _key(operation)
        if key not in self._queries:
            self._queries[key] = _LiveQuery(lambda: self._poll(operation), self._interval)
        query = self._queries[key]
        subscriber = _Subscriber(receive)
        query.subscribers.append(subscriber)

        def unsubscribe() -> None:
            subscriber.leave()
            query.subscribers.remove(subscriber)
            if not query.subscribers:
                query.stop()
                if self._queries.get(key) is query:
                    del self._queries[key]

        return unsubscribe

    def forget(self) -> None:
        """No new subscriber joins a query that runs now: its operation was checked against metadata that is gone."""
        self._queries.clear()

    async def _poll(self, operation: CheckedOperation) -> Answer:
        async with self._may_poll:
            try:
                return Answer(json.dumps({"data": await operation.data(self._pool)}))
            except HasuraError as error:
                return Answer(failed_answer(error), error)


def _key(operation: CheckedOperation) -> tuple[str, str, str]:
    """The same for all who get the same answers."""
    session = operation.session
    return session.role, json.dumps(dict(session.variables), sort_keys=True), operation.source


class _LiveQuery:
    def __init__(self, poll: Callable[[], Awaitable[Answer]], interval: float) -> None:
        self.subscribers: list[_Subscriber] = []
        self._poll = poll
        self._interval = interval
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_log_failure)

    def stop(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            answer = await self._poll()
            for subscriber in self.subscribers:
                subscriber.offer(answer)
            await asyncio.sleep(self._interval)


@dataclass
class _Subscriber:
    """Gets no answer while it still takes the last one: it is offered the then newest one by a later poll."""

    receive: Receive
    _last: str | None = None
    _sending: asyncio.Task[None] | None = None

    def offer(self, answer: Answer) -> None:
        is_taking = self._sending is not None and not self._sending.done()
        if is_taking or (answer.text == self._last and answer.error is None):
            return
        self._last = answer.text
        self._sending = asyncio.create_task(self.receive(answer))
        self._sending.add_done_callback(_log_failure)

    def leave(self) -> None:
        if self._sending is not None and self._sending is not asyncio.current_task():
            self._sending.cancel()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("a live query ended with an error of this program", exc_info=error)
