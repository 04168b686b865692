"""A worker that is killed loses at most a quarter of a second of text, and blocks nobody."""

from __future__ import annotations

import asyncio
import random
import time

import httpx

from tests.chaos.clients import PATIENT, ask, question, rejoin, settled, under_way
from tests.chaos.conftest import StartNodes
from tests.chaos.scale import KILLS
from tests.services.server import LiveServer
from tests.simulator import Simulator

LOST_AT_MOST = 0.25
"""Seconds of streamed text."""


async def kill_in_mid_stream(node: LiveServer, conversation: str, chance: random.Random) -> float:
    """Kill the server while it streams, start it again; return how many seconds of text were lost."""
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = asyncio.create_task(ask(client, node.url, question("tell me", conversation)))
        await asyncio.sleep(chance.uniform(0.0, 1.5))
        killed_at = time.monotonic()
        node.kill()
        seen = await asking
        node.start()
        messages = await settled(client, node.url, conversation)
        stored = next((each for each in messages if each["id"] == seen.message_id), None)
        if seen.message_id:
            assert [each["content"] for each in messages if each["role"] == "user"].count("tell me") == 1
        text = stored["content"] if stored else ""
        assert seen.text.startswith(text) or text.startswith(seen.text)
        first_lost = seen.first_arrival_after(len(text))
        again = await client.post(
            f"{node.url}/chat/completions", json={"message": "go on", "conversation_id": conversation}
        )
        assert again.status_code == 200
        if text:
            assert stored is not None
            assert stored["status"] in ("interrupted", "complete")
            await rejoin(client, node.url, seen)
            assert seen.done
    return killed_at - first_lost if first_lost is not None else 0.0


async def test_it_loses_at_most_a_quarter_of_a_second_of_text(start_nodes: StartNodes, vendors: Simulator) -> None:
    [node] = start_nodes(1)
    vendors.script("openai", chunks=["word "] * 200, delay=0.02, times=None)
    chance = random.Random(4)
    lost = [await kill_in_mid_stream(node, f"killed-{number}", chance) for number in range(KILLS)]
    assert max(lost) <= LOST_AT_MOST, f"seconds lost: {[round(each, 3) for each in lost]}"


async def test_the_next_turn_sends_the_partial_text_as_context(start_nodes: StartNodes, vendors: Simulator) -> None:
    [node] = start_nodes(1)
    vendors.script("openai", chunks=["word "] * 400, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, node.url, question("begin", "partial"))
        node.kill()
        await asking
        node.start()
        partial = (await settled(client, node.url, "partial"))[-1]
        await client.post(f"{node.url}/chat/completions", json={"message": "go on", "conversation_id": "partial"})
    sent = vendors.last("openai")["body"]["messages"]
    assert partial["status"] == "interrupted"
    assert [each["content"] for each in sent if each["role"] != "system"] == ["begin", partial["content"], "go on"]


async def test_another_server_ends_what_a_killed_one_left(start_nodes: StartNodes, vendors: Simulator) -> None:
    first, second = start_nodes(2)
    vendors.script("openai", chunks=["word "] * 2000, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, first.url, question("begin", "left"))
        first.kill()
        seen = await asking
        seen = await rejoin(client, second.url, seen)
    assert seen.done
    assert len(seen.errors) == 1


async def test_a_turn_that_waited_for_a_killed_worker_goes_on(start_nodes: StartNodes, vendors: Simulator) -> None:
    first, second = start_nodes(2)
    vendors.script("openai", chunks=["word "] * 2000, delay=0.02, times=1)
    vendors.script("openai", text="after", times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, first.url, question("one", "queue"))
        waiting = asyncio.create_task(ask(client, second.url, question("two", "queue")))
        await asyncio.sleep(0.5)
        first.kill()
        await asking
        assert (await waiting).text == "after"
