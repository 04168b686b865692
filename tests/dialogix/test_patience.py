"""Clients that take their time. The times are made short: what is tested is who is waited for, not how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from uvicorn.server import ServerState

from dialogix import protocol, server
from dialogix.protocol import BoundedProtocol

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /chat/gpt HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = server.config()
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        listener.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.05)


@pytest.mark.usefixtures("hasty")
async def test_it_closes_a_connection_that_says_nothing() -> None:
    async with connection() as (reader, _), asyncio.timeout(5):
        assert await reader.read() == b""


@pytest.mark.usefixtures("hasty")
async def test_it_closes_a_connection_whose_head_does_not_end() -> None:
    async with connection() as (reader, writer), asyncio.timeout(5):
        writer.write(GET[:-2])
        assert await reader.read() == b""


@pytest.mark.usefixtures("hasty")
async def test_it_closes_a_connection_whose_second_head_does_not_end() -> None:
    async with connection() as (reader, writer), asyncio.timeout(5):
        writer.write(GET)
        await reader.readuntil(b'"}')
        writer.write(GET[:-2])
        assert await reader.read() == b""


@pytest.mark.usefixtures("hasty")
async def test_it_closes_a_connection_whose_body_stops_coming() -> None:
    async with connection() as (reader, writer), asyncio.timeout(5):
        writer.write(POST + b"{")
        assert await reader.read() == b""


@pytest.mark.usefixtures("hasty")
async def test_it_keeps_a_connection_between_two_requests() -> None:
    async with connection() as (reader, writer), asyncio.timeout(5):
        for _ in range(2):
            writer.write(GET)
            assert (await reader.readuntil(b'"}')).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.2)
