"""Several workers with a Redis between them, and what they still do without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.conversations.live.servers import Server, servers
from tests.conversations.live.watching import Watching, get, new_id, post, say, watching
from tests.conversations.redis_server import RedisServer
from tests.simulator import Simulator

STEADY: dict[str, Any] = {"chunks": 40, "size": 5, "delay": 0.1}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pair(redis: RedisServer) -> Iterator[list[Server]]:
    with servers(2, REDIS_URL=redis.url) as started:
        yield started


@asynccontextmanager
async def reply_on(server: Server, conversation_id: str) -> AsyncIterator[str]:
    """A reply that streams on this worker; its id."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        body = {"messages": [{"role": "user", "content": "Hello"}], "conversation_id": conversation_id}
        async with client.stream("POST", f"{server.url}/chat/gpt", json=body) as response:
            yield response.headers["X-Message-ID"]


async def events(server: Server, message_id: str) -> list[str]:
    """The deltas of a reply as another client gets them, from the start to the end."""
    url = f"{server.url}/chat/messages/{message_id}/stream"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client, client.stream("GET", url) as response:
        return [line async for line in response.aiter_lines() if line.startswith('data: {"id"')]


async def mirrored(writer: Server, mirror: Server) -> Watching:
    """A whole turn as another worker shows it."""
    conversation = new_id()
    async with watching(mirror, conversation) as socket:
        reply = asyncio.create_task(say(writer, conversation))
        await socket.until_ended()
        await reply
    return socket


async def test_who_follows_elsewhere_gets_each_flush(pair: list[Server], simulator: Simulator) -> None:
    """Four seconds of text: looks without word, two seconds apart, would make two or three deltas of it."""
    simulator.script(**STEADY)
    async with reply_on(pair[0], new_id()) as message:
        assert len(await events(pair[1], message)) > 8


async def test_a_mirror_elsewhere_gets_each_flush(pair: list[Server], simulator: Simulator) -> None:
    simulator.script(**STEADY)
    assert len((await mirrored(*pair)).of("delta")) > 8


async def test_a_cancel_elsewhere_closes_the_vendors_stream(pair: list[Server], simulator: Simulator) -> None:
    simulator.script(endless=True, delay=0.05)
    async with reply_on(pair[0], new_id()) as message:
        await post(pair[1], f"/chat/messages/{message}/cancel")
        assert simulator.wait("openai")["state"] == "client_closed"


async def test_a_cancel_elsewhere_is_the_workers_own_end(pair: list[Server], simulator: Simulator) -> None:
    """Its worker stores what it has and what it used, which nobody else knows."""
    simulator.script(endless=True, delay=0.05)
    async with reply_on(pair[0], new_id()) as message:
        await events_begin(pair[1], message)
        ended = (await post(pair[1], f"/chat/messages/{message}/cancel")).json()
    assert (ended["status"], ended["usage"]["estimated"]) == ("cancelled", True)


async def events_begin(server: Server, message_id: str) -> None:
    """Return once the other workers can see text of it."""
    async with asyncio.timeout(10):
        while not (await get(server, f"/chat/messages/{message_id}"))["content"]:
            continue


async def test_a_turn_that_waits_elsewhere_gets_its_go(pair: list[Server], simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(chunks=5, delay=0.05)
    replies = await asyncio.gather(*(say(server, conversation, server.root) for server in [*pair, *pair]))
    assert [reply.status_code for reply in replies] == [200] * 4


async def test_without_redis_a_mirror_elsewhere_goes_on(
    redis: RedisServer, pair: list[Server], simulator: Simulator
) -> None:
    conversation = new_id()
    simulator.script(**STEADY)
    async with watching(pair[1], conversation) as socket:
        reply = asyncio.create_task(say(pair[0], conversation))
        await socket.until(lambda frame: frame["type"] == "delta")
        redis.stop()
        try:
            ended = await socket.until_ended()
        finally:
            redis.start()
        await reply
    assert len(ended["content"]) == 200
    assert len(socket.of("delta")) > 8


async def test_without_redis_a_cancel_elsewhere_works(
    redis: RedisServer, pair: list[Server], simulator: Simulator
) -> None:
    simulator.script(endless=True, delay=0.05)
    redis.stop()
    try:
        async with reply_on(pair[0], new_id()) as message:
            await events_begin(pair[1], message)
            ended = (await post(pair[1], f"/chat/messages/{message}/cancel")).json()
    finally:
        redis.start()
    assert (ended["status"], ended["usage"]["estimated"]) == ("cancelled", True)


async def test_with_a_redis_that_does_not_answer_all_goes_on(
    redis: RedisServer, pair: list[Server], simulator: Simulator
) -> None:
    simulator.script(**STEADY)
    redis.freeze()
    try:
        socket = await mirrored(*pair)
    finally:
        redis.stop()
        redis.start()
    assert len(socket.of("delta")) > 8
