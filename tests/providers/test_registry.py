from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from providers import registry
from providers.base import Provider
from providers.breaker import Breaker
from providers.conf import VENDORS
from providers.errors import NotConfigured
from tests.providers.fakes import REQUEST
from tests.providers.vendors import NAMES, all_at, collect, nobody, one, serving, text_of
from tests.simulator import Simulator

every_provider = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def vendors(simulator: Simulator, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDERS = all_at(simulator)
    settings.DEFAULT_PROVIDER = "gpt"
    settings.PROVIDER_TIMEOUT = 30.0
    settings.PROVIDER_HEALTH_CACHE = 5.0
    settings.FORBID_VENDORS = True
    monkeypatch.setattr(registry, "breaker", Breaker())


async def exhaust(provider: Provider) -> None:
    try:
        async for _ in provider.stream(REQUEST):
            pass
    finally:
        await registry.aclose()


async def closing(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    finally:
        await registry.aclose()


def test_it_knows_every_provider(settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name) for name in NAMES}
    assert registry.names() == ("gpt", "claude", "gemini")


def test_it_knows_no_other_provider() -> None:
    with pytest.raises(KeyError):
        registry.answering("llama")


async def test_it_asks_the_default_provider_where_none_is_named(settings: Settings) -> None:
    settings.DEFAULT_PROVIDER = "gemini"
    assert serving(await collect(None)) == "gemini-big"


async def test_it_passes_over_a_default_provider_that_is_not_configured(settings: Settings) -> None:
    settings.PROVIDERS = settings.PROVIDERS | {"gpt": one("gpt")}
    assert serving(await collect(None)) == "claude-big"


NOT_CONFIGURED = {
    "gpt": "gpt is not configured: set OPENAI_API_KEY or OPENAI_BASE_URL.",
    "claude": "claude is not configured: set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL.",
    "gemini": "gemini is not configured: set GEMINI_API_KEY or GOOGLE_GEMINI_BASE_URL.",
}


@every_provider
async def test_it_names_the_variable_that_would_configure_a_provider(name: str, settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name)}
    with pytest.raises(NotConfigured, match=NOT_CONFIGURED[name]):
        await collect(name)


async def test_it_names_the_default_providers_variable_when_none_is_configured(settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name) for name in NAMES}
    with pytest.raises(NotConfigured, match=NOT_CONFIGURED["gpt"]):
        await collect(None)


@every_provider
async def test_it_lets_the_simulator_answer_in_a_vendors_stead(
    name: str, settings: Settings, simulator: Simulator
) -> None:
    settings.PROVIDERS = {name: one(name, simulated=True)}
    assert "simulator" in text_of(await collect(name)).lower()


async def test_it_asks_a_model_once_that_is_its_own_fallback(settings: Settings, simulator: Simulator) -> None:
    simulator.script(status=503)
    settings.PROVIDERS = {"gpt": replace(one("gpt"), base_url=simulator.base_url("openai"), fallback_model="gpt-big")}
    with pytest.raises(Exception, match=r"The model failed: gpt-big \(vendor failed\)"):
        await collect("gpt")
    assert len(simulator.chats()) == 1


@every_provider
async def test_it_sends_the_providers_prompt_with_a_documented_turn(name: str, simulator: Simulator) -> None:
    await exhaust(registry.answering(name))
    assert "Be kind." in str(simulator.last(VENDORS[name])["body"])


@every_provider
async def test_it_sends_no_prompt_of_its_own_to_a_plain_turn(name: str, simulator: Simulator) -> None:
    await exhaust(registry.plain(name, f"{name}-big"))
    assert "Be kind." not in str(simulator.last(VENDORS[name])["body"])


async def test_it_sends_the_limit_anthropic_demands_with_a_plain_turn(simulator: Simulator) -> None:
    await exhaust(registry.plain("claude", "claude-big"))
    assert simulator.last("anthropic")["body"]["max_tokens"] == 8192


async def test_it_asks_the_model_named_by_a_plain_turn_first(simulator: Simulator) -> None:
    simulator.script("openai", status=503, times=1)
    await exhaust(registry.plain("gpt", "gpt-small"))
    assert [chat["model"] for chat in simulator.chats()] == ["gpt-small", "gpt-big"]


async def test_it_refuses_a_plain_turn_of_a_provider_that_is_not_configured(settings: Settings) -> None:
    settings.PROVIDERS = {"gpt": one("gpt")}
    with pytest.raises(NotConfigured, match=NOT_CONFIGURED["gpt"]):
        await exhaust(registry.plain("gpt", "gpt-big"))


@pytest.mark.parametrize("url", [None, "https://api.example.com/v1", "http://192.0.2.1"])
async def test_it_calls_nobody_beyond_this_machine_where_that_is_forbidden(url: str | None, settings: Settings) -> None:
    settings.PROVIDERS = {"gpt": one("gpt", api_key="a key", base_url=url)}
    with pytest.raises(RuntimeError, match="forbidden"):
        await registry._pooled(registry.config("gpt")).adapter()


async def test_it_keeps_one_adapter_for_all_who_come_at_once() -> None:
    adapters = await asyncio.gather(*(registry._pooled(registry.config("gpt")).adapter() for _ in range(5)))
    await registry.aclose()
    assert len(set(adapters)) == 1


async def test_it_goes_on_with_the_others_when_one_cannot_be_warmed_up(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PROVIDERS = {"gpt": one("gpt", api_key="a key"), "claude": settings.PROVIDERS["claude"]}
    await closing(registry.warm_up())
    assert [record.getMessage() for record in caplog.records] == ["the adapter for gpt cannot be used"]


async def test_it_logs_that_the_simulator_answers(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.PROVIDERS = {"gpt": one("gpt", simulated=True)}
    await closing(registry.warm_up())
    assert "simulator" in caplog.text


@every_provider
async def test_it_reports_a_healthy_provider(name: str) -> None:
    report = await closing(registry.check(name))
    assert (report["status"], report["provider"], report["message"]) == ("OK", name, f"Using model: {name}-big")


@every_provider
async def test_it_spends_no_tokens_on_health(name: str, simulator: Simulator) -> None:
    await closing(registry.check(name))
    assert simulator.chats() == []


@every_provider
async def test_it_reports_a_provider_that_is_not_configured(name: str, settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name)}
    report = await closing(registry.check(name))
    assert report == {"status": "ERROR", "provider": name, "error": {"message": NOT_CONFIGURED[name]}}


@every_provider
async def test_it_reports_a_provider_whose_vendor_is_away(name: str, settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name, base_url=nobody())}
    report = await closing(registry.check(name))
    assert (report["status"], f"{name}-big" in report["error"]["message"]) == ("ERROR", True)
