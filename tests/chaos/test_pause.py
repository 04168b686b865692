"""A worker that sleeps is taken for dead in time, and does no harm when it wakes."""

from __future__ import annotations

import signal

import httpx

from tests.chaos.clients import PATIENT, question, settled, under_way
from tests.chaos.conftest import StartNodes
from tests.simulator import Simulator


async def test_a_worker_that_finds_itself_replaced_tells_its_viewers(
    start_nodes: StartNodes, vendors: Simulator
) -> None:
    sleeper, other = start_nodes(2)
    vendors.script("openai", chunks=["word "] * 5000, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, sleeper.url, question("begin", "asleep"))
        sleeper.process.send_signal(signal.SIGSTOP)
        try:
            messages = await settled(client, other.url, "asleep", seconds=45)
        finally:
            sleeper.process.send_signal(signal.SIGCONT)
        seen = await asking
        vendors.wait("openai", seconds=10)
        after = await settled(client, other.url, "asleep")
    assert messages[-1]["status"] == "interrupted"
    assert seen.done
    assert len(seen.errors) == 1
    assert after == messages, "nothing is written by a worker that was replaced"


async def test_a_cancel_that_its_worker_does_not_answer_is_carried_out(
    start_nodes: StartNodes, vendors: Simulator
) -> None:
    sleeper, other = start_nodes(2)
    vendors.script("openai", chunks=["word "] * 5000, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        asking = await under_way(client, sleeper.url, question("begin", "stop"))
        reply = (await client.get(f"{other.url}/chat/history/stop")).json()["messages"][-1]
        sleeper.process.send_signal(signal.SIGSTOP)
        try:
            answer = await client.post(f"{other.url}/chat/messages/{reply['id']}/cancel")
        finally:
            sleeper.process.send_signal(signal.SIGCONT)
        seen = await asking
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["content"]
    assert seen.done
