"""Several workers behind one listening socket: started, started again when one dies, and stopped together.

Each has a line to here, a socket pair: it says one byte when it accepts connections, and hears silence when this
process is gone, however it went. Then it stops by itself.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable

WORKER = "--worker"
READY = b"r"
PAUSE = 1.0
"""Seconds before a worker is started in the place of one that died, so that one that cannot start is no busy loop."""

OVERTIME = 10.0
"""Seconds beyond the grace, after which a worker that did not stop is killed."""

log = logging.getLogger("dialogix.workers")


class Supervisor:
    """grace: seconds that workers give their replies;  on_listening: called when the first one accepts connections"""

    def __init__(self, listener: socket.socket, count: int, grace: float, on_listening: Callable[[], None]) -> None:
        self._listener = listener
        self._count = count
        self._patience = grace + OVERTIME
        self._on_listening: Callable[[], None] | None = on_listening
        self._workers: set[asyncio.subprocess.Process] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        await asyncio.gather(*(self._keep_one() for _ in range(self._count)))

    def _stop(self) -> None:
        """Pass it on. A second time it is passed on too, and means at once."""
        self._stopping.set()
        self._listener.close()  # the workers have it too, and it is theirs to say when no one is accepted any more
        for worker in self._workers:
            worker.terminate()

    async def _keep_one(self) -> None:
        while not self._stopping.is_set():
            code = await self._one_life()
            if not self._stopping.is_set():
                log.error("a worker died", extra={"event": "worker_died", "code": code})
                await asyncio.wait([asyncio.ensure_future(self._stopping.wait())], timeout=PAUSE)

    async def _one_life(self) -> int:
        """A worker from its start to its end. Returns its exit code."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        descriptors = (self._listener.fileno(), theirs.fileno())
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dialogix.serve", WORKER, *map(str, descriptors)),
            pass_fds=descriptors,
            start_new_session=True,  # a terminal's Ctrl-C reaches this process alone, which passes it on
        )
        theirs.close()
        self._workers.add(worker)
        if self._stopping.is_set():
            worker.terminate()
        hearing = asyncio.ensure_future(self._hear(ours))
        try:
            return await self._end_of(worker)
        finally:
            hearing.cancel()
            self._workers.discard(worker)
            ours.close()

    async def _hear(self, line: socket.socket) -> None:
        if await asyncio.get_running_loop().sock_recv(line, 1) == READY and self._on_listening is not None:
            tell, self._on_listening = self._on_listening, None
            tell()

    async def _end_of(self, worker: asyncio.subprocess.Process) -> int:
        ended = asyncio.ensure_future(worker.wait())
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.wait([ended], timeout=self._patience)
        if not ended.done():
            worker.kill()
        return await ended
