"""Nodes are replaced one after the other while people talk: nobody is refused, and nothing that ends in time is cut."""

from __future__ import annotations

import asyncio

from tests.cluster.clients import Load, Person, new_client, text_of
from tests.cluster.cluster import Cluster
from tests.cluster.scale import CONVERSATIONS, ROLLED, ROUNDS

PATIENT_PEOPLE = 8
"""Enough for every node to have some."""

LASTING = 350
"""Words of a reply that outlasts the grace."""


async def roll(cluster: Cluster, load: Load) -> list[int]:
    """The exit codes of the nodes that were replaced."""
    codes = []
    for _ in range(ROUNDS):
        for node in cluster.nodes[:ROLLED]:
            await load.until_turns(CONVERSATIONS // 2)
            codes.append(await cluster.roll(node))
    return codes


async def test_a_rolling_restart_refuses_nobody_and_cuts_nothing(cluster: Cluster) -> None:
    async with Load(cluster.url, CONVERSATIONS, "rolled") as load:
        codes = await roll(cluster, load)
        await load.until_turns(CONVERSATIONS // 2)
    await load.check()
    assert set(codes) == {0}
    assert (load.troubles, load.told) == ([], [])
    assert not cluster.errors()


async def test_replies_that_outlast_the_grace_are_marked_and_their_clients_told(cluster: Cluster) -> None:
    async with new_client() as client:
        people = [Person(client, cluster.url, f"outlast-{number}") for number in range(PATIENT_PEOPLE)]
        talking = [asyncio.create_task(person.streamed(text_of(person.conversation, LASTING))) for person in people]
        while not all(person.turns and person.turns[0].seen.text for person in people):  # noqa: ASYNC110 - no word of it
            await asyncio.sleep(0.05)
        await cluster.roll(cluster.nodes[0])
        turns = await asyncio.gather(*talking)
        replies = [(await person.check())[-1] for person in people]
    cut = [reply for reply in replies if reply.get("status") == "interrupted"]
    assert 0 < len(cut) < PATIENT_PEOPLE
    assert [turn.troubles for turn in turns] == [[]] * PATIENT_PEOPLE
    assert [reply["content"] for reply in replies] == [turn.seen.text for turn in turns]
