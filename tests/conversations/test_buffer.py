from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from conversations.generations.buffer import MANY_WAITERS, PIECES_KEPT_APART, Buffer, Ending

ENDED = Ending("complete")


def test_a_position_is_the_number_of_code_points() -> None:
    buffer = Buffer()
    buffer.append("a\U0001f600é")
    assert buffer.position == 3


def test_a_reader_one_piece_behind_gets_that_piece() -> None:
    buffer = Buffer("ab")
    buffer.append("cd")
    assert buffer.since(2) == "cd"


def test_a_reader_at_the_end_gets_nothing() -> None:
    assert Buffer("ab").since(2) == ""


def test_a_reader_beyond_the_end_gets_nothing() -> None:
    assert Buffer("ab").since(9) == ""


@given(st.lists(st.text(max_size=5), max_size=2 * PIECES_KEPT_APART), st.data())
def test_any_reader_gets_all_after_its_position(pieces: list[str], data: st.DataObject) -> None:
    buffer = Buffer()
    for count, piece in enumerate(pieces, 1):
        buffer.append(piece)
        text = "".join(pieces[:count])
        position = data.draw(st.integers(0, len(text)))
        assert (buffer.since(position), buffer.position) == (text[position:], len(text))


def test_the_first_ending_counts() -> None:
    buffer = Buffer()
    buffer.end(ENDED)
    buffer.end(Ending("failed"))
    assert buffer.ending is ENDED


async def test_new_text_wakes_every_reader() -> None:
    buffer = Buffer()
    readers = [asyncio.create_task(buffer.changed(0)) for _ in range(3)]
    await asyncio.sleep(0)
    buffer.append("a")
    async with asyncio.timeout(1):
        await asyncio.gather(*readers)


async def test_the_end_wakes_every_reader() -> None:
    buffer = Buffer()
    readers = [asyncio.create_task(buffer.changed(0)) for _ in range(3)]
    await asyncio.sleep(0)
    buffer.end(ENDED)
    async with asyncio.timeout(1):
        await asyncio.gather(*readers)


async def test_a_reader_that_is_behind_waits_for_nothing() -> None:
    async with asyncio.timeout(1):
        await Buffer("ab").changed(1)


async def test_the_end_of_what_has_ended_is_there() -> None:
    async with asyncio.timeout(1):
        assert await Buffer(ending=ENDED).ended() is ENDED


async def test_the_end_can_be_waited_for_through_any_text() -> None:
    buffer = Buffer()
    waiting = asyncio.create_task(buffer.ended())
    for piece in "abc":
        await asyncio.sleep(0)
        buffer.append(piece)
    buffer.end(ENDED)
    async with asyncio.timeout(1):
        assert await waiting is ENDED


async def give_up_on(buffer: Buffer) -> None:
    reading = asyncio.create_task(buffer.changed(buffer.position))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.sleep(0)


async def test_a_reader_that_gave_up_is_no_error() -> None:
    buffer = Buffer()
    await give_up_on(buffer)
    buffer.append("a")
    assert buffer.text == "a"


async def test_readers_that_gave_up_are_dropped() -> None:
    buffer = Buffer()
    for _ in range(10 * MANY_WAITERS):
        await give_up_on(buffer)
    assert len(buffer._waiters) <= MANY_WAITERS + 2
