"""Clients that hold a connection by giving or taking a little now and then (slowloris and its relatives)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, suppress

import pytest

from dialogix import protocol, serve
from tests.dialogix.sockets import connect
from tests.security.nearby import Nearby, nearby
from tests.security.wire import head, statuses
from tests.services.server import LiveServer

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
TO_CHAT = b"POST /chat/gpt HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
POST = TO_CHAT + b"Content-Length: 100000\r\n\r\n"
CHUNKS = TO_CHAT + b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    b"GET /ws/conversations/session-1/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
SECONDS = 0.1

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", SECONDS)
    monkeypatch.setattr(protocol, "BODY_SECONDS", SECONDS)
    monkeypatch.setattr(protocol, "WHOLE_BODY_SECONDS", SECONDS)
    monkeypatch.setattr(serve, "UNREAD_MILLISECONDS", 300)


async def drip(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], piece: bytes) -> bytes:
    """Send that again and again, faster than any silence would be noticed, until the server closes. What it said."""
    reader, writer = connection

    async def feed() -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(SECONDS / 10)

    feeding = asyncio.create_task(feed())
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        feeding.cancel()


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"", b"G", id="a method without an end"),
        pytest.param(b"", b"\r\n", id="empty lines before it"),
        pytest.param(b"GET /", b"a", id="an address without an end"),
        pytest.param(GET[:-2], b"X-A: b\r\n", id="a field at a time"),
        pytest.param(GET[:-2] + b"X-A: ", b"b", id="a byte of a field at a time"),
        pytest.param(POST, b" ", id="a byte of a body at a time"),
        pytest.param(CHUNKS, b"1\r\n \r\n", id="a chunk at a time"),
        pytest.param(CHUNKS + b"1;", b"a", id="an extension without an end"),
        pytest.param(CHUNKS + b"1\r\n{\r\n0\r\n", b"X-A: b\r\n", id="a field behind the chunks at a time"),
    ],
)
async def test_it_closes_what_drips(begin: bytes, piece: bytes) -> None:
    async with nearby() as server, server.connect() as connection:
        connection[1].write(begin)
        assert b" 200 OK" not in await drip(connection, piece)


@pytest.mark.parametrize(
    "piece", [b"\r\n", b"G", b"GET / HTTP/1.1\r\nX-A: "], ids=["empty lines", "a method", "fields"]
)
async def test_it_closes_what_drips_after_an_answer(piece: bytes) -> None:
    async with nearby() as server, server.connect() as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b'"}')
        assert b" 200 OK" not in await drip((reader, writer), piece)


async def test_it_closes_what_asked_for_another_protocol_and_drips() -> None:
    async with nearby() as server, server.connect() as (reader, writer):
        writer.write(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        await reader.readuntil(b'"}')
        assert b" 200 OK" not in await drip((reader, writer), b"x")


async def test_it_answers_others_while_many_drip() -> None:
    async with nearby() as server, AsyncExitStack() as open_ones:
        for _ in range(300):
            _, writer = await open_ones.enter_async_context(server.connect())
            writer.write(GET[:-2] + b"X-A: ")
        assert b" 200 OK" in await server.answer(LAST)


async def test_it_keeps_none_of_many_that_drip() -> None:
    async with nearby() as server, AsyncExitStack() as open_ones:
        for _ in range(300):
            _, writer = await open_ones.enter_async_context(server.connect())
            writer.write(GET[:-2] + b"X-A: ")
        async with asyncio.timeout(10):
            await server.until_nobody_is_connected()


async def test_it_leaves_sockets_their_time() -> None:
    async with nearby() as server, server.connect() as (reader, writer):
        writer.write(UPGRADE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        await asyncio.sleep(2 * SECONDS)
        writer.write(b"\x89\x80\x00\x00\x00\x00")
        async with asyncio.timeout(10):
            while b"\x8a\x00" not in await reader.read(65_536):  # the answer to a ping
                assert not reader.at_eof()


# -- clients that do not read ------------------------------------------------------------------------------------------


async def _unread(server: Nearby, request: bytes) -> socket.socket:
    """A client with hardly any room for what it is sent, that has asked for more than the kernel keeps."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, server.address)
    await loop.sock_sendall(client, request)
    return client


async def test_it_lets_go_of_a_client_that_reads_nothing() -> None:
    big = b"GET /static/conversations/docs.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with nearby() as server:
        client = await _unread(server, big * 200)
        async with asyncio.timeout(20):
            await server.until_somebody_is_connected()
            await server.until_nobody_is_connected()
        client.close()


async def test_it_answers_others_meanwhile() -> None:
    async with nearby() as server:
        clients = [await _unread(server, GET * 500) for _ in range(50)]
        assert b" 200 OK" in await server.answer(LAST)
        for client in clients:
            client.close()


def test_it_answers_others_while_hundreds_of_heads_are_under_way(server: LiveServer) -> None:
    waiting = [connect(server) for _ in range(400)]
    for each in waiting:
        each.sendall(GET[:-2])
    assert statuses(server, head("/health")) == [200]
    for each in waiting:
        each.close()
