"""The text of one reply as it grows: one writer, any number of readers, each at a position of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

PIECES_KEPT_APART = 64
"""Beyond so many pieces they are joined: many small strings cost more memory than the text in them."""


MANY_WAITERS = 16
"""Beyond so many, those whose readers gave up are dropped; usually the next change drops them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Tokens of one reply; `estimated` unless they are the vendor's own count."""

    input_tokens: int
    output_tokens: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reply stands once nothing follows.

    status: one of `conversations.models.Status`, never `streaming`
    error:  a sentence for the client where the reply did not end as asked
    code:   the HTTP status that this end has where no text was sent yet
    stored: whether the database holds what the buffer holds
    """

    status: str
    error: str = ""
    code: int = 200
    stored: bool = True
    finish_reason: str | None = None
    tally: Tally | None = None


class Buffer:
    """Positions are code points from the beginning of the reply; `position` is the end of what is known.

    A reader costs nothing while it does not read: it keeps no queue, and finds all it missed in one string.
    """

    __slots__ = ("_listeners", "_pieces", "_text", "_waiters", "ending", "model", "position")

    def __init__(self, text: str = "", *, model: str = "", ending: Ending | None = None) -> None:
        self._text = text
        self._pieces: list[str] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._listeners: list[Callable[[], None]] = []
        self.position = len(text)
        self.model = model
        self.ending = ending

    def append(self, piece: str) -> None:
        self._pieces.append(piece)
        self.position += len(piece)
        if len(self._pieces) > PIECES_KEPT_APART:
            self._join()
        for listener in self._listeners:
            listener()
        if self._waiters:
            self._wake()

    def end(self, ending: Ending) -> None:
        """Nothing follows. The first ending counts."""
        if self.ending is None:
            self.ending = ending
            for listener in self._listeners:
                listener()
            self._wake()

    def since(self, position: int) -> str:
        """All text after `position`; the usual reader, one piece behind, gets that piece as it is."""
        if self._pieces and position == self.position - len(self._pieces[-1]):
            return self._pieces[-1]
        if position >= self.position:
            return ""
        return self._join()[position:]

    @property
    def text(self) -> str:
        return self._join()

    async def changed(self, position: int) -> None:
        """Return once there is text after `position` or the reply has ended."""
        if self.position > position or self.ending is not None:
            return
        waiter = asyncio.get_running_loop().create_future()
        if len(self._waiters) > MANY_WAITERS:
            self._waiters = [other for other in self._waiters if not other.done()]
        self._waiters.append(waiter)
        await waiter

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it at every change, there and then: it must neither raise nor take long."""
        self._listeners.append(listener)

    def leave(self, listener: Callable[[], None]) -> None:
        self._listeners.remove(listener)

    async def ended(self) -> Ending:
        """The reply's end, waited for."""
        while self.ending is None:
            await self.changed(self.position)
        return self.ending

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _join(self) -> str:
        if self._pieces:
            self._text += "".join(self._pieces)
            self._pieces = []
        return self._text
