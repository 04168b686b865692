"""The Redis that workers share, and what is done while it is away: the same, by each for itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

T = TypeVar("T")

SECONDS = 0.5
"""For a connection, and for an answer."""

PAUSE = 5.0
"""Seconds for which a Redis that failed is left alone before it is asked again."""

CONNECTIONS = 32

log = logging.getLogger("conversations.redis")


class SharedRedis:
    """What is asked of it never fails, and waits `SECONDS` at most: a spare does in its place while it is away."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=SECONDS,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._clock = clock
        self._away_until = 0.0
        self._made: dict[type, Any] = {}

    @property
    def is_away(self) -> bool:
        return bool(self._away_until)

    def made(self, kind: type[T], make: Callable[[], T]) -> T:
        """The one thing of that kind that works with this Redis; made when first asked for."""
        if kind not in self._made:
            self._made[kind] = make()
        found: T = self._made[kind]
        return found

    async def ask(self, work: Callable[[], Awaitable[T]], spare: Callable[[], Awaitable[T]]) -> T:
        """The answer of `work`, which asks Redis, or else that of `spare`."""
        if self._clock() < self._away_until:
            return await spare()
        try:
            async with asyncio.timeout(SECONDS):
                answer = await work()
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return await spare()
        if self._away_until:
            self._away_until = 0.0
            log.info("Redis is back: limits are shared again", extra={"event": "redis_back"})
        return answer

    async def close(self) -> None:
        await self.pool.disconnect()

    def _leave_alone(self, error: Exception) -> None:
        if not self._away_until:
            message = "Redis is away (%s): limits hold per process meanwhile"
            log.warning(message, type(error).__name__, extra={"event": "redis_away"})
        self._away_until = self._clock() + PAUSE


# Connections belong to the event loop they were opened on.
_opened: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedRedis]] = WeakKeyDictionary()


def shared_redis() -> SharedRedis | None:
    """The one that the settings name, on the running event loop."""
    if not settings.REDIS_URL:
        return None
    opened = _opened.setdefault(asyncio.get_running_loop(), {})
    if settings.REDIS_URL not in opened:
        opened[settings.REDIS_URL] = SharedRedis(settings.REDIS_URL)
    return opened[settings.REDIS_URL]


def redis_is_away() -> bool:
    """Whether limits hold per process meanwhile, though they should be shared."""
    return any(each.is_away for opened in _opened.values() for each in opened.values())


async def close_shared() -> None:
    """Close this event loop's connections; what comes after opens new ones."""
    for opened in _opened.pop(asyncio.get_running_loop(), {}).values():
        await opened.close()
