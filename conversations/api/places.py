"""How many replies a caller may have under way at once: `MAX_ACTIVE_GENERATIONS_PER_CALLER`, any number by default.

A place is taken before anything is stored or asked, and is free again when the reply has ended. Workers share the count
through Redis, in leases that they renew: what a killed worker held is free again after `LEASE`. Without Redis, and
while it is away, each worker counts its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import cache, partial

from django.conf import settings
from redis.asyncio import Redis

from conversations.api.errors import RETRY_AFTER, ApiError
from conversations.api.identity import Caller
from conversations.api.shared import SharedRedis, shared_redis

LEASE = 30
"""Seconds for which a place is kept that nobody renews."""

RENEW = 10.0
RENEWED_TOGETHER = 100
GIVING_BACK = 0.1

TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
RENEWAL = """
local until_then = tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
redis.call('ZADD', KEYS[1], until_then, ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""

Leave = Callable[[], None]
Taken = tuple[str, str]
"""A caller's key, and the name of one of his places."""


async def take(caller: Caller) -> Leave:
    """A place for one more reply, and how to give it back (again is no harm). Raises `ApiError` 503 where none is."""
    most = settings.MAX_ACTIVE_GENERATIONS_PER_CALLER
    if not most:
        return _nothing
    places, taken = _places(), (caller.limit_key, secrets.token_hex(8))
    if not await places.take(taken, most):
        details = f"Too many replies of yours are under way: at most {most} at once. Please wait for one to end."
        raise ApiError(503, details, headers={"Retry-After": RETRY_AFTER})
    return lambda: places.leave(taken)


class Places:
    """What this process's callers hold."""

    def __init__(self) -> None:
        self._held: dict[str, set[str]] = {}

    async def take(self, taken: Taken, most: int) -> bool:
        key, name = taken
        held = self._held.setdefault(key, set())
        if len(held) >= most:
            return False
        held.add(name)  # at once: nobody else finds it free while Redis is asked
        return True

    def leave(self, taken: Taken) -> None:
        key, name = taken
        held = self._held.get(key, set())
        held.discard(name)
        if not held:
            self._held.pop(key, None)

    def all_held(self) -> list[Taken]:
        return [(key, name) for key, names in self._held.items() for name in names]

    def has(self, taken: Taken) -> bool:
        return taken[1] in self._held.get(taken[0], ())


class SharedPlaces(Places):
    """The same over all workers. What Redis has lost, or could not be told while it was away, the renewal tells it."""

    def __init__(self, redis: SharedRedis) -> None:
        super().__init__()
        self._redis = redis
        self._client = Redis(connection_pool=redis.pool)
        self._take, self._renew = self._client.register_script(TAKE), self._client.register_script(RENEWAL)
        self._renewal: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    async def take(self, taken: Taken, most: int) -> bool:
        if not await super().take(taken, most):
            return False
        try:
            admitted = await self._redis.ask(partial(self._lease, taken, most), _yes)
            if not admitted:
                # Word of a reply that has just ended, here or in another worker, may be on its way.
                await asyncio.sleep(GIVING_BACK)
                admitted = await self._redis.ask(partial(self._lease, taken, most), _yes)
        except BaseException:
            self.leave(taken)
            raise
        if not admitted:
            super().leave(taken)
        elif self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._keep())
        return admitted

    def leave(self, taken: Taken) -> None:
        if self.has(taken):
            super().leave(taken)
            errand = asyncio.get_running_loop().create_task(self._tell(partial(self._give_back, [taken])))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    async def _keep(self) -> None:
        """Renew while anything is held."""
        while True:
            await asyncio.sleep(RENEW)
            held = self.all_held()
            if not held:
                return
            for start in range(0, len(held), RENEWED_TOGETHER):
                some = held[start : start + RENEWED_TOGETHER]
                await self._tell(partial(self._renewed, some))

    async def _lease(self, taken: Taken, most: int) -> bool:
        key, name = taken
        return bool(await self._take(keys=[_key(key)], args=[most, LEASE, name]))

    async def _renewed(self, some: list[Taken]) -> None:
        async with self._client.pipeline(transaction=False) as together:
            for key, name in some:
                await self._renew(keys=[_key(key)], args=[LEASE, name], client=together)
            await together.execute()
        # What was given back meanwhile may just have been taken again.
        await self._give_back([taken for taken in some if not self.has(taken)])

    async def _give_back(self, some: list[Taken]) -> None:
        for key, name in some:
            await self._client.zrem(_key(key), name)

    async def _tell(self, work: Callable[[], Awaitable[None]]) -> None:
        await self._redis.ask(work, _never_mind)


def _key(caller: str) -> str:
    return f"dialogix:places:{caller}"


def _places() -> Places:
    redis = shared_redis()
    return _own_places() if redis is None else redis.made(SharedPlaces, lambda: SharedPlaces(redis))


@cache
def _own_places() -> Places:
    return Places()


def _nothing() -> None:
    pass


async def _yes() -> bool:
    return True


async def _never_mind() -> None:
    pass
