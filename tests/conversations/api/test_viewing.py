"""What a viewer sends by itself, and what it leaves to the task that reads its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from conversations.api.viewing import Viewer
from conversations.generations.buffer import Buffer, Ending
from conversations.models import Status


class Plain:
    """Events that are their text, and how the reply ended."""

    def delta(self, text: str, position: int, model: str) -> bytes:
        return text.encode()

    def end(self, position: int, after: int, ending: Ending) -> bytes:
        return f"[{ending.status}]".encode()


@asynccontextmanager
async def watched(push: Callable[[bytes], bool]) -> AsyncIterator[tuple[Buffer, list[bytes]]]:
    """A buffer with a viewer that has come to wait for its first text, and what its task was given to send."""
    buffer, given = Buffer(), list[bytes]()

    async def read() -> None:
        given.extend([event async for event in Viewer(buffer, Plain()).events(push)])

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    yield buffer, given
    buffer.end(Ending(Status.COMPLETE))
    await reading


async def test_text_is_pushed_where_it_comes_up() -> None:
    pushed: list[bytes] = []

    def push(data: bytes) -> bool:
        pushed.append(data)
        return True

    async with watched(push) as (buffer, given):
        buffer.append("Hello")
        buffer.append(" there")
        assert pushed == [b"Hello", b" there"]
    assert given == [b"[complete]"]


async def test_what_cannot_be_pushed_is_sent_by_the_task() -> None:
    async with watched(lambda _: False) as (buffer, given):
        buffer.append("Hello")
        buffer.append(" there")
    assert given == [b"Hello there", b"[complete]"]


async def test_a_push_that_breaks_is_not_the_producers_trouble() -> None:
    def push(data: bytes) -> bool:
        raise OSError

    async with watched(push) as (buffer, given):
        buffer.append("Hello")
    assert given == [b"Hello", b"[complete]"]


async def test_nothing_is_pushed_past_what_the_task_has_yet_to_send() -> None:
    refusals = [False, True]
    pushed: list[bytes] = []

    def push(data: bytes) -> bool:
        taken = refusals.pop(0)
        if taken:
            pushed.append(data)
        return taken

    async with watched(push) as (buffer, given):
        buffer.append("one ")
        buffer.append("two ")
        await asyncio.sleep(0.01)
        buffer.append("three")
        assert pushed == [b"three"]
    assert given == [b"one two ", b"[complete]"]
