"""A server that is asked to stop gives its replies time, and tells the truth about those that need more."""

from __future__ import annotations

import asyncio

import httpx

from tests.chaos.clients import PATIENT, question, settled, under_way
from tests.chaos.conftest import StartNodes
from tests.simulator import Simulator


async def test_a_reply_that_ends_within_the_grace_is_complete(start_nodes: StartNodes, vendors: Simulator) -> None:
    leaving, other = start_nodes(2, SHUTDOWN_GRACE="10")
    vendors.script("openai", chunks=["word "] * 100, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, leaving.url, question("begin", "grace"))
        code = await asyncio.to_thread(leaving.stop)
        seen = await asking
        messages = await settled(client, other.url, "grace")
    assert code == 0
    assert (seen.done, seen.errors) == (True, [])
    assert messages[-1]["content"] == "word " * 100


async def test_a_reply_that_needs_longer_is_interrupted_and_its_client_told(
    start_nodes: StartNodes, vendors: Simulator
) -> None:
    leaving, other = start_nodes(2, SHUTDOWN_GRACE="1")
    vendors.script("openai", chunks=["word "] * 5000, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, leaving.url, question("begin", "longer"))
        await asyncio.to_thread(leaving.stop)
        seen = await asking
        last = (await settled(client, other.url, "longer"))[-1]
    assert seen.done
    assert len(seen.errors) == 1
    assert (last["status"], last["content"]) == ("interrupted", seen.text)


async def test_what_comes_while_it_stops_is_sent_elsewhere(start_nodes: StartNodes, vendors: Simulator) -> None:
    [leaving] = start_nodes(1, SHUTDOWN_GRACE="3")
    vendors.script("openai", chunks=["word "] * 5000, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, leaving.url, question("begin", "busy"))
        leaving.process.terminate()
        await asyncio.sleep(0.5)
        answer = await client.post(f"{leaving.url}/chat/completions", json={"message": "hello"})
        await asking
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
