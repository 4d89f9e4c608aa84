"""Deliveries to postTweet as Hasura makes them, many at once."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp

from local.running_stack import RunningStack


def deliver(stack: RunningStack, post_ids: Sequence[int | None], within: float, patience: float) -> Counter[str]:
    """Delivers an event for each of these posts (None: for no post in particular), evenly spread over so many seconds.

    Returns how often which answer came: ``200``, ``503 with Retry-After``, or the name of what went wrong, also when no
    answer came for `patience` seconds.
    """
    return asyncio.run(_deliver_all(stack, post_ids, within, patience))


async def _deliver_all(
    stack: RunningStack, post_ids: Sequence[int | None], within: float, patience: float
) -> Counter[str]:
    # As Hasura does: no bound on calls at once, a connection for each.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(
        stack.urls["functions"],
        connector=connector,
        headers={"x-webhook-secret": stack.settings["WEBHOOK_SECRET"]},
        timeout=aiohttp.ClientTimeout(patience),
    ) as functions:
        deliveries = [_deliver(functions, within * n / len(post_ids), post_id) for n, post_id in enumerate(post_ids)]
        return Counter(await asyncio.gather(*deliveries))


async def _deliver(functions: aiohttp.ClientSession, after: float, post_id: int | None) -> str:
    await asyncio.sleep(after)
    event = {
        "id": str(uuid.uuid4()),
        "scheduled_time": datetime.now(UTC).isoformat(),
        "payload": {"id": post_id} if post_id else None,
    }
    try:
        async with functions.post("/api/postTweet", json=event) as answer:
            return f"{answer.status}{' with Retry-After' if 'Retry-After' in answer.headers else ''}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__
