"""Postgres crashes and comes back: streams flow on, nothing is claimed that is not stored, and no node is restarted."""

from __future__ import annotations

import asyncio
import random
import signal

import httpx

from tests.chaos.clients import question
from tests.cluster.clients import Load, Person, new_client, text_of
from tests.cluster.cluster import Cluster
from tests.cluster.scale import AWAY_SECONDS, CONVERSATIONS, RESTARTS

LONG_REPLY = 350
"""Words, seven seconds of them."""

MORE = 200
"""Characters."""

WAYS = (signal.SIGINT, signal.SIGQUIT)
"""To stop: sending all clients away, or as a crash."""


async def under_way(client: httpx.AsyncClient, url: str, name: str) -> tuple[list[Person], list[asyncio.Task[None]]]:
    """People with a long reply each, of which they have seen some."""
    people = [Person(client, url, f"{name}-{number}") for number in range(4)]

    async def ask(person: Person) -> None:
        await person.streamed(text_of(person.conversation, LONG_REPLY))

    asking = [asyncio.create_task(ask(person)) for person in people]
    while not all(person.turns and person.turns[0].seen.text for person in people):  # noqa: ASYNC110 - no word of it
        await asyncio.sleep(0.05)
    return people, asking


async def until_more_has_come(people: list[Person]) -> None:
    """More than could have been on its way."""
    for person in people:
        seen = person.turns[0].seen
        enough = seen.position + MORE
        while seen.position < enough:
            await asyncio.sleep(0.05)
            assert not seen.done, "the stream ended, but did not flow on"


async def test_replies_flow_on_while_the_database_is_away_and_are_stored_when_it_is_back(cluster: Cluster) -> None:
    pids = [node.pid for node in cluster.nodes]
    async with new_client() as client:
        people, asking = await under_way(client, cluster.url, "flow")
        await asyncio.to_thread(cluster.postgres.stop, signal.SIGQUIT)
        await until_more_has_come(people)
        await cluster.until_ready(False)
        refused = await client.post(f"{cluster.url}/chat/gpt", json=question("hello", "away"))
        unstored = await client.post(f"{cluster.url}/chat/gpt", json={"messages": question("hello", "")["messages"]})
        await asyncio.to_thread(cluster.postgres.start)
        await cluster.until_ready()
        await asyncio.gather(*asking)
        for person in people:
            await person.check()
    assert (refused.status_code, unstored.status_code) == (503, 200)
    assert int(refused.headers["retry-after"]) > 0
    assert [person.turns[0].troubles for person in people] == [[]] * 4, "a stream broke off"
    assert [node.pid for node in cluster.nodes] == pids


async def test_what_was_acknowledged_survives_a_restart_of_the_database(cluster: Cluster) -> None:
    chance = random.Random(13)
    async with Load(cluster.url, CONVERSATIONS, "dark") as load:
        for number in range(RESTARTS):
            await load.until_turns(CONVERSATIONS // 2)
            await asyncio.to_thread(cluster.postgres.stop, WAYS[number % 2])
            await asyncio.sleep(chance.uniform(*AWAY_SECONDS))
            await asyncio.to_thread(cluster.postgres.start)
            await cluster.until_ready()
        await load.until_turns(CONVERSATIONS // 2)
    await load.check()
    assert load.troubles, "nobody noticed that the database was away"
