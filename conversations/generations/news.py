"""Word from one worker to another, over Channels' layer where one is configured that reaches other processes.

Word is only a hint to look at the database: a lost one costs promptness, never truth. Kinds: `follow` (tell me when
these replies have news), `look` (there is news for you), `stop` (these of yours are to be cancelled) and `changed`
(this conversation shows something else; to a group of those who watch it).

A layer that is away says nothing. So every worker sends word to itself in a steady beat: while it hears that, others
reach it too; when it does not, everybody looks at the database as often as without a layer.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from uuid import UUID

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer, get_channel_layer

FOLLOW_LASTS = 30.0
"""Seconds after which a worker that was not told again stops sending word to a follower."""

BEAT = 2.0
ECHO_WITHIN = 1.5
"""Seconds after which a word to oneself that has not come back means that the layer is away."""

SEND_WITHIN = 1.0
SENT_TOGETHER = 8
RETRY = 0.5
JOIN_AGAIN = 600.0
"""Seconds after which groups are joined again, should the layer have lost them unnoticed."""

log = logging.getLogger("conversations.news")


def _channel(worker_id: UUID) -> str:
    return f"dialogix.worker.{worker_id.hex}"


def group_of(owner_id: int | None, conversation_id: str) -> str:
    """The group of those who watch a conversation, whether it exists yet or not. A name as Channels allows it."""
    return f"dialogix.conversation.{hashlib.sha256(f'{owner_id}/{conversation_id}'.encode()).hexdigest()}"


class News:
    """on_word: called with each word that arrives, `{"kind", "keys", "from"}`
    on_reach: called when the layer is there (True) or away (False); before the first call it is away
    """

    def __init__(
        self, worker_id: UUID, on_word: Callable[[dict[str, Any]], None], on_reach: Callable[[bool], None]
    ) -> None:
        self.worker_id = worker_id
        self._on_word = on_word
        self._on_reach = on_reach
        layer = get_channel_layer()
        # The in-memory layer reaches nobody outside this process, who needs no word.
        self._layer = None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer
        self._reaches = False
        self._beats = 0
        self._echo = asyncio.Event()
        self._ear: asyncio.Task[Any] | None = None
        # Each word on its way takes a connection: a burst of word must not become a burst of connections.
        self._sending = asyncio.Semaphore(SENT_TOGETHER)
        self._groups: set[str] = set()
        self._joined_at = 0.0
        self._followers: dict[int, dict[UUID, float]] = {}

    @property
    def reaches_others(self) -> bool:
        return self._reaches

    async def run(self) -> None:
        """Hear word until cancelled; where there is no layer, return at once."""
        if self._layer is not None:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._hear())
                both.create_task(self._beat())

    # -- sending ----------------------------------------------------------------------------------------------------

    async def tell(self, worker_id: UUID, kind: str, keys: Collection[int] = ()) -> None:
        """Send word to one worker; where that cannot be done, its next look at the database does."""
        if self._reaches and worker_id != self.worker_id:
            await self._attempt(lambda layer: layer.send(_channel(worker_id), self._word(kind, keys)))

    async def tell_group(self, group: str, kind: str, keys: Collection[int] = ()) -> None:
        if self._reaches:
            await self._attempt(lambda layer: layer.group_send(group, self._word(kind, keys)))

    async def join(self, group: str) -> None:
        """Hear what is told to this group, from now on and whenever the layer comes back."""
        self._groups.add(group)
        if self._reaches:
            await self._attempt(lambda layer: layer.group_add(group, _channel(self.worker_id)))

    async def leave(self, group: str) -> None:
        self._groups.discard(group)
        if self._reaches:
            await self._attempt(lambda layer: layer.group_discard(group, _channel(self.worker_id)))

    def _word(self, kind: str, keys: Collection[int]) -> dict[str, Any]:
        return {"type": "word", "kind": kind, "keys": list(keys), "from": self.worker_id.hex}

    async def _attempt(self, send: Callable[[Any], Awaitable[None]]) -> bool:
        try:
            async with self._sending, asyncio.timeout(SEND_WITHIN):
                await send(self._layer)
        except ChannelFull:
            return True  # whoever is to read it has a hundred words before it, and looks for itself meanwhile
        except Exception as error:  # noqa: BLE001
            # The layer's client raises its own, its library's and the socket's errors; each means: polling does it.
            self._lose(error)
            return False
        return True

    # -- hearing ----------------------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            ear = self._ear = asyncio.get_running_loop().create_task(self._receive())
            try:
                await asyncio.wait([ear])
            finally:
                ear.cancel()
            if ear.cancelled():
                continue
            if (error := ear.exception()) is not None:
                self._lose(error)
                await asyncio.sleep(RETRY)
            else:
                self._take(ear.result())

    async def _receive(self) -> dict[str, Any]:
        assert self._layer is not None
        word: dict[str, Any] = await self._layer.receive(_channel(self.worker_id))
        return word

    def _take(self, word: dict[str, Any]) -> None:
        try:
            if word["kind"] != "echo":
                self._on_word(word)
            elif self._beats in word["keys"]:
                self._echo.set()
        except Exception:
            # Whatever another version of this program says, what the next one says is to be heard.
            log.exception("word not understood", extra={"event": "word_not_understood"})

    async def _beat(self) -> None:
        while True:
            await self._once()
            await asyncio.sleep(BEAT if self._reaches else RETRY)

    async def _once(self) -> None:
        """Send word to oneself and see whether it comes back."""
        self._beats += 1
        self._echo.clear()
        word = self._word("echo", [self._beats])
        if not await self._attempt(lambda layer: layer.send(_channel(self.worker_id), word)):
            return
        try:
            async with asyncio.timeout(ECHO_WITHIN):
                await self._echo.wait()
        except TimeoutError as error:
            self._lose(error)
            if self._ear is not None:
                self._ear.cancel()  # it may wait at a connection that is gone, or under a name that was ours
            return
        await self._found()

    async def _found(self) -> None:
        now = asyncio.get_running_loop().time()
        came_back, self._reaches = not self._reaches, True
        if came_back or now - self._joined_at > JOIN_AGAIN:
            self._joined_at = now
            for group in list(self._groups):
                await self.join(group)
        if came_back and self._reaches:
            log.info("news available", extra={"event": "news_available"})
            self._on_reach(True)

    def _lose(self, error: BaseException) -> None:
        if self._reaches:
            self._reaches = False
            log.warning("news unavailable", extra={"event": "news_unavailable", "error": type(error).__name__})
            self._on_reach(False)

    # -- followers --------------------------------------------------------------------------------------------------

    def followed_by(self, message_pk: int, worker_id: UUID) -> bool:
        """Another worker wants word of this reply, for a while. Returns whether that is new."""
        followers = self._followers.setdefault(message_pk, {})
        new = worker_id not in followers
        followers[worker_id] = asyncio.get_running_loop().time() + FOLLOW_LASTS
        return new

    def followers_of(self, messages: set[int]) -> set[UUID]:
        """The workers to be told of news about these replies."""
        if not self._followers:
            return set()
        now = asyncio.get_running_loop().time()
        return {
            worker
            for key in messages & self._followers.keys()
            for worker, until in self._followers[key].items()
            if until > now
        }

    def forget(self, message_pk: int) -> None:
        self._followers.pop(message_pk, None)
