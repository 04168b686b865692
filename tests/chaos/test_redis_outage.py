"""Redis is stopped, or hangs, under two servers: nothing fails, limits hold per server, and both come back."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.chaos.clients import PATIENT, Seen, ask, question, rejoin, under_way
from tests.conversations.redis_server import RedisServer
from tests.services.server import LiveServer
from tests.simulator import Simulator

LIMIT = 60
OUTAGES = ("stopped", "frozen")
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def nodes(redis: RedisServer, vendors: Simulator) -> Iterator[list[LiveServer]]:
    vendors.clear()
    variables = {**vendors.env("openai"), "REDIS_URL": redis.url, "RATE_LIMIT": f"{LIMIT}/h"}
    variables["MAX_ACTIVE_GENERATIONS_PER_CALLER"] = "20"
    first = LiveServer(**variables)
    started = [first, LiveServer(**variables, database=first.database_url)]
    yield started
    for node in reversed(started):
        node.close()


@asynccontextmanager
async def outage(redis: RedisServer, kind: str) -> AsyncIterator[None]:
    await asyncio.to_thread(redis.freeze if kind == "frozen" else redis.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(redis.thaw if kind == "frozen" else redis.start)


async def degraded(client: httpx.AsyncClient, node: LiveServer) -> dict[str, float]:
    """What does without Redis, as `/metrics` says."""
    text = (await client.get(f"{node.url}/metrics")).text
    return {use: float(value) for use, value in re.findall(r'dialogix_redis_degraded{use="(\w+)"} (\S+)', text)}


async def until_degraded(client: httpx.AsyncClient, node: LiveServer, value: float, seconds: float = 20) -> None:
    """Return once limits and news both are, or both are not."""
    deadline = time.monotonic() + seconds
    while set((found := await degraded(client, node)).values()) != {value}:
        assert time.monotonic() < deadline, found
        await client.post(f"{node.url}/chat/gpt", json=HELLO)
        await asyncio.sleep(0.3)


async def admitted(client: httpx.AsyncClient, nodes: list[LiveServer], times: int) -> int:
    """How many of so many requests, in turn to each node, are not refused by the limit."""
    count = 0
    for number in range(times):
        node = nodes[number % len(nodes)]
        answer = await client.post(f"{node.url}/chat/gpt", json=HELLO)
        assert answer.status_code in (200, 429), answer.text
        count += answer.status_code == 200
    return count


@pytest.mark.parametrize("kind", OUTAGES)
async def test_nothing_fails_and_all_comes_back(
    redis: RedisServer, nodes: list[LiveServer], vendors: Simulator, kind: str
) -> None:
    vendors.script(text="Hello!")
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        for node in nodes:
            await asyncio.to_thread(node.wait_for_log, 20, event="news_available")
            await until_degraded(client, node, 0)
        async with outage(redis, kind):
            for node in nodes:
                await until_degraded(client, node, 1)
                assert (await ask(client, node.url, question("begin", "away"))).done
        for node in nodes:
            await until_degraded(client, node, 0)
            assert (await ask(client, node.url, question("begin again", "away"))).done
    for node in nodes:
        events = [line["event"] for line in node.logs() if line["level"] == "warning" and "event" in line]
        assert {"redis_away", "news_unavailable"} <= set(events)


async def test_the_limit_is_shared_again(redis: RedisServer, nodes: list[LiveServer], vendors: Simulator) -> None:
    """A Redis that comes back empty begins to count anew, over both."""
    vendors.script(text="Hello!")
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        async with outage(redis, "stopped"):
            for node in nodes:
                await until_degraded(client, node, 1)
        for node in nodes:
            await until_degraded(client, node, 0)
        left = int((await client.post(f"{nodes[0].url}/chat/gpt", json=HELLO)).headers["X-RateLimit-Remaining"])
        assert await admitted(client, nodes, left + 4) == left


@pytest.mark.parametrize("kind", OUTAGES)
async def test_a_reply_is_followed_and_cancelled_elsewhere_meanwhile(
    redis: RedisServer, nodes: list[LiveServer], vendors: Simulator, kind: str
) -> None:
    first, second = nodes
    vendors.script("openai", chunks=["word "] * 3000, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client, outage(redis, kind):
        asking = await under_way(client, first.url, question("begin", f"followed-{kind}"))
        messages = (await client.get(f"{second.url}/chat/history/followed-{kind}")).json()["messages"]
        following = asyncio.create_task(rejoin(client, second.url, Seen(messages[-1]["id"])))
        answer = await client.post(f"{second.url}/chat/messages/{messages[-1]['id']}/cancel")
        assert answer.json()["status"] == "cancelled"
        there, here = await following, await asking
    assert (there.done, here.done, there.text) == (True, True, here.text)
