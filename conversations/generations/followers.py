"""Replies that live in another process, or no longer live: their text in a buffer like any other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from django.db import DatabaseError

from conversations import database
from conversations.generations.buffer import Buffer, Ending, Tally
from conversations.models import Message, Status
from conversations.store.following import News, news_of, producer_of

INTERVAL = 0.2
ANNOUNCE_AGAIN = 10.0
"""Seconds after which a producer is told again that its reply is followed, well before it would forget."""

DELETED = Ending(Status.FAILED, "The conversation was deleted.", 404)
CODES = {Status.COMPLETE: 200, Status.CANCELLED: 409, Status.INTERRUPTED: 503}

log = logging.getLogger("conversations.followers")


def ending_of(message: Message) -> Ending:
    """How a stored message ended."""
    tally = None
    if message.input_tokens is not None and message.output_tokens is not None:
        tally = Tally(message.input_tokens, message.output_tokens, message.usage_estimated)
    code = CODES.get(Status(message.status), 500)
    return Ending(message.status, message.error, code, finish_reason=message.finish_reason, tally=tally)


def finished_buffer(message: Message) -> Buffer:
    """A reply that has ended, as a buffer to which nothing will be added."""
    return Buffer(message.content, model=message.model, ending=ending_of(message))


class _Followed:
    __slots__ = ("announced_at", "buffer", "last_entry", "producer", "readers")

    def __init__(self, producer: UUID) -> None:
        self.buffer = Buffer()
        self.last_entry = 0
        self.producer = producer
        self.readers = 0
        self.announced_at: float | None = None


class Followers:
    """One buffer per followed reply however many read it, and one look at the database for all of them.

    tell_producer: called with replies of another process while they are followed, so that it may send word of new text
    """

    def __init__(self, tell_producer: Callable[[UUID, Collection[int]], Awaitable[None]]) -> None:
        self._followed: dict[int, _Followed] = {}
        self._tell_producer = tell_producer
        self._look = asyncio.Event()
        self._announce = asyncio.Event()
        self.interval = INTERVAL

    def __len__(self) -> int:
        return len(self._followed)

    async def follow(self, message: Message) -> Buffer:
        """The buffer of a reply that another process produces; `leave` it afterwards. Raises `DatabaseError`."""
        followed = self._followed.get(message.pk)
        if followed is None:
            producer = await database.read(producer_of, message.pk)
            followed = self._followed.setdefault(message.pk, _Followed(producer or UUID(int=0)))
            self.announce_soon()
        followed.readers += 1
        self.look_soon()
        return followed.buffer

    def leave(self, message_pk: int) -> None:
        followed = self._followed.get(message_pk)
        if followed is not None:
            followed.readers -= 1
            if followed.readers <= 0:
                del self._followed[message_pk]

    def look_soon(self) -> None:
        """There may be news."""
        self._look.set()

    def announce_soon(self, *, again: bool = False) -> None:
        """Tell producers who follow; `again`: also those that were told, since they may not have heard it."""
        if again:
            for followed in self._followed.values():
                followed.announced_at = None
        self._announce.set()

    async def announce(self) -> None:
        """Tell until cancelled, each producer in one word: of new ones at once, of all again and again."""
        while True:
            self._announce.clear()
            for producer, keys in self._unannounced().items():
                await self._tell_producer(producer, keys)
            try:
                async with asyncio.timeout(ANNOUNCE_AGAIN / 2 if self._followed else None):
                    await self._announce.wait()
            except TimeoutError:
                continue

    def _unannounced(self) -> dict[UUID, list[int]]:
        now = asyncio.get_running_loop().time()
        due: dict[UUID, list[int]] = {}
        for key, followed in self._followed.items():
            if followed.announced_at is None or now - followed.announced_at >= ANNOUNCE_AGAIN:
                followed.announced_at = now
                due.setdefault(followed.producer, []).append(key)
        return due

    async def run(self) -> None:
        """Look until cancelled: at once when told to, else at intervals, never while nobody follows."""
        while True:
            await self._pause()
            self._look.clear()
            try:
                await self.look()
            except DatabaseError as error:
                log.warning("followers wait", extra={"event": "followers_wait", "error": type(error).__name__})
                await asyncio.sleep(self.interval)

    async def look(self) -> None:
        wanted = {key: followed.last_entry for key, followed in self._followed.items() if not followed.buffer.ending}
        if not wanted:
            return
        for key, news in (await database.read(news_of, wanted)).items():
            followed = self._followed.get(key)
            if followed is not None:
                _take_in(followed, news)

    async def _pause(self) -> None:
        waiting = any(followed.buffer.ending is None for followed in self._followed.values())
        try:
            async with asyncio.timeout(self.interval if waiting else None):
                await self._look.wait()
        except TimeoutError:
            return


def _take_in(followed: _Followed, news: News) -> None:
    buffer = followed.buffer
    followed.last_entry = news.last_entry
    if news.ended is not None:
        buffer.model = news.ended.model
        if rest := news.ended.content[buffer.position :]:
            buffer.append(rest)
        buffer.end(ending_of(news.ended))
    elif news.gone:
        buffer.end(DELETED)
    elif rest := news.text[max(0, buffer.position - news.position) :]:
        buffer.model = news.model or buffer.model
        buffer.append(rest)
