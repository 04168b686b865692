"""What one socket has shown."""

from __future__ import annotations

import asyncio


class View:
    """shown:     number of the newest change of the mirror that it has shown
    opened:    whether it has had its first snapshot
    positions: how much of each reply that streams it has shown
    closing:   the code with which it is to be closed
    wake:      set whenever there may be something to send
    """

    __slots__ = ("closing", "opened", "positions", "shown", "wake")

    def __init__(self) -> None:
        self.shown = 0
        self.opened = False
        self.positions: dict[int, int] = {}
        self.closing: int | None = None
        self.wake = asyncio.Event()

    def close(self, code: int) -> None:
        """The first reason counts."""
        if self.closing is None:
            self.closing = code
            self.wake.set()
