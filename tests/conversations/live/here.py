"""A server in the test's own process, for what only the process itself can be asked or told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.uri import parse_uri

from conversations.generations import engine
from dialogix.asgi import application


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Its address, such as `127.0.0.1:40000`."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await engine.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        await engine.stop()


class LazyClient:
    """Reads only when told to, and has little room for what it has not read."""

    def __init__(self, root: str, conversation_id: str) -> None:
        self._url = f"ws://{root}/ws/conversations/{conversation_id}/"
        host, port = root.split(":")
        self._address = (host, int(port))
        self._protocol = ClientProtocol(parse_uri(self._url), max_size=None)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        self._protocol.send_request(self._protocol.connect())
        await loop.sock_sendall(self._socket, b"".join(self._protocol.data_to_send()))

    async def read_to_the_end(self) -> int:
        """The code with which the server closed; 1006 where it said nothing."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(30):
            while data := await loop.sock_recv(self._socket, 1 << 20):
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if isinstance(event, Frame) and self._protocol.close_rcvd is not None:
                        return self._protocol.close_rcvd.code
        return 1006

    def close(self) -> None:
        self._socket.close()
