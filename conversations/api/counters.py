"""Where requests are counted: in this process, or in Redis with this process to fall back on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from math import floor
from typing import Any, Protocol, TypeVar

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from conversations.api.shared import SharedRedis, shared_redis

T = TypeVar("T")

MAX_KEYS = 100_000
"""Counts kept by one process, two for a busy caller; about 40 MB. Beyond it the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Window:
    """Two neighbouring periods: what the earlier one counted fades while the present one goes on.

    fades_in: seconds until the earlier period's count weighs nothing;  ends_in: until the present one is the earlier
    """

    period: float
    earlier: int
    fades_in: float
    present: int
    ends_in: float

    def remaining(self, limit: int) -> int:
        used = floor(self.earlier * self.fades_in / self.period) + self.present
        return min(limit, max(0, limit - used))

    def admits_in(self, limit: int) -> float:
        """Seconds until one more request is admitted."""
        if self.present >= limit:
            return self.ends_in
        return max(0.0, self.fades_in - (limit - self.present) * self.period / max(1, self.earlier))


class Counter(Protocol):
    async def hit(self, rate: RateLimitItem, key: str) -> tuple[bool, Window]: ...

    async def look(self, rate: RateLimitItem, key: str) -> Window: ...

    async def give_back(self, rate: RateLimitItem, key: str) -> None: ...


class StorageCounter:
    """The sliding window of `limits` over one of its storages."""

    def __init__(self, storage: MemoryStorage | RedisStorage) -> None:
        self._storage = storage
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, rate: RateLimitItem, key: str) -> tuple[bool, Window]:
        admitted = await self._limiter.hit(rate, key)
        return admitted, await self.look(rate, key)

    async def look(self, rate: RateLimitItem, key: str) -> Window:
        period = rate.get_expiry()
        earlier, fades_in, present, expires_in = await self._storage.get_sliding_window(rate.key_for(key), period)
        # A count lives for two periods: the one it grows in, and the one in which it fades.
        return Window(period, earlier, fades_in, present, max(0.0, expires_in - period) if expires_in else period)

    async def give_back(self, rate: RateLimitItem, key: str) -> None:
        await self._limiter.hit(rate, key, cost=-1)


class BoundedMemory(MemoryStorage):
    """The storage of `limits` looks at every key on every request, and its size is up to the clients. Not here.

    Nothing below waits, so that a check and its count are one step on the event loop.
    """

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        if self.expirations.get(key, 0.0) <= now:
            await self.clear(key)
            await self._make_room(now)
            self.expirations[key] = now + expiry
        self.storage[key] += amount
        return self.storage[key]

    async def _make_room(self, now: float) -> None:
        """Keys stand in the order of their first request, and all live equally long: the oldest are in front."""
        while self.expirations:
            oldest = next(iter(self.expirations))
            if self.expirations[oldest] > now and len(self.expirations) < MAX_KEYS:
                break
            await self.clear(oldest)


class RedisCounter:
    """Counts in Redis; while it is away, in this process."""

    def __init__(self, redis: SharedRedis, spare: Counter) -> None:
        self._redis = redis
        # The pool knows the real address; this one only names the protocol to `limits`.
        options: dict[str, Any] = {"implementation": "redispy", "connection_pool": redis.pool}
        self._shared = StorageCounter(RedisStorage("async+redis://", **options))
        self._spare = spare

    async def hit(self, rate: RateLimitItem, key: str) -> tuple[bool, Window]:
        return await self._either(lambda counter: counter.hit(rate, key))

    async def look(self, rate: RateLimitItem, key: str) -> Window:
        return await self._either(lambda counter: counter.look(rate, key))

    async def give_back(self, rate: RateLimitItem, key: str) -> None:
        await self._either(lambda counter: counter.give_back(rate, key))

    async def _either(self, work: Callable[[Counter], Awaitable[T]]) -> T:
        return await self._redis.ask(lambda: work(self._shared), lambda: work(self._spare))


@cache
def memory_counter() -> StorageCounter:
    return StorageCounter(BoundedMemory())


def counter() -> Counter:
    """The counter that the settings ask for, on the running event loop."""
    redis = shared_redis()
    if redis is None:
        return memory_counter()
    return redis.made(RedisCounter, lambda: RedisCounter(redis, memory_counter()))
