"""Nodes are replaced one after the other while people talk: nobody is refused, and nothing that ends in time is cut."""

from __future__ import annotations

import asyncio

from tests.cluster.clients import Load, Person, Turn, new_client, text_of
from tests.cluster.cluster import GRACE, Cluster
from tests.cluster.scale import CONVERSATIONS, ROLLED, ROUNDS

TOO_LONG = 400
"""Words of a reply that outlasts every grace."""


async def roll(cluster: Cluster, load: Load) -> list[int]:
    """The exit codes of the nodes that were replaced."""
    codes = []
    for _ in range(ROUNDS):
        for node in cluster.nodes[:ROLLED]:
            await load.until_turns(CONVERSATIONS)
            codes.append(await cluster.roll(node))
    return codes


async def test_a_rolling_restart_refuses_nobody_and_cuts_nothing(cluster: Cluster) -> None:
    async with Load(cluster.url, CONVERSATIONS, "rolled") as load:
        codes = await roll(cluster, load)
        await load.until_turns(CONVERSATIONS)
    await load.check()
    assert set(codes) == {0}
    assert load.troubles == []
    assert [turn.seen.errors for turn in load.turns if turn.seen.errors] == []
    assert not cluster.errors()


async def test_replies_that_outlast_the_grace_are_marked_and_their_clients_told(cluster: Cluster) -> None:
    async with new_client() as client:
        people = [Person(client, cluster.url, f"outlast-{number}") for number in range(4)]
        texts = [text_of(person.conversation, TOO_LONG, GRACE / 100) for person in people]
        talking = [asyncio.create_task(person.streamed(text)) for person, text in zip(people, texts, strict=True)]
        while not all(person.turns and person.turns[0].seen.text for person in people):  # noqa: ASYNC110 - the readers tell nobody
            await asyncio.sleep(0.05)
        await asyncio.gather(*(cluster.roll(node) for node in cluster.nodes))
        turns: list[Turn] = await asyncio.gather(*talking)
        replies = [(await person.check())[-1] for person in people]
    assert [turn.troubles for turn in turns] == [[]] * 4
    assert [(reply["status"], reply["content"]) for reply in replies] == [
        ("interrupted", turn.seen.text) for turn in turns
    ]
