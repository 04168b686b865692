from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from providers.base import Push, keep
from providers.conf import ProviderConfig
from providers.errors import ModelNotFound, Unauthorized
from providers.events import Event
from providers.health import Checkup
from providers.messages import CompletionRequest
from tests.providers.fakes import Clock

CONFIG = ProviderConfig(
    name="gpt",
    vendor="openai",
    variable="OPENAI_API_KEY",
    api_key="a key",
    base_url=None,
    default_model="gpt-4o",
    fallback_model="gpt-4o-mini",
    temperature=0.3,
    max_tokens=8192,
    system_prompt="",
)


class FakeAdapter:
    """An adapter whose models answer `check` as told: with nothing, an error, or never (None)."""

    def __init__(self, **answers: Exception | bool | None) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def check(self, model: str) -> None:
        self.asked.append(model)
        await asyncio.sleep(0)
        answer = self.answers.get(model.replace("-", "_"), True)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer

    async def aclose(self) -> None:
        raise NotImplementedError

    def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        raise NotImplementedError


def checkup(adapter: FakeAdapter, *, timeout: float = 30, clock: Clock | None = None) -> Checkup:
    async def ready() -> FakeAdapter:
        return adapter

    return Checkup(CONFIG, ready, timeout=timeout, fresh=5, clock=clock or Clock())


async def test_it_names_the_model_in_use() -> None:
    assert await checkup(FakeAdapter()).report() == {
        "status": "OK",
        "provider": "gpt",
        "message": "Using model: gpt-4o",
        "metrics": {"responseTime": 0.0},
    }


async def test_it_tells_the_response_time_in_seconds() -> None:
    clock = Clock()

    class Slow(FakeAdapter):
        async def check(self, model: str) -> None:
            clock.now += 0.123

    report = await checkup(Slow(), clock=clock).report()
    assert report["metrics"] == {"responseTime": 0.123}


async def test_it_names_the_fallback_model_when_the_default_is_out_of_use() -> None:
    report = await checkup(FakeAdapter(gpt_4o=ModelNotFound("No such model."))).report()
    assert report["message"] == "Using model: gpt-4o-mini"


async def test_it_names_the_fallback_model_when_the_default_hangs() -> None:
    report = await checkup(FakeAdapter(gpt_4o=None), timeout=0.05).report()
    assert report["message"] == "Using model: gpt-4o-mini"


async def test_it_tells_why_no_model_can_be_used() -> None:
    refused = Unauthorized("The key was refused.")
    report = await checkup(FakeAdapter(gpt_4o=refused, gpt_4o_mini=refused)).report()
    assert report == {
        "status": "ERROR",
        "provider": "gpt",
        "error": {"message": "gpt-4o: The key was refused. gpt-4o-mini: The key was refused."},
    }


async def test_it_is_an_error_when_nothing_answers_in_time() -> None:
    report = await checkup(FakeAdapter(gpt_4o=None, gpt_4o_mini=None), timeout=0.05).report()
    assert report["status"] == "ERROR"


async def test_it_tells_of_a_bug_without_its_words() -> None:
    bug = KeyError("sk-secret")
    report = await checkup(FakeAdapter(gpt_4o=bug, gpt_4o_mini=bug)).report()
    assert (report["status"], "sk-secret" in str(report)) == ("ERROR", False)


async def test_it_says_that_the_simulator_answers() -> None:
    async def ready() -> FakeAdapter:
        return FakeAdapter()

    report = await Checkup(replace(CONFIG, simulated=True), ready, timeout=30, fresh=5).report()
    assert report["message"] == "Using model: gpt-4o (simulator, no provider is configured)"


async def test_it_asks_once_while_the_answer_is_fresh() -> None:
    adapter = FakeAdapter()
    health = checkup(adapter)
    await health.report()
    await health.report()
    assert adapter.asked == ["gpt-4o"]


async def test_it_asks_again_when_the_answer_is_stale() -> None:
    adapter, clock = FakeAdapter(), Clock()
    health = checkup(adapter, clock=clock)
    await health.report()
    clock.now += 5
    await health.report()
    assert adapter.asked == ["gpt-4o", "gpt-4o"]


async def test_it_asks_once_for_all_who_ask_at_the_same_time() -> None:
    adapter = FakeAdapter()
    health = checkup(adapter)
    await asyncio.gather(*(health.report() for _ in range(10)))
    assert adapter.asked == ["gpt-4o"]


async def test_it_goes_on_for_the_others_when_one_of_them_leaves() -> None:
    health = checkup(FakeAdapter())
    leaving, staying = asyncio.create_task(health.report()), asyncio.create_task(health.report())
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying)["status"] == "OK"
