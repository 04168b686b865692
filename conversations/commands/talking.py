"""Conversations from a terminal: replies are produced on an event loop of their own, while a person waits here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from conversations.api.turning import CONVERSATIONS_OWN, defaults_of
from conversations.generations import engine
from conversations.generations.buffer import Ending
from conversations.generations.generation import Generation
from conversations.turns import Turn
from providers import registry
from providers.messages import Message

T = TypeVar("T")


class Talk:
    """A conversation that goes on turn by turn. Leave its context to end what runs in the background.

    conversation_id: None until the first turn has made one
    """

    def __init__(self, owner_id: int | None, conversation_id: str | None, provider: str | None) -> None:
        self.conversation_id = conversation_id
        self._owner_id = owner_id
        self._provider = provider
        self._loop = asyncio.new_event_loop()
        # The heartbeat of a server's worker goes on meanwhile, also while a person thinks.
        self._thread = threading.Thread(target=self._loop.run_forever, name="replies", daemon=True)
        self._generation: Generation | None = None
        self._stop = False

    def __enter__(self) -> Talk:  # noqa: PYI034  (nobody derives from it)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def say(self, text: str, on_text: Callable[[str], None]) -> tuple[Generation, Ending]:
        """A turn to its end. Ctrl-C stops the reply, keeping its text. Raises `TurnRefused`, `DatabaseError`."""
        self._generation, self._stop = None, False
        reply = asyncio.run_coroutine_threadsafe(self._say(text, on_text), self._loop)
        while True:
            try:
                return reply.result()
            except KeyboardInterrupt:
                self._loop.call_soon_threadsafe(self._cancel)

    async def _say(self, text: str, on_text: Callable[[str], None]) -> tuple[Generation, Ending]:
        turn = Turn(
            owner_id=self._owner_id,
            conversation_id=self.conversation_id,
            messages=(Message("user", text),),
            provider=self._provider,
        )
        generation = self._generation = await engine.begin(turn, CONVERSATIONS_OWN, defaults_of)
        if (begun := generation.stored) is not None:
            self.conversation_id = begun.conversation_id
        if self._stop:
            generation.cancel()
        buffer, position = generation.buffer, 0
        while new := await _more(generation, position):
            on_text(new)
            position += len(new)
        assert buffer.ending is not None
        return generation, buffer.ending

    def _cancel(self) -> None:
        self._stop = True
        if self._generation is not None:
            self._generation.cancel()

    async def _close(self) -> None:
        await engine.stop()
        await registry.aclose()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _more(generation: Generation, position: int) -> str:
    """The text after a position, waited for; nothing where the reply has ended."""
    buffer = generation.buffer
    await buffer.changed(position)
    return buffer.since(position)
