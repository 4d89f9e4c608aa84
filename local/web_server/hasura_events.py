"""Hasura's events and invocation logs; those of one-off, cron and table events have the same shape.

Hasura's console reads them the same way: through the metadata API (Hasura's docs, Metadata API Reference).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aiohttp

from local.web_server import event_rows
from local.web_server.event_rows import Row
from local.web_server.masking import Mask

_SEARCHED = 1000
"""Hasura cannot search by post: so many events of each kind are read to find those of one post."""

_NEXT_CRON_EVENTS = 3
"""Hasura creates the next hundred events of a cron trigger in advance."""

Ask = Callable[..., Awaitable[Any]]
"""Runs a metadata command, given its type and its arguments."""


class HasuraFailed(Exception):
    """Hasura cannot be reached, or it refused; the message says why."""


@dataclass(frozen=True)
class Selection:
    """`kinds` of events (names of KINDS), of one post or, with None, of all posts; at most `limit`."""

    kinds: tuple[str, ...]
    post_id: int | None
    limit: int

    @property
    def read(self) -> int:
        """How many of each kind to read: one more than is shown, to know whether more exist."""
        return self.limit + 1 if self.post_id is None else _SEARCHED


class HasuraEvents:
    """Asks Hasura as the admin. Each method answers ``{"rows": [...], "more": bool, "searched_all": bool}``, and raises
    HasuraFailed.

    `event_rows` defines the rows. They contain no secret. `searched_all` is false if rows of the post may exist beyond
    those that were read.
    """

    def __init__(self, session: aiohttp.ClientSession, base_url: str, as_admin: Mapping[str, str], mask: Mask) -> None:
        """`as_admin` are the headers with which the caller is the admin for Hasura."""
        self._session = session
        self._url = f"{base_url}/v1/metadata"
        self._headers = {
            **as_admin,
            "Accept-Encoding": "identity",
        }  # on one machine, compressing costs more than sending
        self._mask = mask

    async def pending(self, selection: Selection) -> Row:
        """Events that will be delivered, soonest first; of a cron trigger only the next few."""
        reads = (KINDS[kind].pending(self._ask, selection.read) for kind in selection.kinds)
        return self._page(selection, await asyncio.gather(*reads), "delivery_at", latest_first=False)

    async def processed(self, selection: Selection) -> Row:
        """Events that will not be delivered again, latest first."""
        reads = (KINDS[kind].processed(self._ask, selection.read) for kind in selection.kinds)
        return self._page(selection, await asyncio.gather(*reads), "delivery_at", latest_first=True)

    async def invocations(self, selection: Selection) -> Row:
        """Deliveries: the request to the webhook and its response, latest first."""
        reads = (KINDS[kind].invocations(self._ask, selection.read) for kind in selection.kinds)
        return self._page(selection, await asyncio.gather(*reads), "created_at", latest_first=True)

    def _page(self, selection: Selection, read: list[list[Row]], time: str, *, latest_first: bool) -> Row:
        found = [row for rows in read for row in rows if selection.post_id in (None, row["post_id"])]
        found.sort(key=lambda row: datetime.fromisoformat(row[time]), reverse=latest_first)
        return {
            "rows": [self._mask(row) for row in found[: selection.limit]],
            "more": len(found) > selection.limit,
            "searched_all": selection.post_id is None or all(len(rows) < selection.read for rows in read),
        }

    async def _ask(self, command: str, **arguments: Any) -> Any:
        body = {"type": command, "args": arguments}
        try:
            async with self._session.post(self._url, json=body, headers=self._headers) as answer:
                content = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HasuraFailed(f"Hasura cannot be reached ({type(error).__name__}).") from error
        if not answer.ok:
            raise HasuraFailed(f"Hasura refused {command}: {content.get('error', answer.status)}")
        return content


class _Kind(Protocol):
    """A kind of event. Each method reads at most `limit` of its latest events, or of the soonest."""

    async def pending(self, ask: Ask, limit: int) -> list[Row]: ...

    async def processed(self, ask: Ask, limit: int) -> list[Row]: ...

    async def invocations(self, ask: Ask, limit: int) -> list[Row]: ...


@dataclass(frozen=True)
class _Scheduled:
    """One-off events, or those of one cron trigger."""

    which: dict[str, str]
    most_pending: int = _SEARCHED

    async def pending(self, ask: Ask, limit: int) -> list[Row]:
        return await self._events(ask, ["scheduled", "locked"], limit=min(limit, self.most_pending))

    async def processed(self, ask: Ask, limit: int) -> list[Row]:
        """Hasura lists the oldest first, so the latest are at the end."""
        ended = ["delivered", "error", "dead"]
        counted = await ask("get_scheduled_events", **self.which, status=ended, limit=1, get_rows_count=True)
        return await self._events(ask, ended, limit=limit, offset=max(0, counted["count"] - limit))

    async def invocations(self, ask: Ask, limit: int) -> list[Row]:
        answer = await ask("get_scheduled_event_invocations", **self.which, limit=limit)
        return [event_rows.scheduled_invocation(self.which["type"], row) for row in answer["invocations"]]

    async def _events(self, ask: Ask, status: list[str], **page: int) -> list[Row]:
        answer = await ask("get_scheduled_events", **self.which, status=status, **page)
        return [event_rows.scheduled_event(self.which["type"], row) for row in answer["events"]]


@dataclass(frozen=True)
class _OfTable:
    """The events of one event trigger on a table."""

    trigger: str

    async def pending(self, ask: Ask, limit: int) -> list[Row]:
        return await self._events(ask, "pending", limit)

    async def processed(self, ask: Ask, limit: int) -> list[Row]:
        return await self._events(ask, "processed", limit)

    async def invocations(self, ask: Ask, limit: int) -> list[Row]:
        answer = await ask("pg_get_event_invocation_logs", name=self.trigger, limit=limit)
        return [event_rows.table_invocation(row) for row in answer]

    async def _events(self, ask: Ask, status: str, limit: int) -> list[Row]:
        answer = await ask("pg_get_event_logs", name=self.trigger, status=status, limit=limit)
        return [event_rows.table_event(row) for row in answer]


KINDS: dict[str, _Kind] = {
    "one_off": _Scheduled({"type": "one_off"}),
    "cron": _Scheduled({"type": "cron", "trigger_name": "publish_due_posts"}, most_pending=_NEXT_CRON_EVENTS),
    "table": _OfTable("post_moved"),
}
"""The kinds of events that this product has."""
