"""A Postgres that hangs or is slow: whoever asks it hears so soon, and no thread waits for it for ever."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.db import DatabaseError, OperationalError, connection

from conversations import database
from dialogix.database import POOL

pytestmark = pytest.mark.django_db(transaction=True)


def slept(seconds: float, times: int = 1) -> int:
    """So often asked for an answer that takes so long."""
    with connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute("SELECT pg_sleep(%s)", [seconds])
    return times


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.5)


async def test_it_gives_up_an_answer_that_does_not_come(hasty: None) -> None:
    with pytest.raises(OperationalError):
        await database.write(slept, 2)


async def test_the_next_one_finds_a_connection(hasty: None) -> None:
    with pytest.raises(OperationalError):
        await database.write(slept, 2)
    assert await database.write(slept, 0) == 1


async def test_long_work_goes_on_while_answers_come(hasty: None) -> None:
    assert await database.write(slept, 0.2, 5) == 5


async def test_what_got_its_thread_too_late_is_not_begun(hasty: None) -> None:
    begun: list[int] = []
    busy = [database.write(time.sleep, 0.8) for _ in range(database.POSTGRES_WRITERS)]
    late = database.write(begun.append, 1)
    *_, refused = await asyncio.gather(*busy, late, return_exceptions=True)
    assert isinstance(refused, OperationalError)
    assert begun == []


async def test_what_the_database_refuses_costs_no_connection(hasty: None) -> None:
    refused_by: list[int] = []

    def refused() -> None:
        with connection.cursor() as cursor:
            refused_by.append(served_by())
            cursor.execute("SELECT 1/0")

    def served_by() -> int:
        return int(connection.connection.info.backend_pid) if connection.connection else 0

    def served() -> int:
        slept(0)
        return served_by()

    with pytest.raises(DatabaseError):
        await database.write(refused)
    # The pool's connections serve in turn.
    assert refused_by[0] in {await database.write(served) for _ in range(POOL["max_size"])}


def test_a_command_waits_as_long_as_it_takes(hasty: None) -> None:
    assert slept(0.7) == 1
