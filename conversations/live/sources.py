"""Where the text of a mirror's streaming replies comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from conversations.generations import engine
from conversations.generations.buffer import Buffer
from conversations.models import Message


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    buffer: Buffer
    leave: Callable[[], None]
    reading: asyncio.Task[None]

    def close(self) -> None:
        self.reading.cancel()
        self.leave()


class Sources:
    """Reads along, but is no client: whether a reply goes on without one does not depend on who mirrors it.

    on_text: called when there is more of some reply;  on_end: when one has ended
    """

    def __init__(self, on_text: Callable[[], None], on_end: Callable[[], None]) -> None:
        self._on_text = on_text
        self._on_end = on_end
        self._sources: dict[int, _Source] = {}

    def buffer(self, key: int) -> Buffer | None:
        source = self._sources.get(key)
        return None if source is None else source.buffer

    async def follow(self, message: Message) -> None:
        """Read this reply from memory where it lives here, else as it is journalled. Raises `DatabaseError`."""
        key = message.pk
        if key in self._sources:
            return
        if (live := engine.live.get(key)) is not None:
            self._add(key, live.buffer, _nothing)
        else:
            buffer = await engine.exchange.followers.follow(message)
            self._add(key, buffer, lambda: engine.exchange.followers.leave(key))

    def _add(self, key: int, buffer: Buffer, leave: Callable[[], None]) -> None:
        reading = asyncio.get_running_loop().create_task(self._read(buffer))
        self._sources[key] = _Source(buffer, leave, reading)

    def come_home(self) -> None:
        """Read those that have turned out to live here from memory: the database may have shown them first."""
        for key, source in list(self._sources.items()):
            if (live := engine.live.get(key)) is not None and live.buffer is not source.buffer:
                source.close()
                self._add(key, live.buffer, _nothing)

    def keep(self, keys: Collection[int]) -> None:
        """Leave all others."""
        for key in self._sources.keys() - set(keys):
            self._sources.pop(key).close()

    async def _read(self, buffer: Buffer) -> None:
        while buffer.ending is None:
            await buffer.changed(buffer.position)
            self._on_text()
        self._on_end()


def _nothing() -> None:
    """A reply that lives here does not mind being read."""
