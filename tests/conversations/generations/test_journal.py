from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from conversations import database
from conversations.generations import journal as journals
from conversations.generations.generation import Generation
from conversations.generations.journal import Journal
from conversations.models import DailyUsage, JournalEntry, Message
from conversations.store.batch import Standing, write_batch
from conversations.store.begin import Begun
from conversations.store.endings import Finished
from conversations.store.usage import UsageKey
from tests.conversations.generations.fakes import live, saying_then
from tests.conversations.stored import WORKER, a_turn, a_worker, shown, start

pytestmark = pytest.mark.django_db(transaction=True)

KEY = UsageKey(date(2026, 1, 5), 0, "gpt", "gpt-4o")


class Desk:
    """A journal, what it wrote, and what it was told of its replies."""

    def __init__(self) -> None:
        self.stands: list[Standing] = []
        self.journal = Journal(WORKER, self._on_standing)
        self.batches = 0

    def _on_standing(self, stands: Standing, written: Iterable[int]) -> None:
        self.stands.append(stands)

    async def reply(self, conversation_id: str = "session-1") -> Generation:
        """One that stands in the database, has said nothing yet, and whose text is appended by hand."""
        stands = await database.write(start, a_turn("a", conversation_id=conversation_id))
        generation = live(saying_then(None), book=self, stands=stands)  # type: ignore[arg-type]
        await generation.begun
        return generation

    def say(self, generation: Generation, text: str) -> None:
        generation.buffer.append(text)
        self.journal.note(generation)

    def note(self, generation: Generation) -> None:
        self.journal.note(generation)

    async def end(self, generation: Generation, finished: Finished) -> bool:
        return await self.journal.end(generation, finished)


@asynccontextmanager
async def a_desk(*, runs: bool = False) -> AsyncIterator[Desk]:
    await database.write(a_worker)
    desk = Desk()
    running = asyncio.create_task(desk.journal.run()) if runs else None
    try:
        yield desk
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        assert running is None or running.done()


def finished(generation: Generation, text: str, **fields: Any) -> Finished:
    stands = generation.stored
    assert stands is not None
    return Finished(stands.message_pk, stands.conversation_pk, "complete", text, **fields)


def entries() -> list[tuple[int, str]]:
    return list(JournalEntry.objects.order_by("pk").values_list("position", "text"))


def counting(monkeypatch: pytest.MonkeyPatch, fail: Callable[[int], Exception | None] = lambda _: None) -> list[Any]:
    """The batches that reach the database; `fail` says what happens to each instead."""
    written: list[Any] = []
    real = database.write

    async def write(work: Callable[..., Any], *args: Any) -> Any:
        if work is write_batch:
            written.append(args[1])
            error = fail(len(written))
            if error is not None:
                raise error
        return await real(work, *args)

    monkeypatch.setattr(database, "write", write)
    return written


async def test_text_of_all_replies_goes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_desk() as desk:
        replies = [await desk.reply(f"session-{number}") for number in range(20)]
        written = counting(monkeypatch)
        for generation in replies:
            desk.say(generation, "text")
        await desk.journal.flush()
        assert (len(written), len(await database.read(entries))) == (1, 20)


async def test_text_goes_on_where_it_ended() -> None:
    async with a_desk() as desk:
        generation = await desk.reply()
        desk.say(generation, "par")
        await desk.journal.flush()
        desk.say(generation, "tial")
        desk.say(generation, " text")
        await desk.journal.flush()
        assert await database.read(entries) == [(0, "par"), (3, "tial text")]


async def test_nothing_new_is_nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_desk() as desk:
        written = counting(monkeypatch)
        assert (await desk.journal.flush(), written) == (True, [])


async def test_transactions_do_not_grow_with_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "INTERVAL", 0.05)
    async with a_desk(runs=True) as desk:
        replies = [await desk.reply(f"session-{number}") for number in range(50)]
        written = counting(monkeypatch)
        rounds = 20
        began = asyncio.get_running_loop().time()
        for _ in range(rounds):
            for generation in replies:
                desk.say(generation, "more ")
            await asyncio.sleep(0.01)
        took = asyncio.get_running_loop().time() - began
        assert len(written) <= took / 0.05 + 2


async def test_the_first_text_after_a_rest_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "INTERVAL", 3600)
    async with a_desk(runs=True) as desk:
        generation = await desk.reply()
        desk.say(generation, "par")
        await until(lambda: generation.journalled == 3)


async def test_an_end_waits_for_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "INTERVAL", 3600)
    async with a_desk(runs=True) as desk:
        generation = await desk.reply()
        desk.say(generation, "A")
        await until(lambda: generation.journalled == 1)
        async with asyncio.timeout(5):
            assert await desk.journal.end(generation, finished(generation, "A"))
        assert await database.read(shown) == ["a", "> A"]


async def test_usage_goes_with_the_batch() -> None:
    async with a_desk() as desk:
        desk.journal.count(KEY, {"requests": 1})
        desk.journal.count(KEY, {"requests": 1, "errors": 1})
        await desk.journal.flush()
        row = await database.read(DailyUsage.objects.get)
        assert (row.requests, row.errors) == (2, 1)


async def test_the_end_of_anothers_reply_is_told() -> None:
    async with a_desk(runs=True) as desk:
        generation = await desk.reply()
        await database.write(JournalEntry.objects.all().delete)
        await database.write(forget)
        assert not await desk.journal.end(generation, finished(generation, "A"))


def forget() -> None:
    Message.objects.all().delete()


async def test_it_tells_how_replies_stand_after_every_batch() -> None:
    async with a_desk() as desk:
        generation = await desk.reply()
        desk.say(generation, "A")
        await desk.journal.flush()
        assert [set(stands.mine) for stands in desk.stands] == [{pk_of(generation)}]


def pk_of(generation: Generation) -> int:
    stands = generation.stored
    assert isinstance(stands, Begun)
    return stands.message_pk


# -- the database is away


async def test_text_is_kept_until_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "RETRY", 0)
    async with a_desk() as desk:
        generation = await desk.reply()
        counting(monkeypatch, lambda count: OperationalError() if count < 3 else None)
        desk.say(generation, "par")
        assert not await desk.journal.flush()
        desk.say(generation, "tial")
        assert not await desk.journal.flush()
        assert await desk.journal.flush()
        assert await database.read(entries) == [(0, "partial")]


async def test_usage_is_kept_until_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "RETRY", 0)
    async with a_desk() as desk:
        counting(monkeypatch, lambda count: OperationalError() if count == 1 else None)
        desk.journal.count(KEY, {"requests": 1})
        await desk.journal.flush()
        desk.journal.count(KEY, {"requests": 1})
        await desk.journal.flush()
        assert (await database.read(DailyUsage.objects.get)).requests == 2


async def test_an_end_is_written_when_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "RETRY", 0.01)
    async with a_desk(runs=True) as desk:
        generation = await desk.reply()
        counting(monkeypatch, lambda count: OperationalError() if count < 5 else None)
        async with asyncio.timeout(5):
            assert await desk.journal.end(generation, finished(generation, "A"))


async def test_an_end_is_waited_for_with_patience_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "RETRY", 0.01)
    monkeypatch.setattr(journals, "PATIENCE", 0.05)
    async with a_desk(runs=True) as desk:
        generation = await desk.reply()
        away = True
        counting(monkeypatch, lambda _: OperationalError() if away else None)
        with pytest.raises(DatabaseError):
            await desk.journal.end(generation, finished(generation, "A"))
        away = False
        await until_shown(["a", "> A"])


async def test_a_lost_acknowledgement_writes_no_text_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit arrived, word of it did not."""
    monkeypatch.setattr(journals, "RETRY", 0)
    async with a_desk(runs=False) as desk:
        generation = await desk.reply()
        real = database.write

        async def write(work: Callable[..., Any], *args: Any) -> Any:
            await real(work, *args)
            monkeypatch.setattr(database, "write", real)
            raise OperationalError

        monkeypatch.setattr(database, "write", write)
        desk.say(generation, "par")
        await desk.journal.flush()
        desk.say(generation, "tial")
        await desk.journal.flush()
        assert await database.read(text_of, pk_of(generation)) == "partial"


def text_of(message_pk: int) -> str:
    from conversations.store.recovery import journalled_text

    return journalled_text(message_pk)


# -- the database refuses


async def test_what_the_database_refuses_of_one_keeps_no_other_from_it() -> None:
    async with a_desk() as desk:
        one, two = await desk.reply("session-1"), await desk.reply("session-2")
        desk.say(two, "text")
        ends = [
            asyncio.create_task(desk.journal.end(one, finished(one, "A", duration_ms=-1))),
            asyncio.create_task(desk.journal.end(two, finished(two, "B"))),
        ]
        await asyncio.sleep(0)
        await desk.journal.flush()
        await asyncio.wait(ends, timeout=5)
        assert await database.read(shown, "session-2") == ["a", "> B"]


async def test_a_reply_whose_end_is_refused_blocks_nobody() -> None:
    async with a_desk() as desk:
        generation = await desk.reply()
        desk.say(generation, "par")
        await desk.journal.flush()
        end = asyncio.create_task(desk.journal.end(generation, finished(generation, "partial", duration_ms=-1)))
        await asyncio.sleep(0)
        await desk.journal.flush()
        await asyncio.wait([end], timeout=5)
        message = await database.read(Message.objects.get, pk=pk_of(generation))
        assert (end.result(), message.status, message.content) == (False, "failed", "par")


async def test_usage_that_is_refused_is_dropped() -> None:
    async with a_desk() as desk:
        generation = await desk.reply()
        desk.journal.count(UsageKey(date(2026, 1, 5), 0, "gpt", "gpt-4o"), {"requests": 2**70})
        desk.say(generation, "A")
        await desk.journal.flush()
        assert (await database.read(entries), await database.read(DailyUsage.objects.count)) == ([(0, "A")], 0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.005)


async def until_shown(texts: list[str]) -> None:
    async with asyncio.timeout(5):
        while await database.read(shown) != texts:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.005)
