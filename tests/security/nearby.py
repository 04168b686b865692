"""The server in the test's own process, where its bounds can be made short: tested is whom it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from uvicorn.server import ServerState

from dialogix import serve, server
from dialogix.protocol import BoundedProtocol


@dataclass(frozen=True)
class Nearby:
    """state: what uvicorn knows of its connections"""

    address: tuple[str, int]
    state: ServerState

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def answer(self, request: bytes) -> bytes:
        """All that comes until the server closes."""
        async with self.connect() as (reader, writer):
            writer.write(request)
            return await reader.read()

    async def until_somebody_is_connected(self) -> None:
        while not self.state.connections:  # noqa: ASYNC110  (uvicorn keeps a set, and tells nobody of it)
            await asyncio.sleep(0.01)

    async def until_nobody_is_connected(self) -> None:
        while self.state.connections:  # noqa: ASYNC110  (the same)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def nearby() -> AsyncIterator[Nearby]:
    """Listens as `make run` does."""
    config = server.config()
    config.load()
    state = ServerState()
    listener = serve._listen("127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: BoundedProtocol(config, state, {}), sock=listener)
    try:
        yield Nearby(listener.getsockname()[:2], state)
    finally:
        listening.close()
