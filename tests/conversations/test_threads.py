"""Work that coroutines hand to threads."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from functools import partial

import pytest

from conversations.threads import Threads

AT_THE_END = """
import asyncio, time
from conversations.threads import Threads

async def main():
    threads = Threads(1, "test")
    threads.run(lambda: (time.sleep(0.3), print("done", flush=True)))
    await asyncio.sleep(0.1)

asyncio.run(main())
"""


async def test_a_result_comes_back() -> None:
    assert await Threads(2, "test").run(lambda: 6 * 7) == 42


async def test_what_was_raised_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads(1, "test").run(lambda: 1 // 0)


async def test_work_after_an_error_is_done() -> None:
    threads = Threads(1, "test")
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert await threads.run(lambda: 1) == 1


async def test_one_thread_does_one_piece_after_the_other() -> None:
    threads, order = Threads(1, "test"), list[int]()
    await asyncio.gather(*(threads.run(partial(order.append, number)) for number in range(50)))
    assert order == list(range(50))


async def test_several_threads_work_side_by_side() -> None:
    """Each piece waits for all the others, so that fewer threads would never come to an end."""
    together = threading.Barrier(4)
    threads = Threads(4, "test")
    async with asyncio.timeout(10):
        await asyncio.gather(*(threads.run(lambda: together.wait(10)) for _ in range(4)))


async def test_there_are_never_more_than_allowed() -> None:
    threads, seen = Threads(3, "test"), set[int]()
    await asyncio.gather(*(threads.run(lambda: seen.add(threading.get_ident())) for _ in range(200)))
    assert len(seen) <= 3


async def test_one_at_rest_is_used_before_another_is_started() -> None:
    threads, seen = Threads(4, "test"), set[int]()
    for _ in range(20):
        await threads.run(lambda: seen.add(threading.get_ident()))
        await asyncio.sleep(0.01)
    assert len(seen) < 4


async def test_work_that_nobody_waits_for_any_more_is_not_begun() -> None:
    threads, goes_on, begun = Threads(1, "test"), threading.Event(), list[int]()
    first = threads.run(goes_on.wait)
    second = threads.run(lambda: begun.append(2))
    second.cancel()
    goes_on.set()
    await first
    await threads.run(lambda: None)
    assert begun == []


async def test_a_result_that_comes_too_late_disturbs_nobody() -> None:
    threads, goes_on, complaints = Threads(1, "test"), threading.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    first = threads.run(goes_on.wait)
    await asyncio.sleep(0.05)
    first.cancel()
    goes_on.set()
    assert (await threads.run(lambda: "next"), complaints) == ("next", [])


def test_a_loop_that_is_closed_meanwhile_stops_no_thread() -> None:
    threads, goes_on = Threads(1, "test"), threading.Event()

    async def leave() -> None:
        threads.run(goes_on.wait)
        await asyncio.sleep(0.05)

    async def again() -> int:
        return await threads.run(lambda: 1)

    asyncio.run(leave())
    goes_on.set()
    assert asyncio.run(again()) == 1


async def test_a_thread_at_rest_holds_on_to_nothing() -> None:
    class Something:
        """What a request may hold."""

    something = Something()
    held = weakref.ref(something)
    threads = Threads(1, "test")
    await threads.run(partial(isinstance, something, Something))
    with pytest.raises(AttributeError):
        await threads.run(partial(getattr, something, "missing"))
    del something
    await threads.run(lambda: None)
    gc.collect()
    assert held() is None


def test_the_end_of_the_process_waits_for_what_has_begun() -> None:
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "done\n"
