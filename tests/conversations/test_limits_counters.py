from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import pytest

from conversations.api import counters, shared
from conversations.api.counters import BoundedMemory, RedisCounter, StorageCounter, Window
from conversations.api.limits import parse_rate
from conversations.api.shared import SharedRedis
from tests.conversations.redis_server import RedisServer, redis_server  # noqa: F401  (a fixture)


def test_a_window_fades_with_time() -> None:
    assert Window(period=3600, earlier=500, fades_in=1800, present=100, ends_in=1800).remaining(500) == 150


def test_a_full_period_admits_when_it_ends() -> None:
    assert Window(period=3600, earlier=0, fades_in=0, present=500, ends_in=1234).admits_in(500) == 1234


def test_a_faded_period_admits_when_one_more_fits() -> None:
    """500 earlier ones weigh 400 when 2880 s are left: 400 + 100 is full, a little later 399 + 100 is not."""
    assert Window(period=3600, earlier=500, fades_in=2890, present=100, ends_in=2890).admits_in(500) == 10


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_KEYS", 10)
    storage = BoundedMemory()
    counter = StorageCounter(storage)
    for number in range(50):
        await counter.hit(parse_rate("5/h"), f"caller-{number}")
    assert (len(storage.storage), len(storage.expirations), len(storage.locks)) == (10, 10, 0)


async def test_memory_forgets_what_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = BoundedMemory()
    now = 1_800_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    await StorageCounter(storage).hit(parse_rate("5/h"), "early")
    now += 7201
    await StorageCounter(storage).hit(parse_rate("5/h"), "late")
    assert [key for key in storage.storage if "early" in key] == []


def memory() -> StorageCounter:
    return StorageCounter(BoundedMemory())


def in_redis(server: RedisServer, clock: Callable[[], float] = time.monotonic) -> RedisCounter:
    return RedisCounter(SharedRedis(server.url, clock), memory())


async def hits(counter: RedisCounter, times: int) -> list[bool]:
    return [(await counter.hit(parse_rate("2/h"), "caller"))[0] for _ in range(times)]


async def test_it_counts_in_this_process_while_redis_is_away(redis_server: RedisServer) -> None:  # noqa: F811
    redis_server.stop()
    counter = in_redis(redis_server)
    assert await hits(counter, 3) == [True, True, False]


async def test_it_does_not_wait_for_a_redis_that_hangs(redis_server: RedisServer) -> None:  # noqa: F811
    counter = in_redis(redis_server)
    await hits(counter, 1)
    redis_server.freeze()
    async with asyncio.timeout(4):
        assert await hits(counter, 3) == [True, True, False]


async def test_it_returns_to_redis_by_itself(redis_server: RedisServer) -> None:  # noqa: F811
    now = 0.0
    counter = in_redis(redis_server, lambda: now)
    redis_server.stop()
    await hits(counter, 2)
    redis_server.start()
    now += shared.PAUSE
    assert await hits(counter, 1) == [True]
    await counter._redis.close()


async def test_it_says_once_that_redis_is_away(
    redis_server: RedisServer,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    counter = in_redis(redis_server, lambda: now)
    redis_server.stop()
    await hits(counter, 2)
    now += shared.PAUSE
    await hits(counter, 2)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1


async def test_it_shares_the_count_between_processes(redis_server: RedisServer) -> None:  # noqa: F811
    one, other = in_redis(redis_server), in_redis(redis_server)
    assert [*await hits(one, 1), *await hits(other, 2)] == [True, True, False]
    await one._redis.close()
    await other._redis.close()
