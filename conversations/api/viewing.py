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

PUSH = "dialogix.push"
"""The extension of ASGI under which our own server's scopes have a `Push`."""

Push = Callable[[bytes], bool]
"""Sends a piece of the body there and then; False where that cannot be, and nothing was sent."""

MOST_AT_ONCE = 32_768
"""Code points in one event: what a client does not read waits in memory, so it must not be a whole long reply."""


class Encoder(Protocol):
    """Writes a reply's events in the words of one route."""

    def delta(self, text: str, position: int, model: str) -> bytes:
        """position: the one after the text"""

    def end(self, position: int, after: int, ending: Ending) -> bytes:
        """position: the length of the text; after: the position that the client had when it asked"""


class Viewer:
    """Follows a buffer. It keeps a position and nothing else, so a client that does not read costs nothing more.

    What comes while it waits is pushed to the client from the place where it came up: a turn of the event loop, and of
    this client's task, would cost more than all else that is done to a delta here.
    """

    def __init__(self, buffer: Buffer, encoder: Encoder, *, after: int = 0, opening_pause: float | None = None) -> None:
        self._buffer = buffer
        self._encoder = encoder
        self._after = after
        self._position = after
        self._opening_pause = opening_pause
        self._push: Push | None = None
        self._beat_due = False
        self._sent_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def events(self, push: Push | None = None) -> AsyncGenerator[bytes, None]:
        """Everything after the position, then the end. Each item is one write; what could be pushed is no item."""
        if self._opening_pause is not None:
            # Native mobile stacks attach their listener after the first bytes: those must not be text.
            yield OPENED
            await asyncio.sleep(self._opening_pause)
        self._push = push
        self._start_timer()
        self._buffer.listen(self._on_change)
        try:
            while (event := self._next()) is not None:
                if event:
                    yield event
                else:
                    self._waiter = self._loop.create_future()
                    await self._waiter
        finally:
            self._buffer.leave(self._on_change)
            if self._timer is not None:
                self._timer.cancel()
        assert self._buffer.ending is not None
        yield self._encoder.end(self._buffer.position, self._after, self._buffer.ending)

    def _next(self) -> bytes | None:
        """The next event; none yet (empty), or none any more."""
        if text := self._buffer.since(self._position)[:MOST_AT_ONCE]:
            self._position += len(text)
            self._sent_at = self._loop.time()
            return self._encoder.delta(text, self._position, self._buffer.model)
        if self._buffer.ending is not None:
            return None
        if self._beat_due:
            self._beat_due = False
            self._sent_at = self._loop.time()
            return HEARTBEAT
        return b""

    def _on_change(self) -> None:
        """There is more text, or the end. While `events` does not wait, it finds that by itself."""
        waiter, push, buffer = self._waiter, self._push, self._buffer
        if waiter is None or waiter.done():
            return
        if push is not None and (text := buffer.since(self._position)):
            position = self._position + len(text)
            try:
                pushed = push(self._encoder.delta(text, position, buffer.model))
            except Exception:  # noqa: BLE001 - not for the producer to hear: `events` meets the same, in its own task
                pushed = False
            if pushed:
                self._position = position
                self._sent_at = self._loop.time()
                return
        waiter.set_result(None)

    def _start_timer(self) -> None:
        self._sent_at = self._loop.time()
        self._timer = self._loop.call_later(HEARTBEAT_AFTER, self._check)

    def _check(self) -> None:
        """One timer per stream, moved on only when it fires, instead of one per event."""
        now = self._loop.time()
        due = self._sent_at + HEARTBEAT_AFTER
        if now >= due - 0.01:
            self._beat_due = True
            due = now + HEARTBEAT_AFTER
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        self._timer = self._loop.call_at(due, self._check)


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
