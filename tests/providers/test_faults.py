"""Every fault of the simulator against every provider, through the vendors' own SDKs."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from providers import registry
from providers.breaker import Breaker
from providers.conf import VENDORS
from providers.errors import AllModelsFailed, ProviderError
from providers.events import Delta, Event
from tests.providers.fakes import REQUEST, read_into
from tests.providers.vendors import NAMES, all_at, collect, nobody, one, outcomes, serving, text_of
from tests.simulator import Simulator

SHORT = 0.8
"""Seconds after which what hangs is given up, where nothing has to answer in time."""

ENOUGH = 1.6
"""Seconds of which half is enough for an answer, also on a busy machine."""

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "400": ({"status": 400}, "bad_request"),
    "401": ({"status": 401}, "unauthorized"),
    "403": ({"status": 403}, "unauthorized"),
    "404": ({"status": 404}, "model_not_found"),
    "413": ({"status": 413}, "bad_request"),
    "422": ({"status": 422}, "bad_request"),
    "429": ({"status": 429}, "rate_limited"),
    "429 with a time to retry": ({"status": 429, "retry_after": 3600}, "rate_limited"),
    "500": ({"status": 500}, "vendor_failed"),
    "503": ({"status": 503}, "vendor_failed"),
    "529": ({"status": 529}, "vendor_failed"),
    "an error event after the opening frame": ({"fault": "error"}, "vendor_failed"),
    "dropped before the headers": ({"fault": "drop", "after": -1}, "unreachable"),
    "dropped after the opening frame": ({"fault": "drop"}, "disconnected"),
    "reset before the headers": ({"fault": "reset", "after": -1}, "unreachable"),
    "reset after the opening frame": ({"fault": "reset"}, "disconnected"),
    "a frame that is no JSON": ({"fault": "bad_json"}, "malformed"),
    "an HTML page": ({"fault": "not_sse", "after": -1}, "malformed"),
    "an end without text": ({"fault": "end"}, "empty_reply"),
    "a reply without text": ({"text": ""}, "empty_reply"),
    "filtered without text": ({"filtered": True}, "filtered"),
}

HANGS: dict[str, dict[str, Any]] = {
    "no headers": {"fault": "stall", "after": -1},
    "nothing after the opening frame": {"fault": "stall"},
    "late headers": {"headers_delay": 60},
    "a late first delta": {"first_delay": 60},
}

BREAKS: dict[str, tuple[dict[str, Any], str]] = {
    "error": ({"fault": "error", "after": 2}, "vendor_failed"),
    "drop": ({"fault": "drop", "after": 2}, "disconnected"),
    "reset": ({"fault": "reset", "after": 2}, "disconnected"),
    "bad_json": ({"fault": "bad_json", "after": 2}, "malformed"),
    "end": ({"fault": "end", "after": 2}, "disconnected"),
}

every_provider = pytest.mark.parametrize("name", NAMES)
every_fault = pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS.keys())
every_hang = pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS.keys())
every_break = pytest.mark.parametrize(("fault", "kind"), BREAKS.values(), ids=BREAKS.keys())


@pytest.fixture(autouse=True)
def vendors(simulator: Simulator, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDERS = all_at(simulator)
    settings.DEFAULT_PROVIDER = "gpt"
    settings.PROVIDER_TIMEOUT = 30.0
    settings.FORBID_VENDORS = True
    monkeypatch.setattr(registry, "breaker", Breaker())


async def failure(name: str | None) -> AllModelsFailed:
    with pytest.raises(AllModelsFailed) as caught:
        await collect(name)
    return caught.value


@every_provider
async def test_it_streams_the_default_model(name: str, simulator: Simulator) -> None:
    simulator.script(chunks=["Hel", "lo ", "🌍"])
    events = await collect(name)
    assert (serving(events), text_of(events)) == (f"{name}-big", "Hello 🌍")


@every_fault
@every_provider
async def test_it_falls_back_and_tells_why(name: str, fault: dict[str, Any], kind: str, simulator: Simulator) -> None:
    simulator.script(VENDORS[name], f"{name}-big", **fault)
    simulator.script(VENDORS[name], f"{name}-small", text="Hello")
    events = await collect(name)
    assert (outcomes(events), serving(events), text_of(events)) == ([(f"{name}-big", kind)], f"{name}-small", "Hello")


@every_hang
@every_provider
async def test_it_falls_back_when_the_default_model_hangs(
    name: str, hang: dict[str, Any], simulator: Simulator, settings: Settings
) -> None:
    settings.PROVIDERS = {name: settings.PROVIDERS[name]}
    await registry.warm_up()
    settings.PROVIDER_TIMEOUT = ENOUGH
    simulator.script(VENDORS[name], f"{name}-big", **hang)
    simulator.script(VENDORS[name], f"{name}-small", text="Hello")
    events = await collect(name)
    assert (outcomes(events), text_of(events)) == ([(f"{name}-big", "timeout")], "Hello")


@every_provider
async def test_it_closes_the_stream_of_a_default_model_that_hangs(
    name: str, simulator: Simulator, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT = ENOUGH
    simulator.script(VENDORS[name], f"{name}-big", fault="stall", times=1)
    await collect(name)
    assert simulator.chats()[0]["state"] == "client_closed"


@every_fault
@every_provider
async def test_it_fails_when_both_models_fail(
    name: str, fault: dict[str, Any], kind: str, simulator: Simulator
) -> None:
    simulator.script(VENDORS[name], **fault)
    error = await failure(name)
    assert (outcomes(error.attempts), error.timed_out) == ([(f"{name}-big", kind), (f"{name}-small", kind)], False)


@every_hang
@every_provider
async def test_it_is_out_of_time_when_both_models_hang(
    name: str, hang: dict[str, Any], simulator: Simulator, settings: Settings
) -> None:
    settings.PROVIDERS = {name: settings.PROVIDERS[name]}
    settings.PROVIDER_TIMEOUT = SHORT
    simulator.script(VENDORS[name], **hang)
    await registry.warm_up()
    error = await failure(name)
    assert (outcomes(error.attempts), error.timed_out) == (
        [(f"{name}-big", "timeout"), (f"{name}-small", "timeout")],
        True,
    )


@every_break
@every_provider
async def test_it_ends_with_the_failure_when_text_had_come(
    name: str, fault: dict[str, Any], kind: str, simulator: Simulator
) -> None:
    simulator.script(VENDORS[name], chunks=["Hel", "lo", "never sent"], delay=0.05, **fault)
    events: list[Event] = []
    with pytest.raises(ProviderError) as caught:
        await read_into(events, registry.answering(name))
    await registry.aclose()
    assert (text_of(events), caught.value.kind, len(simulator.chats())) == ("Hello", kind, 1)


@every_provider
async def test_it_calls_a_stall_after_text_a_timeout(name: str, simulator: Simulator, settings: Settings) -> None:
    settings.PROVIDER_TIMEOUT = ENOUGH
    simulator.script(VENDORS[name], chunks=["Hel", "lo"], fault="stall", after=1)
    with pytest.raises(ProviderError) as caught:
        await collect(name)
    assert (caught.value.kind, len(simulator.chats())) == ("timeout", 1)


@every_provider
async def test_it_cannot_reach_a_vendor_who_refuses(name: str, settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name, base_url=nobody())}
    assert outcomes((await failure(name)).attempts)[0] == (f"{name}-big", "unreachable")


@every_provider
async def test_it_cannot_reach_a_vendor_without_an_address(name: str, settings: Settings) -> None:
    settings.FORBID_VENDORS = False
    settings.PROVIDERS = {name: one(name, base_url="http://nobody.invalid")}
    assert outcomes((await failure(name)).attempts)[0] == (f"{name}-big", "unreachable")


@every_provider
async def test_it_cannot_reach_a_vendor_without_tls(name: str, simulator: Simulator, settings: Settings) -> None:
    settings.PROVIDERS = {name: one(name, base_url=simulator.root.replace("http:", "https:"))}
    assert outcomes((await failure(name)).attempts)[0] == (f"{name}-big", "unreachable")


async def test_it_asks_the_next_provider_when_one_fails_altogether(simulator: Simulator) -> None:
    simulator.script("openai", status=503)
    assert serving(await collect(None)) == "claude-big"


async def test_it_says_how_all_of_them_failed(simulator: Simulator) -> None:
    simulator.script(status=429)
    error = await failure(None)
    assert [model for model, kind in outcomes(error.attempts)] == [f"{n}-{s}" for n in NAMES for s in ("big", "small")]


OPEN_STREAMS: dict[str, dict[str, Any]] = {
    "paced": {"endless": True, "delay": 0.01},
    "flooding": {"endless": True, "burst": True},
}


@pytest.mark.parametrize("script", OPEN_STREAMS.values(), ids=OPEN_STREAMS.keys())
@every_provider
async def test_it_closes_the_vendors_stream_when_it_is_closed(
    name: str, script: dict[str, Any], simulator: Simulator
) -> None:
    simulator.script(chunks=100, **script)
    async with aclosing(registry.answering(name).stream(REQUEST)) as stream:
        async for event in stream:
            if isinstance(event, Delta):
                break
    closed = await asyncio.to_thread(simulator.wait, VENDORS[name], seconds=2)
    await registry.aclose()
    assert closed["state"] == "client_closed"


LEFT_STREAMS = OPEN_STREAMS | {
    "hanging before text": {"fault": "stall"},
    "hanging after text": {"fault": "stall", "after": 1},
}


@pytest.mark.parametrize("script", LEFT_STREAMS.values(), ids=LEFT_STREAMS.keys())
@every_provider
async def test_it_closes_the_vendors_stream_when_its_task_is_cancelled(
    name: str, script: dict[str, Any], simulator: Simulator
) -> None:
    simulator.script(chunks=100, **script)
    await registry.warm_up()
    task = asyncio.create_task(collect(name))
    await asyncio.to_thread(simulator.wait, VENDORS[name], state="open")
    await asyncio.sleep(0.05)
    task.cancel()
    closed = await asyncio.to_thread(simulator.wait, VENDORS[name], seconds=2)
    await asyncio.wait([task])
    assert (task.cancelled(), closed["state"]) == (True, "client_closed")
