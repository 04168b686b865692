"""One client's view of a reply: the bytes of its events, from a position to the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Protocol

from django.http import HttpResponseBase

from conversations.api.sse import HEARTBEAT, OPENED, QUIET, end_events
from conversations.generations.buffer import Buffer, Ending

HEARTBEAT_AFTER = 15.0
"""Seconds of silence after which a comment tells client and proxies that the stream lives."""


class Encoder(Protocol):
    """Writes a reply's events in the words of one route."""

    def delta(self, text: str, position: int, model: str) -> bytes:
        """position: the one after the text"""

    def end(self, position: int, after: int, ending: Ending) -> bytes:
        """position: the length of the text; after: the position that the client had when it asked"""


class Viewer:
    """Follows a buffer. It keeps a position and nothing else, so a client that does not read costs nothing more."""

    def __init__(self, buffer: Buffer, encoder: Encoder, *, after: int = 0, opening_pause: float | None = None) -> None:
        self._buffer = buffer
        self._encoder = encoder
        self._after = after
        self._opening_pause = opening_pause
        self._beat_due = False
        self._sent_at = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Everything after the position, then the end. Each item is one write."""
        if self._opening_pause is not None:
            # Native mobile stacks attach their listener after the first bytes: those must not be text.
            yield OPENED
            await asyncio.sleep(self._opening_pause)
        buffer, position, delta = self._buffer, self._after, self._encoder.delta
        self._start_timer()
        try:
            while True:
                if text := buffer.since(position):
                    position += len(text)
                    self._sent_at = self._now()
                    yield delta(text, position, buffer.model)
                elif buffer.ending is not None:
                    break
                elif self._beat_due:
                    self._beat_due = False
                    self._sent_at = self._now()
                    yield HEARTBEAT
                else:
                    self._waiter = buffer.waiter()
                    await self._waiter
        finally:
            if self._timer is not None:
                self._timer.cancel()
        yield self._encoder.end(buffer.position, self._after, buffer.ending)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def _start_timer(self) -> None:
        self._sent_at = self._now()
        self._timer = asyncio.get_running_loop().call_later(HEARTBEAT_AFTER, self._check)

    def _check(self) -> None:
        """One timer per stream, moved on only when it fires, instead of one per event."""
        loop = asyncio.get_running_loop()
        due = self._sent_at + HEARTBEAT_AFTER
        if loop.time() >= due - 0.01:
            self._beat_due = True
            due = loop.time() + HEARTBEAT_AFTER
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        self._timer = loop.call_at(due, self._check)


def nothing_follows(buffer: Buffer, after: int) -> bool:
    """Whether a client at this position has seen everything there is and will be (the wire's 204)."""
    ending = buffer.ending
    if ending is None:
        return False
    last = buffer.position + end_events(ending)
    return after == last or (after > last and ending.status in QUIET)


class EventStream(HttpResponseBase):
    """A response whose body is a viewer's events; `leave` is called once, when it is over or its client has left."""

    streaming = True

    def __init__(self, viewer: Viewer, leave: Callable[[], None], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content_type="text/event-stream", headers=None)
        self.viewer = viewer
        self.leave = leave
        for name, value in {
            "Cache-Control": "no-cache",
            "Connection": "keep-alive",
            "X-Accel-Buffering": "no",
            **(headers or {}),
        }.items():
            self[name] = value
