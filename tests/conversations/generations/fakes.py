"""Providers whose streams tests write as they like, and a journal that keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from django.db import DatabaseError

from conversations.generations.buffer import Ending
from conversations.generations.generation import Generation
from conversations.store.begin import Begun
from conversations.store.endings import Finished
from conversations.turns import OnDisconnect
from providers.base import Push, keep
from providers.events import Delta, Event, Finish, Serving, Usage
from providers.messages import CompletionRequest, Message

Stream = Callable[[CompletionRequest], AsyncGenerator[Event, None]]
SERVING = Serving("gpt", "gpt-4o")
FOUND = Ending("interrupted", "as the database says", 503)


class Fake:
    """A provider; tells whether its stream is open, and what it was asked."""

    def __init__(self, script: Stream) -> None:
        self._script = script
        self.asked: list[CompletionRequest] = []
        self.open = 0
        self.began = asyncio.Event()

    async def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        self.asked.append(request)
        self.open += 1
        self.began.set()
        try:
            async for event in self._script(request):
                yield event
        finally:
            self.open -= 1


def saying(*pieces: str) -> Fake:
    """Answers at once with these pieces."""

    async def stream(request: CompletionRequest) -> AsyncGenerator[Event, None]:
        yield SERVING
        for piece in pieces:
            yield Delta(piece)
        yield Usage(12, 34)
        yield Finish("stop", "stop")

    return Fake(stream)


def saying_then(last: Exception | None, *pieces: str) -> Fake:
    """Says the pieces, then raises, or says nothing more for ever."""

    async def stream(request: CompletionRequest) -> AsyncGenerator[Event, None]:
        if pieces:
            yield SERVING
        for piece in pieces:
            yield Delta(piece)
        if last is not None:
            raise last
        await asyncio.Event().wait()

    return Fake(stream)


def never_pausing() -> Fake:
    """Always has the next piece ready."""

    async def stream(request: CompletionRequest) -> AsyncGenerator[Event, None]:
        yield SERVING
        while True:
            yield Delta("more ")
            await asyncio.sleep(0)

    return Fake(stream)


def swallowing(times: int) -> Fake:
    """Goes on after so many cancellations, as some libraries do."""

    async def stream(request: CompletionRequest) -> AsyncGenerator[Event, None]:
        yield SERVING
        yield Delta("par")
        for _ in range(times):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue
        await asyncio.Event().wait()

    return Fake(stream)


class Book:
    """A journal in memory."""

    def __init__(self, *, mine: bool = True, away: bool = False) -> None:
        self.mine = mine
        self.away = away
        self.noted = 0
        self.finished: list[Finished] = []

    def note(self, generation: Generation) -> None:
        self.noted += 1

    async def end(self, generation: Generation, finished: Finished) -> bool:
        if self.away:
            raise DatabaseError
        self.finished.append(finished)
        return self.mine

    async def found(self, message_pk: int) -> Ending:
        return FOUND


def begun(*, running: bool = True, fresh: bool = True) -> Begun:
    return Begun(
        message_pk=1,
        message_id="msg-1",
        conversation_pk=2,
        conversation_id="session-1",
        provider="gpt",
        instructions="Be brief.",
        messages=(Message("user", "a"),) if running else (),
        running=running,
        fresh=fresh,
    )


async def _began(found: Begun | Exception) -> Begun:
    if isinstance(found, Exception):
        raise found
    return found


async def _context(message_pk: int) -> list[Message]:
    return [Message("user", "what waited")]


def live(
    provider: Fake,
    *,
    book: Book | None = None,
    stands: Begun | Exception | None = None,
    on_disconnect: OnDisconnect = "continue",
    **other: Any,
) -> Generation:
    """A generation that is stored in `book`, or not stored at all."""
    found = stands or begun()
    fields: dict[str, Any] = {
        "answering": lambda _: provider,
        "request": CompletionRequest(messages=(Message("user", "asked"),), model=""),
        "on_disconnect": on_disconnect,
        "owner_id": None,
        "on_end": lambda _: None,
    }
    if book is not None:
        fields |= {"ledger": book, "begin": lambda: _began(found), "context_of": _context}
    return Generation(**{**fields, **other})


async def ending(generation: Generation) -> Ending:
    """How it ended, soon."""
    async with asyncio.timeout(5):
        return await generation.buffer.ended()


async def text_of(generation: Generation, position: int = 1) -> str:
    """Its text once there is so much of it."""
    async with asyncio.timeout(5):
        while generation.buffer.position < position:
            await generation.buffer.changed(generation.buffer.position)
    return generation.buffer.text
