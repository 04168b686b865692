"""Redis goes away and comes back: nobody is refused, and the one limit over all nodes is exact again."""

from __future__ import annotations

import asyncio
import random

from tests.cluster.clients import Load
from tests.cluster.cluster import RATE, Cluster
from tests.cluster.limits import BEYOND, answers_to_a_burst
from tests.cluster.scale import AWAY_SECONDS, CONVERSATIONS, RESTARTS


async def test_nobody_notices_that_redis_is_away(cluster: Cluster) -> None:
    chance = random.Random(12)
    before = [node.pid for node in cluster.nodes]
    async with Load(cluster.url, CONVERSATIONS, "redis") as load:
        for _ in range(RESTARTS):
            await asyncio.to_thread(cluster.redis.stop)
            await cluster.until_redis_is(away=True)
            await asyncio.sleep(chance.uniform(*AWAY_SECONDS))
            await asyncio.to_thread(cluster.redis.start)
            await cluster.until_redis_is(away=False)
    await load.check()
    assert (load.troubles, load.told) == ([], [])
    assert await answers_to_a_burst(cluster) == {200: RATE, 429: BEYOND}
    assert [node.pid for node in cluster.nodes] == before
    assert not cluster.errors()
