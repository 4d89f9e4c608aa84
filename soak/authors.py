"""The normal authors: each creates a post now and then, a few seconds ahead, and asks what changed meanwhile."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from local import REPOSITORY
from soak.clients import Clients
from soak.judging import CREATE, READ

AUTHORS = 10

AHEAD = timedelta(seconds=3)
"""How far ahead a post is scheduled."""

POSTS = 28
"""Of each author in any 15 minutes: fewer than the 30 that an author may create."""

BETWEEN_READS = 1.0
"""As often as the page asks for what changed where no socket can be had."""

BETWEEN_POSTS_AT_LEAST = 2.0

_PAGE = REPOSITORY / "hasura" / "metadata" / "query_collections.yaml"

_OVERLAP = timedelta(seconds=10)


class Author:
    """One signed-in author; `due` has the times of the posts that are stored for certain, by their texts."""

    def __init__(self, name: str, token: str, clients: Clients) -> None:
        self.due: dict[str, datetime] = {}
        self._name = name
        self._token = token
        self._clients = clients

    async def write_posts(self, first_after: float) -> None:
        """Creates posts until the run is over."""
        pause = max(BETWEEN_POSTS_AT_LEAST, min(self._clients.seconds, 900.0) / POSTS)
        async for number in self._clients.each(pause, first_after):
            text = f"{self._name} writes number {number}"
            schedule_for = datetime.now(UTC) + AHEAD
            draft = {"text": text, "schedule_for": schedule_for.isoformat(), "when_late": "publish"}
            answer = await self._clients.create_post(CREATE, self._token, draft)
            if answer and "insert_scheduled_post_one" in answer:
                self.due[text] = schedule_for

    async def read_the_page(self, first_after: float) -> None:
        """Asks what the page asks without a socket: for everything, then for what has changed."""
        document = page_queries()
        async for number in self._clients.each(BETWEEN_READS, first_after):
            if number == 0:
                await self._clients.graphql(READ, self._token, document["Everything"])
            else:
                since = (datetime.now(UTC) - _OVERLAP).isoformat()
                await self._clients.graphql(READ, self._token, document["Changes"], {"since": since, "behind": 0})


async def write_and_read(authors: Sequence[Author]) -> None:
    """All authors at once, until the run is over; they begin one after the other."""
    await asyncio.gather(
        *(author.write_posts(0.2 * number) for number, author in enumerate(authors)),
        *(author.read_the_page(0.1 * number) for number, author in enumerate(authors)),
    )


def page_queries() -> dict[str, str]:
    """The page's GraphQL, by the names of its operations."""
    [collection] = [one for one in yaml.safe_load(_PAGE.read_text()) if one["name"] == "scheduled-posts"]
    queries: list[dict[str, Any]] = collection["definition"]["queries"]
    return {query["name"]: query["query"] for query in queries}
