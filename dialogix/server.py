"""One worker: uvicorn with our bounds, and an end that leaves the replies under way time to finish."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from django.conf import settings
from django.db import DatabaseError

from conversations.api.shared import close_shared
from conversations.generations import engine
from dialogix.garbage import spare_what_stays
from dialogix.protocol import BoundedProtocol
from providers import registry

BACKLOG = 2048
"""Connections that may wait to be accepted: hundreds of phones come back at once."""

KEEP_ALIVE = 75
"""Seconds of idleness; longer than load balancers keep theirs (60), so that none is closed under a request."""

MAX_FRAME = 4096
"""Bytes of a WebSocket frame from a client, who has nothing to say."""

MOMENT = 1.0
"""Seconds in which requests that were already on their way are still served, once no new connection is accepted."""

CLOSING_SECONDS = 5
"""For connections that are still open when the replies have ended."""

log = logging.getLogger("dialogix.server")


class Config(uvicorn.Config):
    def configure_logging(self) -> None:
        """Nothing: the settings did."""


def config() -> Config:
    return Config(
        "dialogix.asgi:application",
        loop="uvloop",
        http=BoundedProtocol,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        access_log=False,
        # Who is believed about the client's address is decided in one place, by TRUSTED_PROXIES.
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )


class Server(uvicorn.Server):
    """on_listening: called once connections are accepted."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners: list[socket.socket] = []
        self._asked_to_stop = False

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        # In the place of uvicorn's own handlers, which would end the server without a word to the replies.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        await self._serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listeners = sockets or []
        self._on_listening()
        self._begin(self._start_engine())
        self._begin(self._warm_up())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await registry.aclose()
        await engine.stop()
        await close_shared()

    def stop(self) -> None:
        """The first time gracefully, the second time now."""
        if self._asked_to_stop:
            self.should_exit = self.force_exit = True
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            return
        self._asked_to_stop = True
        self._begin(self._drain())

    async def _drain(self) -> None:
        """Clients of our own are still accepted, to be told that they come too late.

        A proxy is refused instead: that alone lets it send any request elsewhere, for it knows that none was begun.
        """
        try:
            if settings.TRUSTED_PROXIES:
                await self._close_door()
                await asyncio.sleep(MOMENT)
            await engine.drain(settings.SHUTDOWN_GRACE)
        finally:
            self.should_exit = True

    async def _close_door(self) -> None:
        """Accept no more. Who stands in the queue already is let in, since closing would send them away unheard."""
        waiting = [connection for listener in self._listeners for connection in _queue(listener)]
        for server in self.servers:
            server.close()
        for listener in self._listeners:
            listener.close()
        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        return BoundedProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def _start_engine(self) -> None:
        try:
            await engine.start()
        except DatabaseError:  # the first reply tries again, and /readyz says it
            log.exception("the database cannot be reached")

    async def _warm_up(self) -> None:
        """Import the SDKs before somebody needs them."""
        spare_what_stays()
        await registry.warm_up()
        spare_what_stays()

    def _begin(self, work: object) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))  # type: ignore[arg-type]


def _queue(listener: socket.socket) -> list[socket.socket]:
    """The connections that the kernel has made and nobody has accepted yet."""
    connections = []
    with suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            connections.append(connection)
    return connections


def run(listener: socket.socket, on_listening: Callable[[], None], watch: socket.socket | None = None) -> None:
    """Serve until told to stop. watch: the other end of a supervisor, whose silence means the same."""
    server = Server(config(), on_listening)

    async def serve() -> None:
        if watch is not None:
            loop = asyncio.get_running_loop()

            def alone() -> None:
                loop.remove_reader(watch)
                server.stop()

            loop.add_reader(watch, alone)
        await server.serve([listener])

    uvicorn_loop = server.config.get_loop_factory()
    with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
        runner.run(serve())
        if server.force_exit:
            logging.shutdown()
            os._exit(0)  # no waiting for threads, such as one that still imports an SDK
