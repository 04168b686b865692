"""Nodes crash at random while people talk: nothing that was acknowledged is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random

from tests.cluster.clients import Load
from tests.cluster.cluster import Cluster
from tests.cluster.scale import CONVERSATIONS, KILLS


async def test_every_acknowledged_message_survives_the_death_of_nodes(cluster: Cluster) -> None:
    chance = random.Random(11)
    async with Load(cluster.url, CONVERSATIONS, "killed") as load:
        for _ in range(KILLS):
            await load.until_turns(CONVERSATIONS // 2)
            await asyncio.sleep(chance.uniform(0, 0.5))
            await cluster.kill(chance.choice(cluster.nodes))
    await load.check()
    assert load.troubles, "nobody noticed that a node was gone"
    assert not cluster.errors()
