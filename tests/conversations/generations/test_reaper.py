from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from conversations import database
from conversations.generations import reaper
from conversations.generations.reaper import BEAT, STALE, Reaper
from conversations.models import JournalEntry, Message, Worker
from conversations.store import recovery, workers
from tests.conversations.stored import OTHER_WORKER, WORKER, a_turn, a_worker, start

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = STALE.total_seconds()


class Judge:
    """A reaper on a clock of its own, and what it said of itself."""

    def __init__(self, *, beaten_lately: bool = False) -> None:
        self.now = 1000.0
        self.replaced = 0
        self.beaten_lately = beaten_lately
        self.reaper = Reaper(WORKER, lambda: self.beaten_lately, self._on_replaced, lambda: self.now)

    def _on_replaced(self) -> None:
        self.replaced += 1

    async def rounds(self, seconds: float) -> None:
        """One round after another for so long."""
        for _ in range(int(seconds / BEAT) + 1):
            await self.reaper.round()
            self.now += BEAT


def judge(**fields: bool) -> Judge:
    a_worker()
    return Judge(**fields)


def silence(seconds: float, worker: UUID = OTHER_WORKER) -> None:
    Worker.objects.filter(pk=worker).update(heartbeat_at=Now() - timedelta(seconds=seconds))


def a_reply_of_a_silent_worker() -> None:
    a_worker(OTHER_WORKER)
    silence(1000)
    start(a_turn("a"), OTHER_WORKER)


def status() -> str:
    return Message.objects.get(role="assistant").status


async def reply_status() -> str:
    return await database.read(status)


async def test_it_beats() -> None:
    it = await database.write(judge)
    await database.write(silence, 1000, WORKER)
    await it.reaper.round()
    assert await database.read(recovery.workers_dead_for, STALE, None) == []


async def test_it_needs_no_beat_where_a_batch_has_just_beaten() -> None:
    it = await database.write(judge, beaten_lately=True)
    await database.write(silence, 1000, WORKER)
    await it.reaper.round()
    assert len(await database.read(recovery.workers_dead_for, STALE, None)) == 1


@pytest.mark.parametrize("beaten_lately", [True, False])
async def test_it_tells_that_it_was_replaced(beaten_lately: bool) -> None:
    it = Judge(beaten_lately=beaten_lately)
    await it.reaper.round()
    assert it.replaced == 1


async def test_who_was_replaced_judges_nobody() -> None:
    it = Judge()
    await database.write(a_reply_of_a_silent_worker)
    await it.rounds(SECONDS * 2)
    assert await reply_status() == "streaming"


async def test_it_judges_nobody_at_first() -> None:
    it = await database.write(judge)
    await database.write(a_reply_of_a_silent_worker)
    await it.rounds(SECONDS - BEAT)
    assert await reply_status() == "streaming"


async def test_it_judges_after_a_full_stale_period() -> None:
    it = await database.write(judge)
    await database.write(a_reply_of_a_silent_worker)
    await it.rounds(SECONDS + BEAT)
    assert await reply_status() == "interrupted"


async def test_it_judges_the_dead_of_this_host_at_once() -> None:
    it = await database.write(judge)
    gone = workers.Process(workers.this_host(), 2**22 + 1, 0)
    await database.write(workers.register, OTHER_WORKER, gone)
    await database.write(start, a_turn("a"), OTHER_WORKER)
    await it.reaper.round()
    assert await reply_status() == "interrupted"


async def test_a_database_that_was_away_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "BEAT", 0.01)
    it = await database.write(judge)
    await it.rounds(SECONDS * 2)
    async with away(monkeypatch):
        await asyncio.sleep(0)
        running = asyncio.create_task(it.reaper.run())
        await asyncio.sleep(0.05)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await database.write(a_reply_of_a_silent_worker)
    await it.rounds(SECONDS - BEAT)
    assert await reply_status() == "streaming"


async def test_a_database_that_stood_still_kills_nobody() -> None:
    """The beat took as long as everybody's silence; theirs end in the same moment."""
    it = await database.write(judge)
    await it.rounds(SECONDS * 2)
    await database.write(a_reply_of_a_silent_worker)
    it.now += SECONDS / 2 + 1
    await it.reaper.round()
    assert await reply_status() == "streaming"


async def test_a_process_that_slept_judges_by_its_last_heartbeat() -> None:
    it = await database.write(judge)
    await it.rounds(SECONDS * 2)
    await database.write(a_reply_of_a_silent_worker)
    await database.write(silence, 990, WORKER)
    it.beaten_lately = True
    await it.reaper.round()
    assert await reply_status() == "streaming"


async def test_it_goes_on_after_an_unexpected_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "BEAT", 0.01)
    a_look = asyncio.Event()
    loop = asyncio.get_running_loop()
    calls = 0

    def broken() -> list[Worker]:
        nonlocal calls
        calls += 1
        if calls > 1:
            loop.call_soon_threadsafe(a_look.set)
        raise RuntimeError

    monkeypatch.setattr(workers, "dead_on_this_host", broken)
    it = await database.write(judge)
    running = asyncio.create_task(it.reaper.run())
    async with asyncio.timeout(5):
        await a_look.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_it_sweeps_all_there_is_and_then_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "SWEPT_AT_ONCE", 3)
    it = await database.write(judge)
    await database.write(orphans, 4)
    await it.rounds(2 * BEAT)
    await database.write(orphans, 2)
    await it.rounds(2 * BEAT)
    assert await database.read(JournalEntry.objects.count) == 2


def orphans(number: int) -> None:
    JournalEntry.objects.bulk_create(JournalEntry(message_id=1, position=0, text="x") for _ in range(number))


@asynccontextmanager
async def away(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The database cannot be reached."""

    async def unreachable(*args: object, **kwargs: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", unreachable)
        patched.setattr(database, "read", unreachable)
        yield
