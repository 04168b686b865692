"""A client that asks more often than it may."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.cluster.clients import address, new_client
from tests.cluster.cluster import RATE, Cluster

BEYOND = 30
AT_ONCE = 24
BRIEF = {"messages": [{"role": "user", "content": "hello [[simulate text=hi]]"}]}


async def answers_to_a_burst(cluster: Cluster) -> Counter[int]:
    """How often each status is answered to a new client that asks for `BEYOND` replies too many."""
    headers, gate = address(), asyncio.Semaphore(AT_ONCE)

    async def ask() -> int:
        async with gate:
            return (await client.post(f"{cluster.url}/chat/gpt", json=BRIEF, headers=headers)).status_code

    async with new_client() as client:
        return Counter(await asyncio.gather(*(ask() for _ in range(RATE + BEYOND))))
