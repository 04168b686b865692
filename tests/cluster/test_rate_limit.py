"""One limit over all nodes."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.cluster.clients import address, new_client
from tests.cluster.cluster import RATE, Cluster

BEYOND = 60
BRIEF = {"messages": [{"role": "user", "content": "hello [[simulate text=hi]]"}]}


async def statuses_of_a_burst(cluster: Cluster) -> Counter[int]:
    """What one new client is answered that asks more often than it may, all at once."""
    headers = address()
    async with new_client() as client:
        asked = [client.post(f"{cluster.url}/chat/gpt", json=BRIEF, headers=headers) for _ in range(RATE + BEYOND)]
        return Counter(response.status_code for response in await asyncio.gather(*asked))


async def test_the_limit_admits_exactly_its_number_over_all_nodes(cluster: Cluster) -> None:
    assert await statuses_of_a_burst(cluster) == {200: RATE, 429: BEYOND}
