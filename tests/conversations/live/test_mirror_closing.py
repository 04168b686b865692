from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conversations.live.people import person
from tests.conversations.live.servers import Server, servers
from tests.conversations.live.watching import new_id, say, watching
from tests.simulator import Simulator


@pytest.fixture
def server(workers: list[Server]) -> Server:
    return workers[0]


@pytest.fixture
def mortal() -> Iterator[Server]:
    with servers() as (server,):
        yield server


@pytest.mark.parametrize(
    "frame",
    ["x" * 4097, "é" * 2049, b"x" * 4097, "x" * 5_000_000],
    ids=["text", "letters of two bytes", "bytes", "megabytes"],
)
async def test_it_closes_on_a_frame_that_is_too_long(server: Server, frame: str | bytes) -> None:
    async with watching(server, new_id()) as socket:
        with suppress(ConnectionClosed):  # before all of it was sent
            await socket.socket.send(frame)
        assert await socket.code() == 1009


@pytest.mark.parametrize("frame", ["x" * 4096, "é" * 2048, b"x" * 4096, "", "[]", b"\x00"])
async def test_what_a_client_says_does_not_matter(server: Server, simulator: Simulator, frame: str | bytes) -> None:
    conversation = new_id()
    simulator.script(text="Hi")
    async with watching(server, conversation) as socket:
        await socket.socket.send(frame)
        await say(server, conversation)
        assert (await socket.until_ended())["content"] == "Hi"


async def test_it_closes_when_the_conversation_is_deleted(server: Server, simulator: Simulator) -> None:
    conversation = new_id()
    simulator.script(text="Hi")
    await say(server, conversation)
    async with watching(server, conversation) as socket:
        await socket.next()
        delete = f"from conversations.models import *; Conversation.objects.filter(public_id={conversation!r}).delete()"
        await asyncio.to_thread(server.run, delete)
        assert await socket.code() == 4404


async def test_it_closes_when_the_token_is_revoked(owned: Server) -> None:
    grace = await asyncio.to_thread(person, owned, "grace")
    async with watching(owned, new_id(), additional_headers=grace.bearer) as socket:
        await socket.next()
        revoke = "from knox.models import AuthToken; AuthToken.objects.filter(user__username='grace').delete()"
        await asyncio.to_thread(owned.run, revoke)
        assert await socket.code() == 4401


async def test_it_closes_when_the_session_ends(owned: Server) -> None:
    linus = await asyncio.to_thread(person, owned, "linus")
    async with watching(owned, new_id(), additional_headers={"Cookie": f"sessionid={linus.session}"}) as socket:
        await socket.next()
        end = f"from django.contrib.sessions.models import Session; Session.objects.get(pk={linus.session!r}).delete()"
        await asyncio.to_thread(owned.run, end)
        assert await socket.code() == 4401


async def test_a_server_that_shuts_down_says_so(mortal: Server) -> None:
    async with watching(mortal, new_id()) as socket:
        await socket.next()
        mortal.process.terminate()
        assert await socket.code() == 1012


async def test_an_open_socket_does_not_hold_up_a_shutdown(mortal: Server) -> None:
    async with watching(mortal, new_id()) as socket:
        await socket.next()
        mortal.process.terminate()
        await asyncio.to_thread(mortal.process.wait, 10)
    assert mortal.process.returncode is not None
