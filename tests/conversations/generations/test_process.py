"""Engines, each of which the database takes for a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_django import Settings

from conversations import database
from conversations.generations.generation import Generation
from conversations.generations.process import Engine
from conversations.generations.reaper import recover
from conversations.models import Conversation, DailyUsage, Message, Worker
from conversations.refusals import InvalidTurn, Unavailable
from conversations.store.batch import write_batch
from conversations.store.reading import message_of
from conversations.turns import Turn
from providers.messages import CompletionRequest
from tests.conversations.generations.fakes import Fake, ending, never_pausing, saying, saying_then, text_of
from tests.conversations.stored import a_claim, a_turn, shown

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = CompletionRequest(messages=(), model="")


@asynccontextmanager
async def engines(number: int = 1) -> AsyncIterator[list[Engine]]:
    started = [Engine() for _ in range(number)]
    for engine in started:
        await engine.start()
    try:
        yield started
    finally:
        for engine in started:
            await _end(engine)


async def _end(engine: Engine) -> None:
    for generation in list(engine.active):
        generation.cancel()
    await engine._settled(5)
    await engine.stop()


async def begin(engine: Engine, turn: Turn, provider: Fake) -> Generation:
    return await engine.begin(turn, REQUEST, lambda _: provider)


async def message_under(generation: Generation) -> Message:
    stands = generation.stored
    assert stands is not None
    return await database.read(message_of, None, stands.message_id)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def test_a_reply_is_stored_when_it_has_ended() -> None:
    async with engines() as (engine,):
        await ending(await begin(engine, a_turn("a"), saying("Hel", "lo")))
        assert await database.read(shown) == ["a", "> Hello"]


async def test_the_question_is_stored_before_the_vendor_is_asked() -> None:
    async with engines() as (engine,):
        provider = saying_then(None)
        await begin(engine, a_turn("a"), provider)
        await provider.began.wait()
        assert await database.read(shown) == ["a", "> "]


async def test_a_refused_turn_is_refused_to_whoever_asked() -> None:
    async with engines() as (engine,):
        with pytest.raises(InvalidTurn):
            await begin(engine, a_turn(), saying("A"))
        assert (len(engine.active), await database.read(Conversation.objects.count)) == (0, 0)


async def test_a_caller_that_leaves_while_the_turn_is_written_loses_nothing() -> None:
    async with engines() as (engine,):
        caller = asyncio.create_task(begin(engine, a_turn("a"), saying("A")))
        await asyncio.sleep(0)
        caller.cancel()
        await until(lambda: not engine.active)
        assert await database.read(shown) == ["a", "> A"]


async def test_turns_of_one_conversation_come_one_after_the_other() -> None:
    async with engines() as (engine,):
        providers = [saying(text) for text in "ABC"]
        replies = [await begin(engine, a_turn(text), p) for text, p in zip("abc", providers, strict=True)]
        for generation in replies:
            await ending(generation)
        assert await database.read(shown) == ["a", "> A", "b", "> B", "c", "> C"]
        assert [message.content for message in providers[2].asked[0].messages] == ["a", "A", "b", "B", "c"]


async def test_turns_of_one_conversation_come_in_order_over_workers() -> None:
    async with engines(2) as (one, two):
        first = await begin(one, a_turn("a"), saying("A"))
        second = await begin(two, a_turn("b"), saying("B"))
        third = await begin(one, a_turn("c"), saying("C"))
        for generation in (first, second, third):
            await ending(generation)
        assert await database.read(shown) == ["a", "> A", "b", "> B", "c", "> C"]


async def test_a_turn_that_interrupts_cancels_on_other_workers() -> None:
    async with engines(2) as (one, two):
        provider = saying_then(None, "par")
        first = await begin(one, a_turn("a"), provider)
        await text_of(first)
        second = await begin(two, a_turn("b", on_busy="interrupt"), saying("B"))
        await ending(second)
        assert (await database.read(shown), provider.open) == (["a", "> par", "b", "> B"], 0)


async def test_a_failed_reply_lets_the_next_turn_go() -> None:
    async with engines() as (engine,):
        await begin(engine, a_turn("a"), saying_then(RuntimeError()))
        second = await begin(engine, a_turn("b"), saying("B"))
        await ending(second)
        assert await database.read(shown) == ["a", "b", "> B"]


# -- cancelling


async def test_a_cancel_ends_the_reply_and_keeps_its_text() -> None:
    async with engines() as (engine,):
        provider = never_pausing()
        generation = await begin(engine, a_turn("a"), provider)
        await text_of(generation)
        await engine.cancel(await message_under(generation))
        message = await message_under(generation)
        assert (message.status, message.content, provider.open) == ("cancelled", generation.buffer.text, 0)


async def test_a_cancel_reaches_other_workers() -> None:
    async with engines(2) as (one, two):
        provider = never_pausing()
        generation = await begin(one, a_turn("a"), provider)
        await text_of(generation)
        await two.cancel(await message_under(generation))
        assert ((await message_under(generation)).status, provider.open) == ("cancelled", 0)


async def test_a_cancel_of_what_waits_leaves_what_runs() -> None:
    async with engines() as (engine,):
        first = await begin(engine, a_turn("a"), saying_then(None, "par"))
        second = await begin(engine, a_turn("b"), saying("B"))
        await engine.cancel(await message_under(second))
        assert (first.buffer.ending, (await message_under(second)).status) == (None, "cancelled")


async def test_to_cancel_twice_is_to_cancel_once() -> None:
    async with engines() as (engine,):
        generation = await begin(engine, a_turn("a"), saying_then(None, "par"))
        await text_of(generation)
        message = await message_under(generation)
        await asyncio.gather(engine.cancel(message), engine.cancel(message))
        assert await database.read(shown) == ["a", "> par"]


async def test_a_cancel_that_its_worker_does_not_answer_is_answered() -> None:
    async with engines(2) as (one, two):
        generation = await begin(one, a_turn("a"), saying_then(None, "par"))
        await text_of(generation)
        await until(lambda: generation.journalled == 3)
        await hang(one)
        await two.cancel(await message_under(generation))
        message = await message_under(generation)
        assert (message.status, message.content) == ("cancelled", "par")


async def hang(engine: Engine) -> None:
    """It goes on without hearing or writing anything."""
    for task in engine._tasks:
        task.cancel()
    await asyncio.gather(*engine._tasks, return_exceptions=True)


# -- following


async def test_a_reply_can_be_followed_where_it_lives() -> None:
    async with engines() as (engine,):
        generation = await begin(engine, a_turn("a"), saying_then(None, "par"))
        buffer, leave = await engine.buffer_of(await message_under(generation))
        leave()
        assert buffer is generation.buffer


async def test_a_reply_can_be_followed_from_another_worker() -> None:
    async with engines(2) as (one, two):
        provider = saying("Hel", "lo")
        generation = await begin(one, a_turn("a"), provider)
        buffer, leave = await two.buffer_of(await message_under(generation))
        async with asyncio.timeout(5):
            end = await buffer.ended()
        leave()
        assert (end.status, buffer.text, len(two.exchange.followers)) == ("complete", "Hello", 0)


async def test_a_reply_that_has_ended_is_read_from_its_message() -> None:
    async with engines(2) as (one, two):
        generation = await begin(one, a_turn("a"), saying("Hello"))
        await ending(generation)
        buffer, _ = await two.buffer_of(await message_under(generation))
        assert (buffer.text, buffer.ending and buffer.ending.status) == ("Hello", "complete")


async def test_a_deleted_reply_ends_for_whoever_follows_it() -> None:
    async with engines(2) as (one, two):
        provider = saying_then(None, "par")
        generation = await begin(one, a_turn("a"), provider)
        buffer, leave = await two.buffer_of(await message_under(generation))
        await database.write(delete_everything)
        async with asyncio.timeout(5):
            followed, own = await buffer.ended(), await generation.buffer.ended()
        leave()
        assert (followed.code, own.code, provider.open) == (404, 404, 0)


def delete_everything() -> None:
    Conversation.objects.all().delete()


# -- keys


async def test_the_same_key_at_once_asks_the_vendor_once() -> None:
    async with engines(2) as (one, two):
        provider = saying("A")
        turn = a_turn("a", claim=a_claim())
        replies = await asyncio.gather(*(begin(engine, turn, provider) for engine in (one, two, one, two)))
        await until(lambda: not one.active and not two.active)
        assert (len(provider.asked), len({each.begun.result().message_id for each in replies})) == (1, 1)  # type: ignore[union-attr]


# -- a worker that is taken for dead


async def test_a_worker_that_was_replaced_ends_its_replies_and_serves_on() -> None:
    async with engines() as (engine,):
        provider = saying_then(None, "par")
        lost = await begin(engine, a_turn("a"), provider)
        await text_of(lost)
        await database.write(Worker.objects.all().delete)
        assert (await ending(lost)).status == "interrupted"
        again = await begin(engine, a_turn("b", conversation_id="session-2"), saying("B"))
        assert ((await ending(again)).status, provider.open) == ("complete", 0)


async def test_what_was_taken_from_a_worker_is_counted_by_whoever_took_it() -> None:
    async with engines() as (engine,):
        lost = await begin(engine, a_turn("a"), saying_then(None, "par"))
        await text_of(lost)
        await until(lambda: bool(lost.journalled))
        await database.write(Worker.objects.all().delete)
        assert (await ending(lost)).status == "interrupted"
        await database.write(recover, silence=None)
        await engine.stop()
        rows = await database.read(lambda: list(DailyUsage.objects.values_list("requests", "output_tokens")))
        assert rows == [(1, 1)]


# -- the end of a process


async def test_a_process_that_drains_begins_nothing() -> None:
    async with engines() as (engine,):
        await engine.drain(0.01)
        with pytest.raises(Unavailable):
            await begin(engine, a_turn("a"), saying("A"))


async def test_a_process_that_drains_lets_replies_end() -> None:
    async with engines() as (engine,):
        generation = await begin(engine, a_turn("a"), saying("A"))
        await engine.drain(5)
        assert (await ending(generation)).status == "complete"


async def test_a_process_that_drains_keeps_the_text_of_what_does_not_end() -> None:
    async with engines() as (engine,):
        generation = await begin(engine, a_turn("a"), saying_then(None, "par"))
        await text_of(generation)
        await engine.drain(0.3)
        message = await message_under(generation)
        assert (message.status, message.content) == ("interrupted", "par")


async def test_a_process_that_ends_says_goodbye() -> None:
    async with engines() as (engine,):
        await engine.stop()
        assert await database.read(Worker.objects.count) == 0


async def test_usage_is_written_before_a_process_ends() -> None:
    async with engines() as (engine,):
        await ending(await begin(engine, a_turn("a"), saying("A")))
        unstored = engine.begin_unstored(REQUEST, saying("B"), None)
        await ending(unstored)
        await until(lambda: not engine.active)
        await engine.stop()
        rows = await database.read(lambda: list(DailyUsage.objects.values_list("requests", "output_tokens")))
        assert rows == [(2, 68)]


# -- what it costs


async def test_a_stored_reply_costs_two_writes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async with engines() as (engine,):
        await ending(await begin(engine, a_turn("a"), saying("A")))
        real, works = database.write, list[Any]()

        async def write(work: Any, *args: Any, **kwargs: Any) -> Any:
            works.append(work)
            return await real(work, *args, **kwargs)

        monkeypatch.setattr(database, "write", write)
        await ending(await begin(engine, a_turn("b"), saying("B")))
        assert [work.__name__ for work in works if work is not write_batch].count("begin") == 1
        assert works.count(write_batch) <= 2


async def test_who_waits_for_the_start_is_counted_too(settings: Settings) -> None:
    settings.MAX_ACTIVE_GENERATIONS = 1
    engine = Engine()
    turns = [a_turn("a", conversation_id=name) for name in ("one", "other")]
    begun = await asyncio.gather(*(begin(engine, turn, saying_then(None)) for turn in turns), return_exceptions=True)
    await _end(engine)
    assert [type(each) for each in begun].count(Unavailable) == 1


async def test_it_tells_of_the_end_of_what_could_not_begin() -> None:
    over: list[int] = []
    async with engines() as (engine,):
        engine.draining = True
        with pytest.raises(Unavailable):
            await engine.begin(a_turn("a"), REQUEST, lambda _: saying("Hi"), lambda: over.append(1))
        with pytest.raises(Unavailable):
            engine.begin_unstored(REQUEST, saying("Hi"), None, lambda: over.append(1))
        engine.draining = False
        with pytest.raises(InvalidTurn):
            await engine.begin(a_turn("a", parent_id="none"), REQUEST, lambda _: saying(), lambda: over.append(1))
    assert over == [1, 1, 1]
