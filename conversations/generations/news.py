"""Word from one worker to another, over Channels' layer where one is configured that reaches other processes.

Word is only a hint to look at the database: a lost one costs promptness, never truth. Three kinds: `follow` (tell me
when this reply has news), `look` (there is news for you) and `stop` (one of yours is to be cancelled).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer

FOLLOW_LASTS = 30.0
"""Seconds after which a worker that was not told again stops sending word to a follower."""

RETRY = 1.0

log = logging.getLogger("conversations.news")


def _channel(worker_id: UUID) -> str:
    return f"dialogix.worker.{worker_id.hex}"


class News:
    """on_word: called with each word that arrives, `{"kind", "message_pk"?, "from"?}`."""

    def __init__(self, worker_id: UUID, on_word: Callable[[dict[str, Any]], None]) -> None:
        self.worker_id = worker_id
        self._on_word = on_word
        layer = get_channel_layer()
        # The in-memory layer reaches nobody outside this process, who needs no word.
        self._layer = None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer
        self._followers: dict[int, dict[UUID, float]] = {}

    @property
    def reaches_others(self) -> bool:
        return self._layer is not None

    async def run(self) -> None:
        """Hear word until cancelled; where there is no layer, return at once."""
        if self._layer is None:
            return
        while True:
            await self._attempt(self._hear_one)

    async def _hear_one(self) -> None:
        assert self._layer is not None
        self._on_word(await self._layer.receive(_channel(self.worker_id)))

    async def tell(self, worker_id: UUID, kind: str, message_pk: int = 0) -> None:
        """Send word to one worker; where that cannot be done, its next look at the database does."""
        if self._layer is None or worker_id == self.worker_id:
            return
        word = {"type": "word", "kind": kind, "message_pk": message_pk, "from": self.worker_id.hex}
        layer = self._layer

        async def send() -> None:
            await layer.send(_channel(worker_id), word)

        await self._attempt(send)

    def followed_by(self, message_pk: int, worker_id: UUID) -> None:
        """Another worker wants word of this reply, for a while."""
        until = asyncio.get_running_loop().time() + FOLLOW_LASTS
        self._followers.setdefault(message_pk, {})[worker_id] = until

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

    async def _attempt(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001
            # The layer's client raises its own, its library's and the socket's errors; each means: polling does it.
            log.warning("news unavailable", extra={"event": "news_unavailable", "error": type(error).__name__})
            await asyncio.sleep(RETRY)
