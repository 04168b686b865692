"""Postgres is stopped, or hangs, under running servers: streams go on, who begins hears soon, and all comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from tests.chaos.clients import PATIENT, Seen, ask, question, settled, under_way
from tests.services.postgres import OwnServer
from tests.services.server import LiveServer
from tests.simulator import Simulator

SOON = httpx.Timeout(12)
"""Far below what clients and proxies wait for an answer."""

StartOn = Callable[..., list[LiveServer]]
OUTAGES = ("stopped", "frozen")


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    server = OwnServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def nodes(own: OwnServer, vendors: Simulator) -> Iterator[list[LiveServer]]:
    """Two servers on one database of that Postgres."""
    url = own.postgres.create()
    common = {**vendors.env("openai"), "RATE_LIMIT": "1000000/h", "database": url}
    first = LiveServer(**common, arguments="--migrate")
    started = [first, LiveServer(**common)]
    yield started
    for node in started:
        node.close()


@pytest.fixture
def node(nodes: list[LiveServer], vendors: Simulator) -> LiveServer:
    vendors.clear()
    return nodes[0]


@asynccontextmanager
async def outage(own: OwnServer, kind: str) -> AsyncIterator[None]:
    if kind == "frozen":
        own.freeze()
    else:
        await asyncio.to_thread(own.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(own.thaw if kind == "frozen" else own.start)


async def ready(client: httpx.AsyncClient, node: LiveServer, status: int = 200, seconds: float = 15) -> None:
    """Return once `/readyz` answers so."""
    deadline = time.monotonic() + seconds
    while (answer := await client.get(f"{node.url}/readyz")).status_code != status:
        assert time.monotonic() < deadline, f"{answer.status_code}: {answer.text}"
        await asyncio.sleep(0.1)


def workers(node: LiveServer) -> dict[str, Any]:
    """Every worker that the database knows, with its last heartbeat."""
    with psycopg.connect(node.database_url) as connection:
        return dict(connection.execute("SELECT id::text, heartbeat_at FROM conversations_worker").fetchall())


@pytest.mark.parametrize("kind", OUTAGES)
async def test_it_is_not_ready_but_lives(own: OwnServer, node: LiveServer, kind: str) -> None:
    async with httpx.AsyncClient(timeout=SOON) as client:
        await ready(client, node)
        async with outage(own, kind):
            await ready(client, node, 503)
            assert (await client.get(f"{node.url}/livez")).status_code == 200
        await ready(client, node)


@pytest.mark.parametrize("kind", OUTAGES)
async def test_new_turns_hear_soon_that_they_cannot_begin(own: OwnServer, node: LiveServer, kind: str) -> None:
    """And so does everybody, however many ask at once."""
    said = [{"role": "user", "content": "Hello"}]
    asked: list[tuple[str, dict[str, Any], set[str]]] = [
        ("/chat/gpt", {"messages": said, "conversation_id": "soon"}, {"detail"}),
        ("/chat/completions", {"message": "Hello", "conversation_id": "soon"}, {"error", "details"}),
        ("/v1/chat/completions", {"messages": said, "model": "gpt-4o"}, {"error"}),
        ("/chat/messages/msg-1/regenerate", {}, {"detail"}),
    ]
    headers = {"X-Conversation-ID": "soon"}
    async with httpx.AsyncClient(timeout=SOON, limits=httpx.Limits(max_connections=None)) as client:
        await ready(client, node)
        async with outage(own, kind):
            wanted = asked * 20
            answers = await asyncio.gather(
                *(client.post(node.url + path, json=body, headers=headers) for path, body, _ in wanted)
            )
        await ready(client, node)
    for answer, (_, _, shape) in zip(answers, wanted, strict=True):
        assert (answer.status_code, set(answer.json())) == (503, shape), answer.text
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("kind", OUTAGES)
async def test_a_running_stream_goes_on_and_says_what_could_not_be_stored(
    own: OwnServer, node: LiveServer, vendors: Simulator, kind: str
) -> None:
    conversation = f"running-{kind}"
    vendors.script("openai", chunks=["word "] * 60, delay=0.02, times=1)
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        await ready(client, node)
        asking = await under_way(client, node.url, question("begin", conversation))
        async with outage(own, kind):
            seen = await asking
        await ready(client, node)
        messages = await settled(client, node.url, conversation)
    assert (seen.text, seen.done) == ("word " * 60, True)
    assert "could not be stored" in seen.errors[0]
    assert messages[-1]["content"] == "word " * 60, "it is stored all the same when the database is back"


@pytest.mark.parametrize("kind", OUTAGES)
async def test_what_is_not_to_be_stored_needs_no_database(
    own: OwnServer, node: LiveServer, vendors: Simulator, kind: str
) -> None:
    vendors.script("openai", text="Hello!", times=1)
    async with httpx.AsyncClient(timeout=SOON) as client:
        await ready(client, node)
        async with outage(own, kind):
            await ready(client, node, 503)
            seen = await _unstored(client, node)
        await ready(client, node)
    assert (seen.status_code, "Hello!" in seen.text, "[DONE]" in seen.text) == (200, True, True)


async def _unstored(client: httpx.AsyncClient, node: LiveServer) -> httpx.Response:
    return await client.post(f"{node.url}/chat/gpt", json={"messages": [{"role": "user", "content": "Hello"}]})


@pytest.mark.parametrize("kind", OUTAGES)
async def test_all_comes_back_and_nobody_was_taken_for_dead(
    own: OwnServer, nodes: list[LiveServer], vendors: Simulator, kind: str
) -> None:
    """Longer than a worker may be silent, and long enough for pauses between attempts to have grown."""
    vendors.clear()
    first, second = nodes
    conversation = f"outage-{kind}"
    async with httpx.AsyncClient(timeout=PATIENT) as client:
        await asyncio.gather(*(ready(client, node) for node in nodes))
        await ask(client, second.url, question("begin", f"other-{kind}"))
        before = workers(first)
        said_before = [len(node.logs()) for node in nodes]
        vendors.script("openai", chunks=["word "] * 1700, delay=0.02, times=1)
        asking = await under_way(client, first.url, question("begin", conversation))
        async with outage(own, kind):
            await asyncio.sleep(20)
        await asyncio.gather(*(ready(client, node) for node in nodes))
        seen: Seen = await asking
        messages = await settled(client, second.url, conversation)
        begun_after = await ask(client, second.url, question("again", conversation))
    after = workers(first)
    assert (seen.text, seen.errors, seen.done) == ("word " * 1700, [], True)
    assert messages[-1]["content"] == seen.text
    assert begun_after.status == 200
    assert after.keys() == before.keys(), "a worker was declared dead"
    assert all(after[worker] > before[worker] for worker in before)
    events = {line.get("event") for node, many in zip(nodes, said_before, strict=True) for line in node.logs()[many:]}
    assert not events & {"worker_lost", "worker_replaced"}
