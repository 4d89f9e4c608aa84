"""One soak, from its first request to the last post."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from tqdm import tqdm

from local.running_stack import RunningStack, started
from soak import hostile, processes
from soak.authors import AUTHORS, Author, write_and_read
from soak.clients import Clients, session
from soak.judging import AFTERMATH, Away, Measured, Post, Sample

POLL_INTERVAL = 1.0
"""Hasura's, for due events. A real one: 10 s."""

AWAY = 60.0
OUTAGES = (("x", 0.15), ("hasura", 0.45))
"""Which service is stopped, and after which part of the run: X first, because what it leaves open takes minutes."""

BETWEEN_SAMPLES = 1.0

SECONDS_TO_PUBLISH_ALL = 480.0
"""After the run: an unknown outcome is reconciled for minutes before its post is attempted again."""


_DELIVERIES = """
select coalesce(status::text, 'no answer'), count(*) from (
  select status from hdb_catalog.hdb_scheduled_event_invocation_logs
  union all select status from hdb_catalog.hdb_cron_event_invocation_logs
) as invocation group by 1"""


@dataclass(frozen=True)
class Soak:
    """What was measured, and what Hasura's deliveries were answered, by status."""

    measured: Measured
    deliveries: dict[str, int]


def soak(seconds: float, data: Path) -> Soak:
    """Runs for so long on a stack of its own, whose data and logs are in `data`."""
    with started(data, "--poll-interval", str(POLL_INTERVAL)) as stack:
        tokens = {name: stack.token(name) for name in (*(f"soak{n}" for n in range(AUTHORS)), "flood")}
        return asyncio.run(_Run(stack, tokens, seconds).whole())


class _Run:
    def __init__(self, stack: RunningStack, tokens: dict[str, str], seconds: float) -> None:
        self._stack = stack
        self._tokens = tokens
        self._seconds = seconds
        self._samples: list[Sample] = []
        self._aways: list[Away] = []
        self._clients: Clients

    async def whole(self) -> Soak:
        async with session() as http:
            self._clients = Clients(http, self._stack.urls, self._seconds)
            authors = [Author(name, token, self._clients) for name, token in self._tokens.items() if name != "flood"]
            watching = asyncio.create_task(self._watch())
            await asyncio.gather(
                write_and_read(authors), hostile.attack(self._clients, self._tokens["flood"]), self._stop_services()
            )
            await watching
            posts = await asyncio.to_thread(
                self._posts, {text: due for one in authors for text, due in one.due.items()}
            )
        measured = Measured(
            self._seconds,
            POLL_INTERVAL,
            self._clients.answers,
            posts,
            self._samples,
            self._aways,
            aftermath=min(AFTERMATH, self._seconds / 10),
        )
        return Soak(measured, self._deliveries())

    async def _watch(self) -> None:
        """Samples the processes, and shows how far the run is."""
        with tqdm(total=round(self._seconds), unit="s", desc="soak") as bar:
            async for _ in self._clients.each(BETWEEN_SAMPLES):
                self._samples += await asyncio.to_thread(processes.sample, self._stack.pids, self._clients.now())
                bar.set_postfix(answers=len(self._clients.answers))
                bar.update(min(round(self._clients.now()), round(self._seconds)) - bar.n)

    async def _stop_services(self) -> None:
        for service, part in OUTAGES:
            await asyncio.sleep(max(0.0, part * self._seconds - self._clients.now()))
            began = self._clients.now()
            await processes.away_for(self._stack.pids[service], min(AWAY, self._seconds / 10))
            self._aways.append(Away(service, began, self._clients.now()))

    def _posts(self, due: dict[str, datetime]) -> list[Post]:
        """The authors' posts, when all are published or have had time enough."""
        deadline = time.monotonic() + SECONDS_TO_PUBLISH_ALL
        with tqdm(total=len(due), unit="posts", desc="published") as bar:
            while True:
                tweets = [(tweet["text"], tweet["created_at"]) for tweet in self._stack.tweets()]
                published = {text for text, _ in tweets} & due.keys()
                bar.update(len(published) - bar.n)
                if len(published) == len(due) or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
        return [Post(self._at(at), self._times(text, tweets)) for text, at in due.items()]

    def _times(self, text: str, tweets: Sequence[tuple[str, str]]) -> list[float]:
        return [self._at(datetime.fromisoformat(created_at)) for of, created_at in tweets if of == text]

    def _at(self, moment: datetime) -> float:
        """As seconds since the start."""
        return self._clients.now() - (time.time() - moment.timestamp())

    def _deliveries(self) -> dict[str, int]:
        with psycopg.connect(self._stack.settings["PG_DATABASE_URL"]) as database:
            return dict(database.execute(_DELIVERIES).fetchall())
