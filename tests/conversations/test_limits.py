from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable

import pytest
from pytest_django import Settings

from conversations.api import shared
from conversations.api.errors import ApiError
from conversations.api.identity import Caller
from conversations.api.limits import Allowance, parse_rate, peek, refund, spend
from conversations.api.shared import close_shared
from tests.conversations.redis_server import redis_server  # noqa: F401  (a fixture)


@pytest.fixture(params=["memory", "redis"], autouse=True)
def backend(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "SECONDS", 20)  # Redis is well here, however busy the machine
    settings.REDIS_URL = ""
    if request.param == "redis":
        settings.REDIS_URL = request.getfixturevalue("redis_server").url


@pytest.fixture
def caller() -> Caller:
    return Caller(None, f"caller-{uuid.uuid4()}")


@pytest.fixture
def limit(settings: Settings) -> Callable[[str], None]:
    def set_limit(text: str) -> None:
        settings.RATE_LIMIT = text

    return set_limit


async def admitted(caller: Caller, times: int) -> int:
    outcomes = await asyncio.gather(*(spend(caller) for _ in range(times)), return_exceptions=True)
    strangers = [outcome for outcome in outcomes if not isinstance(outcome, Allowance | ApiError)]
    assert strangers == []
    return sum(isinstance(outcome, Allowance) for outcome in outcomes)


async def test_it_admits_exactly_the_limit_of_a_burst(limit: Callable[[str], None], caller: Caller) -> None:
    limit("100/h")
    assert await admitted(caller, 200) == 100


async def test_it_counts_down(limit: Callable[[str], None], caller: Caller) -> None:
    limit("5/h")
    assert [(await spend(caller)).remaining for _ in range(3)] == [4, 3, 2]


async def test_it_counts_each_caller_apart(limit: Callable[[str], None], caller: Caller) -> None:
    limit("1/h")
    await spend(caller)
    assert (await spend(Caller(None, f"another-{uuid.uuid4()}"))).remaining == 0


async def test_it_says_so_in_headers(limit: Callable[[str], None], caller: Caller) -> None:
    limit("500/h")
    headers = (await spend(caller)).headers
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("500", "499")
    assert 0 <= int(headers["X-RateLimit-Reset"]) <= 3600


async def test_it_refuses_with_429_and_when_to_come_back(limit: Callable[[str], None], caller: Caller) -> None:
    limit("1/h")
    await spend(caller)
    with pytest.raises(ApiError) as refusal:
        await spend(caller)
    headers = refusal.value.headers
    assert refusal.value.status == 429
    assert 1 <= int(headers["Retry-After"]) <= 3600
    assert headers["X-RateLimit-Remaining"] == "0"


async def test_it_does_not_count_a_refusal(limit: Callable[[str], None], caller: Caller) -> None:
    limit("1/h")
    await admitted(caller, 10)
    await refund(caller)
    assert (await spend(caller)).remaining == 0


async def test_it_looks_without_counting(limit: Callable[[str], None], caller: Caller) -> None:
    limit("5/h")
    await spend(caller)
    assert [(await peek(caller)).remaining for _ in range(3)] == [4, 4, 4]


async def test_it_shows_all_to_a_caller_it_never_saw(limit: Callable[[str], None], caller: Caller) -> None:
    limit("5/h")
    allowance = await peek(caller)
    assert allowance.remaining == 5
    assert 0 <= allowance.reset <= 3600


async def test_it_gives_one_back(limit: Callable[[str], None], caller: Caller) -> None:
    limit("2/h")
    await admitted(caller, 2)
    await refund(caller)
    assert await admitted(caller, 5) == 1


async def test_it_gives_no_more_than_the_limit(limit: Callable[[str], None], caller: Caller) -> None:
    limit("2/h")
    await refund(caller)
    assert (await peek(caller)).remaining == 2


async def test_it_admits_again_once_it_was_waited_for(limit: Callable[[str], None], caller: Caller) -> None:
    limit("2/s")
    await admitted(caller, 10)
    await asyncio.sleep((await peek(caller)).reset + 0.01)
    assert (await spend(caller)).limit == 2


@pytest.mark.parametrize("text", ["", "500", "0/h", "-1/h", "500/w", "1.5/h", "500/hh", "a/h"])
def test_it_refuses_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rate(text)


@pytest.mark.parametrize(("text", "seconds"), [("7/s", 1), ("7/m", 60), ("7/h", 3600), ("7/d", 86400)])
def test_it_reads_a_rate(text: str, seconds: int) -> None:
    assert (parse_rate(text).amount, parse_rate(text).get_expiry()) == (7, seconds)


def test_it_serves_several_event_loops(limit: Callable[[str], None], caller: Caller) -> None:
    limit("5/h")
    remaining: list[int] = []

    async def once() -> None:
        remaining.append((await spend(caller)).remaining)
        await close_shared()

    for _ in range(2):
        thread = threading.Thread(target=lambda: asyncio.run(once()))
        thread.start()
        thread.join()
    assert remaining == [4, 3]
