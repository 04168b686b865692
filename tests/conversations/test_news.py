"""Word between workers, over a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from channels.layers import BaseChannelLayer, get_channel_layer
from pytest_django import Settings

from conversations.generations.news import News, group_of
from tests.conversations.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]

SECONDS = 20


@pytest.fixture
def redis(redis_server: RedisServer, settings: Settings) -> RedisServer:
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [redis_server.url]}}
    }
    return redis_server


class Worker:
    """What one worker hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reach: asyncio.Queue[bool] = asyncio.Queue()
        self.news = News(uuid4(), self.heard.put_nowait, self.reach.put_nowait)

    async def next(self) -> tuple[str, list[int]]:
        async with asyncio.timeout(SECONDS):
            word = await self.heard.get()
        return word["kind"], word["keys"]

    async def next_reach(self) -> bool:
        async with asyncio.timeout(SECONDS):
            return await self.reach.get()


@asynccontextmanager
async def workers(count: int = 2) -> AsyncIterator[list[Worker]]:
    """So many workers that have found the layer."""
    started = [Worker() for _ in range(count)]
    tasks = [asyncio.create_task(worker.news.run()) for worker in started]
    try:
        for worker in started:
            assert await worker.next_reach()
        yield started
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_worker_tells_another(redis: RedisServer) -> None:
    async with workers() as (one, other):
        await one.news.tell(other.news.worker_id, "follow", [1, 2])
        assert await other.next() == ("follow", [1, 2])


async def test_word_says_whom_it_is_from(redis: RedisServer) -> None:
    async with workers() as (one, other):
        await one.news.tell(other.news.worker_id, "look")
        assert UUID((await other.heard.get())["from"]) == one.news.worker_id


async def test_all_of_a_group_hear(redis: RedisServer) -> None:
    group = group_of(None, "session-1")
    async with workers(3) as (one, *others):
        for worker in others:
            await worker.news.join(group)
        await one.news.tell_group(group, "changed", [7])
        assert [await worker.next() for worker in others] == [("changed", [7])] * 2


async def test_who_has_left_a_group_does_not_hear(redis: RedisServer) -> None:
    group = group_of(None, "session-1")
    async with workers() as (one, other):
        await other.news.join(group)
        await other.news.leave(group)
        await one.news.tell_group(group, "changed", [7])
        await one.news.tell(other.news.worker_id, "look")
        assert await other.next() == ("look", [])


async def test_it_notices_that_redis_is_gone(redis: RedisServer) -> None:
    async with workers(1) as (worker,):
        redis.stop()
        assert not await worker.next_reach()


async def test_it_notices_that_redis_does_not_answer(redis: RedisServer) -> None:
    async with workers(1) as (worker,):
        redis.freeze()
        assert not await worker.next_reach()


async def test_nothing_fails_while_redis_is_gone(redis: RedisServer) -> None:
    async with workers() as (one, other):
        redis.stop()
        await one.news.tell(other.news.worker_id, "look")
        await one.news.tell_group(group_of(None, "session-1"), "changed", [1])
        await one.news.join(group_of(None, "session-2"))
        assert not one.news.reaches_others


async def test_word_comes_again_when_redis_is_back(redis: RedisServer) -> None:
    async with workers() as (one, other):
        redis.stop()
        assert [await worker.next_reach() for worker in (one, other)] == [False, False]
        redis.start()
        assert [await worker.next_reach() for worker in (one, other)] == [True, True]
        await one.news.tell(other.news.worker_id, "look")
        assert await other.next() == ("look", [])


async def test_groups_survive_a_redis_that_has_forgotten_them(redis: RedisServer) -> None:
    group = group_of(7, "session-1")
    async with workers() as (one, other):
        await other.news.join(group)
        redis.stop()
        assert [await worker.next_reach() for worker in (one, other)] == [False, False]
        redis.start()
        assert [await worker.next_reach() for worker in (one, other)] == [True, True]
        await one.news.tell_group(group, "changed", [1])
        assert await other.next() == ("changed", [1])


async def test_a_worker_under_a_new_name_is_heard(redis: RedisServer) -> None:
    async with workers() as (one, other):
        other.news.worker_id = uuid4()
        assert [await other.next_reach(), await other.next_reach()] == [False, True]
        await one.news.tell(other.news.worker_id, "look")
        assert await other.next() == ("look", [])


async def test_a_reader_that_does_not_read_is_no_sign_of_trouble(redis: RedisServer) -> None:
    """Channels keeps a hundred words for each; more of them are lost, and mean nothing new."""
    async with workers(1) as (worker,):
        asleep = uuid4()
        for _ in range(101):
            await worker.news.tell(asleep, "look")
        assert worker.news.reaches_others


async def test_a_burst_of_word_arrives(redis: RedisServer) -> None:
    async with workers() as (one, other):
        words = [one.news.tell(other.news.worker_id, "stop", [key]) for key in range(80)]
        await asyncio.gather(*words)
        heard = [(await other.next())[1][0] for _ in range(80)]
    assert sorted(heard) == list(range(80))


async def test_word_of_another_version_does_not_end_hearing(redis: RedisServer) -> None:
    async with workers() as (one, other):
        layer = get_channel_layer()
        assert layer is not None
        await layer.send(f"dialogix.worker.{other.news.worker_id.hex}", {"type": "word", "subject": "weather"})
        await one.news.tell(other.news.worker_id, "look")
        assert await other.next() == ("look", [])


async def test_without_a_layer_nothing_is_said(settings: Settings) -> None:
    worker = Worker()
    await worker.news.run()
    await worker.news.tell(uuid4(), "look")
    assert not worker.news.reaches_others


@pytest.mark.parametrize("conversation_id", ["a", "~" * 128, "a.b_c:d~e-f"])
def test_a_group_has_a_name_that_channels_allows(conversation_id: str) -> None:
    assert BaseChannelLayer().require_valid_group_name(group_of(2**62, conversation_id))


def test_every_owner_has_groups_of_his_own() -> None:
    assert len({group_of(owner, "session-1") for owner in (None, 1, 2, 12)}) == 4


async def test_a_follower_is_told_of_its_replies_only() -> None:
    news, follower = Worker().news, uuid4()
    news.followed_by(1, follower)
    assert (news.followers_of({1, 2}), news.followers_of({2})) == ({follower}, set())


async def test_a_follower_is_new_once() -> None:
    news, follower = Worker().news, uuid4()
    assert [news.followed_by(1, follower), news.followed_by(1, follower)] == [True, False]


async def test_a_reply_that_has_ended_is_followed_no_more() -> None:
    news, follower = Worker().news, uuid4()
    news.followed_by(1, follower)
    news.forget(1)
    assert news.followers_of({1}) == set()


async def test_a_follower_that_is_silent_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.generations.news.FOLLOW_LASTS", -1.0)
    news = Worker().news
    news.followed_by(1, uuid4())
    assert news.followers_of({1}) == set()
