"""Threads that coroutines hand work to, each piece with the future of its result.

What the standard library has for this makes a second future for every piece, with a lock of its own, and chains the
two: with two pieces for every stored reply that is a tenth of what storing it costs.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that the process's end waits for work under way."""


class _Piece(NamedTuple):
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Threads:
    """At most `most`, each started when work finds none at rest. Work is begun in the order in which it came."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._pieces: SimpleQueue[_Piece | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._at_rest = threading.Semaphore(0)
        self._starting = threading.Lock()
        atexit.register(self._stop)

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """The result of `work()`, or what it raised, in the running loop. Work that has begun is not cancelled."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._pieces.put(_Piece(work, future, loop))
        if len(self._threads) < self._most and not self._at_rest.acquire(blocking=False):
            self._start()
        return future

    def _start(self) -> None:
        with self._starting:
            if len(self._threads) < self._most:
                name = f"{self._name}_{len(self._threads)}"
                thread = threading.Thread(target=self._serve, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self) -> None:
        while (piece := self._pieces.get()) is not None:
            if not piece.future.cancelled():
                _carry_out(piece)
            del piece  # it holds on to a request
            if len(self._threads) < self._most:
                self._at_rest.release()

    def _stop(self) -> None:
        for _ in self._threads:
            self._pieces.put(None)
        for thread in self._threads:
            thread.join(PATIENCE)


def _carry_out(piece: _Piece) -> None:
    result: Any = None
    error: BaseException | None = None
    try:
        result = piece.work()
    except BaseException as raised:  # noqa: BLE001 - whoever waits is told
        error = raised
    with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
        piece.loop.call_soon_threadsafe(_tell, piece.future, result, error)
    error = None  # its traceback knows this frame


def _tell(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
