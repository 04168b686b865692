from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from providers.deadlines import Deadline

NOW = 0.01
LONG = 30.0


async def test_it_ends_a_wait_that_takes_too_long() -> None:
    with pytest.raises(TimeoutError):
        async with Deadline(NOW):
            await asyncio.Event().wait()


async def test_it_leaves_a_wait_that_ends_in_time() -> None:
    async with Deadline(LONG) as deadline:
        await asyncio.sleep(0)
    assert deadline._timer is None


async def test_it_leaves_the_task_uncancelled_after_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with Deadline(NOW):
            await asyncio.Event().wait()
    await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_it_passes_on_the_error_of_its_body() -> None:
    with pytest.raises(ZeroDivisionError):
        async with Deadline(LONG):
            raise ZeroDivisionError


async def test_it_never_cancels_while_it_is_paused() -> None:
    async with Deadline(NOW) as deadline:
        deadline.pause()
        await asyncio.sleep(10 * NOW)


async def test_it_counts_again_after_a_pause() -> None:
    async def wait() -> None:
        async with Deadline(NOW) as deadline:
            deadline.pause()
            await asyncio.sleep(5 * NOW)
            deadline.touch()
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await wait()


async def test_it_allows_many_short_waits_that_are_long_together() -> None:
    async with Deadline(LONG) as deadline:
        deadline.roll(0.4)
        for _ in range(12):
            await asyncio.sleep(0.05)
            deadline.touch()


async def test_it_shortens_the_limit_when_it_begins_to_roll() -> None:
    async def wait() -> None:
        async with Deadline(LONG) as deadline:
            deadline.roll(NOW)
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.wait([task], timeout=LONG / 2)
    assert task.done()


async def test_it_extends_the_limit_when_it_begins_to_roll() -> None:
    async with Deadline(0.05) as deadline:
        deadline.roll(LONG)
        await asyncio.sleep(0.15)


async def test_it_arms_one_timer_however_often_it_is_touched() -> None:
    async with Deadline(LONG) as deadline:
        timer = deadline._timer
        for _ in range(100):
            deadline.touch()
        assert deadline._timer is timer


async def test_it_does_not_swallow_a_cancellation_from_elsewhere() -> None:
    async def wait() -> None:
        async with Deadline(LONG):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_stays_cancelled_when_both_come_at_once() -> None:
    expired = asyncio.Event()

    async def wait() -> None:
        async with Deadline(NOW):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                expired.set()
                await asyncio.Event().wait()  # a cleanup under way when the second cancellation comes

    task = asyncio.create_task(wait())
    await expired.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_stays_cancelled_when_the_time_is_up_during_the_cleanup() -> None:
    async def wait() -> None:
        async with Deadline(NOW):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(5 * NOW)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_ends_the_wait_of_the_task_that_reads_on() -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        async with Deadline(LONG) as deadline:
            deadline.pause()
            yield 1
            deadline.roll(NOW)
            await asyncio.Event().wait()

    events = numbers()
    await asyncio.create_task(anext(events))
    with pytest.raises(TimeoutError):
        await anext(events)


async def test_it_ends_a_wait_on_a_result_that_is_there_already() -> None:
    """The trap of `wait_for` on 3.11: the time is up in the very step in which the next chunk arrives."""
    loop = asyncio.get_running_loop()
    chunk = loop.create_future()

    async def wait() -> None:
        async with Deadline(NOW) as deadline:
            loop.call_at(deadline._timer.when(), chunk.set_result, None)  # type: ignore[union-attr]
            await chunk
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await wait()


async def test_it_needs_a_task() -> None:
    failures: list[BaseException] = []

    def outside() -> None:
        try:
            Deadline(NOW).__aenter__().send(None)
        except RuntimeError as error:
            failures.append(error)

    asyncio.get_running_loop().call_soon(outside)
    await asyncio.sleep(0)
    assert len(failures) == 1
