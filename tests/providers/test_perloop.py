from __future__ import annotations

import asyncio

from providers.perloop import PerLoop


async def remember(values: PerLoop[str, int], value: int) -> dict[str, int]:
    values.here()["key"] = value
    return values.here()


async def recall(values: PerLoop[str, int]) -> dict[str, int]:
    return values.here()


def test_it_keeps_a_value_while_its_loop_runs() -> None:
    assert asyncio.run(remember(PerLoop(), 1)) == {"key": 1}


def test_it_gives_another_loop_its_own() -> None:
    values: PerLoop[str, int] = PerLoop()
    asyncio.run(remember(values, 1))
    assert asyncio.run(recall(values)) == {}


def test_it_keeps_the_values_of_a_loop_that_is_only_paused() -> None:
    values: PerLoop[str, int] = PerLoop()
    with asyncio.Runner() as paused:
        paused.run(remember(values, 1))
        asyncio.run(recall(values))
        assert paused.run(recall(values)) == {"key": 1}


def test_it_forgets_the_loops_that_are_closed() -> None:
    values: PerLoop[str, int] = PerLoop()
    asyncio.run(remember(values, 1))
    asyncio.run(recall(values))
    assert len(values._values) == 1
