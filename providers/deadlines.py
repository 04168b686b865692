"""A time limit that costs next to nothing per delta.

`asyncio.timeout` around every read starts and cancels a timer each time. Here one timer per stream is armed, and only
when it fires does it look at when the vendor was last heard of: it then ends the wait, or arms itself for the rest.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """Cancels the task inside it when one wait takes too long, and turns that cancellation into `TimeoutError`.

        async with Deadline(15) as deadline:    # the first answer is due in 15 s, whatever happens
            first = await anext(events)
            deadline.roll(30)                   # from now on 30 s of silence are too much
            async for event in events:
                deadline.pause()                # the reader's time is not the vendor's
                yield event
                deadline.touch()

    While it is paused it never cancels, so it may span the `yield` of an async generator, whose reader it must not hit.
    A cancellation that came from elsewhere stays one, also when both happen at once.
    """

    __slots__ = ("_cancelling", "_expired", "_limit", "_loop", "_since", "_task", "_timer", "_waiting")

    def __init__(self, seconds: float) -> None:
        self._limit = seconds
        self._waiting = True
        self._expired = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._adopt(asyncio.current_task(self._loop))
        self._since = self._loop.time()
        self._arm(self._since + self._limit)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._disarm()
        if not self._expired:
            return
        # Our own cancellation is taken back, as asyncio.timeout does; if the count is still raised, someone else
        # wants this task to end, and that must not be swallowed.
        others = self._task.uncancel() > self._cancelling
        if not others and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def pause(self) -> None:
        """Stop counting: what follows is not a wait for the vendor."""
        self._waiting = False

    def touch(self) -> None:
        """Begin the next wait now."""
        self._since = self._loop.time()
        self._waiting = True
        task = asyncio.current_task(self._loop)  # without it, Python 3.11 asks the system for the loop
        if task is not self._task:  # a generator may be read on by another task than the one that began it
            self._adopt(task)

    def heard(self) -> None:
        """The same, from outside of the task that waits."""
        self._since = self._loop.time()

    def roll(self, seconds: float) -> None:
        """Begin the next wait now, and allow every wait from this one on so many seconds."""
        self._limit = seconds
        self.touch()
        if self._timer is not None and self._timer.when() > self._since + seconds:
            self._arm(self._since + seconds)

    def _adopt(self, task: asyncio.Task[object] | None) -> None:
        if task is None:
            raise RuntimeError("a Deadline works inside a task only")
        self._task = task
        self._cancelling = task.cancelling()

    def _arm(self, when: float) -> None:
        self._disarm()
        self._timer = self._loop.call_at(when, self._look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        due = (self._since if self._waiting else now) + self._limit
        self._timer = None
        if due > now:
            self._arm(due)
        else:
            self._expired = True
            self._task.cancel()
