"""How many replies a caller may have under way, counted in one process and by several through Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pytest_django import Settings

from conversations.api import places, shared
from conversations.api.errors import ApiError
from conversations.api.identity import Caller
from conversations.api.places import Leave, Places, SharedPlaces, take
from conversations.api.shared import SharedRedis, close_shared
from tests.conversations.redis_server import RedisServer, redis_server  # noqa: F401  (a fixture)

ADA, EVE = Caller(None, "192.0.2.1"), Caller(None, "192.0.2.2")
TAKEN = ("address:192.0.2.1", "a")


@pytest.fixture(params=["memory", "redis"])
def at_most_two(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Places()
    monkeypatch.setattr(places, "_own_places", lambda: own)
    settings.MAX_ACTIVE_GENERATIONS_PER_CALLER = 2
    settings.REDIS_URL = request.getfixturevalue("redis_server").url if request.param == "redis" else ""


async def taken(caller: Caller, times: int) -> list[Leave]:
    return [await take(caller) for _ in range(times)]


async def is_refused(caller: Caller) -> bool:
    try:
        await take(caller)
    except ApiError as error:
        return error.status == 503
    return False


async def test_it_gives_as_many_as_there_are(at_most_two: None) -> None:
    await taken(ADA, 2)
    assert await is_refused(ADA)
    await close_shared()


async def test_it_says_when_to_come_again(at_most_two: None) -> None:
    await taken(ADA, 2)
    with pytest.raises(ApiError) as refused:
        await take(ADA)
    assert int(refused.value.headers["Retry-After"]) > 0
    await close_shared()


async def test_it_gives_exactly_so_many_to_who_ask_at_once(at_most_two: None) -> None:
    asked = await asyncio.gather(*(is_refused(ADA) for _ in range(20)))
    assert asked.count(False) == 2
    await close_shared()


async def test_others_have_their_own(at_most_two: None) -> None:
    await taken(ADA, 2)
    assert not await is_refused(EVE)
    await close_shared()


async def test_one_that_is_left_is_free(at_most_two: None) -> None:
    leave, _ = await taken(ADA, 2)
    leave()
    assert not await is_refused(ADA)
    await close_shared()


async def test_one_that_is_left_twice_is_free_once(at_most_two: None) -> None:
    leave, _ = await taken(ADA, 2)
    leave()
    await taken(ADA, 1)
    leave()
    assert await is_refused(ADA)
    await close_shared()


async def test_any_number_is_given_where_none_is_set(settings: Settings) -> None:
    settings.MAX_ACTIVE_GENERATIONS_PER_CALLER = 0
    assert len(await taken(ADA, 50)) == 50


async def test_nothing_is_kept_of_callers_who_have_left() -> None:
    own = Places()
    await own.take(TAKEN, 1)
    own.leave(TAKEN)
    assert own._held == {}


@asynccontextmanager
async def workers(
    redis: RedisServer, count: int, clock: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[list[SharedPlaces]]:
    opened = [SharedRedis(redis.url, clock) for _ in range(count)]
    yield [SharedPlaces(each) for each in opened]
    for each in opened:
        await each.close()


async def test_workers_share_the_count(redis_server: RedisServer) -> None:  # noqa: F811
    async with workers(redis_server, 2) as (one, other):
        assert await one.take(TAKEN, 1)
        assert not await other.take((TAKEN[0], "b"), 1)
        one.leave(TAKEN)
        assert await other.take((TAKEN[0], "b"), 1)


async def test_what_a_killed_worker_held_is_free_again(
    redis_server: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "LEASE", 1)
    async with workers(redis_server, 2) as (killed, other):
        await killed.take(TAKEN, 1)
        async with asyncio.timeout(10):
            while not await other.take((TAKEN[0], "b"), 1):  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.1)


async def test_a_living_worker_keeps_what_it_holds(
    redis_server: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "LEASE", 2)
    monkeypatch.setattr(places, "RENEW", 0.3)
    async with workers(redis_server, 2) as (living, other):
        await living.take(TAKEN, 1)
        await asyncio.sleep(4)
        assert not await other.take((TAKEN[0], "b"), 1)


async def test_each_counts_its_own_while_redis_is_away(redis_server: RedisServer) -> None:  # noqa: F811
    async with workers(redis_server, 2) as (one, other):
        redis_server.stop()
        assert await one.take(TAKEN, 1)
        assert not await one.take((TAKEN[0], "b"), 1)
        assert await other.take((TAKEN[0], "c"), 1)


async def test_a_redis_that_comes_back_empty_learns_what_is_held(
    redis_server: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "RENEW", 0.1)
    now = 0.0
    async with workers(redis_server, 2, lambda: now) as (one, other):
        await one.take(TAKEN, 1)
        redis_server.stop()
        redis_server.start()
        now += 2 * shared.PAUSE
        async with asyncio.timeout(10):
            while await other._lease((TAKEN[0], "b"), 1):
                await other._give_back([(TAKEN[0], "b")])
                await asyncio.sleep(0.05)
